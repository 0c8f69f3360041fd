"""The bookkeeper of a loop: what it keeps, what it logs, and what it never touches."""

import ast
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import nn

from mlspring.core.errors import InternalError, RecipeError
from mlspring.core.runs import Request, Run
from mlspring.kit import training
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.state import TrainState, clip_gradients, with_adamw
from mlspring.kit.training import Bookkeeper


@dataclass(frozen=True)
class Knobs:
    learning_rate: float = 0.5
    weight_decay: float = 0.0
    ema_decay: float = 0.9
    validate_every: int = 4
    checkpoint_seconds: float = 0.0


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    made = Run.create(tmp_path, Request(homework="hw99", recipe="t"), "")
    yield made
    made.close()


def books_of(run: Run, state: TrainState[nn.Linear], steps: int = 10, **more: object) -> Bookkeeper:
    return Bookkeeper(run, 0, state, Knobs(), steps, ALONE, "train", **more)


def network() -> TrainState[nn.Linear]:
    torch.manual_seed(0)
    return with_adamw(nn.Linear(3, 1), Knobs())


def learn(books: Bookkeeper, state: TrainState[nn.Linear], step: int) -> None:
    """Take a step whose inputs are known from its number alone."""
    inputs = torch.randn(5, 3, generator=torch.Generator().manual_seed(step))
    loss = (state.model(inputs) - 1).square().mean()
    state.optimizer.zero_grad()
    loss.backward()
    state.optimizer.step()
    state.update_average(step)
    books.add(train__loss=loss.detach(), train__step=torch.tensor(float(step)))
    books.extra["steps"] = books.extra["steps"] + [step]
    if books.validates():
        books.log(valid__loss=loss.item(), learning_rate=0.5)


def test_means_are_over_the_steps_since_the_last_log(run: Run) -> None:
    state = network()
    with books_of(run, state, extra={"steps": []}) as books:
        for step in books.steps():
            learn(books, state, step)
    log = run.read_log()
    assert [entry["step"] for entry in log] == [4, 8, 10], "and after the last step"
    assert [entry["train/step"] for entry in log] == [2.5, 6.5, 9.5]
    assert all(entry["member"] == 0 and entry["learning_rate"] == 0.5 for entry in log)
    seconds = [entry["seconds"] for entry in log]
    assert seconds == sorted(seconds)


@pytest.mark.parametrize("stop", range(1, 10))
def test_a_stopped_loop_goes_on_to_the_same_weights_and_means(
    stop: int, run: Run, tmp_path: Path
) -> None:
    whole = Run.create(tmp_path / "whole", Request(homework="hw99", recipe="t"), "")
    straight = network()
    with books_of(whole, straight, extra={"steps": []}) as books:
        for step in books.steps():
            learn(books, straight, step)

    state = network()
    with pytest.raises(KeyboardInterrupt), books_of(run, state, extra={"steps": []}) as books:
        for step in books.steps():
            learn(books, state, step)
            if step == max(stop - 1, 1) and books.due():
                books.save()
            if step == stop:
                raise KeyboardInterrupt
    again = network()
    with books_of(run, again, extra={"steps": []}) as books:
        assert books.start == max(stop - 1, 1)
        for step in books.steps():
            learn(books, again, step)
        books.finish()
    assert books.extra["steps"] == list(range(1, 11)), "extra values are kept, too"
    for name, value in straight.model.state_dict().items():
        assert torch.equal(again.model.state_dict()[name], value)
        assert torch.equal(again.final.state_dict()[name], straight.final.state_dict()[name])

    def told(one: Run) -> list[dict[str, object]]:
        return [{k: v for k, v in entry.items() if k != "seconds"} for entry in one.read_log()]

    assert told(run) == told(whole)
    assert not list(run.checkpoints.glob("*.state.*")), "a finished loop leaves no state"
    whole.close()


def test_a_state_is_due_after_its_seconds_by_the_first_process_and_not_at_the_end(run: Run) -> None:
    state = network()
    with books_of(run, state, steps=3, extra={"steps": []}) as books:
        due = []
        for step in books.steps():
            learn(books, state, step)
            due.append(books.due())
    assert due == [True, True, False]
    slow = replace(Knobs(), checkpoint_seconds=1e9)
    for knobs, ranks in ((slow, ALONE), (Knobs(), Ranks(1, 2))):
        with Bookkeeper(run, 0, state, knobs, 3, ranks, "train") as books:
            assert not books.due()


@pytest.mark.parametrize("stop", [0, 3])
def test_the_bar_is_full_at_the_end(stop: int, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """However short the steps are, and also where the loop goes on from a saved state."""
    shown: list[int] = []

    class Shown:
        def advance(self, steps: int = 1, note: str | None = None) -> None:
            shown.append(steps)

    @contextmanager
    def bar(label: str, total: int, *, unit: str, done: int) -> Iterator[Shown]:
        assert (total, unit) == (10, "steps")
        shown.append(done)
        yield Shown()

    monkeypatch.setattr(training, "bar", bar)
    state = network()
    with books_of(run, state, extra={"steps": []}) as books:
        for step in books.steps():
            learn(books, state, step)
            if step == stop:
                books.save()
                break
    if stop:
        shown.clear()
        with books_of(run, state, extra={"steps": []}) as books:
            for step in books.steps():
                learn(books, state, step)
    assert shown[0] == stop
    assert sum(shown) == 10


def test_the_graph_of_a_step_is_refused(run: Run) -> None:
    """A running mean that held it would hold the graphs of all steps."""
    weight = torch.ones((), requires_grad=True)
    with books_of(run, network()) as books, pytest.raises(InternalError, match="detach"):
        books.add(train__loss=2 * weight)


@pytest.mark.parametrize("name", ["train__loss", "valid__loss", "valid__anything"])
def test_a_number_that_is_not_finite_stops_the_loop(name: str, run: Run) -> None:
    values = {"train__loss": 1.0, "valid__loss": 1.0, name: float("nan")}
    with books_of(run, network()) as books:
        books.step = 4
        books.add(train__loss=torch.tensor(values.pop("train__loss")))
        with pytest.raises(RecipeError, match=f"(?s){name.replace('__', '/')} is nan at step 4"):
            books.log(**values)
    assert run.read_log() == []


def test_a_line_of_the_log_behind_the_state_is_written_again(run: Run) -> None:
    run.log(member=0, step=4, what="kept?")
    with books_of(run, network()):
        pass
    assert run.read_log() == []


def test_the_bookkeeper_knows_no_batch_no_network_and_no_loss() -> None:
    """It may hold networks and optimizer for the state, but calls none; nor is it a framework."""
    text = Path(training.__file__).read_text()
    assert len(text.splitlines()) <= 120
    names = {node.attr for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}
    forbidden = {"backward", "zero_grad", "forward", "parameters", "train", "eval", "autocast"}
    assert not names & forbidden
    calls = [node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    called = {ast.unparse(call) for call in calls}
    assert not {name for name in called if name.startswith(("self.state", "self.knobs"))}
    imported = {
        node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)
    }
    assert not any(module and module.startswith("torch.nn") for module in imported)


def test_adamw_decays_weights_apart_from_the_gradient() -> None:
    """With gradient 0 a step multiplies the weights by 1 - rate * decay (Loshchilov & Hutter)."""
    state = with_adamw(nn.Linear(2, 1), replace(Knobs(), learning_rate=0.1, weight_decay=0.5))
    before = state.model.weight.detach().clone()
    for parameter in state.model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    state.optimizer.step()
    torch.testing.assert_close(state.model.weight.detach(), before * (1 - 0.1 * 0.5))


def test_the_average_is_what_predicts_and_follows_the_network() -> None:
    state = network()
    before = state.final.weight.clone()
    with torch.no_grad():
        state.model.weight.add_(1.0)
    assert torch.equal(state.final.weight, before)
    state.update_average(1)  # decay min(0.9, 2 / 11)
    torch.testing.assert_close(state.final.weight, before + 9 / 11)
    assert set(state.modules) == {"model", "final"}
    best = nn.Linear(3, 1)
    assert replace(state, others={"best": best}).modules["best"] is best
    alone = with_adamw(nn.Linear(1, 1), replace(Knobs(), ema_decay=0.0))
    alone.update_average(1)
    assert alone.final is alone.model
    assert set(alone.modules) == {"model"}


def test_gradients_are_clipped_together_or_left() -> None:
    model = nn.Linear(2, 1)
    for parameter, value in zip(model.parameters(), (3.0, 4.0), strict=True):
        parameter.grad = torch.full_like(parameter, value)
    norm = (2 * 3.0**2 + 4.0**2) ** 0.5
    clip_gradients(model, 0.0)
    assert model.bias.grad is not None
    assert model.bias.grad.item() == 4.0
    clip_gradients(model, 1.0)
    assert model.bias.grad.item() == pytest.approx(4.0 / norm, rel=1e-4)


def test_the_log_holds_plain_json(run: Run) -> None:
    with books_of(run, network()) as books:
        books.step = 4
        books.add(train__loss=torch.tensor(0.123456789))
        books.log(valid__loss=0.5, tasks=[1.0, 2.0], method="ewc")
    (line,) = (run.folder / "log.jsonl").read_text().splitlines()
    assert json.loads(line)["train/loss"] == 0.12346
    assert json.loads(line)["tasks"] == [1.0, 2.0]
