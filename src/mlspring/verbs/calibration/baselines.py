"""Baselines from measured scores: where they lie, whether they can exist, and their file.

A baseline separates two neighbouring levels: every seed of the higher level meets it and every seed
of the lower one misses it. It lies midway between the worst seed of the higher and the best seed
of the lower level, so that both keep the same distance from it.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from mlspring.core.errors import DataError
from mlspring.core.spec import Metric

Scores = Mapping[str, Sequence[float]]
"""Scores of every seed by level, one part of the board."""

_MOST_DIGITS = 12


def find_baselines(
    metric: Metric, levels: Sequence[str], scores: Scores, *, shake: float = 0.0
) -> dict[str, float]:
    """Return the baseline of each level; ``scores`` must be free of :func:`overlaps`.

    The lowest level has nothing below it: its baseline lies one spread (largest minus smallest over
    its seeds) beyond its own worst seed, and at least two units of the displayed precision, so
    that a recipe whose seeds all agree still meets its baseline where the last digit shakes. With
    five seeds of normal scores that is 3.5 standard deviations from the mean.

    Baselines are rounded to the metric's digits, or to as many more as it takes to separate.

    Args:
        metric: of the scores.
        levels: from the lowest to the highest.
        scores: of one part of the board.
        shake: the lowest level's spread on another part, which counts where it is larger: three
            seeds that happen to agree on one part would leave no room for another processor.
    """
    lowest = levels[0]
    margin = max(spread(scores[lowest]), shake, 2 * 10.0**-metric.digits)
    worst = worst_of(metric, scores[lowest])
    below = worst - margin if metric.higher_is_better else worst + margin
    baselines = {lowest: _rounded(metric, worst, below - (worst - below))}
    for lower, higher in pairwise(levels):
        worst, best = worst_of(metric, scores[higher]), best_of(metric, scores[lower])
        baselines[higher] = _rounded(metric, worst, best)
    return baselines


def overlaps(metric: Metric, levels: Sequence[str], scores: Scores, part: str) -> list[str]:
    """Return one sentence for each pair of neighbours that no baseline can separate."""
    sentences = []
    for lower, higher in pairwise(levels):
        worst, best = worst_of(metric, scores[higher]), best_of(metric, scores[lower])
        if metric.better(worst, best):
            continue
        lost = [
            seed
            for seed, (low, high) in enumerate(zip(scores[lower], scores[higher], strict=True))
            if not metric.better(high, low)
        ]
        seeds = ", ".join(map(str, lost))
        which = f"in seed {seeds}" if lost else "across seeds, though it does seed by seed"
        sentences.append(
            f"{higher} does not beat {lower} {which} on the {part} part: "
            f"the worst seed of {higher} has {metric.show(worst)}, "
            f"the best of {lower} {metric.show(best)}"
        )
    return sentences


def spread(scores: Sequence[float]) -> float:
    """Return the largest score minus the smallest."""
    return max(scores) - min(scores)


def worst_of(metric: Metric, scores: Sequence[float]) -> float:
    """Return the worst score in the metric's direction."""
    return min(scores) if metric.higher_is_better else max(scores)


def best_of(metric: Metric, scores: Sequence[float]) -> float:
    """Return the best score in the metric's direction."""
    return max(scores) if metric.higher_is_better else min(scores)


def _rounded(metric: Metric, above: float, below: float) -> float:
    """Return the middle of two scores with the fewest digits that still lie between them."""
    middle = (above + below) / 2
    for digits in range(metric.digits, _MOST_DIGITS):
        baseline = round(middle, digits)
        if metric.reaches(above, baseline) and metric.better(baseline, below):
            return baseline
    return middle


# ---- baselines.toml


def replace_world(text: str, world: str, file: Path) -> str:
    """Return ``text``, the content of ``file``, with its ``[world]`` tables replaced by ``world``.

    All other bytes stay: other tables, and the comments above their headers.

    Raises:
        DataError: ``text`` is not TOML, or holds the world in a form that is not safe to replace.
    """
    try:
        before = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"is not valid TOML ({error})", file=file) from error
    kept, place = _without_world(text)
    if place is None:
        gap = "" if not kept or kept.endswith("\n\n") else "\n" if kept.endswith("\n") else "\n\n"
        changed = kept + gap + world
    else:
        rest = kept[place:]
        changed = kept[:place] + world + ("\n" if rest.strip() else "") + rest
    if not _same_but_world(before, changed):
        fix = "write the world as [world], [world.public] and [world.private]"
        raise DataError("has a [world] that cannot be replaced", file=file, fix=fix)
    return changed


def world_table(origin: str, public: Mapping[str, float], private: Mapping[str, float]) -> str:
    """Return the ``[world]`` tables as TOML."""
    escaped = origin.replace("\\", "\\\\").replace('"', '\\"')
    rows = ["[world]", "# Written by `mlspring calibrate`; changes by hand are lost."]
    rows.append(f'origin = "{escaped}"')
    for part, baselines in (("public", public), ("private", private)):
        rows += [
            "",
            f"[world.{part}]",
            *(f"{level} = {baseline!r}" for level, baseline in baselines.items()),
        ]
    return "\n".join(rows) + "\n"


def _same_but_world(before: dict[str, Any], changed: str) -> bool:
    """Return whether ``changed`` says about everything but the world what was there before."""
    try:
        after = tomllib.loads(changed)
    except tomllib.TOMLDecodeError:
        return False
    return before | {"world": None} == after | {"world": None}


def _without_world(text: str) -> tuple[str, int | None]:
    """Return ``text`` without its world tables, and where the first of them stood."""
    kept: list[str] = []
    held: list[str] = []  # comments and blank lines: they belong to the header that follows
    place, inside, quoted = None, False, None
    for line in text.splitlines(keepends=True):
        header = None if quoted else re.match(r"\s*\[+\s*[\"']?([\w-]+)", line)
        if header:
            was_inside, inside = inside, header.group(1) == "world"
            if not (inside and was_inside):  # comments between two world tables go with them
                kept += held if not was_inside else _from_first_comment(held)
            held = []
            if inside and place is None:
                place = sum(map(len, kept))
        comment = quoted is None and not header and line.strip()[:1] in ("", "#")
        if comment:
            held.append(line)
            continue
        quoted = _open_quote(line, quoted)
        if not inside:
            kept += [*held, line]
        held = []
    return "".join(kept + ([] if inside else held)), place


def _from_first_comment(lines: list[str]) -> list[str]:
    """Return ``lines`` without the blank ones at their start."""
    for index, line in enumerate(lines):
        if line.strip():
            return lines[index:]
    return []


def _open_quote(line: str, quoted: str | None) -> str | None:
    """Return the triple quote that is still open after ``line``, if any."""
    position = 0
    while True:
        if quoted:
            position = line.find(quoted, position)
            if position < 0:
                return quoted
            position, quoted = position + 3, None
        found = re.compile(r'"""|\'\'\'').search(line, position)
        if found is None:
            return None
        position, quoted = found.end(), found.group()
