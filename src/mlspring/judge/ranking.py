"""The rows of a board: the learners of a page, and the baselines to beat between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mlspring.core.spec import Spec
from mlspring.judge.names import BASELINE_PREFIX
from mlspring.judge.points import Earned, baselines_of, earned
from mlspring.judge.records import Standing


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a board: a learner, or the baseline of a level.

    Args:
        kind: ``learner`` or ``baseline``; a baseline has no rank.
        rank: 1 is best; learners with the same full score share it.
        name: the learner, or ``baseline: strong``.
        public: best public score; ``private`` that of the finals, None where it is not shown.
        level: highest level reached on this board's part.
        points: earned on both parts.
        num_submissions: how many of the learner's submissions were scored.
        number: the submission behind this board's score.
        received: when that one came in.
    """

    kind: Literal["learner", "baseline"]
    rank: int | None = None
    name: str
    public: float | None
    private: float | None
    level: str | None
    points: Earned
    num_submissions: int = 0
    number: int | None = None
    received: datetime | None = None


def board_rows(
    spec: Spec,
    standings: Sequence[Standing],
    *,
    source: str,
    private: bool = False,
    before: Standing | None = None,
    is_last: bool = True,
) -> list[Row]:
    """Return the rows of one page of a board, best first.

    A baseline stands under the learners who meet it exactly. A level without a baseline on the
    ordering part has no row.

    Args:
        spec: direction of the metric, baselines and points.
        standings: the page's learners in order.
        source: ``world`` or ``official``.
        private: whether the board orders by the private part.
        before: the learner above this page; baselines above that one stand on earlier pages.
        is_last: whether this is the last page, on which the baselines below all learners stand.
    """
    # Hardest baseline first: where two baselines are equal, the harder one stands above.
    levels = baselines_of(spec, source, "private" if private else "public")
    waiting = [(levels[level], level) for level in reversed(spec.levels) if level in levels]
    waiting.sort(key=lambda pair: pair[0], reverse=spec.metric.higher_is_better)
    rows: list[Row] = []
    for standing in ([before] if before else []) + [*standings]:
        score = standing.private if private else standing.public
        above = [pair for pair in waiting if spec.metric.better(pair[0], score or 0.0)]
        waiting = waiting[len(above) :]
        if standing is not before:
            rows += [_baseline(spec, source, level, private=private) for _, level in above]
            rows.append(learner_row(spec, standing, source=source, private=private))
    if is_last:
        rows += [_baseline(spec, source, level, private=private) for _, level in waiting]
    return rows


def learner_row(spec: Spec, standing: Standing, *, source: str, private: bool) -> Row:
    """Return the row of one learner."""
    part: Literal["public", "private"] = "private" if private else "public"
    return Row(
        kind="learner",
        rank=standing.rank,
        name=standing.name,
        public=standing.public,
        private=standing.private,
        level=spec.level_reached(getattr(standing, part), source, part),
        points=earned(spec, standing.public, standing.private, source),
        num_submissions=standing.num_submissions,
        number=standing.number,
        received=standing.received,
    )


def _baseline(spec: Spec, source: str, level: str, *, private: bool) -> Row:
    return Row(
        kind="baseline",
        name=f"{BASELINE_PREFIX}{level}",
        public=baselines_of(spec, source, "public").get(level),
        private=baselines_of(spec, source, "private").get(level) if private else None,
        level=level,
        points=Earned(public=None, private=None),
    )
