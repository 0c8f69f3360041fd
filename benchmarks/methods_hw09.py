"""What the methods of homework 9 find on its world, over several seeds: the tables of its README.

    python -m benchmarks.methods_hw09 [SEEDS [OUT]]

Runs `mlspring run hw09 all` with the seeds 0, 1, 2 ..., each with networks and samples of its own;
it keeps the means of their tables `truth`, with the largest minus the smallest over the seeds, in
`benchmarks/results/hw09.json`, and what the encoder's tables say in `hw09-texts.json`;
`python -m benchmarks.tables` writes both into the README. With a folder OUT the runs stay there and
none is made twice; delete it after a change of code.
"""

import csv
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.tables import write_rows
from mlspring.core.files import read_json
from mlspring.core.progress import say

SCORES = ("pointing", "inside", "insertion", "deletion")
HEADER = ("method", "points at the dish", "inside it", "insertion", "deletion", "sanity", "seconds")
AIMS = ("previous", "next", "same token", "[SEP]", "answer")
OF_TEXTS = ("found", "trained", "untrained")
Table = dict[str, dict[str, str]]


def main(seeds: int, out: Path | None) -> None:
    """Measure and keep the results."""
    with tempfile.TemporaryDirectory() as name:
        runs = [run_of(seed, out or Path(name)) for seed in range(seeds)]
        truths = [read_table(run, "truth", "method") for run in runs]
        # of a method the last line: all layers are random
        alike = [read_table(run, "sanity", "method") for run in runs]
        of_texts = [texts(run) for run in runs]
    rows = []
    for method in truths[0]:
        cells = [shown([truth[method][key] for truth in truths]) for key in SCORES]
        kept = [found[method]["correlation"] for found in alike if method in found]
        seconds = [truth[method]["seconds"] for truth in truths if truth[method]["seconds"]]
        last = f"{max(map(float, seconds)):.0f}" if seconds else "-"
        rows.append((method, *cells, shown(kept) if kept else "-", last))
    command = f"python -m benchmarks.methods_hw09 {seeds}"
    write_rows("hw09", command, HEADER, rows)
    found = [
        (what, *(shown([one[what][k] for one in of_texts]) for k in range(2)))
        for what in of_texts[0]
    ]
    write_rows("hw09-texts", command, OF_TEXTS, found)


def texts(run: Path) -> dict[str, tuple[str, str]]:
    """Return by name what the text half's tables say: of the encoder, and of an untrained one."""
    found = {}
    heads = rows_of(run, "heads")
    for aim in AIMS:
        mine = [row for row in heads if row["aim"] == aim]
        best = [max((row[key] for row in mine), key=float) for key in ("share", "untrained")]
        found[f"largest share to: {aim}"] = (best[0], best[1])
    layers = rows_of(run, "layers")
    for key in ("answer", "question"):
        of_both = [[row[name] for row in layers] for name in (key, f"{key} untrained")]
        extreme = max if key == "answer" else min
        best = [extreme(values, key=float) for values in of_both]
        found[f"{key} (figure layers), best layer"] = (best[0], best[1])
    rows = [row for row in rows_of(run, "senses") if row["distance"] == "cosine"]
    for layer in sorted({row["layer"] for row in rows}):
        ours, fresh = (
            next(r["mean"] for r in rows if (r["layer"], r["encoder"]) == (layer, who))
            for who in ("trained", "untrained")
        )
        found[f"two senses over one, layer {layer}"] = (ours, fresh)
    return found


def run_of(seed: int, out: Path) -> Path:
    """Return the folder of the finished run with that seed, made now if there is none."""
    for result in sorted(out.glob(f"hw09/all/*-s{seed}*/result.json")):
        return result.parent
    words = ["run", "hw09", "world/all", "--seed", str(seed), "--out", str(out)]
    process = subprocess.run([sys.executable, "-m", "mlspring", *words], check=False)
    if process.returncode:
        sys.exit(process.returncode)
    run = next(out.glob(f"hw09/all/*-s{seed}*/result.json")).parent
    say(f"seed {seed}: {read_json(run / 'result.json')['seconds']['total']:.0f} s")
    return run


def read_table(run: Path, figure: str, key: str) -> Table:
    """Return the rows of a figure's table by the column ``key``; of equal ones the last."""
    return {row[key]: row for row in rows_of(run, figure)}


def rows_of(run: Path, figure: str) -> list[dict[str, str]]:
    """Return the rows of a figure's table."""
    path = run / "figures" / f"{figure}.csv"
    with path.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def shown(values: list[str]) -> str:
    """Return the mean of some scores, and of several the largest minus the smallest."""
    numbers = [float(value) for value in values]
    mean = f"{statistics.fmean(numbers):.3f}"
    return mean if len(numbers) == 1 else f"{mean} ± {max(numbers) - min(numbers):.3f}"


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 3, Path(given[1]) if len(given) > 1 else None)
