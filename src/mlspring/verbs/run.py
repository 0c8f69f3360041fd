"""``mlspring run`` and ``resume``: data, train, predict, submit, rank, draw, in this order.

Every phase reads what the former one left in the run folder, so a run that was stopped anywhere
goes on from there.
"""

import importlib
import os
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlspring import catalog
from mlspring.core import progress
from mlspring.core.errors import MlspringError, RunError
from mlspring.core.files import demand_writable, home, sha256, write_json
from mlspring.core.machine import is_main_process, peak_memory_mib
from mlspring.core.recipe import dump_recipe
from mlspring.core.runs import Request, Run, Training
from mlspring.core.score import Score, State
from mlspring.core.source import Source
from mlspring.core.spec import Spec
from mlspring.judge import points, service
from mlspring.judge.records import StoredSubmission
from mlspring.judge.store import Store
from mlspring.judge.worker import score_locally
from mlspring.verbs import recipes, sources

ME = "me"  # the learner's own name on the local board


def run(spec: Spec, request: Request, *, overrides: tuple[str, ...], out: Path) -> Run:
    """Return a new, finished run.

    Raises:
        UserError: recipe, data or board refuse; nothing was trained.
    """
    path = recipes.find_recipe(spec, request.recipe, sources.kind_of(request.data))
    recipe = recipes.load(spec, path, overrides)
    _tell_of_laptop(spec, request, path)
    source = sources.open_source(spec, request.data)
    _demand_judge(spec, source, submit=request.submit)
    request = replace(request, recipe=path.stem)
    started = _opened(request, lambda: Run.create(out, request, dump_recipe(recipe)))
    with started:
        return _carry_out(spec, started, recipe, source, submit=request.submit)


def _demand_judge(spec: Spec, source: Source, *, submit: bool) -> None:
    """Make sure before training that its result can be scored and handed in.

    Raises:
        MachineError: the answers cannot be read, or the local board cannot be written.
    """
    if spec.ranked and source.kind == "world":
        sources.world_answers(spec)
        if submit:
            demand_writable(home() / "judge", "the local board")


def _tell_of_laptop(spec: Spec, request: Request, path: Path) -> None:
    """Say, on a machine without GPU, that a recipe made for one has a lighter twin."""
    lighter = recipes.for_laptop(spec, path)
    if lighter is None or not is_main_process():
        return
    if request.device != "cpu" and importlib.import_module("torch").cuda.is_available():
        return
    command = f"mlspring run {spec.id} {lighter} --data {shlex.quote(request.data)}"
    progress.say(f"{path.parent.name}/{path.stem} is meant for a GPU; without one: {command}")


def open_finished(folder: Path) -> tuple[Spec, Run, Any]:
    """Return a finished run's spec, the run and its recipe.

    Raises:
        RunError: no such run, or it is not finished.
    """
    run = Run.open(folder)
    if run.result is None:
        fix = f"mlspring resume {folder}"
        raise RunError("this run is not finished", file=folder, fix=fix)
    spec = catalog.find(run.request.homework)
    return spec, run, recipes.load(spec, folder / "recipe.toml")


def reopen(folder: Path) -> tuple[Spec, Run, Any, Any]:
    """Return what drawing anew needs of a finished run: spec, run, recipe, data.

    Raises:
        RunError: no such run, or it is not finished.
    """
    spec, run, recipe = open_finished(folder)
    source = sources.open_source(spec, run.request.data)
    return spec, run, recipe, catalog.part(spec, "data").load(source, recipe)


def resume(folder: Path, *, submit: bool | None = None) -> Run:
    """Return the run in ``folder``, continued to its end.

    Args:
        folder: the run's.
        submit: whether to hand in on the local board; None: as the run was asked for.

    Raises:
        RunError: no such run, another process is writing it, or it is finished.
    """
    request = Run.open(folder).request
    stopped = _opened(request, lambda: Run.open(folder, writable=True))
    if stopped.result is not None:
        stopped.close()
        fix = f"see mlspring report {folder}, or start a new one with mlspring run"
        raise RunError("this run is finished", file=folder, fix=fix)
    spec = catalog.find(request.homework)
    recipe = recipes.load(spec, folder / "recipe.toml")
    submit = request.submit if submit is None else submit
    with stopped:
        stopped.note(resumed=True)
        source = sources.open_source(spec, request.data)
        _demand_judge(spec, source, submit=submit)
        return _carry_out(spec, stopped, recipe, source, submit=submit)


def _carry_out(spec: Spec, run: Run, recipe: Any, source: Source, *, submit: bool) -> Run:
    began = time.perf_counter()
    loader, trainer = catalog.part(spec, "data"), catalog.part(spec, "train")
    with run.phase("data"):
        data = loader.load(source, recipe)
        if run.writable:
            write_json(run.folder / "data.json", loader.describe(data))
    with run.phase("train"):
        training = trainer.train(recipe, data, run)
    if not run.writable:
        return run  # the other processes of torchrun have done their part
    with run.phase("predict"):
        file = _predict(spec, run, recipe, data, source)
    with run.phase("figures"):
        catalog.part(spec, "figures").draw(run, recipe, data)
    with run.phase("submit"):
        score = _judge(spec, run, file, source, submit=submit)
    run.seconds["total"] = round(time.perf_counter() - began, 3)
    run.finish(_result(spec, run, training, score))
    return run


def _predict(spec: Spec, run: Run, recipe: Any, data: Any, source: Source) -> Path | None:
    """Write the submission and return its path; None where nothing can be handed in."""
    if not spec.ranked:
        return None
    ids = catalog.part(spec, "data").test_ids(source)
    if not ids:
        return None
    values = catalog.part(spec, "predict").predict(recipe, data, run)
    file = run.folder / spec.submission_name
    _write(spec, file, ids, values)
    return file


def _write(spec: Spec, file: Path, ids: Sequence[str], values: Any) -> None:
    """Write the submission; check its format as ``mlspring validate`` does."""
    part = catalog.part(spec, "submission")
    part.write(file, ids, values)
    part.read(file, ids)


def _judge(
    spec: Spec, run: Run, file: Path | None, source: Source, *, submit: bool
) -> Score | None:
    """Return the score, and hand the file in on the local board; None where nobody has answers."""
    if file is None or source.kind != "world":
        return None
    answers = sources.world_answers(spec)
    if submit:
        _hand_in(spec, run, file, answers)
    return score_locally(spec, file, answers)


def _hand_in(spec: Spec, run: Run, file: Path, answers: Path) -> None:
    """Hand the file in, once, however often the run is stopped meanwhile; note its number."""
    store = service.open_store()
    entry = _handed_in(store, spec, run, file)
    if entry is None:
        now = datetime.now(UTC)
        run.note(handed_in=now.isoformat())  # before the board knows it: a kill may come between
        number = service.submit(store, spec, file, ME, answers=answers, now=now).number
    else:
        number = entry.number
        if entry.state == State.FAILED:  # stopped while it was judged
            service.retry(store, spec, number, answers=answers)
    run.note(submission=number)


def _handed_in(store: Store, spec: Spec, run: Run, file: Path) -> StoredSubmission | None:
    """Return what this run has on the board: the same file, received when the run says it was."""
    moment = run.state.get("handed_in")
    if not isinstance(moment, str):
        return None
    received, digest = datetime.fromisoformat(moment), sha256(file)
    mine = store.submissions(spec.id, learner=ME)
    same = (entry for entry in mine if (entry.received, entry.sha256) == (received, digest))
    return next(same, None)


def _result(spec: Spec, run: Run, training: Training, score: Score | None) -> dict[str, Any]:
    facts = run.environment | run.state
    kind = sources.kind_of(run.request.data)
    public, private = (score.public, score.private) if score else (None, None)
    earned = points.earned(spec, public, private, kind)
    return {
        "homework": spec.id,
        "recipe": run.request.recipe,
        "source": kind,
        "seed": run.request.seed,
        "score": {"public": public, "private": private, "validation": training.validation},
        "level": spec.level_reached(public, kind),
        "points": {
            "public": earned.public,
            "private": earned.private,
        },
        "seconds": run.seconds,
        "peak_memory_mib": peak_memory_mib(),
        "memory_mib": run.memory_mib,  # the peak until the end of each phase
        "items_per_second": training.items_per_second,
        "hardware": {key: facts.get(key) for key in ("processor", "cores", "device", "precision")},
        "resumed": facts.get("resumed", False),
        "submission": spec.submission_name if score else None,
        "run": str(run.folder),
    }


def _opened(request: Request, opening: Callable[[], Run]) -> Run:
    """Return the run that ``opening`` gives; under ``torchrun`` rank 0 alone does it, and writes.

    The other processes get the same folder for reading, or the error that rank 0 met.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return opening()
    ranks = importlib.import_module("mlspring.kit.distributed").start(device=request.device)
    run: Run | None = None
    error: MlspringError | None = None
    if ranks.is_main:
        try:
            run = opening()
        except MlspringError as found:
            error = found
    folder, error = ranks.broadcast((run and run.folder, error))
    if error is not None:
        raise error
    return run or Run.open(folder)
