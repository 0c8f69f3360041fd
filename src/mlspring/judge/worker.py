"""One submission judged by its island's own reader and scorer; the verdict says how it ended.

A child process bounds time and confines a crash of the scorer. It is a fresh interpreter and not
one of multiprocessing's, because those run the caller's main script again: a learner's script that
submits would submit twice.
"""

import csv
import json
import math
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mlspring import catalog
from mlspring.core.archive_entries import DAMAGE, OF_THE_CONTENT
from mlspring.core.errors import SubmissionError
from mlspring.core.foreign_text import shown, shown_lines
from mlspring.core.processes import exit_at_end_of, in_own_group, kill_group, read_line
from mlspring.core.score import Score, State
from mlspring.core.spec import Spec
from mlspring.judge.records import Verdict

FAILED = (
    "could not be judged, and that is not your file's fault: it is kept, costs nothing and can be "
    "judged again"
)
NUM_REASON_LINES = 12
LONGEST_LINE = 600  # characters of a line that a learner or the judge's keeper is shown
NUM_STDERR_BYTES = 10_000
WRITE_AGAIN = "write it again, whole"
CHILD = "from mlspring.judge.worker import serve; serve()"

Parts = Callable[..., Any]


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
        named = verdict.message.replace(shown(str(submission)), filename)
        verdict = replace(verdict, message=named)
    return replace(verdict, seconds=round(time.perf_counter() - start, 6))


def score_locally(spec: Spec, submission: Path, answers: Path) -> Score:
    """Return the score of a file in this process, with nothing handed in.

    Raises:
        SubmissionError: the file is not what the homework asks for; names the row.
        DataError: the answers are not what the scorer needs.
    """
    return _checked(_score_file(catalog.part, spec, submission, answers))


@contextmanager
def file_faults(file: Path) -> Iterator[None]:
    """Turn what a reader stumbles over in a learner's file into a sentence about that file.

    Raises:
        SubmissionError: the content is damaged.
    """
    try:
        yield
    except (*DAMAGE, csv.Error) as error:
        raise SubmissionError(_damaged(error), file=file, fix=WRITE_AGAIN) from error
    except OSError as error:
        if error.errno not in OF_THE_CONTENT:
            raise
        raise SubmissionError(_damaged(error), file=file, fix=WRITE_AGAIN) from error


def _damaged(error: Exception) -> str:
    said = shown(str(error), longest=200)
    return f"is damaged or of another kind ({type(error).__name__}: {said})"


def _score_file(part: Parts, spec: Spec, submission: Path, answers: Path) -> Score:
    """Return the score of ``submission``: the one place that calls an island's reader and scorer.

    Raises:
        SubmissionError: the learner's file, or, if it names ``answers``, a fault of ours.
    """
    scorer, reader = part(spec, "score"), part(spec, "submission")
    key = scorer.read_answers(answers)
    with file_faults(submission):
        values = reader.read(submission, key.ids)
    score: Score = scorer.score(values, key)
    return score


def _judge(part: Parts, spec: Spec, submission: Path, answers: Path) -> Verdict:
    try:
        score = _checked(_score_file(part, spec, submission, answers))
        return Verdict(state=State.SCORED, score=score)
    except SubmissionError as error:
        # Scorers read the answers with the learner's reader: a fault in those is ours.
        if str(error.file) == str(answers):
            return _failed(error)
        return Verdict(state=State.REJECTED, message=shown_lines(str(error), longest=LONGEST_LINE))
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
        why = "".join(traceback.format_exception(why))
    reason = "\n".join(why.splitlines()[-NUM_REASON_LINES:])
    reason = shown_lines(reason, longest=LONGEST_LINE)
    return Verdict(state=State.FAILED, message=FAILED, reason=reason)


# ---- in a process of its own


def _in_child(spec: Spec, submission: Path, answers: Path, time_limit: float) -> Verdict:
    request = pickle.dumps((catalog.part, spec, submission, answers))
    path = os.pathsep.join(folder for folder in sys.path if folder)
    with tempfile.TemporaryFile() as errors:
        try:
            child = subprocess.Popen(
                [sys.executable, "-P", "-X", "faulthandler", "-c", CHILD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | {"PYTHONPATH": path},
                **in_own_group(),  # so that it can be stopped whole
            )
        except OSError as error:  # no memory or no process left for a child
            return _failed(error)
        line, timed_out = _ask(child, request, time_limit)
        if line.endswith(b"\n"):
            return _unpacked(line)
        if timed_out:
            return _failed(f"the scorer was stopped after {time_limit:g} s")
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - NUM_STDERR_BYTES))
        said = errors.read().decode(errors="replace")
        return _failed(f"{said}\n{_how_it_ended(child.returncode)}".lstrip())


def _ask(child: "subprocess.Popen[bytes]", request: bytes, time_limit: float) -> tuple[bytes, bool]:
    """Return the child's one line of answer, and whether time ran out; the child is gone then."""
    line, timed_out = b"", False
    assert child.stdin is not None and child.stdout is not None
    try:
        child.stdin.write(request)
        child.stdin.flush()  # and left open: the child ends when this end goes away
        answer = read_line(child.stdout, time_limit)
        timed_out, line = answer is None, answer or b""
        if not line and not timed_out:
            child.wait(5.0)  # let it finish dying of its own cause
    except (BrokenPipeError, subprocess.TimeoutExpired):
        pass
    finally:
        kill_group(child)
        child.wait()
        child.stdout.close()
        with suppress(BrokenPipeError):
            child.stdin.close()
    return line, timed_out


def serve() -> None:
    """Answer one request on stdin with one line of JSON on stdout: the child's whole life."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a scorer prints is no answer
    part, spec, submission, answers = pickle.load(sys.stdin.buffer)  # from our parent, no file
    exit_at_end_of(sys.stdin.buffer)
    try:
        verdict = _judge(part, spec, submission, answers)
    except BaseException as error:  # noqa: BLE001  a scorer that calls sys.exit() has failed
        verdict = _failed(error)
    answer.write(json.dumps(asdict(verdict)) + "\n")
    answer.flush()


def _unpacked(line: bytes) -> Verdict:
    values = json.loads(line)
    score = None if values["score"] is None else Score(**values["score"])
    return Verdict(**values | {"state": State(values["state"]), "score": score})


def _how_it_ended(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        try:
            name = signal.Signals(-exit_code).name
        except ValueError:
            name = f"signal {-exit_code}"
        hint = "; the system does that when memory runs out" if name == "SIGKILL" else ""
        return f"the scorer was stopped by {name}{hint}"
    return f"the scorer ended without a verdict, exit code {exit_code}"
