"""The encoder that is explained: a small BERT of our own, one of homework 7, or a BERT in a folder.

Shapes: B sequences, L tokens, D numbers of a token, V tokens of the vocabulary. A sequence is
[CLS] question [SEP] text [SEP], without a question [CLS] text [SEP]; 0 is padding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import BertModel

from mlspring.core.errors import DataError
from mlspring.homeworks.hw09_explain.recipe import TextKnobs
from mlspring.kit.bert import new_bert, shared
from mlspring.worlds.senses.texts import characters

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
MOST_TOKENS = 96  # of a sequence that our own encoder reads
WAVELENGTH = 100  # 2 pi times this: tokens of the slowest wave of its fresh positions
SPECIAL_PART, QUESTION, TEXT = 0, 1, 2  # what a token belongs to


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """One sequence.

    Args:
        ids: tokens (L,).
        segments: 0 of the question, 1 of a text behind one; more where the encoder marks matches.
        parts: (L,), 0 special, 1 of the question, 2 of the text.
        offsets: (L, 2), from where to where a token reaches in its question or text, characters.
        names: of the tokens.
    """

    ids: Tensor
    segments: Tensor
    parts: NDArray[np.int64]
    offsets: NDArray[np.int64]
    names: list[str]

    def inside(self, start: int, end: int) -> NDArray[np.bool_]:
        """Return which tokens of the text touch its characters ``start`` to ``end - 1``: (L,)."""
        touched = (self.offsets[:, 0] < end) & (self.offsets[:, 1] > start)
        return np.asarray(touched & (self.parts == TEXT))


@dataclass(frozen=True, kw_only=True)
class Encoder:
    """A BERT in evaluation mode and its tokenizer.

    Args:
        bert: without a head.
        tokenizer: gives tokens with their places.
        config: values of its ``BertConfig``.
        told: name, parameters, accuracy (None: nobody measured it).
    """

    bert: BertModel
    tokenizer: Tokenizer
    config: Mapping[str, Any]
    told: dict[str, Any]

    def encode(self, text: str, question: str = "") -> Encoded:
        """Return a sequence as this encoder was trained to read it; errors as ``encode``."""
        match, most = self.config["type_vocab_size"] > 2, self.config["max_position_embeddings"]
        return encode(self.tokenizer, text, question, match=match, most=most)

    @torch.no_grad()
    def states(self, one: Encoded) -> tuple[Tensor, Tensor]:
        """Return what each layer makes of a sequence, and where each head looks.

        Returns:
            Vectors (layers + 1, L, D), those of the embeddings first, and attention (layers, heads,
            L, L), whose rows, from a token to all others, add up to 1.
        """
        ids, segments = (x[None].to(self.bert.device) for x in (one.ids, one.segments))
        asked = {"output_hidden_states": True, "output_attentions": True}
        found = self.bert(ids, ids.ne(0), segments, **asked)
        vectors = torch.cat([*found.hidden_states]).float().cpu()
        return vectors, torch.cat([*found.attentions]).float().cpu()


def encode(
    tokenizer: Tokenizer, text: str, question: str = "", *, match: bool = False, most: int = 512
) -> Encoded:
    """Return a sequence; ``match`` gives tokens that the question has segments of their own.

    Raises:
        DataError: it has more than ``most`` tokens.
    """
    parts = [tokenizer.encode(part, add_special_tokens=False) for part in (question, text)]
    _, unknown, cls, sep, mask = (tokenizer.token_to_id(name) or 0 for name in SPECIAL)
    ids, kinds, offsets = [cls], [SPECIAL_PART], [(0, 0)]
    for kind, part in zip((QUESTION, TEXT), parts, strict=True):
        if part.ids or kind == TEXT:
            ids += [*part.ids, sep]
            kinds += [kind] * len(part.ids) + [SPECIAL_PART]
            offsets += [*part.offsets, (0, 0)]
    if len(ids) > most:
        found, fix = f"a text of {len(ids)} tokens", "give an encoder with more positions"
        raise DataError(found, expected=f"at most {most}, as the encoder reads", fix=fix)
    segments = np.zeros(len(ids), np.int64)
    if question:
        segments[len(parts[0].ids) + 2 :] = 1
        if match:
            marks = shared(np.array(parts[0].ids), np.array(parts[1].ids), (unknown, mask))
            segments[len(parts[0].ids) + 2 : -1] += marks
    return Encoded(
        ids=torch.tensor(ids),
        segments=torch.from_numpy(segments),
        parts=np.array(kinds, np.int64),
        offsets=np.array(offsets, np.int64),
        names=[str(tokenizer.id_to_token(number)) for number in ids],
    )


def padded(sequences: Sequence[Encoded]) -> tuple[Tensor, Tensor]:
    """Return ids and segments of several sequences, 0 behind the shorter ones: two of (B, L)."""
    ids = nn.utils.rnn.pad_sequence([one.ids for one in sequences], batch_first=True)
    segments = nn.utils.rnn.pad_sequence([one.segments for one in sequences], batch_first=True)
    return ids, segments


def own_tokenizer() -> Tokenizer:
    """Return the tokenizer of our own encoder: a token a character of its world, as BERT's."""
    numbers = {word: number for number, word in enumerate((*SPECIAL, *characters()))}
    tokenizer = Tokenizer(models.WordPiece(numbers, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def own_config(knobs: TextKnobs) -> dict[str, Any]:
    """Return the values of ``BertConfig`` for an encoder of our own."""
    return {
        "vocab_size": len(SPECIAL) + len(characters()),
        "hidden_size": knobs.width,
        "num_hidden_layers": knobs.layers,
        "num_attention_heads": knobs.heads,
        "intermediate_size": 4 * knobs.width,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "max_position_embeddings": MOST_TOKENS,
        "type_vocab_size": 2,
        "initializer_range": round(knobs.width**-0.5, 4),
        "convolution": 0,
        "wavelength": WAVELENGTH,
    }


class ReadingNet(nn.Module):
    """BERT with two heads: names of hidden tokens (B, L, V), and both ends of an answer (B, 2, L).

    The last layer of the first is the word embedding (Devlin et al. 2019, arXiv:1810.04805).
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.bert = new_bert(config)
        width = config["hidden_size"]
        self.transform = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
        self.bias = nn.Parameter(torch.zeros(config["vocab_size"]))
        self.span = nn.Linear(width, 2)

    def forward(self, ids: Tensor, segments: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of names and of ends; padding (id 0) is no end."""
        states = self.bert(ids, ids.ne(0), segments).last_hidden_state  # (B, L, D)
        words = self.bert.embeddings.word_embeddings.weight
        names = F.linear(self.transform(states), words, self.bias)
        ends: Tensor = self.span(states).transpose(1, 2)
        return names, ends.masked_fill(ids.eq(0)[:, None], -1e4)
