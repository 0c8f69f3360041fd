"""Every method of homework 14 on its world, over several seeds: the table of its README.

    python -m benchmarks.methods_hw14 [SEEDS [OUT]]

Runs `mlspring run hw14 all` and `scenarios` with the seeds 0, 1, 2 ..., each a process of its own,
and keeps means and spreads in `benchmarks/results/hw14.json`; `python -m benchmarks.tables` writes
them into the README. With a folder OUT the runs stay there and none is made twice: seeds can be
added later; delete it after a change of code.
"""

import csv
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.tables import RESULTS
from mlspring.core.files import read_json, write_json
from mlspring.core.progress import say

MEASURES = ("ACC", "BWT", "FWT", "forgetting", "plasticity", "seconds", "kept")
Row = dict[str, Any]


def main(seeds: int, out: Path | None) -> None:
    """Measure and keep the results."""
    results: dict[str, Any] = {
        "homework": "hw14",
        "command": f"python -m benchmarks.methods_hw14 {seeds}",
        "seeds": seeds,
        "date": time.strftime("%Y-%m-%d"),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = out or Path(name)
        for recipe in ("all", "scenarios"):
            rows: list[Row] = []
            results[f"{recipe}_seconds"] = []
            for seed in range(seeds):
                found, run = one_run(recipe, seed, folder)
                rows += found
                results[f"{recipe}_seconds"].append(round(run["process_seconds"], 1))
                peak = max(results.get("peak_memory_mib", 0), run["peak_memory_mib"])
                results["peak_memory_mib"] = peak
                results["hardware"], results["commit"] = run["hardware"], run["commit"]
                say(f"{recipe}, seed {seed}: {run['process_seconds']:.1f} s")
            results[recipe] = summary(rows)
    write_json(RESULTS / "hw14.json", results)
    say(f"wrote {RESULTS / 'hw14.json'}")


def one_run(recipe: str, seed: int, out: Path) -> tuple[list[Row], Row]:
    """Return the rows of the run's table of methods, and its result with the process's seconds."""
    kept = out / f"{recipe}-s{seed}.json"
    if kept.exists():
        done = read_json(kept)
        return done["rows"], done["result"]
    words = ["run", "hw14", f"world/{recipe}", "--seed", str(seed), "--out", str(out), "--json"]
    start = time.perf_counter()
    process = subprocess.run(
        [sys.executable, "-m", "mlspring", *words], capture_output=True, text=True, check=False
    )
    if process.returncode:
        sys.exit(process.stderr)
    result: Row = json.loads(process.stdout)
    result["process_seconds"] = time.perf_counter() - start
    environment = json.loads((Path(result["run"]) / "environment.json").read_text())
    result["commit"] = environment["commit"]
    with (Path(result["run"]) / "figures" / "methods.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    write_json(kept, {"rows": rows, "result": result})
    return rows, result


def summary(rows: list[Row]) -> list[Row]:
    """Return a row for each scenario and method: of each measure the mean and the spread."""
    keys = dict.fromkeys((row["scenario"], row["method"]) for row in rows)
    summarized = []
    for scenario, method in keys:
        mine = [r for r in rows if (r["scenario"], r["method"]) == (scenario, method)]
        made: Row = {"scenario": scenario, "method": method}
        for name in MEASURES:
            values = [float(row[name]) for row in mine]
            made[name] = {
                "mean": round(statistics.fmean(values), 3),
                "spread": round(max(values) - min(values), 3),
            }
        summarized.append(made)
    return summarized


if __name__ == "__main__":
    given = sys.argv[1:]
    main(int(given[0]) if given else 3, Path(given[1]) if len(given) > 1 else None)
