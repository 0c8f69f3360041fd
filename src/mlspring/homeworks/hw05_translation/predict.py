"""From the finished network to one line of Chinese for every English one."""

from mlspring.core.runs import Run
from mlspring.homeworks.hw05_translation import vocabulary
from mlspring.homeworks.hw05_translation.batches import flat
from mlspring.homeworks.hw05_translation.data import Data
from mlspring.homeworks.hw05_translation.models import Translator, build
from mlspring.homeworks.hw05_translation.recipe import Recipe
from mlspring.homeworks.hw05_translation.search import How, translate
from mlspring.homeworks.hw05_translation.vocabulary import Vocabulary
from mlspring.kit import checkpoint, device
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware


def predict(recipe: Recipe, data: Data, run: Run) -> list[str]:
    """Return the translation of every line of the test, as it is written, in order."""
    hardware = device.choose_for(run, work="wide")
    words = vocabulary.of_run(run)
    model = trained(recipe, words, run, hardware)
    return translated(data.test, model, words, how_of(recipe), hardware)


def translated(
    english: list[str], model: Translator, words: Vocabulary, how: How, hardware: Hardware
) -> list[str]:
    """Return the Chinese of cleaned English lines, as it is written; '' stays ''."""
    found = translate(model, flat(words.encode(english)), how, hardware)
    lines = words.chinese([one.tokens for one in found])
    return [line if asked else "" for asked, line in zip(english, lines, strict=True)]


def how_of(recipe: Recipe) -> How:
    """Return the search of a recipe."""
    return How(beam=recipe.search.beam, length_penalty=recipe.search.length_penalty)


def trained(recipe: Recipe, words: Vocabulary, run: Run, hardware: Hardware) -> Translator:
    """Return the run's finished network, in evaluation mode."""
    model = build(recipe.model, len(words))
    checkpoint.load_weights(weights_path(run, 0), model)
    return hardware.to_device(model).eval()
