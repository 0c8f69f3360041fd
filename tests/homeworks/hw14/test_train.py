"""The loop: the same start for every method, measuring that draws nothing, recipes that agree."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mlspring import catalog
from mlspring.core.errors import RecipeError, UserError
from mlspring.core.runs import Request
from mlspring.homeworks.hw14_lifelong import metrics, train
from mlspring.homeworks.hw14_lifelong.methods import METHODS
from mlspring.homeworks.hw14_lifelong.methods.learner import Batch
from mlspring.homeworks.hw14_lifelong.recipe import MethodName, Recipe
from mlspring.homeworks.hw14_lifelong.tasks import to_input
from mlspring.kit import checkpoint, device
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.verbs import board, predict, recipes
from mlspring.verbs import run as verb
from mlspring.verbs.calibration import calibrate
from tests.contract.journey import only_run, run_tiny
from tests.tiny.digits import SMALL, learner, write_mnist

SPEC = catalog.find("hw14")
HARDWARE = device.choose("cpu", "fp32", work="wide")


def recipe_of(name: str, *overrides: str, kind: str = "world") -> Recipe:
    recipe: Recipe = recipes.load(SPEC, recipes.find_recipe(SPEC, name, kind), overrides)
    return recipe


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


def test_the_log_holds_the_course_s_metric(tmp_path: Path) -> None:
    run = run_tiny(SPEC, tmp_path, recipe="world/finetune")
    log = run.read_log()
    assert [e["task"] for e in log] == [1, 1, 2, 2, 3, 3]
    matrix = train.outcome(run, 0)["matrix"]
    assert len(matrix) == 4 and {len(row) for row in matrix} == {3}
    for entry in log:
        seen = entry["tasks"][: entry["task"]]
        assert entry["valid/accuracy"] == pytest.approx(metrics.mean_accuracy(seen), abs=1e-3)
        assert len(entry["tasks"]) == (3 if entry["step"] % 8 == 0 else entry["task"])
    assert run.result is not None
    assert run.result["score"]["validation"] == pytest.approx(metrics.final_accuracy(matrix))


@pytest.mark.parametrize("recipe", ["world/finetune", "world/all", "world/scenarios"])
def test_every_figure_has_something_in_each_quarter(recipe: str, tmp_path: Path) -> None:
    run = run_tiny(SPEC, tmp_path, recipe=recipe)
    for name in ("learning_curves", "task_matrix", "methods", "importance_maps"):
        with Image.open(run.figures / f"{name}.png") as image:
            ink = np.asarray(image.convert("L")) < 200
        height, width = (size // 2 for size in ink.shape)
        quarters = (ink[y : y + height, x : x + width] for y in (0, height) for x in (0, width))
        shares = [quarter.mean() for quarter in quarters]
        # fine-tuning has no importance, and bars need not reach into every quarter
        wanted = {"importance_maps": 1 if recipe == "world/finetune" else 4, "methods": 2}
        assert sum(share > 0.001 for share in shares) >= wanted.get(name, 4), (name, shares)


def test_methods_train_alike_alone_and_together(tmp_path: Path) -> None:
    """A row of the table of ``all`` is what the method's own recipe gives."""
    together = run_tiny(SPEC, tmp_path, recipe="world/all")
    names = recipe_of("all").method.names
    for name in ("mas", "replay"):
        alone = run_tiny(SPEC, tmp_path, recipe=f"world/{name}")
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
    recipe, save = f"world/{name}", checkpoint.save_state
    whole = run_tiny(SPEC, tmp_path / "whole", recipe=recipe, figures=False)

    def stop_at_eleven(*state: Any) -> None:
        save(*state)
        if state[-1]["step"] == 11:
            raise KeyboardInterrupt

    monkeypatch.setattr("mlspring.verbs.figures.draw_all", lambda *_: ())
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save_state", stop_at_eleven)
        with pytest.raises(KeyboardInterrupt):
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


@pytest.mark.parametrize("kind", ["world", "official"])
@pytest.mark.parametrize("name", list(METHODS))
def test_a_method_s_recipe_is_all_with_that_method_alone(kind: str, name: MethodName) -> None:
    every, alone = recipe_of("all", kind=kind), recipe_of(name, kind=kind)
    assert name in every.method.names
    only = every.method.model_copy(update={"names": [name]})
    assert alone == every.model_copy(update={"method": only})


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("method.names=[]", "must name at least one"),
        ('method.names=["ewc","ewc"]', "none twice"),
        ('method.names=["ewcc"]', "method.names.0"),
        ("model.hidden=[]", "at least one layer"),
        ("model.hidden=[1]", "model.hidden.0"),
        ('data.scenarios=["class"]', "the others need data.stream = 'split'"),
        ("data.stream=split", None),
        ("strength.ewc=-1.0", "strength.ewc"),
    ],
)
def test_impossible_recipes_are_sentences(override: str, sentence: str | None) -> None:
    if sentence is None:
        assert recipe_of("ewc", override).data.stream == "split"
        with pytest.raises(RecipeError, match="ten digits"):
            recipe_of("ewc", override, "data.num_tasks=6")
        return
    with pytest.raises(RecipeError, match=sentence):
        recipe_of("ewc", override)


@pytest.mark.parametrize(
    ("name", "stream", "num_tasks", "least"),
    [
        ("replay", "rotated", 13, 12),
        ("gem", "permuted", 20, 19),
        ("icarl", "rotated", 3, 20),
        ("icarl", "permuted", 6, 50),
        ("all", "rotated", 5, 40),
    ],
)
def test_a_memory_without_room_for_every_old_task_is_a_sentence(
    name: str, stream: str, num_tasks: int, least: int
) -> None:
    words = [f"data.stream={stream}", f"data.num_tasks={num_tasks}"]
    made = recipe_of(name, *words, f"method.memory={least}")
    assert made.method.memory == least
    sentence = rf"method.memory = {least - 1} is too small for .* at least {least}$"
    with pytest.raises(RecipeError, match=sentence) as told:
        recipe_of(name, *words, f"method.memory={least - 1}")
    if name != "all":
        assert f"for {name}, which keeps an image of each" in str(told.value)


def test_two_digits_a_task_need_two_images_of_each() -> None:
    words = ["data.num_tasks=5", "method.memory=10"]
    assert recipe_of("scenarios", *words).least_memory["icarl"] == 8
    assert recipe_of("finetune", "data.num_tasks=20", "method.memory=10").method.memory == 10


@pytest.mark.parametrize("name", ["replay", "gem", "icarl"])
def test_the_least_memory_is_enough(name: str, tmp_path: Path) -> None:
    data = str(write_mnist(tmp_path / "data"))
    words = ("data.num_tasks=12", "data.angle=5.0") if name != "icarl" else ("data.num_tasks=3",)
    least = 20 if name == "icarl" else 11
    request = Request(homework="hw14", recipe=f"world/{name}", data=data, device="cpu")
    overrides = (*SMALL, *words, f"method.memory={least}", "train.steps_per_task=2")
    run = verb.run(SPEC, request, overrides=overrides, out=tmp_path / "runs")
    assert run.result is not None


def test_nothing_is_handed_in_and_every_verb_says_so(tmp_path: Path) -> None:
    file = tmp_path / "submission.csv"
    calls = (
        lambda: board.submit(SPEC, file, "me", rules="self-study", final=False, address=None),
        lambda: board.validate(SPEC, file, "world"),
        lambda: board.score(SPEC, file, None),
        lambda: board.board(SPEC, private=False, rules="self-study"),
        lambda: calibrate.calibrate(SPEC, seeds=1, out=tmp_path),
        lambda: predict.predict(run_tiny(SPEC, tmp_path).folder, data=None, out=None),
    )
    for call in calls:
        with pytest.raises(UserError, match="no submission, no baselines and no board") as told:
            call()
        assert "mlspring quiz hw14" in str(told.value)
