"""Several real processes on one store: the last place, the first opening, and sudden death."""

import multiprocessing
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fake_island
import pytest
import racers

from mlspring.core.errors import RuleError
from mlspring.core.score import State
from mlspring.core.spec import Spec
from mlspring.judge.rules import Rules
from mlspring.judge.service import open_store, recover, retry, submit

SPAWN = multiprocessing.get_context("spawn")
NOON = datetime(2022, 3, 1, 4, tzinfo=UTC)  # noon in Taipei


@pytest.fixture
def folder(spec: Spec, answers: Path, tmp_path: Path) -> Path:
    fake_island.write_submission(tmp_path / "pred.csv", 3, 2)
    return tmp_path


def race(num_racers: int, act: Callable[..., str], *given: Any) -> list[str]:
    start, results = SPAWN.Barrier(num_racers), SPAWN.Queue()
    children = [
        SPAWN.Process(target=racers.racing, args=(start, results, act, *given))
        for _ in range(num_racers)
    ]
    for child in children:
        child.start()
    outcomes = [results.get(timeout=60) for _ in children]
    for child in children:
        child.join()
    return sorted(outcomes)


def test_processes_that_make_the_store_at_once_all_get_it() -> None:
    assert race(4, racers.open_anew) == ["opened"] * 4


def test_two_processes_never_share_the_last_place(spec: Spec, folder: Path) -> None:
    store = open_store()
    for _ in range(4):
        submit(store, spec, folder / "pred.csv", "ann", answers=folder / "answers.csv", now=NOON)
    outcomes = race(4, racers.submit_one, folder, NOON)
    assert outcomes[-1] == "scored"
    assert all(
        outcome.startswith("RuleError: all 5 submissions of this day") for outcome in outcomes[:-1]
    )
    assert len(store.submissions()) == 5
    assert len(list(store.files.rglob("pred.csv"))) == 5


def test_a_final_that_was_told_is_kept(spec: Spec, folder: Path) -> None:
    outcomes = race(4, racers.submit_final, folder)
    told = {int(outcome.split()[1]) for outcome in outcomes if outcome.startswith("final ")}
    assert len(told) == spec.finals == 2
    assert sum(outcome.startswith("RuleError: no room") for outcome in outcomes) == 2
    assert {s.number for s in open_store().submissions() if s.final} == told


def test_a_failed_one_is_retried_by_one_process_only(
    spec: Spec, folder: Path, tmp_path: Path
) -> None:
    broken = fake_island.write_answers(tmp_path / "broken.csv", "raise")
    submit(open_store(), spec, folder / "pred.csv", "ann", answers=broken)
    outcomes = race(3, racers.retry_one, folder)
    assert outcomes.count("scored") == 1
    assert sum(outcome.startswith("RuleError") for outcome in outcomes) == 2
    assert open_store().submission(1).num_attempts == 2


@pytest.mark.parametrize("isolated", [False, True])
def test_a_judge_killed_at_work_leaves_a_failed_one_that_can_be_retried(
    spec: Spec, folder: Path, answers: Path, isolated: bool
) -> None:
    judge = SPAWN.Process(
        target=racers.submit_and_hang, args=(folder,), kwargs={"isolated": isolated}
    )
    judge.start()
    scorer = wait_for_scorer(folder / "child.pid")
    store = open_store()
    assert store.submission(1).state == State.RECEIVED  # its judge lives, so it is left alone
    assert recover(store) == []
    with pytest.raises(RuleError, match="is being judged now"):
        retry(store, spec, 1, answers=answers)
    judge.kill()
    judge.join()

    entry = open_store().submission(1)
    assert entry.state == State.FAILED
    assert entry.message is not None and "can be retried" in entry.message
    assert store.num_counted("hw99", "world", "ann", Rules().day(entry.received)) == 0
    assert ends(scorer)
    assert retry(store, spec, 1, answers=answers).state == State.SCORED


def wait_for_scorer(pid: Path) -> int:
    for _ in range(1500):
        if pid.exists() and (text := pid.read_text()):
            return int(text)
        time.sleep(0.02)
    raise AssertionError("the scorer never started")


def ends(pid: int) -> bool:
    """Return whether the process is gone, or a zombie that nobody has buried, within 10 s."""
    for _ in range(500):
        try:
            os.kill(pid, 0)
            if " Z " in Path(f"/proc/{pid}/stat").read_text():
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.02)
    return False
