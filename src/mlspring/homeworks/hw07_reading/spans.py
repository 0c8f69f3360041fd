"""From scores of starts and ends to spans: the sample's rule and better ones, as pure functions.

W windows of all questions together, L places of a sequence.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mlspring.homeworks.hw07_reading.recipe import SpanKnobs

NEVER = -1e4  # the score of a place that may not be chosen

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Scores:
    """What a network says of all windows of Q questions, those of a question one after another.

    Args:
        logits: of starts and ends, (W, 2, L); padding has ``NEVER``.
        questions: which question each window is of, from 0 to Q - 1, rising.
        offsets: the window's first token, as counted in its paragraph.
        firsts: the place of that token in its sequence.
        sizes: tokens of the window.
    """

    logits: Floats
    questions: Ints
    offsets: Ints
    firsts: Ints
    sizes: Ints

    def inside(self) -> NDArray[np.bool_]:
        """Return which places are tokens of the paragraph, (W, L)."""
        places = np.arange(self.logits.shape[2])
        return (places >= self.firsts[:, None]) & (places < (self.firsts + self.sizes)[:, None])

    def of(self, rows: NDArray[np.bool_]) -> "Scores":
        """Return the scores of some windows."""
        return Scores(
            logits=self.logits[rows],
            questions=self.questions[rows],
            offsets=self.offsets[rows],
            firsts=self.firsts[rows],
            sizes=self.sizes[rows],
        )


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Which rules hold; all off is the sample.

    Args:
        raw: the answer is cut out of the paragraph; else names of tokens are joined.
        inside: start and end are tokens of the paragraph; else also of the question.
        ordered: the best pair of a start and an end not before it; else the best of each, apart.
        longest: tokens of an answer at most; None: any.
        across: windows are compared by their best pair; else by their best start and best end.
    """

    raw: bool = False
    inside: bool = False
    ordered: bool = False
    longest: int | None = None
    across: bool = False


def rules_of(knobs: SpanKnobs) -> Rules:
    """Return the rules that a recipe asks for."""
    if knobs.rule == "sample":
        return Rules()
    return Rules(raw=True, inside=True, ordered=True, longest=knobs.longest, across=True)


def ladder(longest: int) -> dict[str, Rules]:
    """Return the rules from the sample's to all of them, each with one more than the one before."""
    steps: dict[str, Rules] = {"the sample's rule": Rules()}
    steps["+ text cut from the paragraph"] = rules = Rules(raw=True)
    steps["+ tokens of the paragraph only"] = rules = replace(rules, inside=True)
    steps["+ end not before start"] = rules = replace(rules, ordered=True)
    steps[f"+ at most {longest} tokens"] = rules = replace(rules, longest=longest)
    steps["+ best pair over all windows"] = replace(rules, across=True)
    return steps


def choose(scores: Scores, rules: Rules) -> tuple[Ints, Ints, Ints]:
    """Return of each question the chosen window and the answer's first and last place in it, (Q,).

    Where a rule lets an end stand before its start, it may.
    """
    logits = scores.logits
    if rules.inside:
        logits = np.where(scores.inside()[:, None], logits, np.float32(NEVER))
    firsts, lasts = logits[:, 0].argmax(1), logits[:, 1].argmax(1)
    apart = logits.max(2).sum(1)
    best = apart
    if rules.ordered:
        longest = rules.longest or logits.shape[2]
        best, firsts, lasts = best_pairs(logits[:, 0], logits[:, 1], longest)
    worth = best if rules.across else apart
    order = np.lexsort((-np.arange(len(worth)), worth, scores.questions))
    ends = np.flatnonzero(np.diff(scores.questions, append=scores.questions[-1] + 1))
    window = order[ends]  # of equal windows the first, as in the sample
    return window, firsts[window], lasts[window]


def best_pairs(starts: Floats, ends: Floats, longest: int) -> tuple[Floats, Ints, Ints]:
    """Return of each row the pair start <= end < start + longest of largest sum: all are tried.

    Args:
        starts: logits (W, L).
        ends: logits (W, L).
        longest: places from start to end, both counted.

    Returns:
        sum, start and end, each (W,); of equal pairs the shortest, and of these the first.
    """
    rows, length = np.arange(len(starts)), starts.shape[1]
    best = np.full(len(starts), -np.inf, np.float32)
    first, last = np.zeros((2, len(starts)), np.int64)
    for gap in range(min(longest, length)):
        sums = starts[:, : length - gap] + ends[:, gap:]
        place = sums.argmax(1)
        better = sums[rows, place] > best
        best = np.where(better, sums[rows, place], best)
        first, last = np.where(better, place, first), np.where(better, place + gap, last)
    return best, first, last
