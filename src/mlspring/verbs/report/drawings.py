"""Where things lie in the report's drawings: the score among its baselines, curves from the log.

Only positions are computed here, in per cent of the width (and height); the template draws them.
Texts keep their size whatever the width, so the drawings can be read on a phone.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlspring.core.spec import Metric

_EDGE = 9.0  # per cent of the width kept free at either end
_LABEL = 22.0  # labels nearer than this, in per cent, would touch on a phone
_NO_CURVE = {"step", "epoch", "seconds", "member"}


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A level's baseline: where, the row of its label, and whether the score reaches it."""

    level: str
    x: float
    row: int
    reached: bool


@dataclass(frozen=True, kw_only=True)
class Track:
    """One part of the board: its baselines and the run's score, from worse on the left to better.

    Args:
        part: ``public`` or ``private``.
        ticks: the baselines.
        x: of the score, or None without one.
        label: the score as shown.
        anchor: on which side of ``x`` the label stands, ``start``, ``middle`` or ``end``.
    """

    part: str
    ticks: tuple[Tick, ...]
    x: float | None
    label: str
    anchor: str

    @property
    def rows(self) -> int:
        """Rows of labels."""
        return 1 + max((tick.row for tick in self.ticks), default=0)


@dataclass(frozen=True, kw_only=True)
class NumberLine:
    """Tracks on one scale; ``numbers`` are the scale's own, with their places."""

    tracks: tuple[Track, ...]
    numbers: tuple[tuple[str, float], ...]


def baseline_axis(
    metric: Metric,
    baselines: Mapping[str, Mapping[str, float]],
    scores: Mapping[str, float | None],
) -> NumberLine | None:
    """Return the drawing for ``baselines`` by part and level, or None where there is no baseline.

    Better is always to the right, whatever the metric's direction. A score far outside the
    baselines is drawn at the edge: the scale belongs to the baselines.
    """
    values = [baseline for part in baselines.values() for baseline in part.values()]
    if not values:
        return None
    reach = (max(values) - min(values)) or abs(max(values)) or 1.0
    known = [min(max(s, min(values) - reach), max(values) + reach) for s in _finite(scores)]
    low, high = min(values + known), max(values + known)
    if low == high:
        low, high = low - reach / 2, high + reach / 2

    def place(value: float) -> float:
        share = min(max((value - low) / (high - low), 0.0), 1.0)
        share = share if metric.higher_is_better else 1 - share
        return round(_EDGE + (100 - 2 * _EDGE) * share, 2)

    tracks = []
    for part, levels in baselines.items():
        score = scores.get(part)
        score = None if score is None or not math.isfinite(score) else score
        if not levels and score is None:
            continue
        x = None if score is None else place(score)
        outside = score is not None and not low <= score <= high
        label = "" if score is None else metric.show(score) + (" (off the scale)" * outside)
        ticks = _ticks(metric, levels, score, {level: place(v) for level, v in levels.items()})
        tracks.append(Track(part=part, ticks=ticks, x=x, label=label, anchor=_anchor(x)))
    numbers = tuple((shown, place(value)) for value, shown in _round_numbers(low, high))
    return NumberLine(tracks=tuple(tracks), numbers=numbers)


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line of a panel; ``points`` is SVG's list of x,y in a 100 by 100 square."""

    group: str
    points: str


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Curves of one quantity: its name, the range of its values, the range of x and its unit."""

    name: str
    curves: tuple[Curve, ...]
    low: str
    high: str
    first: str
    last: str
    unit: str


def panels(entries: Sequence[Mapping[str, Any]]) -> list[Panel]:
    """Return one panel for each quantity that the log holds twice or more."""
    names = dict.fromkeys(key.rpartition("/")[2] for e in entries for key in e if "/" in key)
    found = [_panel(name, entries) for name in names if name not in _NO_CURVE]
    return [panel for panel in found if panel is not None]


def num_networks(entries: Sequence[Mapping[str, Any]]) -> int:
    """Return how many networks the log is about."""
    return len({_member(entry) for entry in entries})


def _member(entry: Mapping[str, Any]) -> str:
    return str(entry.get("member", 0))


def curves_in_words(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return what the log's curves do, e.g. ``valid accuracy goes from 0.21 to 0.81``.

    Of several networks the means of their first and of their last values are told, and how many
    there are: ``valid loss goes from 0.9 to 0.3 (means of 5 networks)``.
    """
    words = []
    for key in dict.fromkeys(key for entry in entries for key in entry if "/" in key):
        series: dict[str, list[float]] = {}
        for entry in entries:
            series.setdefault(_member(entry), []).extend(_finite({key: entry.get(key)}))
        ends = [(values[0], values[-1]) for values in series.values() if len(set(values)) > 1]
        if ends:
            first, last = (sum(values) / len(ends) for values in zip(*ends, strict=True))
            name = key.replace("/", " ").replace("_", " ")
            mean = f" (means of {len(ends)} networks)" if len(ends) > 1 else ""
            words.append(f"{name} goes from {first:.3g} to {last:.3g}{mean}")
    return "; ".join(words)


def _panel(name: str, entries: Sequence[Mapping[str, Any]]) -> Panel | None:
    unit = "epoch" if any("epoch" in entry for entry in entries) else "step"
    series: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for entry in entries:
        for key, value in entry.items():
            group, _, quantity = key.rpartition("/")
            pair = (entry.get(unit), value)
            if quantity == name and group and all(_is_number(v) for v in pair):
                series.setdefault((group, _member(entry)), []).append(
                    (float(entry[unit]), float(value))
                )
    series = {key: points for key, points in series.items() if len(points) > 1}
    if len({y for points in series.values() for _, y in points}) < 2:
        return None  # nothing was logged twice, or it is always the same number
    xs = [x for points in series.values() for x, _ in points]
    ys = [y for points in series.values() for _, y in points]
    width, height = (max(xs) - min(xs)) or 1.0, (max(ys) - min(ys)) or 1.0
    curves = tuple(
        Curve(
            group=group,
            points=" ".join(
                f"{100 * (x - min(xs)) / width:.2f},{100 - 100 * (y - min(ys)) / height:.2f}"
                for x, y in points
            ),
        )
        for (group, _), points in series.items()
    )
    return Panel(
        name=name.replace("_", " "),
        curves=curves,
        low=f"{min(ys):.3g}",
        high=f"{max(ys):.3g}",
        first=f"{min(xs):g}",
        last=f"{max(xs):g}",
        unit=unit,
    )


def _ticks(
    metric: Metric, levels: Mapping[str, float], score: float | None, x: Mapping[str, float]
) -> tuple[Tick, ...]:
    """Return the ticks from left to right, labels that would touch in rows above each other."""
    ends: list[float] = []  # by row, where its last label stands
    ticks = []
    for level in sorted(levels, key=lambda level: x[level]):
        free = (row for row, end in enumerate(ends) if x[level] - end >= _LABEL)
        row = next(free, len(ends))
        ends[row : row + 1] = [x[level]]
        reached = score is not None and metric.reaches(score, levels[level])
        ticks.append(Tick(level=level, x=x[level], row=row, reached=reached))
    return tuple(ticks)


def _anchor(x: float | None) -> str:
    if x is None or _LABEL <= x <= 100 - _LABEL:
        return "middle"
    return "start" if x < _LABEL else "end"


def _round_numbers(low: float, high: float) -> Iterable[tuple[float, str]]:
    """Yield three to six round numbers between ``low`` and ``high``, with as they are written."""
    rough = (high - low) / 4
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * size for factor in (1, 2, 2.5, 5, 10) if factor * size >= rough * 0.999)
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) + (step / size == 2.5)
    for index in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1):
        yield index * step, f"{index * step:.{digits}f}"


def _finite(values: Mapping[Any, Any]) -> Iterable[float]:
    return (float(value) for value in values.values() if _is_number(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
