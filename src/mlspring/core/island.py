"""What an island may have: the functions of its modules, as the rest of the house calls them.

``catalog.part`` returns a module under one of these types. A recipe and the loaded data are the
island's own classes, hence ``Any``; everything else is checked, by mypy and by the contract tests.

    data        world, load, test_ids, describe, export; may have answers, contact_sheet,
                count_classes, class_names, from_audio, listen
    train       train
    predict     predict                            where something is handed in
    submission  write, read; may have describe     unless the spec declares a table
    score       read_answers, score                unless the spec declares a table
    figures     FIGURES
    recipe      Recipe
    quiz        keys, NEEDS                        where a run decides questions of the quiz
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from mlspring.core.quiz import Decided
from mlspring.core.recipe import Section
from mlspring.core.runs import Run, Training
from mlspring.core.score import Score
from mlspring.core.source import Source


class DataPart(Protocol):
    """``data.py``: from files to arrays."""

    def world(self) -> Any:
        """Return the built-in data set, a ``worlds.world.World``; nothing is made yet."""

    def load(self, source: Source, recipe: Any) -> Any:
        """Return all that training and prediction read, as arrays or memory maps.

        Raises:
            DataError: a file is missing, broken or badly named; names file and row.
        """

    def test_ids(self, source: Source) -> Sequence[str]:
        """Return the ids that a submission must have, in order; reads as little as it can.

        Absent where nothing is handed in.
        """

    def describe(self, data: Any) -> dict[str, str]:
        """Return the data card: a name and a short sentence for each row."""

    def export(self, world_folder: Path, to: Path) -> None:
        """Write the world in the course's layout under ``to``, without the answers."""


@runtime_checkable
class HasAnswers(Protocol):
    """Optional in ``data.py``: where the world's answers are not ``private/answers.csv``."""

    def answers(self, world_folder: Path) -> Path:
        """Return the file of answers of a world in ``world_folder``."""


@runtime_checkable
class HasContactSheet(Protocol):
    """Optional in ``data.py``: where the data are pictures."""

    def contact_sheet(self, data: Any) -> Mapping[str, Any]:
        """Return rows of pictures: caption to (n, height, width) or (n, height, width, 3)."""


@runtime_checkable
class HasClassCount(Protocol):
    """Optional in ``data.py``: where the data, and not the course, say how many classes are."""

    def count_classes(self, source: Source) -> int:
        """Return the number of classes."""


@runtime_checkable
class HasClassNames(Protocol):
    """Optional in ``data.py``: where a submission names classes that the data know."""

    def class_names(self, source: Source) -> Sequence[str]:
        """Return the names that a submission may hold."""


@runtime_checkable
class TakesRecordings(Protocol):
    """Optional in ``data.py``: where own recordings can be made into the course's layout."""

    def from_audio(self, audio: Path, to: Path) -> str:
        """Write the recordings in the folder ``audio`` in the layout under ``to``; return what.

        Raises:
            DataError: a recording or a label file cannot be used; names it.
        """


@runtime_checkable
class CanBeHeard(Protocol):
    """Optional in ``data.py``: where the world is sound."""

    def listen(self, number: int, to: Path) -> str:
        """Write that many items of the world as sound under ``to``; return what was written."""


class TrainPart(Protocol):
    """``train.py``: the loop."""

    def train(self, recipe: Any, data: Any, run: Run) -> Training:
        """Train what is not finished; weights, state and log go into ``run``."""


class PredictPart(Protocol):
    """``predict.py``: from finished weights to what is handed in."""

    def predict(self, recipe: Any, data: Any, run: Run) -> Any:
        """Return the values that ``submission.write`` takes, in the order of the test ids."""


class SubmissionPart(Protocol):
    """``submission.py``: the file handed in, in the course's format; imports no torch."""

    def write(self, path: Path, ids: Sequence[str], values: Any) -> None:
        """Write ``values`` for ``ids``, whole or not at all."""

    def read(self, path: Path, ids: Sequence[str]) -> Any:
        """Return the values in the order of ``ids``.

        Raises:
            SubmissionError: the file is not in the format; names row and reason.
        """


@runtime_checkable
class HasDescription(Protocol):
    """Optional in ``submission.py``: for a file that is no table."""

    def describe(self, values: Any) -> str:
        """Return what a submission holds, as words."""


class ScorePart(Protocol):
    """``score.py``: a pure function of the learner's values and the answers."""

    def read_answers(self, path: Path) -> Any:
        """Return the answers; ``ids`` of the result are what a submission must name.

        Raises:
            DataError: the file holds no answers of this homework.
        """

    def score(self, values: Any, answers: Any) -> Score:
        """Return the score of what ``submission.read`` returned.

        Raises:
            SubmissionError: only now it shows that the learner's file is wrong.
        """


class FiguresPart(Protocol):
    """``figures.py``: the report figures, each drawn by itself."""

    @property
    def FIGURES(self) -> Mapping[str, Callable[[Run, Any, Any], None]]:  # noqa: N802  (a constant)
        """Name to the function ``(run, recipe, data)`` that draws it into ``run.figures``."""


class RecipePart(Protocol):
    """``recipe.py``: the knobs."""

    @property
    def Recipe(self) -> type[Section]:  # noqa: N802  (the name of a class)
        """The class of the island's recipes."""


class QuizPart(Protocol):
    """``quiz.py``: the keys that depend on the learner's own runs."""

    @property
    def NEEDS(self) -> Mapping[str, str]:  # noqa: N802  (a constant)
        """Question to the runs that decide it, as the command that makes them."""

    def keys(self, folders: Sequence[Path]) -> Decided:
        """Return the keys that the finished runs in ``folders`` decide."""
