"""What the children of the race tests run; a module of its own, so that they can import it."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import fake_island

from mlspring import catalog
from mlspring.core.errors import MlspringError
from mlspring.core.score import State
from mlspring.judge.rules import Rules, course
from mlspring.judge.service import open_store, retry, submit


def racing(start: Any, results: Any, act: Callable[..., str], *given: Any) -> None:
    """Wait for the others, act, and put what came of it."""
    start.wait(30)
    try:
        results.put(act(*given))
    except MlspringError as error:
        results.put(f"{type(error).__name__}: {error}")


def open_anew() -> str:
    """Open a store that nobody has made yet."""
    open_store()
    return "opened"


def submit_one(folder: Path, now: datetime) -> str:
    """Submit one good file by the course's rules."""
    catalog.part = fake_island.part
    spec = fake_island.make_spec(folder / "island")
    rules = Rules(quota=course(spec).quota, isolated=False)
    receipt = submit(
        open_store(),
        spec,
        folder / "pred.csv",
        "ann",
        answers=folder / "answers.csv",
        rules=rules,
        now=now,
    )
    return receipt.state.value


def submit_final(folder: Path) -> str:
    """Submit one good file as a final."""
    catalog.part = fake_island.part
    spec = fake_island.make_spec(folder / "island")
    answers = folder / "answers.csv"
    told = submit(open_store(), spec, folder / "pred.csv", "ann", answers=answers, final=True)
    return f"final {told.number}" if told.final else "not final"


def retry_one(folder: Path) -> str:
    """Judge the first submission again."""
    catalog.part = fake_island.part
    spec = fake_island.make_spec(folder / "island")
    state: State = retry(open_store(), spec, 1, answers=folder / "answers.csv").state
    return state.value


def submit_and_hang(folder: Path, *, isolated: bool) -> None:
    """Submit a file whose scorer never ends."""
    catalog.part = fake_island.part
    spec = fake_island.make_spec(folder / "island")
    rules = Rules(quota=5, isolated=isolated)
    answers = fake_island.write_answers(folder / "slow.csv", "sleep")
    submit(open_store(), spec, folder / "pred.csv", "ann", answers=answers, rules=rules)
