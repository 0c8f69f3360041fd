"""The order of a board: one row a learner, and the baselines to beat between them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from mlspring.core.spec import Spec
from mlspring.judge.entry import BASELINE_PREFIX, Entry
from mlspring.judge.points import Earned, baselines_of, best_public, earned, final_entry


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


def board(
    spec: Spec,
    entries: Iterable[Entry],
    *,
    source: str,
    private: bool = False,
    show_private: bool = False,
) -> list[Row]:
    """Return the board of one data source, best row first.

    The public board orders by each learner's best public score, the private board by the private
    score of their finals. Equal full scores share a rank, the earlier submission above. A baseline
    stands under the learners who meet it exactly. A level without a baseline on the ordering part
    has no row.

    Args:
        spec: direction of the metric, baselines and points.
        entries: submissions; those of other homeworks, sources or states are passed over.
        source: ``world`` or ``official``.
        private: order by the private part; implies ``show_private``.
        show_private: fill the private column.
    """
    show_private = show_private or private
    by_learner: dict[str, list[Entry]] = {}
    for entry in entries:
        if (entry.homework, entry.source) == (spec.id, source) and entry.public is not None:
            by_learner.setdefault(entry.learner, []).append(entry)
    rows = [
        _learner(spec, name, theirs, private=private, show_private=show_private)
        for name, theirs in by_learner.items()
    ]
    part = "private" if private else "public"
    # Hardest baseline first: where two baselines are equal, the harder one stands above.
    rows += [
        _baseline(spec, source, level, show_private=show_private)
        for level in reversed(spec.levels)
        if level in baselines_of(spec, source, part)
    ]

    # A learner without a score on the ordering part has no place on this board.
    scored = [(score, row) for row in rows if (score := getattr(row, part)) is not None]
    sign = -1.0 if spec.metric.higher_is_better else 1.0

    def order(pair: tuple[float, Row]) -> tuple[float, bool, float, int]:
        score, row = pair
        when = 0.0 if row.received is None else row.received.timestamp()
        return sign * score, row.kind == "baseline", when, row.number or 0

    return _ranked(sorted(scored, key=order))


def _ranked(scored: Sequence[tuple[float, Row]]) -> list[Row]:
    """Return the sorted rows with ranks 1, 1, 3, ... for the learners; baselines have none."""
    ranked: list[Row] = []
    num_learners, rank, last = 0, 0, None
    for score, row in scored:
        if row.kind == "baseline":
            ranked.append(row)
            continue
        num_learners += 1
        if score != last:
            rank, last = num_learners, score
        ranked.append(replace(row, rank=rank))
    return ranked


def _learner(
    spec: Spec, name: str, entries: Sequence[Entry], *, private: bool, show_private: bool
) -> Row:
    best, final = best_public(spec, entries), final_entry(spec, entries)
    source = entries[0].source
    public_score = best.public if best else None
    private_score = final.private if final and show_private else None
    behind = final if private else best
    return Row(
        kind="learner",
        name=name,
        public=public_score,
        private=private_score,
        level=spec.level_reached(private_score, source, "private")
        if private
        else spec.level_reached(public_score, source, "public"),
        points=earned(spec, public_score, private_score, source),
        num_submissions=len(entries),
        number=behind.number if behind else None,
        received=behind.received if behind else None,
    )


def _baseline(spec: Spec, source: str, level: str, *, show_private: bool) -> Row:
    private_baseline = baselines_of(spec, source, "private").get(level) if show_private else None
    return Row(
        kind="baseline",
        name=f"{BASELINE_PREFIX}{level}",
        public=baselines_of(spec, source, "public").get(level),
        private=private_baseline,
        level=level,
        points=Earned(public=None, private=None),
    )
