"""The results of a calibration: what goes into ``benchmarks/results``, and how numbers are shown.

{"homework": "hw03", "command": .., "date": .., "commit": .., "seeds": [0, 1, 2, 3, 4],
 "world": {"name": .., "version": .., "seed": .., "folder": ..},
 "hardware": {..}, "versions": {..}, "defects": [],
 "baselines": {"public": {"simple": ..}, "private": {..}},
 "levels": {"simple": {"public": {"mean": .., "spread": .., "seeds": [..]}, "private": {..},
                       "validation": {..}, "seconds": {"data": .., "train": .., "total": ..},
                       "process_seconds": {..}, "peak_memory_mib": .., "items_per_second": ..,
                       "budget_seconds": 45, "recipe": "hash"}},
 "references": {"name": {"public": .., "private": ..}}}

``references`` are scores of other methods: written by hand or by another tool, kept here.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from mlspring.core.spec import Metric, Spec
from mlspring.verbs.calibration.baselines import spread

BUDGETS = {"simple": 45.0, "medium": 90.0, "strong": 180.0, "boss": 360.0}
"""Seconds that a whole run of a level may take, from the command to its figures."""

BUDGET_CORES = 2
"""Cores that the budgets are meant for; seconds of fewer cores break none."""

Record = Mapping[str, Any]


def summarize(level: str, records: Sequence[Record]) -> dict[str, Any]:
    """Return means, spreads and each seed's values of one level's ``records``, in seed order.

    Peak memory is the largest of all seeds: what a machine must have.
    """
    results = [record["result"] for record in records]
    scores = [result["score"] for result in results]
    phases = {phase: None for result in results for phase in result.get("seconds", {})}
    rates = [r["items_per_second"] for r in results if r.get("items_per_second")]
    return {
        "public": numbers([score["public"] for score in scores]),
        "private": numbers([score["private"] for score in scores]),
        "validation": numbers([score.get("validation") for score in scores]),
        "seconds": {
            phase: round(statistics.fmean(r.get("seconds", {}).get(phase, 0.0) for r in results), 2)
            for phase in phases
        },
        "process_seconds": numbers([record["process_seconds"] for record in records]),
        "peak_memory_mib": max(record["process_memory_mib"] for record in records),
        "items_per_second": round(statistics.fmean(rates), 1) if rates else None,
        "budget_seconds": BUDGETS.get(level),
        "recipe": records[0]["recipe"],
    }


def late(summaries: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return one sentence for each level that passed its budget in some seed."""
    sentences = []
    for level, summary in summaries.items():
        budget = summary["budget_seconds"]
        slowest = max(summary["process_seconds"]["seeds"])
        if budget is not None and slowest > budget:
            sentences.append(f"{level} takes {slowest:.1f} s; its budget is {budget:.0f} s")
    return sentences


def conditions(records: Sequence[Record]) -> dict[str, Any]:
    """Return hardware, versions and commit of the runs; several commits are joined by commas."""
    last = records[-1]
    about = last["environment"]
    commits = dict.fromkeys(r["environment"].get("commit") or "unknown" for r in records)
    processor = {"processor": about.get("processor"), "cores": about.get("cores")}
    return {
        "commit": ", ".join(commits),
        "hardware": processor | dict(last["result"].get("hardware", {})),
        "versions": about.get("versions", {}),
    }


def show_mean(metric: Metric, mean: float | None, spread_: float | None = None) -> str:
    """Return ``mean ± spread``, a dash where there is none, with no digits that mean nothing.

    Two digits of the spread are shown, as many of the mean, and never more decimals than the
    metric declares. Without a spread the metric's own precision holds.
    """
    if mean is None:
        return "-"
    if not spread_:
        return metric.show(mean) if spread_ is None else f"{metric.show(mean)} ± 0"
    digits = meaningful_digits(metric, spread_)
    return f"{mean:.{digits}f} ± {spread_:.{digits}f}"


def meaningful_digits(metric: Metric, spread_: float) -> int:
    """Return the decimals that keep two digits of a spread above zero, within the metric's."""
    return min(metric.digits, max(0, 1 - math.floor(math.log10(spread_))))


def table(spec: Spec, levels: Mapping[str, Mapping[str, Any]], baselines: Mapping[str, Any]) -> str:
    """Return the summary as text in columns, for the terminal."""
    head = (
        "level",
        "public",
        "baseline",
        "private",
        "baseline",
        "validation",
        "seconds",
        "budget",
        "MiB",
    )
    rows: list[Sequence[str]] = [head]
    for level, summary in levels.items():
        public, private, validation = (
            show_mean(spec.metric, summary[part]["mean"], summary[part]["spread"])
            for part in ("public", "private", "validation")
        )
        public_line, private_baseline = (
            spec.metric.show(baselines.get(part, {}).get(level)) for part in ("public", "private")
        )
        budget = summary["budget_seconds"]
        rows.append(
            (
                level,
                *(public, public_line, private, private_baseline, validation),
                f"{summary['process_seconds']['mean']:.1f}",
                "-" if budget is None else f"{budget:.0f}",
                f"{summary['peak_memory_mib']:.0f}",
            )
        )
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        row[0].ljust(widths[0])
        + "".join(f"  {cell.rjust(width)}" for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    )


def numbers(values: Sequence[float | None]) -> dict[str, Any]:
    """Return mean, spread and the values; both are None where a value is missing."""
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return {"mean": None, "spread": None, "seeds": list(values)}
    return {"mean": statistics.fmean(known), "spread": spread(known), "seeds": known}
