import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import fake_island
import pytest

from mlspring import catalog
from mlspring.core.errors import SubmissionError
from mlspring.core.score import State
from mlspring.core.spec import Spec
from mlspring.judge.records import Verdict
from mlspring.judge.worker import judge_one, score_locally


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return fake_island.write_submission(tmp_path / "stored.csv", public=3, private=2)


def judge(spec: Spec, file: Path, answers: Path, **how: object) -> Verdict:
    return judge_one(spec, file, answers, filename="mine.csv", **how)


@pytest.mark.parametrize("isolated", [False, True])
def test_a_good_file_is_scored(spec: Spec, file: Path, answers: Path, isolated: bool) -> None:
    verdict = judge(spec, file, answers, isolated=isolated)
    assert verdict.state == State.SCORED and verdict.score is not None
    assert (verdict.score.public, verdict.score.private) == (0.75, 0.5)
    assert verdict.score.details["rows"] == 8.0
    assert (verdict.score.details["process"] == os.getpid()) != isolated
    assert verdict.message is None and verdict.reason is None


def test_the_seconds_are_those_that_judging_took(spec: Spec, file: Path, answers: Path) -> None:
    start = time.perf_counter()
    verdict = judge(spec, file, answers, isolated=False)
    assert 0 < verdict.seconds <= time.perf_counter() - start + 1e-6


def test_a_file_is_read_once(spec: Spec, file: Path, answers: Path) -> None:
    fake_island.READ.clear()
    judge(spec, file, answers, isolated=False)
    assert [file] == fake_island.READ
    assert score_locally(spec, file, answers).public == 0.75
    assert [file, file] == fake_island.READ


FAULTS_OF_THE_FILE = [name for name in fake_island.BROKEN if name not in ("bug", "disk", "memory")]


@pytest.mark.parametrize("broken", FAULTS_OF_THE_FILE)
def test_what_a_reader_stumbles_over_is_the_files_fault(
    spec: Spec, file: Path, answers: Path, broken: str
) -> None:
    file.write_text(f"broken: {broken}")
    verdict = judge(spec, file, answers, isolated=False)
    assert verdict.state == State.REJECTED and verdict.message is not None
    assert verdict.message.startswith("mine.csv: is damaged or of another kind (")
    assert verdict.message.count("\n") == 1 and "\x1b" not in verdict.message
    with pytest.raises(SubmissionError, match="is damaged or of another kind"):
        score_locally(spec, file, answers)


@pytest.mark.parametrize("broken", ["bug", "disk", "memory"])
def test_a_bug_of_a_reader_and_a_broken_disk_are_ours(
    spec: Spec, file: Path, answers: Path, broken: str
) -> None:
    file.write_text(f"broken: {broken}")
    verdict = judge(spec, file, answers, isolated=False)
    assert verdict.state == State.FAILED and "not your file's fault" in str(verdict.message)


def test_only_the_last_words_of_a_scorer_are_kept(spec: Spec, file: Path, tmp_path: Path) -> None:
    answers = fake_island.write_answers(tmp_path / "answers.csv", "shout")
    verdict = judge(spec, file, answers)
    assert verdict.reason is not None and "exit code 7" in verdict.reason
    assert verdict.reason.startswith("xxx") and len(verdict.reason) < 2000


@pytest.mark.parametrize("isolated", [False, True])
def test_a_wrong_file_is_rejected_under_the_learners_name(
    spec: Spec, file: Path, answers: Path, isolated: bool
) -> None:
    file.write_text(file.read_text().replace("2,1", "2,many"))
    verdict = judge(spec, file, answers, isolated=isolated)
    assert verdict.state == State.REJECTED
    assert verdict.message == "mine.csv, row 4: '2,many'; expected 0 or 1"
    assert verdict.reason is None


@pytest.mark.parametrize(
    ("do", "reason"),
    [
        ("raise", "KeyError: 'a bug in the scorer'"),
        ("blame", "SubmissionError: "),
        ("memory", "MemoryError"),
        ("nan", "ValueError: the scorer returned public nan, private 0.0"),
    ],
)
@pytest.mark.parametrize("isolated", [False, True])
def test_a_fault_of_ours_is_failed_and_its_reason_kept(
    spec: Spec, file: Path, tmp_path: Path, do: str, reason: str, isolated: bool
) -> None:
    answers = fake_island.write_answers(tmp_path / "answers.csv", do)
    verdict = judge(spec, file, answers, isolated=isolated)
    assert verdict.state == State.FAILED and verdict.score is None
    assert verdict.reason is not None and reason in verdict.reason
    assert len(verdict.reason.splitlines()) <= 12
    assert verdict.message is not None and "not your file's fault" in verdict.message
    assert str(tmp_path) not in verdict.message


def test_an_island_that_cannot_be_loaded_is_our_fault(
    spec: Spec, file: Path, answers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(spec: Spec, name: str) -> None:
        raise ModuleNotFoundError(f"no {name}")

    monkeypatch.setattr(catalog, "part", missing)
    assert judge(spec, file, answers, isolated=False).state == State.FAILED


@pytest.mark.parametrize(
    ("do", "reason"),
    [
        ("segfault", "stopped by SIGSEGV"),
        ("kill", "stopped by SIGKILL; the system does that when memory runs out"),
        ("vanish", "ended without a verdict, exit code 7"),
        ("close", "ended without a verdict, exit code 7"),
        ("exit", "SystemExit: 3"),
        ("interrupt", "KeyboardInterrupt"),
    ],
)
def test_a_child_that_dies_is_failed(
    spec: Spec, file: Path, tmp_path: Path, do: str, reason: str
) -> None:
    answers = fake_island.write_answers(tmp_path / "answers.csv", do)
    verdict = judge(spec, file, answers)
    assert verdict.state == State.FAILED
    assert verdict.reason is not None and reason in verdict.reason


@pytest.mark.parametrize("do", ["sleep", "fork"])
def test_a_scorer_that_never_ends_is_stopped_with_all_it_started(
    spec: Spec, file: Path, tmp_path: Path, do: str
) -> None:
    answers = fake_island.write_answers(tmp_path / "answers.csv", do)
    start = time.monotonic()
    verdict = judge(spec, file, answers, time_limit=2.0)
    assert time.monotonic() - start < 10
    assert verdict.state == State.FAILED
    assert verdict.reason == "the scorer was stopped after 2 s"
    assert not lives(int((tmp_path / "child.pid").read_text()))


@pytest.mark.parametrize(("do", "kind"), [("exit", SystemExit), ("interrupt", KeyboardInterrupt)])
def test_in_this_process_an_interruption_passes_through(
    spec: Spec, file: Path, tmp_path: Path, do: str, kind: type[BaseException]
) -> None:
    answers = fake_island.write_answers(tmp_path / "answers.csv", do)
    with pytest.raises(kind):
        judge(spec, file, answers, isolated=False)


def test_interrupting_the_wait_stops_the_child(spec: Spec, file: Path, tmp_path: Path) -> None:
    answers = fake_island.write_answers(tmp_path / "answers.csv", "sleep")
    pid = tmp_path / "child.pid"

    def press_ctrl_c() -> None:
        while not (pid.exists() and pid.read_text()):
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    # A program that starts in the background ignores Ctrl-C, and Python then does so, too.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=press_ctrl_c, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            judge(spec, file, answers, time_limit=30.0)
    finally:
        signal.signal(signal.SIGINT, before)
    assert not lives(int(pid.read_text()))


def test_a_script_that_submits_is_not_run_twice(
    spec: Spec, file: Path, answers: Path, tmp_path: Path
) -> None:
    script = tmp_path / "learner.py"
    script.write_text(
        "import sys; from pathlib import Path\n"
        "import fake_island; from mlspring import catalog; catalog.part = fake_island.part\n"
        "from mlspring.judge.worker import judge_one\n"
        "folder = Path(sys.argv[1]); print('submitting')\n"
        "spec = fake_island.make_spec(folder / 'island')\n"
        "files = folder / 'stored.csv', folder / 'answers.csv'\n"
        "print(judge_one(spec, *files, filename='mine.csv').state)\n"
    )
    done = subprocess.run(
        [sys.executable, script, tmp_path],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("submitting\nscored\n", "")


@pytest.mark.parametrize("isolated", [False, True])
def test_what_a_scorer_prints_is_no_verdict(
    spec: Spec, file: Path, tmp_path: Path, isolated: bool
) -> None:
    answers = fake_island.write_answers(tmp_path / "answers.csv", "print")
    assert judge(spec, file, answers, isolated=isolated).state == State.SCORED


def lives(pid: int) -> bool:
    """Return whether a process still runs half a second later; a zombie does not."""
    for _ in range(25):
        try:
            os.kill(pid, 0)
            if " Z " in Path(f"/proc/{pid}/stat").read_text():
                return False
        except (ProcessLookupError, FileNotFoundError):
            return False
        time.sleep(0.02)
    return True
