"""From text to tokens with their places: a vocabulary of our own, or that of a given model.

Ours has the characters of the training text. As in BERT's, a Chinese character is a token, and a
word of letters or digits is cut into pieces from a vocabulary (here: single characters; those that
continue a word begin with ##). A word with a character that the vocabulary lacks is one [UNK].
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspring.core.errors import DataError

PAD, UNK, CLS, SEP, MASK = SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A text as tokens.

    Args:
        ids: (T,) numbers of the tokens.
        offsets: (T, 2), where each stands in the raw text: first character, and the one behind.
    """

    ids: NDArray[np.int32]
    offsets: NDArray[np.int32]


class Tokenizer:
    """Texts to tokens with offsets, by a ``tokenizers.Tokenizer`` kept as its JSON.

    Args:
        text: the JSON of a tokenizer that has BERT's special tokens.

    Raises:
        DataError: it lacks one.
    """

    def __init__(self, text: str) -> None:
        import tokenizers

        self.text = text
        self._inner = tokenizers.Tokenizer.from_str(text)
        self._inner.no_truncation()
        self._inner.no_padding()
        numbers = {name: self._inner.token_to_id(name) for name in SPECIAL}
        if missing := [name for name, number in numbers.items() if number is None]:
            expected = f"a tokenizer of BERT's, which has {', '.join(SPECIAL)}"
            raise DataError(f"the tokenizer lacks {missing[0]}", expected=expected)
        self.pad, self.unk, self.cls, self.sep, self.mask = (numbers[name] or 0 for name in SPECIAL)
        self.size: int = self._inner.get_vocab_size()

    @classmethod
    def of(cls, words: Sequence[str]) -> "Tokenizer":
        """Return the tokenizer of a vocabulary, whose place is a token's number."""
        import tokenizers
        from tokenizers import models, normalizers, pre_tokenizers

        numbers = {word: number for number, word in enumerate(words)}
        inner = tokenizers.Tokenizer(models.WordPiece(numbers, unk_token=UNK))
        inner.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
        inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        return cls(inner.to_str())

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Return each text as tokens, without special ones."""
        found: list[Any] = self._inner.encode_batch(list(texts), add_special_tokens=False)
        return [
            Encoded(
                ids=np.array(one.ids, np.int32),
                offsets=np.array(one.offsets, np.int32).reshape(-1, 2),
            )
            for one in found
        ]

    def token(self, number: int) -> str:
        """Return the name of a token."""
        return str(self._inner.id_to_token(int(number)))


def vocabulary(texts: Iterable[str], fewest: int) -> list[str]:
    """Return the special tokens and the characters that occur at least ``fewest`` times.

    Letters and digits stand twice, once as a word's beginning and once, with ##, as its
    continuation. Frequent ones come first; which they are does not depend on the order of texts.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(text)
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    known = [character for character, n in frequent if n >= fewest and not character.isspace()]
    return [*SPECIAL, *known, *(f"##{character}" for character in known if _joins(character))]


def _joins(character: str) -> bool:
    """Return whether a character joins its neighbours to a word, as BERT's tokenizer has it."""
    return character.isalnum() and not ("\u3400" <= character <= "\u9fff" or character > "\uf8ff")
