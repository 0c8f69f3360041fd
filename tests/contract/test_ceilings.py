"""An island stays small enough to be read: lines, functions, pages, knobs."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlspring import catalog
from mlspring.core.recipe import flatten
from mlspring.core.spec import Spec
from mlspring.verbs import recipes
from tests.contract.cases import each_homework, kinds

MAX_LINES, MAX_LINES_OF_MANY = 1500, 2000  # of an island; of one with more than five methods
# The methods of the islands that have more than five, as their recipes name them.
METHODS = {
    "hw05": (
        *('kind = "gru"', 'kind = "transformer"', 'schedule = "inverse_sqrt"'),
        *("average_last = 100", "beam = 5", "sentences = 20000", "beam = 0"),
    ),
    "hw06": (
        *('name = "dcgan"', 'name = "wgan"', 'name = "wgan_gp"', 'name = "stylegan"'),
        *("r1 = 0.1", "translate = 0.125", "cutout = 0.25", "ema_decay = 0.99"),
    ),
    "hw07": (
        *('"tokens"', '"spans"', '"recall"', 'source = "given"'),
        *('place = "anywhere"', 'rule = "joint"', "members = 2"),
    ),
    "hw09": (
        *("lime", "saliency", "smoothgrad", "filters", "integrated", "gradcam"),
        *("attention", "embeddings", "distances"),
    ),
    "hw10": (
        *("learning_rate = 1.0", "learning_rate = 0.1", "momentum = 1.0", "diversity = 0.7"),
        *("smoothing = 5", "scales = 3", "admix = 0.2", 'combine = "losses"'),
    ),
    "hw11": (
        *('method = "source_only"', 'method = "dann"', 'method = "mcd"', "balance = 1.0"),
        *("pseudo = 1.0", "smooth = 1.0", "refine = 0.25", "positive_pairs = 0.5"),
    ),
    "hw12": (
        *("gamma = 0.0", 'name = "reinforce"', 'name = "a2c"', "gae_lambda = 0.98"),
        *('name = "ppo"', 'name = "dqn"'),
    ),
    "hw13": (
        *('name = "plain"', 'name = "separable"', 'name = "inverted"', 'name = "residual"'),
        *('start = "teacher"', "weight = 0.9", "keep = [0.75, 0.5]"),
    ),
    "hw14": ("ewc", "mas", "si", "rwalk", "scp", "lwf", "replay", "gem", "icarl", "dgr"),
}
# The second half of a homework that has two (docs/decisions/0013): a folder counted by itself.
HALVES = {"hw09": "text"}
MAX_FILE, MAX_FUNCTION, MAX_README = 250, 50, 120
# How often to look and to save is the machine's matter, not the method's.
OF_THE_MACHINE = {"train.validate_every", "train.checkpoint_seconds"}


def sources(spec: Spec) -> list[Path]:
    return sorted(spec.folder.rglob("*.py"))


def functions(file: Path) -> Iterator[tuple[str, int]]:
    """Yield the name and the lines of every function of a file, docstring included."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


@each_homework
def test_an_island_and_its_files_are_small(spec: Spec) -> None:
    lines = {file: len(file.read_text().splitlines()) for file in sources(spec)}
    second = spec.folder / HALVES.get(spec.id, "none")
    of_second = sum(number for file, number in lines.items() if second in file.parents)
    most = MAX_LINES_OF_MANY if spec.id in METHODS else MAX_LINES
    assert of_second <= MAX_LINES
    assert sum(lines.values()) - of_second <= most
    assert {name: number for name, number in lines.items() if number > MAX_FILE} == {}


@pytest.mark.parametrize("homework", METHODS)
def test_an_island_of_many_methods_has_recipes_for_more_than_five(homework: str) -> None:
    methods, folder = METHODS[homework], catalog.find(homework).folder / "recipes"
    recipes_of_it = [path.read_text() for path in folder.rglob("*.toml")]
    assert len(set(methods)) > 5
    assert [m for m in methods if not any(m in text for text in recipes_of_it)] == []


@each_homework
def test_every_function_fits_a_screen(spec: Spec) -> None:
    long = {
        f"{file.name}: {name}": number
        for file in sources(spec)
        for name, number in functions(file)
        if number > MAX_FUNCTION
    }
    assert long == {}


@each_homework
def test_a_readme_is_read_to_its_end(spec: Spec) -> None:
    assert len((spec.folder / "README.md").read_text().splitlines()) <= MAX_README


@each_homework
def test_every_knob_is_moved_by_a_recipe_or_by_an_exercise(spec: Spec) -> None:
    """What no shipped recipe and no exercise changes is no knob but a constant."""
    values = defaultdict(set)
    for kind in kinds(spec):
        for name in recipes.recipe_names(spec, kind):
            recipe = recipes.load(spec, recipes.find_recipe(spec, name, kind))
            for key, value in flatten(recipe).items():
                values[key].add(repr(value))
    readme = (spec.folder / "README.md").read_text()
    exercises = re.search(r"## Exercises\n(.*?)\n## ", readme, re.DOTALL)
    assert exercises, "a README has exercises"
    still = {key for key, seen in values.items() if len(seen) == 1}
    assert {key for key in still - OF_THE_MACHINE if key not in exercises[1]} == set()


def test_a_long_function_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("def long():\n" + "    x = 1\n" * 50 + "\n\ndef short():\n    pass\n")
    assert dict(functions(file)) == {"long": 51, "short": 2}


@pytest.mark.parametrize("folder", ["kit/training.py"])
def test_what_loops_share_stays_small(folder: str) -> None:
    assert len((catalog.SPECS[0].folder.parents[1] / folder).read_text().splitlines()) <= 120
