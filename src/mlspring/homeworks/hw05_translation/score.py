"""Corpus BLEU by sacreBLEU, each Chinese character a token (Papineni et al. 2002; Post 2018).

Both sides are compared in half width and lower case (``cleaning.compared``), which is how the
course's own cleaned references are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sacrebleu.metrics.bleu import BLEU

from mlspring.core.answers import USAGES
from mlspring.core.errors import DataError
from mlspring.core.files import read_json
from mlspring.core.score import Score
from mlspring.homeworks.hw05_translation.cleaning import compared

KEYS = ("references", "usage", "accepted")


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What only the judge has, in the order of the test.

    Args:
        references: one translation of each sentence; the score compares with it.
        public: which count on the public board, the others on the private one.
        accepted: of each sentence every translation that is right; [] where nobody knows.
    """

    references: list[str]
    public: list[bool]
    accepted: list[list[str]]

    @property
    def ids(self) -> list[str]:
        """Numbers of the lines that a submission must have."""
        return [str(number) for number in range(1, len(self.references) + 1)]


def read_answers(path: Path) -> Answers:
    """Return the answers, JSON with ``references``, ``usage`` and, where it is known, ``accepted``.

    Raises:
        DataError: no such file, or the lists do not fit.
    """
    told = read_json(path)
    references, usage, accepted = (
        (told.get(key) for key in KEYS) if _is(dict, [told]) else ([],) * 3
    )
    accepted = [[]] * len(references or []) if accepted is None else accepted
    lists = (references, usage, accepted)
    fits = _is(list, lists) and len({len(part) for part in lists}) == 1
    fits = fits and _is(str, references) and set(map(str, usage)) == set(USAGES)
    if not fits or not all(_is(list, [one]) and _is(str, one) for one in accepted):
        expected = (
            "lists 'references' (lines), 'usage' (Public or Private, both), 'accepted' (lists)"
        )
        raise DataError("holds no answers of hw05", file=path, expected=expected)
    public = [part == USAGES[0] for part in usage]
    return Answers(references=references, public=public, accepted=accepted)


def score(values: Sequence[str], answers: Answers) -> Score:
    """Return BLEU of the public and of the private lines; a line alone has no score.

    The details of each part are its brevity penalty and the share of lines that are among the
    accepted translations, where those are known, signs and spaces aside; and the public score again
    under sacreBLEU's signature, which says how it is computed.
    """
    rows = list(zip(values, answers.references, answers.accepted, answers.public, strict=True))
    scores, details = [], {}
    for name, wanted in (("", True), ("private_", False)):
        lines, references, accepted = zip(
            *(row[:3] for row in rows if row[3] is wanted), strict=True
        )
        result, signature = bleu(lines, references)
        scores.append(min(result.score, 100.0))  # its own arithmetic ends at 100.00000000000004
        details[f"{name}brevity_penalty"] = result.bp
        if any(accepted):
            details[f"{name}accepted"] = share_accepted(lines, accepted)
    public, private = scores
    return Score(public=public, private=private, details=details | {f"BLEU|{signature}": public})


def bleu(lines: Sequence[str], references: Sequence[str], tokenizer: str = "zh") -> tuple[Any, str]:
    """Return sacreBLEU's result for lines with one reference each, and its signature."""
    metric = BLEU(tokenize=tokenizer, force=True)  # force: no word about spaces before periods
    result = metric.corpus_score(
        [compared(line) for line in lines], [[compared(line) for line in references]]
    )
    return result, str(metric.get_signature().format(short=False))


def share_accepted(lines: Sequence[str], accepted: Sequence[Sequence[str]]) -> float:
    """Return the share of lines that are among their accepted translations."""
    right = [bare(line) in map(bare, known) for line, known in zip(lines, accepted, strict=True)]
    return sum(right) / len(right)


def bare(line: str) -> str:
    """Return letters, digits and characters of a line alone."""
    return "".join(c for c in compared(line) if c.isalnum())


def _is(kind: type, values: Sequence[object]) -> bool:
    return all(isinstance(value, kind) for value in values)
