"""One submission judged by its island's own reader and scorer; the verdict says how it ended.

A child process bounds time and survives a crash of the scorer. It is started with ``spawn``, so a
script that submits needs the usual ``if __name__ == "__main__"`` around its work.
"""

import math
import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import ModuleType

from mlspring import catalog
from mlspring.core.errors import SubmissionError
from mlspring.core.score import Score, State
from mlspring.core.spec import Spec
from mlspring.judge.entry import Verdict

FAILED = (
    "could not be judged, and that is not your file's fault: it is kept, costs nothing and can be "
    "judged again"
)
NUM_REASON_LINES = 12

Parts = Callable[[Spec, str], ModuleType]


def judge_one(
    spec: Spec,
    submission: Path,
    answers: Path,
    *,
    filename: str,
    isolated: bool = True,
    time_limit: float = 300.0,
) -> Verdict:
    """Return the verdict on one file: scored, rejected or failed, never an exception.

    Args:
        spec: the homework; its parts ``score`` and ``submission`` are loaded where judging runs.
        submission: the stored copy.
        answers: what only the judge may see.
        filename: the learner's name of the file, for messages.
        isolated: judge in a child process. In this process there is no time limit, and an
            interruption (KeyboardInterrupt, SystemExit) passes through.
        time_limit: seconds until the child is stopped.
    """
    start = time.perf_counter()
    if isolated:
        verdict = _in_child(spec, submission, answers, time_limit)
    else:
        verdict = _judge(catalog.part, spec, submission, answers)
    if verdict.message is not None:
        verdict = replace(verdict, message=verdict.message.replace(str(submission), filename))
    return replace(verdict, seconds=round(time.perf_counter() - start, 6))


def _judge(part: Parts, spec: Spec, submission: Path, answers: Path) -> Verdict:
    try:
        scorer, reader = part(spec, "score"), part(spec, "submission")
        ids = scorer.answer_ids(answers)
    except Exception as error:  # noqa: BLE001  nothing here is the learner's doing
        return _failed(error)
    try:
        reader.read(submission, ids)
        score = scorer.score(submission, answers)
        return Verdict(state=State.SCORED, score=_checked(score))
    except SubmissionError as error:
        # Scorers read the answers with the learner's reader: a fault in those is ours.
        if str(error.file) == str(answers):
            return _failed(error)
        return Verdict(state=State.REJECTED, message=str(error))
    except Exception as error:  # noqa: BLE001  whatever a scorer raises, the submission ends
        return _failed(error)


def _checked(score: Score) -> Score:
    """Return the score in plain floats.

    Raises:
        ValueError: it is not a finite number, which no board can order.
    """
    plain = Score(
        public=float(score.public),
        private=float(score.private),
        details={name: float(value) for name, value in score.details.items()},
    )
    if not (math.isfinite(plain.public) and math.isfinite(plain.private)):
        raise ValueError(f"the scorer returned public {plain.public}, private {plain.private}")
    return plain


def _failed(why: BaseException | str) -> Verdict:
    if isinstance(why, BaseException):
        lines = "".join(traceback.format_exception(why)).splitlines()
        why = "\n".join(lines[-NUM_REASON_LINES:])
    return Verdict(state=State.FAILED, message=FAILED, reason=why)


# ---- in a process of its own


def _in_child(spec: Spec, submission: Path, answers: Path, time_limit: float) -> Verdict:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(
        target=_child, args=(sender, catalog.part, spec, submission, answers), name="judge"
    )
    try:
        process.start()
    except OSError as error:  # no memory or no process left for a child
        return _failed(error)
    verdict: Verdict | None = None
    timed_out = False
    try:
        sender.close()  # the child's end is the only one now: its death ends the wait
        timed_out = not receiver.poll(time_limit)
        if not timed_out:
            verdict = receiver.recv()
    except EOFError:
        wait([process.sentinel], 5.0)  # let it finish dying of its own cause
    finally:
        exit_code = _stop(process)
        receiver.close()
    if verdict is not None:
        return verdict
    if timed_out:
        return _failed(f"the scorer was stopped after {time_limit:g} s")
    return _failed(_how_it_ended(exit_code))


def _child(sender: Connection, part: Parts, spec: Spec, submission: Path, answers: Path) -> None:
    """Send one verdict; runs in the child, in a process group that can be stopped whole."""
    os.setsid()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        verdict = _judge(part, spec, submission, answers)
    except BaseException as error:  # noqa: BLE001  a scorer that calls sys.exit() has failed
        verdict = _failed(error)
    sender.send(verdict)
    sender.close()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _stop(process: SpawnProcess) -> int | None:
    """End the child and all that it started; return its exit code."""
    if process.pid is None:
        return None
    # The group goes first: until the child is joined, its number belongs to nobody else.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()
    return process.exitcode


def _how_it_ended(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        try:
            name = signal.Signals(-exit_code).name
        except ValueError:
            name = f"signal {-exit_code}"
        hint = "; the system does that when memory runs out" if name == "SIGKILL" else ""
        return f"the scorer was stopped by {name}{hint}"
    return f"the scorer ended without a verdict, exit code {exit_code}"
