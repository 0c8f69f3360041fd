"""The loop: the same start for every method, measuring that draws nothing, going on."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mlspring import catalog
from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw14_lifelong import metrics, train
from mlspring.homeworks.hw14_lifelong.methods import METHODS
from mlspring.homeworks.hw14_lifelong.methods.learner import Batch
from mlspring.homeworks.hw14_lifelong.tasks import to_input
from mlspring.kit import device
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.verbs import run as verb
from tests.contract.journey import only_run, run_tiny
from tests.homeworks.hw14.test_recipe import recipe_of
from tests.homeworks.stops import stopped_at
from tests.tiny.digits import SMALL, learner, write_mnist

SPEC = catalog.find("hw14")
HARDWARE = device.choose("cpu", "fp32", work="wide")


def test_every_method_starts_from_the_same_weights() -> None:
    first = learner("finetune").model.state_dict()
    for name in METHODS:
        for key, value in learner(name).model.state_dict().items():
            assert (value == first[key]).all()
    assert (learner("finetune", seed=1).parameters[0] != first["layers.0.weight"]).any()


def test_the_network_is_the_course_s() -> None:
    made = learner("finetune", "model.hidden=[1024,512,256]")
    assert sum(p.numel() for p in made.parameters) == 1_462_538


@pytest.mark.parametrize("name", list(METHODS))
def test_measuring_changes_nothing(name: str) -> None:
    made = learner(name)
    before = {k: v.clone() for k, v in made.state.state_dict().items()}
    weights = [p.detach().clone() for p in made.parameters]
    random = torch.get_rng_state()
    train.measure(made, 1, HARDWARE, ALONE, ahead=True)
    assert (torch.get_rng_state() == random).all()
    assert all((a == b).all() for a, b in zip(weights, made.parameters, strict=True))
    assert all((v == before[k]).all() for k, v in made.state.state_dict().items())


def test_accuracy_is_in_per_cent_of_each_task_s_own_test_part() -> None:
    made = learner("finetune")
    made.parameters[-1].data[7] = 1e4  # it says 7, whatever it sees
    _, accuracies = train.measure(made, 2, HARDWARE, ALONE)
    assert accuracies == [10.0, 10.0, 10.0]


def test_a_closed_output_is_never_the_answer() -> None:
    made = learner("finetune", 'data.scenarios=["task"]', stream="split")
    made.parameters[-1].data[9] = 1e4  # no task of these three has a 9
    _, accuracies = train.measure(made, 2, HARDWARE, ALONE)
    assert min(accuracies) > 20  # chance among two


def test_the_log_holds_the_course_s_metric(finished: Callable[..., Run]) -> None:
    run = finished(SPEC, recipe="world/finetune")
    log = run.read_log()
    assert [e["task"] for e in log] == [1, 1, 2, 2, 3, 3]
    matrix = train.outcome(run, 0)["matrix"]
    assert len(matrix) == 4 and {len(row) for row in matrix} == {3}
    for entry in log:
        seen = entry["tasks"][: entry["task"]]
        assert entry["valid/accuracy"] == pytest.approx(sum(seen) / len(seen), abs=1e-3)
        assert len(entry["tasks"]) == (3 if entry["step"] % 8 == 0 else entry["task"])
    assert run.result is not None
    assert run.result["score"]["validation"] == pytest.approx(metrics.final_accuracy(matrix))


def test_methods_train_alike_alone_and_together(finished: Callable[..., Run]) -> None:
    """A row of the table of ``all`` is what the method's own recipe gives."""
    together = finished(SPEC, recipe="world/all")
    names = recipe_of("all").method.names
    for name in ("mas", "replay"):
        alone = finished(SPEC, recipe=f"world/{name}")
        expected = train.outcome(alone, 0)["matrix"]
        assert train.outcome(together, names.index(name))["matrix"] == expected
    untrained = {tuple(train.outcome(together, n)["matrix"][0]) for n in range(len(names))}
    assert len(untrained) == 1
    figure = (together.figures / "methods.csv").read_text().splitlines()
    assert [row.split(",")[1] for row in figure[1:]] == names


@pytest.mark.parametrize("name", list(METHODS))
def test_every_method_goes_on_where_it_was_stopped(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a method remembers is saved with the weights; stopped inside the second task."""
    recipe = f"world/{name}"
    whole = run_tiny(SPEC, tmp_path / "whole", recipe=recipe, figures=False)
    monkeypatch.setattr("mlspring.verbs.figures.draw_all", lambda *_: ())
    with stopped_at(11, monkeypatch):
        run_tiny(SPEC, tmp_path / "stopped", recipe=recipe)
    resumed = verb.resume(only_run(tmp_path / "stopped" / "runs"))
    assert weights_path(resumed, 0).read_bytes() == weights_path(whole, 0).read_bytes()


def test_what_a_method_keeps_is_counted() -> None:
    plain, measured, kept = (train.kept_bytes(learner(n)) for n in ("finetune", "ewc", "replay"))
    num_weights = sum(p.numel() for p in learner("ewc").parameters)
    assert (plain, measured) == (0, 2 * 4 * num_weights)
    assert kept == 60 * 784 + 3 * 60 * 8  # images of a byte a pixel; label, task and group
    assert train.kept_bytes(learner("joint")) == 2 * 200 * 784  # the two tasks before the last


@pytest.mark.parametrize("stream", ["rotated", "split"])
def test_before_anything_is_learnt_every_method_is_the_same_network(stream: str) -> None:
    """Forward transfer is counted from there; iCaRL's means would have seen task 1's labels."""
    found = {
        name: train.measure(learner(name, stream=stream), None, HARDWARE, ALONE, ahead=True)[1]
        for name in METHODS
    }
    made = learner("finetune", stream=stream)
    task = made.stream.tasks[0]
    answers = made.model(to_input(task.test_pixels)) + made.stream.masks[0][0]
    hits = (answers.argmax(1) == task.test_labels).double().mean()
    assert all(row == found["finetune"] for row in found.values())
    assert found["finetune"][0] == pytest.approx(100 * float(hits))


@pytest.mark.parametrize("replayed", [1, 3])
@pytest.mark.parametrize("name", ["replay", "icarl", "dgr", "joint"])
def test_the_loss_of_two_processes_is_that_of_one(name: str, replayed: int) -> None:
    """Also where one of them has no old image."""
    made = learner(name, f"method.replayed={replayed}")
    method, task = METHODS[made.method], made.stream.tasks[1]
    method.on_task_end(made, 0, 8)
    made.parameters[0].data *= 1.1  # not what the old network was
    old, row = method.replay_batch(made, 1, 9), made.stream.masks[1][1].expand(20, -1)
    new = Batch(images=to_input(task.pixels[:20]), labels=task.labels[:20], mask=row)
    assert old is not None and len(old.labels) == replayed

    def gradient(ranks: Ranks) -> torch.Tensor:
        parts = [batch.shard(ranks) for batch in (new, old) if batch is not None]
        seen = [part.with_logits(made.model(part.images)) for part in parts]
        loss = method.loss(made, 1, seen[0], seen[1])
        return torch.cat([g.flatten() for g in torch.autograd.grad(loss, made.parameters)])

    whole, halves = gradient(Ranks()), [gradient(Ranks(rank, 2)) for rank in range(2)]
    assert whole.isfinite().all() and whole.abs().max() > 0
    torch.testing.assert_close((halves[0] + halves[1]) / 2, whole, rtol=1e-4, atol=1e-6)


def test_a_penalty_of_no_strength_is_fine_tuning(tmp_path: Path) -> None:
    data = str(write_mnist(tmp_path / "data"))
    matrices = []
    for name, more in (
        ("finetune", ()),
        ("ewc", ("strength.ewc=0.0",)),
        ("scp", ("strength.scp=0.0",)),
    ):
        request = Request(homework="hw14", recipe=f"world/{name}", data=data, precision="fp32")
        run = verb.run(SPEC, request, overrides=(*SMALL, *more), out=tmp_path / "runs")
        matrices.append(train.outcome(run, 0)["matrix"])
    assert matrices[0] == matrices[1] == matrices[2]
