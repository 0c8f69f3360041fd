"""Subwords of both languages together: a SentencePiece unigram model, trained inside the run.

home()/vocabularies/1f0c9a77d2e4b861.model     hash of the text and of the settings
RUN/checkpoints/vocabulary.model               the same, so that a run translates anywhere

Source: Kudo 2018 (unigram model, arXiv:1804.10959), Kudo & Richardson 2018 (arXiv:1808.06226).
"""

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import sentencepiece

from mlspring.core.errors import DataError, RunError
from mlspring.core.files import atomic_path, home
from mlspring.core.progress import say
from mlspring.core.runs import Run
from mlspring.core.texts import read_bytes
from mlspring.homeworks.hw05_translation.cleaning import written_chinese
from mlspring.homeworks.hw05_translation.data import Data
from mlspring.homeworks.hw05_translation.recipe import Recipe

PAD, UNK, EOS, BACK = 0, 1, 2, 3
"""Padding; what no subword covers; the end; a first token that says: the English is synthetic."""

MAX_BYTES, NAME = 50_000_000, "vocabulary.model"
VERSION = 1  # of the settings below; part of the file's name


class Vocabulary:
    """Turns cleaned text into tokens and back; ``len`` is the number of tokens.

    Args:
        content: the bytes of a SentencePiece model.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._model = sentencepiece.SentencePieceProcessor(model_proto=content)

    def __len__(self) -> int:
        return self._model.vocab_size()

    def encode(self, lines: Sequence[str]) -> list[list[int]]:
        """Return the tokens of cleaned lines, without an end."""
        return self._model.encode(list(lines))

    def english(self, sentences: Sequence[list[int]]) -> list[str]:
        """Return cleaned English of tokens."""
        return self._model.decode(list(sentences))

    def chinese(self, sentences: Sequence[list[int]]) -> list[str]:
        """Return Chinese of tokens, as it is written."""
        return [written_chinese(line) for line in self._model.decode(list(sentences))]

    def piece(self, token: int) -> str:
        """Return a subword as people read it, ``▁`` where a word begins."""
        return self._model.id_to_piece(token)


def open_vocabulary(recipe: Recipe, data: Data) -> Vocabulary:
    """Return the vocabulary of all text that the recipe learns from; trained at its first use.

    The text is that of both sides, held-out pairs included, as in the course; Chinese without
    English is not counted, or few tokens were left for English. The same text gives the same bytes.
    """
    lines = [*data.train.english, *data.train.chinese, *data.held.english, *data.held.chinese]
    size = recipe.data.vocabulary
    digest = hashlib.sha256(f"{VERSION} {sentencepiece.__version__} {size}\n".encode())
    digest.update("\n".join(lines).encode())
    path = home() / "vocabularies" / f"{digest.hexdigest()[:16]}.model"
    if not path.exists():
        say(f"vocabulary: {size:,} subwords of {len(lines):,} lines, made once")
        content = trained(lines, size)
        with atomic_path(path) as partial:  # of two processes that do the same, the last one stays
            partial.write_bytes(content)
    return _read(path)


def trained(lines: Sequence[str], size: int) -> bytes:
    """Return the bytes of a unigram model of at most ``size`` tokens, as the course sets it.

    All characters are covered, text is brought to NFKC and lower case. One thread: with more, sums
    have no fixed order.

    Raises:
        DataError: the text has more characters than there are to be tokens.
    """
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines),
            model_writer=model,
            model_type="unigram",
            vocab_size=size,
            hard_vocab_limit=False,
            character_coverage=1.0,
            normalization_rule_name="nmt_nfkc_cf",
            pad_id=PAD,
            unk_id=UNK,
            eos_id=EOS,
            bos_id=-1,
            control_symbols=["<back>"],
            num_threads=1,
            minloglevel=2,
        )
    except RuntimeError as error:
        found = f"no vocabulary of {size:,} subwords can be made of this text ({error})"
        raise DataError(found, fix="allow more: --set data.vocabulary=8000") from error
    return model.getvalue()


def keep(vocabulary: Vocabulary, run: Run) -> None:
    """Write the vocabulary into the run."""
    with atomic_path(run.checkpoints / NAME) as partial:
        partial.write_bytes(vocabulary.content)


def of_run(run: Run) -> Vocabulary:
    """Return the vocabulary of a run.

    Raises:
        RunError: it is missing or damaged.
    """
    return _read(run.checkpoints / NAME)


def _read(path: Path) -> Vocabulary:
    try:
        return Vocabulary(read_bytes(path, max_bytes=MAX_BYTES, error=RunError))
    except RuntimeError as error:
        fix = "remove it; the next run makes it anew"
        raise RunError("is no SentencePiece model", file=path, fix=fix) from error
