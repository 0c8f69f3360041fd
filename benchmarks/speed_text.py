"""The table of ``make bench``: how fast each level is reached, ours and the notebook way."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.texts import Results, fill, machine, table

MARKS = {"measured": "", "projected": "≈ ", "bound": "> "}  # from what is sure to what is not
WORDS = {"measured": "", "projected": "about ", "bound": "more than "}


def speed_text(speed: Results) -> str:
    """Return the table of how fast each level is reached; the fields: benchmarks/README.md."""
    rows = [row for row in speed["rows"] if row["pairs"]]
    if not rows:
        return f"Not measured yet: `{speed['command']}`."
    on_gpu = any(row["hardware"]["device"] != "cpu" for row in rows)
    head = ["homework", "level", "loader", "times faster", "s ours", "theirs", "MiB ours", "theirs"]
    head += ["of peak"]
    cells: list[Sequence[str]] = [[*head[:2], "on", *head[2:]] if on_gpu else head]
    for row in rows:
        ratio, known = median_ratio(row)
        mark = MARKS[known]
        efficiency, share = row.get("loader_efficiency"), row.get("peak_share")
        mib = "gpu_mib" if "theirs_gpu_mib" in row["pairs"][0] else "mib"
        cells.append(
            [
                row["homework"],
                row["level"],
                *([row["hardware"]["device"]] * on_gpu),
                "" if efficiency is None else f"{efficiency['median']:.2f}",
                f"{mark}{ratio:.1f}",
                f"{_median(row, 'ours_seconds'):.1f}",
                f"{mark}{_median(row, 'theirs_seconds'):.1f}",
                f"{_median(row, f'ours_{mib}'):.0f}",
                f"{_median(row, f'theirs_{mib}'):.0f}",
                "" if share is None else f"{share:.2f}",
            ]
        )
    return f"{table(cells, left=3 if on_gpu else 2)}\n\n{fill(_speed_caption(speed, rows))}"


def median_ratio(row: Mapping[str, Any]) -> tuple[float, str]:
    """Return the median of theirs over ours, and how that is known: a key of ``MARKS``.

    A lower bound stands above all other ratios: so the median is none as long as it is one of
    these.
    """
    return _median_known(
        (pair["theirs_seconds"] / pair["ours_seconds"], pair["known"]) for pair in row["pairs"]
    )


def _median_known(found: Iterable[tuple[float, str]]) -> tuple[float, str]:
    """Return the median of ratios and the least sure way in which its one or two are known."""
    ordered = sorted(found, key=lambda pair: (pair[1] == "bound", pair[0]))
    middle = ordered[(len(ordered) - 1) // 2 : len(ordered) // 2 + 1]
    known = max((known for _, known in middle), key=list(MARKS).index)
    return statistics.mean(ratio for ratio, _ in middle), known


def _median(row: Mapping[str, Any], key: str) -> float:
    return statistics.median(pair[key] for pair in row["pairs"])


def _speed_caption(speed: Results, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return how it was measured, what was compared, and the median and the smallest of all."""
    found = [(*median_ratio(row), f"{row['homework']}/{row['level']}") for row in rows]
    median, known = _median_known((ratio, known) for ratio, known, _ in found)
    least, least_known, where = min(found)
    waits = " or ".join(f"{wait:g}" for wait in sorted({row["wait"] for row in rows}))
    by = {kind: _names(rows, kind) for kind in ("training", "play")}
    other = [
        f"{text} {', '.join(by[kind])}"
        for kind, text in (
            ("training", "as many updates, where no score tells when to stop:"),
            ("play", "equally many steps of an environment:"),
        )
        if by[kind]
    ]
    pairs = sorted({len(row["pairs"]) for row in rows})
    dates, commits = ({row[key] for row in rows} for key in ("date", "commit"))
    counted = f"{pairs[0]} to {pairs[-1]}" if len(pairs) > 1 else str(pairs[0])
    machines = dict.fromkeys(machine(row) for row in rows)
    return (
        "Seconds until the level's validation score, reading the course's files included: ours by "
        "its recipe, theirs in the course notebook's plain way with the same hints"
        f"{'; ' + '; '.join(other) if other else ''}. Theirs was stopped after {waits} "
        "seconds, or ours if they are more: ≈ is projected from then to as many updates as ours, > "
        f"had done these and not reached the score. Over all {len(rows)} rows the median is "
        f"{WORDS[known]}{median:.1f}, the smallest {WORDS[least_known]}{least:.1f} ({where}). "
        "Loader: steps a second in training over steps a second on one fixed batch. Of peak: "
        f"training's arithmetic over this machine's measured matrix product. Medians of "
        f"{counted} pairs, measured {' to '.join(sorted(dates)[:: max(len(dates) - 1, 1)])} at "
        f"{'commit' if len(commits) == 1 else 'commits'} {', '.join(sorted(map(str, commits)))} "
        f"on {'; '.join(machines)}: `{speed['command']}`."
    )


def _names(rows: Sequence[Mapping[str, Any]], compared: str) -> list[str]:
    """Return the rows that are compared so: a homework, or a level where only some are."""
    wanted = [row for row in rows if row["compared"] == compared]
    names = []
    for row in wanted:
        same = [other["compared"] for other in rows if other["homework"] == row["homework"]]
        whole = all(kind == compared for kind in same) and len(same) > 1
        names.append(row["homework"] if whole else f"{row['homework']}/{row['level']}")
    return list(dict.fromkeys(names))
