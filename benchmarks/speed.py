"""``make bench``: the two speed ratios of every homework, interleaved, and the share of the peak.

    python benchmarks/speed.py [HW ...]

Loader efficiency is steps a second in training over steps a second on one fixed batch. The other
ratio is the notebook way's seconds over ours until both have the same validation score, loading
included, each run a process of its own; of hw12 until both have taken equally many steps.
"""

import importlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.speed_plans import PLANS, Plan  # noqa: E402
from mlspring import catalog  # noqa: E402
from mlspring.core.environment import environment  # noqa: E402
from mlspring.core.files import read_json, write_json  # noqa: E402
from mlspring.core.progress import say  # noqa: E402
from mlspring.core.spec import Spec  # noqa: E402
from mlspring.kit import device  # noqa: E402
from mlspring.verbs import recipes, sources  # noqa: E402

PAIRS = 5
RESULTS = ROOT / "benchmarks" / "results" / "speed.json"


def main(wanted: list[str]) -> None:
    """Measure the wanted homeworks, or all, and keep the results of the others."""
    done = read_json(RESULTS)["rows"] if RESULTS.exists() else []
    rows = {row["homework"]: row for row in done}
    for name in wanted or list(PLANS):
        spec = catalog.find(name)
        say(f"measuring {spec.id} ...")
        rows[spec.id] = measure(spec)
    facts = environment()
    chosen = device.choose("auto", "auto", work="conv")
    write_json(
        RESULTS,
        {
            "date": facts["started"][:10],
            "commit": facts["commit"],
            "command": "make bench",
            "pairs": PAIRS,
            "hardware": {
                "processor": facts["processor"],
                "cores": facts["cores"],
                "device": str(chosen.device),
                "precision": chosen.precision,
            },
            "rows": [rows[key] for key in sorted(rows)],
        },
    )
    say(f"wrote {RESULTS}")


def measure(spec: Spec) -> dict[str, Any]:
    """Return the row of one homework."""
    plan = PLANS[spec.id]
    recipe = recipes.load(spec, recipes.find_recipe(spec, plan.level, "world"))
    data = catalog.part(spec, "data").load(sources.open_source(spec, "world"), recipe)
    real, fixed = importlib.import_module(f"benchmarks.steps_{spec.id}").make(recipe, data)
    row: dict[str, Any] = {"homework": spec.id, "recipe": plan.level}
    row["loader_efficiency"] = loader_efficiency(real, fixed, plan.num_steps)
    row["peak_share"] = peak_share(fixed, plan.num_steps, plan.work)
    row["notebook"] = against_notebook(spec, plan)
    return row


def loader_efficiency(
    real: Callable[[], Any], fixed: Callable[[], Any], num_steps: int
) -> dict[str, Any]:
    """Return the ratio of both steps' rates, turn by turn."""
    for step in (real, fixed):
        seconds_of(step, num_steps // 2)
    pairs = [seconds_of(fixed, num_steps) / seconds_of(real, num_steps) for _ in range(PAIRS)]
    return {"median": round(statistics.median(pairs), 3), "pairs": [round(p, 3) for p in pairs]}


def seconds_of(step: Callable[[], Any], num_steps: int) -> float:
    """Return the seconds of ``num_steps`` steps."""
    device.synchronize()
    start = time.perf_counter()
    for _ in range(num_steps):
        step()
    device.synchronize()  # a GPU has only been told so far
    return time.perf_counter() - start


def peak_share(step: Callable[[], Any], num_steps: int, work: str) -> float:
    """Return training's rate of arithmetic over the rate of a large matrix product here."""
    with FlopCounterMode(display=False) as counter:
        step()
    hardware = device.choose("auto", "auto", work=work)  # type: ignore[arg-type]
    dtype = torch.bfloat16 if hardware.precision == "bf16" else torch.float32
    a, b = (torch.randn(2048, 2048, device=hardware.device).to(dtype) for _ in range(2))
    seconds_of(lambda: a @ b, 3)
    peak = 2 * 2048**3 * 10 / min(seconds_of(lambda: a @ b, 10) for _ in range(3))
    rate = counter.get_total_flops() * num_steps / seconds_of(step, num_steps)
    return round(rate / peak, 3)


def against_notebook(spec: Spec, plan: Plan) -> dict[str, Any]:
    """Return seconds of the notebook way over ours to the same validation score, turn by turn."""
    higher = spec.metric.higher_is_better
    ratios, ours_runs, theirs_runs = [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        catalog.part(spec, "data").export(sources.world_folder(spec), folder / "data")
        for pair in range(PAIRS):
            theirs = notebook_run(spec, folder / "data", plan, pair)
            ours = our_run(spec, folder, plan, pair)
            finals = theirs["reached"][-1][1], ours["reached"][-1][1]
            target = min(finals) if higher or plan.equal_work else max(finals)
            if plan.equal_work:  # the clock of as many steps as the shorter way took
                last = [run["reached"][-1] for run in (theirs, ours)]
                seconds = [clock * target / done for clock, done in last]
            elif plan.to_the_end:
                seconds = [run["reached"][-1][0] for run in (theirs, ours)]
            else:
                seconds = [first_at(run["reached"], target, higher) for run in (theirs, ours)]
            ratios.append(seconds[0] / seconds[1])
            theirs_runs.append({**theirs, "seconds": seconds[0]})
            ours_runs.append({**ours, "seconds": seconds[1]})
            say(f"  pair {pair + 1}: notebook {seconds[0]:.1f} s, ours {seconds[1]:.1f} s")

    def median(runs: list[dict[str, Any]], key: str) -> float:
        return round(statistics.median(run[key] for run in runs), 2)

    rates = {}
    if plan.equal_work:
        for name, runs in (("ours", ours_runs), ("theirs", theirs_runs)):
            rate = statistics.median(
                done / clock for clock, done in (r["reached"][-1] for r in runs)
            )
            rates[f"{name}_steps_a_second"] = round(rate)
    return {
        **rates,
        "median": round(statistics.median(ratios), 2),
        "pairs": [round(ratio, 2) for ratio in ratios],
        "ours_seconds": median(ours_runs, "seconds"),
        "theirs_seconds": median(theirs_runs, "seconds"),
        "ours_mib": median(ours_runs, "peak_memory_mib"),
        "theirs_mib": median(theirs_runs, "peak_memory_mib"),
    }


def first_at(reached: list[tuple[float, float]], target: float, higher: bool) -> float:
    """Return the clock when ``target`` was first reached."""
    return next(s for s, score in reached if (score >= target if higher else score <= target))


def notebook_run(spec: Spec, data: Path, plan: Plan, seed: int) -> dict[str, Any]:
    """Return the clock and score of each epoch of the notebook way."""
    words = ["-m", f"benchmarks.notebooks.{spec.id}", str(data), plan.level]
    words += [str(plan.epochs), str(seed)]
    return dict(json.loads(child(words)))


def our_run(spec: Spec, folder: Path, plan: Plan, seed: int) -> dict[str, Any]:
    """Return the clock and score of each validation of ours, decoding and caching included."""
    home = folder / f"home-{seed}"
    words = [
        "-m",
        "mlspring",
        "run",
        spec.id,
        f"world/{plan.level}",
        "--data",
        str(folder / "data"),
    ]
    words += ["--seed", str(seed), "--out", str(folder / "runs"), "--no-submit", "--json"]
    words += [word for override in plan.overrides for word in ("--set", override)]
    result = json.loads(child(words, MLSPRING_HOME=str(home)))
    log = (Path(result["run"]) / "log.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in log]
    key = "valid/accuracy" if spec.metric.higher_is_better else "valid/loss"
    key = "env_steps" if plan.equal_work else key
    before = result["seconds"]["data"]
    reached = [(before + e["seconds"], e[key]) for e in entries if key in e and not e["member"]]
    # until training's end: the notebook way draws no figures and hands nothing in
    return {"reached": reached, "peak_memory_mib": result["memory_mib"]["train"]}


def child(words: list[str], **more: str) -> str:
    """Return the stdout of ``python`` with ``words``, run from the repository's root."""
    done = subprocess.run(
        [sys.executable, *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **more},
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


if __name__ == "__main__":
    main(sys.argv[1:])
