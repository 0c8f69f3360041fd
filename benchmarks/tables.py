"""Write the measured tables into the READMEs, or check that they are what was measured.

    python -m benchmarks.tables            write them
    python -m benchmarks.tables --check    change nothing; exit 1 and name each file that differs

`benchmarks/results/hwNN.json` (written by `mlspring calibrate`) becomes the scores of an island's
README and its rows in the main README; `benchmarks/results/speed.json` becomes the speed table.
A table stands between two comments, `<!-- scores -->` and `<!-- /scores -->`.
"""

import argparse
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlspring.core.errors import DataError, MlspringError
from mlspring.core.files import read_json, write_text
from mlspring.core.spec import Metric, Spec
from mlspring.verbs.calibration_results import meaningful_digits, show_mean

WIDTH = 100
Results = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Block:
    """One generated text: the file, the name in its marker comments, and the text between them."""

    file: Path
    marker: str
    text: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check all tables; return the exit code."""
    from mlspring.catalog import SPECS

    parser = argparse.ArgumentParser(prog="python -m benchmarks.tables", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, exit 1 on a change")
    check: bool = parser.parse_args(arguments).check
    try:
        return update(Path(__file__).resolve().parents[1], SPECS, check=check)
    except MlspringError as error:
        print(error, file=sys.stderr)
        return error.exit_code


def update(root: Path, specs: Sequence[Spec], *, check: bool) -> int:
    """Bring every generated text in step with the results; return 1 where ``check`` finds drift.

    Raises:
        DataError: a README or its marker is missing, or a results file is not valid.
    """
    results = read_results(root, specs)
    texts: dict[Path, str] = {}
    for block in blocks(root, specs, results):
        if block.file not in texts:
            texts[block.file] = _read(block.file)
        texts[block.file] = replace(texts[block.file], block)
    differing = [path for path, text in texts.items() if text != _read(path)]
    for path in differing:
        if check:
            print(f"{path}: differs from benchmarks/results -> python -m benchmarks.tables")
        else:
            write_text(path, texts[path])
            print(f"Written: {path}")
    stale = [spec for spec in specs if spec.id in results and not _in_step(spec, results[spec.id])]
    for spec in stale:
        path = spec.folder / "lines.toml"
        print(f"{path}: differs from benchmarks/results -> mlspring calibrate {spec.id}")
    return 1 if stale or (check and differing) else 0


def read_results(root: Path, specs: Sequence[Spec]) -> dict[str, Results]:
    """Return the results of each homework that was measured, by its id."""
    folder = root / "benchmarks" / "results"
    paths = {spec.id: folder / f"{spec.id}.json" for spec in specs}
    return {name: read_json(path) for name, path in paths.items() if path.exists()}


def blocks(root: Path, specs: Sequence[Spec], results: Mapping[str, Results]) -> Iterable[Block]:
    """Yield every generated text."""
    for spec in specs:
        readme = spec.folder / "README.md"
        if spec.id in results:
            yield Block(file=readme, marker="scores", text=score_text(spec, results[spec.id]))
        elif readme.exists() and "<!-- scores -->" in _read(readme):
            text = f"Not measured yet: `mlspring calibrate {spec.id}`."
            yield Block(file=readme, marker="scores", text=text)
    if results:
        text = level_text([spec for spec in specs if spec.id in results], results)
        yield Block(file=root / "README.md", marker="levels", text=text)
    speed = root / "benchmarks" / "results" / "speed.json"
    if speed.exists():
        text = speed_text(read_json(speed))
        yield Block(file=root / "benchmarks" / "README.md", marker="speed", text=text)
        if "<!-- speed -->" in _read(root / "README.md"):
            yield Block(file=root / "README.md", marker="speed", text=text)


def replace(text: str, block: Block) -> str:
    """Return ``text`` with the block's own part replaced.

    Raises:
        DataError: the two marker comments are not there once each.
    """
    start, end = f"<!-- {block.marker} -->", f"<!-- /{block.marker} -->"
    found = text.count(start), text.count(end)
    if found != (1, 1) or text.index(end) < text.index(start):
        raise DataError(
            f"has {found[0]} times {start!r} and {found[1]} times {end!r}",
            file=block.file,
            expected="each once, in this order",
            fix=f"put the two comments where the table of {block.marker} shall stand",
        )
    before, rest = text.split(start)
    after = rest.split(end)[1]
    return f"{before}{start}\n\n{block.text}\n\n{end}{after}"


# ---- the texts


def score_text(spec: Spec, results: Results) -> str:
    """Return an island's table of scores, its table of costs and what both were measured with."""
    metric, lines = spec.metric, results["lines"]
    rows: list[Sequence[str]] = [("level", "public", "line", "private", "line", "validation")]
    for level, measured in results["levels"].items():
        validation = measured["validation"]
        digits = _digits(metric, validation["spread"])
        rows.append(
            (
                level,
                show_mean(metric, measured["public"]["mean"], measured["public"]["spread"]),
                _line(metric, lines["public"].get(level)),
                show_mean(metric, measured["private"]["mean"], measured["private"]["spread"]),
                _line(metric, lines["private"].get(level)),
                "-" if validation["mean"] is None else f"{validation['mean']:.{digits}f}",
            )
        )
    spreads = [measured["public"]["spread"] for measured in results["levels"].values()]
    digits = max(_digits(metric, spread) for spread in spreads)
    for name, reference in results.get("references", {}).items():
        public, private = (
            "-" if reference.get(part) is None else f"{reference[part]:.{digits}f}"
            for part in ("public", "private")
        )
        rows.append((f"*{name}*", public, "", private, "", ""))
    parts = [table(rows), _fill(_score_caption(spec, results)), _cost_table(results)]
    if results["defects"]:
        parts.append(_fill("Known defects: " + "; ".join(results["defects"]) + "."))
    return "\n\n".join(parts)


def level_text(specs: Sequence[Spec], results: Mapping[str, Results]) -> str:
    """Return the main README's table: one row a homework and level."""
    rows: list[Sequence[str]] = [
        ("homework", "metric", "level", "public", "line", "seconds", "MiB")
    ]
    for spec in specs:
        arrow = "↑" if spec.metric.higher_is_better else "↓"
        first = (spec.id, f"{spec.metric.name} {arrow}")
        for level, measured in results[spec.id]["levels"].items():
            rows.append(
                (
                    *first,
                    level,
                    show_mean(
                        spec.metric, measured["public"]["mean"], measured["public"]["spread"]
                    ),
                    _line(spec.metric, results[spec.id]["lines"]["public"].get(level)),
                    f"{measured['process_seconds']['mean']:.0f}",
                    f"{measured['peak_memory_mib']:.0f}",
                )
            )
            first = ("", "")
    machines = dict.fromkeys(_machine(results[spec.id]) for spec in specs)
    caption = (
        "↑ higher is better, ↓ lower is better. Public score: mean ± (largest minus smallest) over "
        "the seeds; the line is what the level demands. Seconds and peak memory are those of the "
        f"whole command, figures included, on {'; '.join(machines)}."
    )
    return f"{table(rows, left=3)}\n\n{_fill(caption)}"


def speed_text(speed: Results) -> str:
    """Return the table of both speed ratios; the fields are those in benchmarks/README.md."""
    rows: list[Sequence[str]] = [
        (
            "homework",
            "recipe",
            "loader efficiency",
            "times faster",
            "seconds",
            "MiB",
            "of peak",
        )
    ]
    for row in speed["rows"]:
        efficiency, notebook = row.get("loader_efficiency"), row.get("notebook")
        share = row.get("peak_share")
        seconds = memory = times = "-"
        if notebook:
            times = f"{notebook['median']:.1f}"
            seconds = f"{notebook['ours_seconds']:.1f}, {notebook['theirs_seconds']:.1f}"
            memory = f"{notebook['ours_mib']:.0f}, {notebook['theirs_mib']:.0f}"
        rows.append(
            (
                row["homework"],
                row["recipe"],
                "-" if efficiency is None else f"{efficiency['median']:.2f}",
                *(times, seconds, memory),
                "-" if share is None else f"{share:.2f}",
            )
        )
    pairs = speed.get("pairs")
    caption = (
        "Loader efficiency: steps a second in training over steps a second on one fixed batch. "
        "Times faster: the plain re-statement of the course notebook's way over ours, to the same "
        "validation score, loading included; seconds and MiB: ours, theirs. Of peak: training's "
        "arithmetic over this machine's measured matrix product. "
        f"Medians{f' of {pairs} interleaved pairs' if pairs else ''}; measured {speed['date']} at "
        f"commit {speed['commit']} on {_machine(speed)}: `{speed['command']}`."
    )
    return f"{table(rows, left=2)}\n\n{_fill(caption)}"


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


def _cost_table(results: Results) -> str:
    phases = ("data", "train", "predict", "figures")
    rows: list[Sequence[str]] = [("level", *phases, "whole run", "budget", "MiB", "items/s")]
    for level, measured in results["levels"].items():
        seconds, budget = measured["seconds"], measured["budget_seconds"]
        rate = measured["items_per_second"]
        rows.append(
            (
                level,
                *(f"{seconds[phase]:.1f}" if phase in seconds else "-" for phase in phases),
                f"{measured['process_seconds']['mean']:.1f}",
                "-" if budget is None else f"{budget:.0f}",
                f"{measured['peak_memory_mib']:.0f}",
                "-" if rate is None else f"{rate:,.0f}",
            )
        )
    caption = "Mean seconds of each phase and of the whole process, its peak memory, training rate."
    return f"{table(rows)}\n\n{caption}"


def _score_caption(spec: Spec, results: Results) -> str:
    metric, world, seeds = spec.metric, results["world"], results["seeds"]
    direction = "higher" if metric.higher_is_better else "lower"
    return (
        f"{metric.name[0].upper()}{metric.name[1:]} ({metric.unit}), {direction} is better: mean ± "
        f"(largest minus smallest) over seeds {seeds[0]} to {seeds[-1]}. The line is what the "
        f"level demands: each seed meets it, and each seed of the level below misses it. "
        f"World {world['name']}, version {world['version']}, seed {world['seed']}. Measured "
        f"{results['date']} at commit {results['commit']} on {_machine(results)}: "
        f"`{results['command']}`."
    )


def _machine(results: Results) -> str:
    hardware = results["hardware"]
    facts = [str(hardware.get("processor") or "an unnamed processor")]
    if hardware.get("cores"):
        facts.append(f"{hardware['cores']} cores")
    facts += [str(hardware[key]) for key in ("device", "precision") if hardware.get(key)]
    return ", ".join(facts)


def _digits(metric: Metric, spread: float | None) -> int:
    return meaningful_digits(metric, spread) if spread else metric.digits


def _line(metric: Metric, line: float | None) -> str:
    """Return a line with the metric's digits; it has more only where these cannot tell levels."""
    shown = metric.show(line)
    return shown if line is None or float(shown) == line else repr(line)


def _fill(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_on_hyphens=False, break_long_words=False)


# ---- files


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise DataError("is missing; a table belongs into it", file=path) from error


def _in_step(spec: Spec, results: Results) -> bool:
    """Return whether ``lines.toml`` holds the lines of the results."""
    lines = spec.lines.get("world")
    return (
        lines is not None
        and dict(lines.public) == results["lines"]["public"]
        and dict(lines.private) == results["lines"]["private"]
    )


if __name__ == "__main__":
    sys.exit(main())
