"""``mlspring run`` and ``resume``: data, train, predict, draw, submit, rank, in this order.

Every phase reads what the former one left in the run folder, so a run that was stopped anywhere
goes on from there.
"""

import shlex
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlspring import catalog
from mlspring.core import progress
from mlspring.core.errors import RunError
from mlspring.core.files import demand_writable, home, sha256, write_json
from mlspring.core.machine import is_main_process, peak_memory_mib
from mlspring.core.recipe import Section, dump_recipe
from mlspring.core.runs import Request, Run, Training
from mlspring.core.score import Score, State
from mlspring.core.source import Source
from mlspring.core.spec import Spec
from mlspring.judge import points, service
from mlspring.judge.records import StoredSubmission
from mlspring.judge.store import Store
from mlspring.judge.worker import score_locally
from mlspring.verbs import contact, figures, recipes, sources, torchrun
from mlspring.verbs.finished import demand_recipe

ME = "me"  # the learner's own name on the local board
HARDWARE = ("processor", "cores", "device", "precision", "gpu", "gpu_memory_mib")


def run(spec: Spec, request: Request, *, overrides: tuple[str, ...], out: Path) -> Run:
    """Return a new, finished run.

    Raises:
        UserError: recipe, data or board refuse; nothing was trained.
    """
    kind = sources.kind_of(request.data)
    path = recipes.find_recipe(spec, request.recipe, kind)
    recipe = recipes.load(spec, path, overrides, kind=kind)
    _name_laptop_recipe(spec, request, path)
    return run_recipe(spec, replace(request, recipe=recipes.full_name(spec, path)), recipe, out=out)


def run_recipe(spec: Spec, request: Request, recipe: Section, *, out: Path) -> Run:
    """Return a new, finished run of a recipe that is loaded already; ``request`` names it.

    Raises:
        UserError: data or board refuse; nothing was trained.
    """
    source = sources.open_source(spec, request.data)
    _demand_judge(spec, source, submit=request.submit)
    started = torchrun.opened(request, lambda: Run.create(out, request, dump_recipe(recipe)))
    with started:
        return _carry_out(spec, started, recipe, source, submit=request.submit)


def _demand_judge(spec: Spec, source: Source, *, submit: bool) -> None:
    """Make sure before training that its result can be scored and handed in.

    Raises:
        MachineError: the answers cannot be read, or the local board cannot be written.
    """
    if spec.ranked and source.kind == "world":
        sources.answers_of(spec, source)
        if submit:
            demand_writable(home() / "judge", "the local board")


def _name_laptop_recipe(spec: Spec, request: Request, path: Path) -> None:
    """Say, on a machine without GPU, which lighter recipe replaces one that is made for a GPU."""
    lighter = recipes.for_laptop(spec, path)
    if lighter is None or not is_main_process():
        return
    if request.device != "cpu" and torchrun.has_gpu():
        return
    command = f"mlspring run {spec.id} {lighter} --data {shlex.quote(request.data)}"
    progress.say(f"{path.parent.name}/{path.stem} is meant for a GPU; without one: {command}")


def resume(folder: Path, *, submit: bool | None = None) -> Run:
    """Return the run in ``folder``, continued to its end.

    Args:
        folder: the run's.
        submit: whether to hand in on the local board; None: as the run was asked for.

    Raises:
        RunError: no such run, another process is writing it, or it is finished.
    """
    looked_at = Run.open(folder)
    request = looked_at.request
    demand_recipe(looked_at)
    stopped = torchrun.opened(request, lambda: Run.open(folder, writable=True))
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
            contact.write(spec, data, run.folder)
    with run.phase("train"):
        training = trainer.train(recipe, data, run)
    run.note(**torchrun.gpu_memory())
    if not run.writable:
        return run  # the other processes of torchrun have done their part
    with run.phase("predict"):
        file = _predict(spec, run, recipe, data, source)
    with run.phase("figures"):
        problems = figures.draw_all(spec, run, recipe, data)
    with run.phase("submit"):
        score = judge(spec, run, file, source, submit=submit)
    run.seconds["total"] = round(time.perf_counter() - began, 3)
    not_drawn = {problem.name: problem.message for problem in problems}
    run.finish(result_of(spec, run, training, score, file) | {"not_drawn": not_drawn})
    return run


def _predict(spec: Spec, run: Run, recipe: Any, data: Any, source: Source) -> Path | None:
    """Write the submission and return its path; None where nothing can be handed in."""
    if not spec.ranked:
        return None
    ids = getattr(data, "test_ids", None)
    if ids is None:  # data that know of no rows, e.g. the rules of episodes
        ids = catalog.part(spec, "data").test_ids(source)
    if not ids:
        return None
    values = catalog.part(spec, "predict").predict(recipe, data, run)
    file = run.folder / spec.submission_name
    _write(spec, file, ids, values, is_judged=source.kind == "world")
    return file


def _write(spec: Spec, file: Path, ids: Sequence[str], values: Any, *, is_judged: bool) -> None:
    """Write the submission; where no judge will read it, check its format as ``validate`` does."""
    part = catalog.part(spec, "submission")
    part.write(file, ids, values)
    if not is_judged:
        part.read(file, ids)


def judge(spec: Spec, run: Run, file: Path | None, source: Source, *, submit: bool) -> Score | None:
    """Return the score: the judge's where the file is handed in; None where nobody can tell."""
    if file is None or source.kind != "world":
        return None
    answers = sources.answers_of(spec, source)
    if not submit:
        return score_locally(spec, file, answers)
    entry = _hand_in(spec, run, file, answers)
    if entry.state != State.SCORED or entry.public is None or entry.private is None:
        progress.say(f"submission {entry.number} is {entry.state}: {entry.message}")
        return None
    return Score(public=entry.public, private=entry.private, details=entry.details)


def _hand_in(spec: Spec, run: Run, file: Path, answers: Path) -> StoredSubmission:
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
    return store.submission(number)


def _handed_in(store: Store, spec: Spec, run: Run, file: Path) -> StoredSubmission | None:
    """Return what this run has on the board: the same file, received when the run says it was."""
    noted = run.state.get("handed_in")
    if not isinstance(noted, str):
        return None
    received, digest = datetime.fromisoformat(noted), sha256(file)
    mine = store.submissions(spec.id, learner=ME)
    same = (entry for entry in mine if (entry.received, entry.sha256) == (received, digest))
    return next(same, None)


def result_of(
    spec: Spec, run: Run, training: Training, score: Score | None, file: Path | None
) -> dict[str, Any]:
    """Return the content of ``result.json``."""
    notes = run.environment | run.state
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
        "hardware": {key: notes.get(key) for key in HARDWARE if key in notes},
        "resumed": notes.get("resumed", False),
        "submission": file.name if file else None,
        "run": str(run.folder),
    }
