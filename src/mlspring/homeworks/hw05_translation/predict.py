"""From the finished network to one line of Chinese for every English one."""

from dataclasses import dataclass

from mlspring.core.runs import Run
from mlspring.homeworks.hw05_translation import vocabulary
from mlspring.homeworks.hw05_translation.batches import flat
from mlspring.homeworks.hw05_translation.data import Data
from mlspring.homeworks.hw05_translation.models import WORK, Translator, build
from mlspring.homeworks.hw05_translation.recipe import Recipe
from mlspring.homeworks.hw05_translation.search import Found, How, translate
from mlspring.homeworks.hw05_translation.vocabulary import Vocabulary
from mlspring.kit import checkpoint, device
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware


def predict(recipe: Recipe, data: Data, run: Run) -> list[str]:
    """Return the translation of every line of the test, as it is written, in order."""
    return finished(recipe, run).lines(data.test)


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The network of a run, in evaluation mode, with all that it needs to translate."""

    model: Translator
    words: Vocabulary
    how: How
    hardware: Hardware

    def tokens(self, english: list[str]) -> list[Found]:
        """Return the translations of cleaned English lines as tokens."""
        return translate(self.model, flat(self.words.encode(english)), self.how, self.hardware)

    def lines(self, english: list[str]) -> list[str]:
        """Return the translations as they are written; '' stays ''."""
        found = self.words.chinese([one.tokens for one in self.tokens(english)])
        return [line if asked else "" for asked, line in zip(english, found, strict=True)]


def finished(recipe: Recipe, run: Run) -> Finished:
    """Return what a run left, ready to translate."""
    hardware, words = device.choose_for(run, work=WORK[recipe.model.kind]), vocabulary.of_run(run)
    model = build(recipe.model, len(words))
    checkpoint.load_weights(weights_path(run, 0), model)
    how = How(beam=recipe.search.beam, length_penalty=recipe.search.length_penalty)
    return Finished(model=hardware.to_device(model).eval(), words=words, how=how, hardware=hardware)
