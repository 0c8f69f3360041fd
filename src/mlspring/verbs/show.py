"""How finished runs look in a terminal."""

import shlex
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from mlspring.core.runs import Run
from mlspring.core.spec import Spec
from mlspring.verbs.every import Outcome
from mlspring.verbs.recipes import shown_name

BAR_WIDTH = 32


def summary(spec: Spec, run: Run) -> Text:
    """Return what a learner wants to know first: score, level, baselines, time."""
    result = run.result or {}
    score, metric = result["score"], spec.metric
    text = Text()
    text.append(f"{spec.id} {spec.title}, {shown_name(result['recipe'])}\n", style="bold")
    baselines = spec.baselines.get(result["source"])
    if score["public"] is None and spec.ranked:
        text.append(f"  {_no_score(spec, result)}\n")
    for part in ("public", "private"):
        if score[part] is not None:
            shown = metric.show(score[part])
            text.append(f"  {part:<11}{shown:>10}  {_worth(spec, result, part)}\n")
    text.append(f"  {'validation':<11}{metric.show(score['validation']):>10}  held-out data\n")
    if baselines and baselines.public and score["public"] is not None:
        demanded = ", ".join(f"{level} {metric.show(x)}" for level, x in baselines.public.items())
        text.append(f"  baselines  {demanded}\n", style="dim")
    seconds = result["seconds"]
    phases = ", ".join(f"{name} {value:.1f}" for name, value in seconds.items() if name != "total")
    text.append(
        f"  {seconds['total']:.1f} s: {phases}\n"
        f"  {result['peak_memory_mib']:,.0f} MiB, {result['items_per_second']:,.0f} examples/s",
        style="dim",
    )
    for name, reason in (result.get("not_drawn") or {}).items():
        text.append(f"\n  the figure {name} was not drawn: {reason}", style="yellow")
    return text


def where(run: Run) -> str:
    """Return the run's folder and the command for its report, on lines that are never broken."""
    return f"  {run.folder}\n  next: mlspring report {shlex.quote(str(run.folder))}"


def overview(outcomes: Sequence[Outcome]) -> Table:
    """Return one row a homework, also where a run failed; fits 80 columns."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("homework", no_wrap=True, overflow="ellipsis", max_width=30)
    for column in ("recipe", "public", "private", "level"):
        table.add_column(column, no_wrap=True, justify="left" if column == "recipe" else "right")
    table.add_column("seconds", justify="right", no_wrap=True)
    for outcome in outcomes:
        spec, result = outcome.spec, outcome.run.result if outcome.run else None
        if result is None:
            table.add_row(f"{spec.id} {spec.title}", "-", "-", "-", "failed", "-")
            continue
        score, show = result["score"], spec.metric.show
        table.add_row(
            f"{spec.id} {spec.title}",
            shown_name(result["recipe"]),
            show(score["public"]),
            show(score["private"]),
            result["level"] or "-",
            f"{result['seconds']['total']:.1f}",
        )
    return table


def _no_score(spec: Spec, result: dict[str, Any]) -> str:
    if result["source"] == "world":
        return f"the judge gave no score: see mlspring board {spec.id} --mine"
    return "no answers belong to this data: validation only"


def _worth(spec: Spec, result: dict[str, Any], part: str) -> str:
    """Return the level that a part's score reaches, and the points for it."""
    points = result["points"][part]
    if points is None:
        return "no baseline is known"
    level = spec.level_reached(result["score"][part], result["source"], part)
    return f"reaches {level}, {points:g} points" if level else "below every baseline, 0 points"
