"""``make bench``: how fast each level is reached, against the plain notebook way.

    python benchmarks/speed.py [HW[/LEVEL] ...] [--pairs 5] [--wait 120] [--device auto]
        [--again]

A pair is our whole command until the level's training has ended, reading the course's files
included, and then the notebook way (``benchmarks/notebooks``) on the same files until its
validation has the score that ours ended with. It is stopped after ``wait`` seconds, or ours if they
are more; its seconds are then projected to as many updates as the recipe has, and where these are
done, it takes more than that. A run is a process of its own; clocks start when its libraries are
loaded.

Once a homework a step is timed: loader efficiency is steps a second in training over steps a second
on one fixed batch, the share of the peak its arithmetic over that of a large matrix product here.

``results/speed.json`` is written after every pair, so a stopped measurement goes on with the next
one. A row whose recipe has changed begins anew, as do all with ``--again``.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.notebooks.hw13 import TEACHER  # noqa: E402
from benchmarks.speed_plans import PLANS, Plan  # noqa: E402
from benchmarks.speed_step import step_figures  # noqa: E402
from benchmarks.speed_text import WORDS  # noqa: E402
from mlspring import catalog  # noqa: E402
from mlspring.core.environment import environment  # noqa: E402
from mlspring.core.files import home, read_json, write_json  # noqa: E402
from mlspring.core.progress import say  # noqa: E402
from mlspring.core.recipe import flatten  # noqa: E402
from mlspring.core.spec import Spec  # noqa: E402
from mlspring.kit import device  # noqa: E402
from mlspring.verbs import recipes, sources  # noqa: E402
from mlspring.verbs.calibration.runs import values_hash  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results" / "speed.json"
COMMAND = "make bench"
Row = dict[str, Any]


def main(words: Sequence[str] | None = None) -> None:
    """Measure the wanted rows, or all that are not measured yet."""
    parser = argparse.ArgumentParser(description=COMMAND)
    parser.add_argument("wanted", nargs="*", metavar="HW[/LEVEL]")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--wait", type=float, default=120.0)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--again", action="store_true")
    told = parser.parse_args(words)
    used = str(device.choose(told.device, "auto", work="dense").device)
    rows = kept_rows(read_json(RESULTS) if RESULTS.exists() else {})
    for homework, levels in wanted_levels(told.wanted).items():
        spec, plan = catalog.find(homework), PLANS[homework]
        for level in levels:
            fresh = new_row(spec, plan, level, used, told.wait)
            if told.again or not same_recipe(rows.get(key_of(fresh)), fresh):
                rows[key_of(fresh)] = fresh
        asked = [rows[homework, level, used] for level in levels]
        for row in asked:
            if row["level"] == plan.step_level and "loader_efficiency" not in row:
                say(f"{homework}: a step of {row['level']} ...")
                recipe = recipe_of(spec, plan, plan.step_level)
                row.update(step_figures(spec, plan, recipe, used))
                save(rows)
        if all(len(row["pairs"]) >= told.pairs for row in asked):
            continue
        with tempfile.TemporaryDirectory() as name:
            bench = Bench(spec, plan, Path(name), used, told.wait)
            for row in asked:
                while len(row["pairs"]) < told.pairs:
                    pair = bench.pair(row["level"], len(row["pairs"]))
                    row["pairs"].append(pair)
                    say(f"{homework}/{row['level']}, pair {len(row['pairs'])}: {told_of(pair)}")
                    save(rows)


def wanted_levels(wanted: Sequence[str]) -> dict[str, list[str]]:
    """Return the levels to measure by homework: of ``hw03`` and ``hw04/boss``, all of hw03's."""
    if not wanted:
        return {homework: list(plan.levels) for homework, plan in PLANS.items()}
    found: dict[str, list[str]] = {}
    for word in wanted:
        homework, _, level = word.partition("/")
        if homework not in PLANS or (level and level not in PLANS[homework].levels):
            known = ", ".join(f"{hw}/{{{','.join(p.levels)}}}" for hw, p in PLANS.items())
            sys.exit(f"{word!r} is not measured; these are: {known}")
        levels = [level] if level else PLANS[homework].levels
        found[homework] = list(dict.fromkeys([*found.get(homework, []), *levels]))
    return found


def key_of(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return what tells rows apart."""
    return row["homework"], row["level"], row["hardware"]["device"]


def kept_rows(results: Mapping[str, Any]) -> dict[tuple[str, str, str], Row]:
    """Return the rows measured so far; none from a file of another shape."""
    rows = results.get("rows", [])
    return {key_of(row): row for row in rows if {"level", "hardware", "pairs"} <= set(row)}


def same_recipe(row: Mapping[str, Any] | None, fresh: Mapping[str, Any]) -> bool:
    """Return whether a measured row is of the recipe and the way of comparing that count now."""
    keys = ("recipe", "compared", "wait")
    return row is not None and all(row.get(key) == fresh[key] for key in keys)


def new_row(spec: Spec, plan: Plan, level: str, used: str, wait: float) -> Row:
    """Return a row in which nothing is measured yet."""
    facts, recipe = environment(), recipe_of(spec, plan, level)
    hardware = {"processor": facts["processor"], "cores": facts["cores"], "device": used}
    if used == "cuda":
        hardware["gpu"] = torch.cuda.get_device_name()
    return {
        "homework": spec.id,
        "level": level,
        "compared": plan.compares(level),
        "recipe": values_hash(flatten(recipe)),
        "date": facts["started"][:10],
        "commit": facts["commit"],
        "hardware": hardware,
        "wait": wait,
        "pairs": [],
    }


def recipe_of(spec: Spec, plan: Plan, level: str) -> Any:
    """Return a level's recipe as it is measured."""
    return recipes.load(spec, recipes.find_recipe(spec, level, "world"), plan.spared)


def save(rows: Mapping[Any, Row]) -> None:
    """Write the rows in which something is measured, in the order of homeworks and levels."""
    order = [(homework, level) for homework, plan in PLANS.items() for level in plan.levels]
    measured = [row for row in rows.values() if row["pairs"] or "loader_efficiency" in row]
    measured = [row for row in measured if (row["homework"], row["level"]) in order]
    measured.sort(key=lambda row: (order.index(key_of(row)[:2]), row["hardware"]["device"]))
    write_json(RESULTS, {"command": COMMAND, "rows": measured})


class Bench:
    """One homework's files, and runs of both ways on them.

    Args:
        spec: the homework.
        plan: what is compared.
        folder: a temporary one.
        used: the device of both ways.
        wait: the notebook way is stopped after so many seconds, or ours if they are more.
    """

    def __init__(self, spec: Spec, plan: Plan, folder: Path, used: str, wait: float) -> None:
        self.spec, self.plan, self.folder, self.used, self.wait = spec, plan, folder, used, wait
        self.data = folder / "data"
        catalog.part(spec, "data").export(sources.world_folder(spec), self.data)
        self.homes = folder / "home"  # what a home has before the clock starts
        self.homes.mkdir()
        if (home() / "machine.json").exists():  # which arithmetic pays: measured once a machine
            shutil.copy(home() / "machine.json", self.homes)
        if spec.id == "hw13":
            self._make_teacher()

    def _make_teacher(self) -> None:
        """Train the teacher that both ways are given, as the course gives one."""
        say("hw13: training the teacher ...")
        once = ("train.steps=1", "train.warmup_steps=0", *self.plan.spared)
        self.our_run("medium", 0, self.homes, once)
        (weights,) = self.homes.glob("teachers/*/checkpoints/member-0.safetensors")
        shutil.copy(weights, self.data / TEACHER)

    def pair(self, level: str, number: int) -> dict[str, Any]:
        """Return seconds and MiB of both ways with the seed ``number``, ours first."""
        compared = self.plan.compares(level)
        fresh = self.folder / "fresh"
        shutil.copytree(self.homes, fresh)
        ours = self.our_run(level, number, fresh, self.plan.spared)
        shutil.rmtree(fresh)
        limit = ours["seconds"] if compared == "play" else max(self.wait, ours["seconds"])
        words = ["-m", f"benchmarks.notebooks.{self.spec.id}", str(self.data), "--level", level]
        words += ["--seed", str(number), "--device", self.used, "--stop-after", str(limit)]
        words += [] if compared != "score" else ["--until", repr(ours["score"])]
        return as_pair(compared, ours, json.loads(child(words)))

    def our_run(self, level: str, seed: int, at: Path, overrides: Sequence[str]) -> dict[str, Any]:
        """Return the seconds until training's end, decoding and caching included, and the score.

        The notebook way draws no figures and hands nothing in, so ours ends there, too. The score
        is that of the weights that are kept: those of the last validation, or of the best one where
        the recipe keeps that.
        """
        out = self.folder / "runs"
        words = ["-m", "mlspring", "run", self.spec.id, f"world/{level}", "--data", str(self.data)]
        words += ["--seed", str(seed), "--device", self.used, "--out", str(out), "--no-submit"]
        words += ["--json", *(word for override in overrides for word in ("--set", override))]
        result = json.loads(child(words, MLSPRING_HOME=str(at)))
        log = (Path(result["run"]) / "log.jsonl").read_text(encoding="utf-8").splitlines()
        played = [json.loads(line).get("env_steps") for line in log]
        shutil.rmtree(out)
        return {
            "seconds": result["seconds"]["data"] + result["seconds"]["train"],
            "score": result["score"]["validation"],
            "env_steps": played[-1] if played else None,
            "peak_memory_mib": result["memory_mib"]["train"],
            **{k: v for k, v in result["hardware"].items() if k == "gpu_memory_mib"},
        }


def as_pair(compared: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Return one pair of runs as it is kept; ``known``: a key of ``MARKS``."""
    seconds, known = theirs["seconds"], "measured"
    if compared == "play":  # the clock of as many steps as ours took
        clock, steps = theirs["reached"][-1]
        seconds, known = clock * ours["env_steps"] / steps, "projected"
    elif theirs["ended"] == "time" and theirs["share"] < 1:  # to as many updates as ours took
        seconds, known = seconds / max(theirs["share"], 1e-6), "projected"
    elif theirs["ended"] == "time":  # these were not enough
        known = "bound"
    pair = {
        "ours_seconds": round(ours["seconds"], 2),
        "theirs_seconds": round(seconds, 2),
        "known": known,
        "score": ours["score"],
        "ours_mib": ours["peak_memory_mib"],
        "theirs_mib": theirs["peak_memory_mib"],
    }
    if "gpu_memory_mib" in theirs:
        pair["ours_gpu_mib"] = ours.get("gpu_memory_mib")
        pair["theirs_gpu_mib"] = theirs["gpu_memory_mib"]
    return pair


def told_of(pair: Mapping[str, Any]) -> str:
    """Return a pair in words."""
    how = WORDS[pair["known"]]
    return f"ours {pair['ours_seconds']:.1f} s, notebook {how}{pair['theirs_seconds']:.1f} s"


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
    main()
