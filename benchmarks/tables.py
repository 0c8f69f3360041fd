"""Write the measured tables into the READMEs, or check that they are what was measured.

    python -m benchmarks.tables            write them
    python -m benchmarks.tables --check    change nothing; exit 1 and name each file that differs

`benchmarks/results/hwNN.json` (written by `mlspring calibrate`) becomes the scores of an island's
README and its rows in the main README, `hwNN-ablations.json` (by `--ablate`) its table of what each
level is without what it adds, `benchmarks/results/hwNN-files.json` its table on files from
outside, `hwNN-strengths.json` the grid on which its methods' strengths were chosen,
`hw11-methods.json` how its methods compare, `hw11-monitors.json` what label-free monitors tell,
`hw09-texts.json` what is found in its encoder,
`benchmarks/results/speed.json` the speed table. A table stands between two comments,
`<!-- scores -->` and `<!-- /scores -->`.
"""

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed_text import speed_text
from benchmarks.texts import (
    Results,
    ablation_text,
    files_text,
    level_text,
    method_text,
    score_text,
)
from mlspring.core.environment import environment
from mlspring.core.errors import DataError, MlspringError
from mlspring.core.files import read_json, write_json, write_text
from mlspring.core.spec import Spec

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True, kw_only=True)
class Block:
    """One generated text: the file, the name in its marker comments, and the text between them."""

    file: Path
    marker: str
    text: str


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check all tables; return the exit code."""
    from mlspring.catalog import SPECS

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
    judged = [spec for spec in specs if spec.ranked and spec.id in results]
    stale = [spec for spec in judged if not _in_step(spec, results[spec.id])]
    for spec in stale:
        path = spec.folder / "baselines.toml"
        print(f"{path}: differs from benchmarks/results -> mlspring calibrate {spec.id}")
    return 1 if stale or (check and differing) else 0


def write_files_results(
    homework: str,
    module: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    arguments: str = "DIR",
) -> None:
    """Keep what ``python -m benchmarks.MODULE ARGUMENTS`` measured on files from outside."""
    write_rows(f"{homework}-files", f"python -m benchmarks.{module} {arguments}", columns, rows)


def write_rows(
    name: str, command: str, columns: Sequence[str], rows: Sequence[Sequence[str]]
) -> None:
    """Keep a table with the command that measured it, in ``benchmarks/results/NAME.json``."""
    facts = environment()
    write_json(
        RESULTS / f"{name}.json",
        {
            "command": command,
            "date": facts["started"][:10],
            "commit": facts["commit"],
            "columns": list(columns),
            "rows": [list(row) for row in rows],
        },
    )


def read_rows(name: str) -> list[list[str]]:
    """Return the rows of ``benchmarks/results/NAME.json``; none before it is there."""
    path = RESULTS / f"{name}.json"
    return list(read_json(path)["rows"]) if path.exists() else []


def read_results(root: Path, specs: Sequence[Spec]) -> dict[str, Results]:
    """Return the results of each homework that was measured, by its id."""
    folder = root / "benchmarks" / "results"
    paths = {spec.id: folder / f"{spec.id}.json" for spec in specs}
    return {name: read_json(path) for name, path in paths.items() if path.exists()}


def blocks(root: Path, specs: Sequence[Spec], results: Mapping[str, Results]) -> Iterable[Block]:
    """Yield every generated text."""
    for spec in specs:
        readme = spec.folder / "README.md"
        file = root / "benchmarks" / "results" / f"{spec.id}-ablations.json"
        ablations = read_json(file) if file.exists() else None
        if spec.id in results:
            found = results[spec.id]
            if spec.ranked:
                text = score_text(spec, found)
            else:
                text = files_text(found) if "rows" in found else method_text(found, ablations)
            yield Block(file=readme, marker="scores", text=text)
        elif readme.exists() and "<!-- scores -->" in _read(readme):
            way = "mlspring calibrate " if spec.ranked else "python -m benchmarks.methods_"
            text = f"Not measured yet: `{way}{spec.id}`."
            yield Block(file=readme, marker="scores", text=text)
        if ablations and spec.ranked:  # of methods it is a column of their table
            text = ablation_text(spec, ablations)
            yield Block(file=readme, marker="ablations", text=text)
        for marker in ("files", "strengths", "methods", "monitors", "texts"):
            kept = root / "benchmarks" / "results" / f"{spec.id}-{marker}.json"
            if kept.exists():
                log = root / "docs" / "log" / f"{spec.id}.md"
                there = log.exists() and f"<!-- {marker} -->" in _read(log)
                place = log if there else readme
                yield Block(file=place, marker=marker, text=files_text(read_json(kept)))
    judged = [spec for spec in specs if spec.ranked and spec.id in results]
    if judged:
        text = level_text(judged, results)
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


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise DataError("is missing; a table belongs into it", file=path) from error


def _in_step(spec: Spec, results: Results) -> bool:
    """Return whether ``baselines.toml`` holds the baselines of the results."""
    baselines = spec.baselines.get("world")
    return (
        baselines is not None
        and dict(baselines.public) == results["baselines"]["public"]
        and dict(baselines.private) == results["baselines"]["private"]
    )


if __name__ == "__main__":
    sys.exit(main())
