"""``mlspring list``: homeworks, levels, baselines, and the learner's best."""

from typing import Any

from rich import box
from rich.table import Table

from mlspring.catalog import SPECS
from mlspring.core.spec import LEVELS, Spec
from mlspring.judge import boards, service
from mlspring.verbs import recipes

ME = "me"  # the learner's own name on the local board


def entries() -> list[dict[str, Any]]:
    """Return one plain entry a homework: id, title, metric, levels with baselines, own best."""
    store = service.open_for_reading()
    return [_entry(spec, boards.best_public(store, spec, ME)) for spec in SPECS]


def table(listed: list[dict[str, Any]]) -> Table:
    """Return the entries as a table that fits 80 columns; where there are fewer, titles wrap."""
    shown = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    shown.add_column("id", no_wrap=True)
    shown.add_column(
        "homework", overflow="fold", max_width=27
    )  # gives way: a number without its end is wrong
    for column in LEVELS:
        shown.add_column(column, justify="right", no_wrap=True)
    shown.add_column("yours", justify="right", no_wrap=True)
    for entry in listed:
        digits = min(entry["digits"], 4)
        baselines = [_number(entry["baselines"].get(level), digits) for level in LEVELS]
        arrow = "↑" if entry["higher_is_better"] else "↓"
        best = _number(entry["best"], digits)
        shown.add_row(entry["id"], f"{entry['title']} {arrow}", *baselines, best)
    shown.caption = (
        "public baselines of the built-in worlds, your best; ↑ higher, ↓ lower is better"
    )
    return shown


def _entry(spec: Spec, best: float | None) -> dict[str, Any]:
    world = spec.baselines.get("world")
    return {
        "id": spec.id,
        "title": spec.title,
        "title_zh": spec.title_zh,
        "metric": spec.metric.name,
        "higher_is_better": spec.metric.higher_is_better,
        "digits": spec.metric.digits,
        "levels": list(spec.levels),
        "recipes": {kind: recipes.recipe_names(spec, kind) for kind in ("world", "official")},
        "baselines": dict(world.public) if world else {},
        "best": best,
    }


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
