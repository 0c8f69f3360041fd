"""The recipes: a method's own is a part of all, and what cannot be done is a sentence."""

from pathlib import Path

import pytest

from mlspring import catalog
from mlspring.core.errors import RecipeError, UserError
from mlspring.core.runs import Request
from mlspring.homeworks.hw14_lifelong.methods import METHODS
from mlspring.homeworks.hw14_lifelong.recipe import MethodName, Recipe
from mlspring.kit import device
from mlspring.verbs import board, predict, recipes
from mlspring.verbs import run as verb
from mlspring.verbs.calibration import calibrate
from tests.contract.journey import run_tiny
from tests.tiny.digits import SMALL, write_mnist

SPEC = catalog.find("hw14")
HARDWARE = device.choose("cpu", "fp32", work="wide")


def recipe_of(name: str, *overrides: str, kind: str = "world") -> Recipe:
    recipe: Recipe = recipes.load(SPEC, recipes.find_recipe(SPEC, name, kind), overrides)
    return recipe


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
        ("model.hidden=[]", "model.hidden = .* at least 1 item"),
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
    assert recipe_of("scenarios", *words).method.memory == 10  # 8 would do for iCaRL
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
