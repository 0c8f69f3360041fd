"""A learner's own loop that logs as ours do, so that figures, report and board take it as a run."""

import math
import re
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlspring.core.errors import UserError
from mlspring.core.recipe import OWN_LOOP
from mlspring.core.runs import Request, Run, Training
from mlspring.core.spec import Spec
from mlspring.verbs import run as verb
from mlspring.verbs import sources, torchrun

NOTE = "# A loop of one's own: what it used is in its code.\n"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,59}")


def start(spec: Spec, name: str, *, data: str, seed: int, out: Path) -> Run:
    """Return a new run folder for a loop of one's own, opened for writing.

    Raises:
        UserError: ``name`` cannot be the name of a folder.
        MachineError: ``out`` cannot be written.
    """
    if not NAME.fullmatch(name) or name.endswith(".toml"):
        expected = "letters, digits, spaces, '.', '_' and '-', at most 60"
        raise UserError(f"a loop cannot be called {name!r}", expected=expected)
    request = Request(homework=spec.id, recipe=f"{OWN_LOOP}{name}", data=data, seed=seed)
    run = Run.create(out, request, NOTE)
    run.note(threads=torchrun.num_threads())
    return run


def log_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is logged as plain numbers; tensors of one number become that, NaN nothing.

    Raises:
        UserError: a value is no number.
    """
    plain: dict[str, Any] = {}
    for key, value in values.items():
        name = key.replace("__", "/")
        try:
            number = float(value)
        except (TypeError, ValueError) as error:
            found = f"{name} is {value!r:.60}"
            raise UserError(found, expected="a number, or a tensor of one") from error
        if not math.isfinite(number):
            plain[name] = None  # JSON has no word for it
        else:
            plain[name] = int(number) if number.is_integer() and "/" not in name else number
    return plain


def finish(
    spec: Spec,
    run: Run,
    *,
    validation: float | None,
    file: Path | None,
    submit: bool,
    seconds: float,
) -> Run:
    """Draw the curves, score the submission and write the result: the last of such a run.

    Args:
        spec: the homework.
        run: as ``start`` made it.
        validation: the homework's metric on held-out data, as far as there is one.
        file: the submission, which is copied into the run's folder; None: there is none.
        submit: whether to hand it in on the local board, too.
        seconds: that the loop took.

    Raises:
        SubmissionError: the file is not in the homework's format.
    """
    began = time.perf_counter()
    run.seconds["train"] = round(seconds, 3)
    source = sources.open_source(spec, run.request.data)
    copy = None
    with run.phase("figures"):
        draw(spec, run)
    if file is not None:
        spec.require_ranking()
        copy = run.folder / file.name
        if file.resolve() != copy.resolve():
            shutil.copyfile(file, copy)
    with run.phase("submit"):
        score = verb.judge(spec, run, copy, source, submit=submit)
    run.seconds["total"] = round(seconds + time.perf_counter() - began, 3)
    training = Training(validation=validation, items_per_second=0.0)
    run.finish(verb.result_of(spec, run, training, score, copy))
    return run


def draw(spec: Spec, run: Run) -> bool:
    """Draw the learning curves of the log; return whether it has any."""
    from mlspring.kit import charts

    return charts.from_log(run.read_log(), run.figures, title=f"{spec.title}: learning curves")
