"""The facts of a homework: what it is called, how it is judged, what its report asks for."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from mlspring.core.errors import UserError

LEVELS = ("simple", "medium", "strong", "boss")

SubmissionKind = Literal[
    "table", "baselines", "images", "actions", "scores-per-image", "archive", "lines", "none"
]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """How a score is named, ordered and shown.

    Args:
        name: the field's term, e.g. ``accuracy``.
        higher_is_better: the direction, declared and never inferred.
        unit: what one unit of the score is, for axes and tables.
        digits: decimals shown; comparisons use the full value.
    """

    name: str
    higher_is_better: bool
    unit: str
    digits: int

    def better(self, a: float, b: float) -> bool:
        """Return whether score ``a`` beats score ``b``."""
        return a > b if self.higher_is_better else a < b

    def reaches(self, score: float, baseline: float) -> bool:
        """Return whether ``score`` meets ``baseline``; meeting it exactly counts."""
        return score == baseline or self.better(score, baseline)

    def show(self, score: float | None) -> str:
        """Return the score with its declared precision, or a dash where there is none."""
        return "-" if score is None else f"{score:.{self.digits}f}"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The largest submission that is read: bytes of the file and rows of the table."""

    max_bytes: int
    max_rows: int


@dataclass(frozen=True)
class Classes:
    """Whole numbers 0 .. ``num`` - 1; ``num`` None: as many as the data have classes."""

    num: int | None


@dataclass(frozen=True)
class Numbers:
    """Finite numbers up to ``largest`` in size; ``unit`` is what one of them is, for messages."""

    largest: float
    unit: str


@dataclass(frozen=True)
class Names:
    """Names of classes, which the data know; ``what`` is one of them, for messages."""

    what: str


@dataclass(frozen=True)
class Texts:
    """Free text of at most ``longest`` characters, which may be empty; ``what`` is one of them.

    A submission and the answers are read alike: without commas, and without blanks at the ends.
    """

    longest: int
    what: str


@dataclass(frozen=True, kw_only=True)
class TableFormat:
    """A submission of two columns, scored by the mean over its rows.

    Args:
        header: names of the columns, the id first.
        values: what stands in the second column.
        metric: what a row is worth: ``accuracy`` or ``mean squared error``.
    """

    header: tuple[str, str]
    values: Classes | Numbers | Names | Texts
    metric: Literal["accuracy", "mean squared error"]


@dataclass(frozen=True, kw_only=True)
class Points:
    """Points for each level reached, on the public and on the private board."""

    public: float
    private: float


@dataclass(frozen=True, kw_only=True)
class Question:
    """A report question and the figure, ``figures/<figure>.png`` of a run, that answers it."""

    id: str
    text: str
    figure: str


@dataclass(frozen=True, kw_only=True)
class Baselines:
    """The score that each level demands on one data source, by part of the board.

    Args:
        origin: where the numbers come from; a sentence to print beside them.
        public: level to score; a level without a published baseline is absent.
        private: the same for the private part; often never published, then empty.
    """

    origin: str
    public: Mapping[str, float]
    private: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Spec:
    """One homework as the house sees it; the fields of every ``spec.py``.

    Args:
        id: ``hw01`` .. ``hw15``.
        folder: the island, the folder that holds ``spec.py``.
        title: English title; ``title_zh`` the course's own, in Traditional Chinese.
        topic: the lecture topic it belongs to.
        summary: one sentence, what goes in and what comes out.
        metric: name, direction, unit, precision.
        submission: the kind of file handed in, and ``submission_name`` its usual name.
        table: columns, values and metric of a submission that is a table; such a homework needs no
            ``submission.py`` and no ``score.py``.
        limits: the largest submission that is read.
        quota: submissions a day under the course's rules.
        finals: submissions a learner may choose for the private board.
        points: what each level is worth.
        questions: the report questions, each with its figure.
        levels: recipe names in rising order; the four levels wherever the course has them, else
            the recipes' own names, which then rise in nothing and have no baselines.
        default: the recipe that runs where none is named.
        first: levels whose first run also makes what later ones share, e.g. a teacher.
    """

    id: str
    folder: Path
    title: str
    title_zh: str
    topic: str
    summary: str
    metric: Metric
    submission: SubmissionKind
    submission_name: str
    limits: Limits
    points: Points
    table: TableFormat | None = None
    quota: int = 5
    finals: int = 2
    questions: tuple[Question, ...] = ()
    levels: tuple[str, ...] = LEVELS
    default: str = LEVELS[0]
    first: tuple[str, ...] = ()

    @property
    def island(self) -> str:
        """Name of the island's package, e.g. ``hw03_food_cnn``."""
        return self.folder.name

    @property
    def ranked(self) -> bool:
        """Whether something is handed in, scored and ranked."""
        return self.submission != "none"

    def require_ranking(self) -> None:
        """Do nothing where there is a board.

        Raises:
            UserError: the course ranked nothing here.
        """
        if not self.ranked:
            raise UserError(
                f"{self.id} has no submission, no baselines and no board: the course graded a "
                "report and a quiz",
                fix=f"mlspring run {self.id}, then mlspring report RUN and mlspring quiz {self.id}",
            )

    @cached_property
    def baselines(self) -> Mapping[str, Baselines]:
        """Baselines by data source, ``world`` or ``official``: the island's ``baselines.toml``."""
        path = self.folder / "baselines.toml"
        if not path.exists():
            return {}
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return {
            source: Baselines(
                origin=entry["origin"],
                public=entry.get("public", {}),
                private=entry.get("private", {}),
            )
            for source, entry in table.items()
        }

    def level_reached(self, score: float | None, source: str, part: str = "public") -> str | None:
        """Return the highest level whose baseline ``score`` meets, or None if it meets none."""
        if score is None or source not in self.baselines:
            return None
        baselines: Mapping[str, float] = getattr(self.baselines[source], part)
        reached = [
            level
            for level in self.levels
            if level in baselines and self.metric.reaches(score, baselines[level])
        ]
        return reached[-1] if reached else None
