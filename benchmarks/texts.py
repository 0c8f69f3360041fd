"""What the generated tables say: measured results as Markdown that fits a page."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from mlspring.core.spec import Metric, Spec
from mlspring.verbs.calibration.results import meaningful_digits, show_mean

WIDTH = 100
Results = Mapping[str, Any]


def score_text(spec: Spec, results: Results) -> str:
    """Return an island's table of scores and costs, and what it was measured with."""
    metric, baselines = spec.metric, results["baselines"]
    head = ("level", "public", "baseline", "private", "baseline", "seconds", "MiB")
    rows: list[Sequence[str]] = [head]
    for level, measured in results["levels"].items():
        rows.append(
            (
                level,
                _shown(metric, measured["public"]),
                _baseline(metric, baselines["public"].get(level)),
                _shown(metric, measured["private"]),
                _baseline(metric, baselines["private"].get(level)),
                f"{measured['process_seconds']['mean']:.0f}",
                f"{measured['peak_memory_mib']:.0f}",
            )
        )
    spreads = [measured["public"]["spread"] for measured in results["levels"].values()]
    digits = max(_digits(metric, spread) for spread in spreads)
    for name, reference in results.get("references", {}).items():
        public, private = (
            "-" if reference.get(part) is None else f"{reference[part]:.{digits}f}"
            for part in ("public", "private")
        )
        rows.append((f"*{name}*", public, "", private, "", "", ""))
    parts = [table(rows), fill(_score_caption(spec, results))]
    if results["defects"]:
        parts.append(fill("Known defects: " + "; ".join(results["defects"]) + "."))
    return "\n\n".join(parts)


def ablation_text(spec: Spec, results: Results) -> str:
    """Return the table of each level with and without what it adds."""
    parts = list(results["rows"][0]["scores"])
    shares = any(row["share"] is not None for row in results["rows"])
    head = ["level", "without", *(word for part in parts for word in (part, "without it"))]
    rows: list[Sequence[str]] = [head + ["share of the step"] * shares]
    for row in results["rows"]:
        cells = [row["level"], row["without"]]
        for part in parts:
            pair = row["scores"][part]
            cells += [_shown(spec.metric, pair["with"]), _shown(spec.metric, pair["without"])]
        share = "-" if row["share"] is None else f"{row['share']:.0%}"
        rows.append(cells + [share] * shares)
    told = (
        "Share of the step: how much of what the level is above the one below is lost without it. "
        if shares
        else ""
    )
    last = results["seeds"][-1]
    seeds = f"Mean ± (largest minus smallest) over seeds 0 to {last}." if last else "Seed 0 alone."
    caption = (
        f"What a level is without what it adds; steps, size and data stay. {seeds} {told}"
        f"Measured {results['date']}: `{results['command']}`."
    )
    return f"{table(rows, left=2)}\n\n{fill(caption)}"


def level_text(specs: Sequence[Spec], results: Mapping[str, Results]) -> str:
    """Return the main README's table: one row a homework and level."""
    rows: list[Sequence[str]] = [
        ("homework", "metric", "level", "public", "baseline", "seconds", "MiB")
    ]
    for spec in specs:
        arrow = "↑" if spec.metric.higher_is_better else "↓"
        first = (spec.id, f"{spec.metric.name} {arrow}")
        for level, measured in results[spec.id]["levels"].items():
            rows.append(
                (
                    *first,
                    level,
                    _shown(spec.metric, measured["public"]),
                    _baseline(spec.metric, results[spec.id]["baselines"]["public"].get(level)),
                    f"{measured['process_seconds']['mean']:.0f}",
                    f"{measured['peak_memory_mib']:.0f}",
                )
            )
            first = ("", "")
    machines = dict.fromkeys(machine(results[spec.id]) for spec in specs)
    caption = (
        "↑ higher is better, ↓ lower is better. Public score: mean ± (largest minus smallest) over "
        "the seeds; the baseline is what the level demands. Seconds and peak memory are those of "
        f"the whole command, figures included, on {'; '.join(machines)}."
    )
    return f"{table(rows, left=3)}\n\n{fill(caption)}"


def method_text(results: Results, ablations: Results | None = None) -> str:
    """Return the tables of a homework whose recipes are methods: one row a method.

    ``ablations`` tells what replay comes to that keeps images in as many bytes as the method keeps.
    """
    instead = {
        row["level"]: _pair(row["scores"]["validation"]["without"])
        for row in (ablations or {"rows": []})["rows"]
        if 'method.names=["replay"]' in row["changes"]
    }
    plain = next(found["ACC"]["mean"] for found in results["all"] if found["method"] == "finetune")
    head = ("method", "ACC", "gain", "replay", "forgetting", "own end", "seconds", "MiB")
    rows: list[Sequence[str]] = [head]
    for found in results["all"]:
        name, gain = found["method"], f"{found['ACC']['mean'] - plain:+.1f}"
        shown = (_pair(found[measure]) for measure in ("forgetting", "plasticity"))
        costs = f"{found['seconds']['mean']:.0f}", f"{found['kept']['mean']:.1f}"
        rows.append((name, _pair(found["ACC"]), gain, instead.get(name, "-"), *shown, *costs))
    kinds = list(dict.fromkeys(found["scenario"] for found in results["scenarios"]))
    by_kind: list[Sequence[str]] = [("method", *(f"scenario {kind}" for kind in kinds))]
    final = {(f["scenario"], f["method"]): _pair(f["ACC"]) for f in results["scenarios"]}
    for method in dict.fromkeys(found["method"] for found in results["scenarios"]):
        by_kind.append((method, *(final[kind, method] for kind in kinds)))
    seeds = f"seeds 0 to {results['seeds'] - 1}"
    whole = (max(results[f"{recipe}_seconds"]) for recipe in ("all", "scenarios"))
    caption = (
        "Five turns of the world's digits, % of test images, mean ± (largest minus smallest) over "
        f"{seeds}. ACC: mean over all tasks after the last; gain: over fine-tuning; replay: ACC "
        "of replay that keeps old images in as many MiB instead; forgetting: best accuracy on a "
        "task before the last was learnt, less the last; own end: accuracy on each task when it "
        "has just been learnt; seconds of one network; MiB kept beside the network and the task "
        "being learnt."
    )
    measured = (
        f"ACC of two digits a task, the same seeds. `all` takes {next(whole):.0f} s and "
        f"`scenarios` {next(whole):.0f} s at most, {results['peak_memory_mib']:.0f} MiB. Measured "
        f"{results['date']} at commit {results['commit']} on {machine(results)}: "
        f"`{results['command']}`."
    )
    return "\n\n".join((table(rows), fill(caption), table(by_kind), fill(measured)))


def _shown(metric: Metric, measured: Mapping[str, Any]) -> str:
    if len(measured["seeds"]) == 1:  # it has no spread, and its last digits mean nothing
        return f"{measured['mean']:.{min(metric.digits, 3)}f}"
    return show_mean(metric, measured["mean"], measured["spread"])


def _pair(measured: Mapping[str, float]) -> str:
    return f"{measured['mean']:.1f} ± {measured['spread']:.1f}"


def files_text(results: Results) -> str:
    """Return the table of a measurement on files that are not ours to give away."""
    caption = f"Measured {results['date']} at commit {results['commit']}: `{results['command']}`."
    return f"{table([results['columns'], *results['rows']])}\n\n{fill(caption)}"


def table(rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """Return a Markdown table: the first row is its head, ``left`` columns are words.

    Cells are padded into columns unless that would pass the width of the page.
    """
    safe = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    widths = [max(3, *map(len, column)) for column in zip(*safe, strict=True)]
    if sum(widths) + 3 * len(widths) + 1 > WIDTH:
        widths = [3] * len(widths)
    rule = [
        "-" * width if index < left else "-" * (width - 1) + ":"
        for index, width in enumerate(widths)
    ]
    padded = [
        [
            cell.ljust(width) if index < left else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in (safe[0], rule, *safe[1:])
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in padded)


def _score_caption(spec: Spec, results: Results) -> str:
    metric, world, seeds = spec.metric, results["world"], results["seeds"]
    direction = "higher" if metric.higher_is_better else "lower"
    return (
        f"{metric.name[0].upper()}{metric.name[1:]} ({metric.unit}), {direction} is better: mean ± "
        f"(largest minus smallest) over seeds {seeds[0]} to {seeds[-1]}. The baseline is what the "
        f"level demands: each seed meets it, and each seed of the level below misses it. Seconds "
        f"and memory of the whole command, figures included. World {world['name']}, version "
        f"{world['version']}, seed {world['seed']}. Measured {results['date']} at commit "
        f"{results['commit']} on {machine(results)}: `{results['command']}`."
    )


def machine(results: Results) -> str:
    """Return what something was measured on: processor, cores, device, precision."""
    hardware = results["hardware"]
    facts = [str(hardware.get("processor") or "an unnamed processor")]
    if hardware.get("cores"):
        facts.append(f"{hardware['cores']} core{'s' if hardware['cores'] > 1 else ''}")
    facts += [str(hardware[key]) for key in ("device", "precision") if hardware.get(key)]
    return ", ".join(facts)


def _digits(metric: Metric, spread: float | None) -> int:
    return meaningful_digits(metric, spread) if spread else metric.digits


def _baseline(metric: Metric, baseline: float | None) -> str:
    """Return a baseline with the metric's digits; more where these tell no levels apart."""
    shown = metric.show(baseline)
    return shown if baseline is None or float(shown) == baseline else repr(baseline)


def fill(text: str) -> str:
    """Return a paragraph broken at the width of the page."""
    return textwrap.fill(text, WIDTH, break_on_hyphens=False, break_long_words=False)
