"""What ``import mlspring`` offers to notebooks and scripts: the verbs of the command line.

Nothing heavy is imported before a function needs it, so ``import mlspring`` loads no torch. What
goes wrong is an ``MlspringError`` with the sentence that the command line prints.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from mlspring.core.recipe import Section
    from mlspring.core.runs import Run
    from mlspring.core.spec import Baselines
    from mlspring.judge.receipt import Receipt

Rules = Literal["self-study", "course"]
Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "fp32", "bf16"]


def load(hw: str, data: str | Path = "world", recipe: "str | Section | None" = None) -> Any:
    """Return a homework's data, as its own networks are given them.

    Args:
        hw: e.g. ``hw03``.
        data: ``world``, or a folder in the official layout.
        recipe: decides e.g. the size of pictures; a name, or what ``recipe`` returned. Default: the
            homework's lowest level.

    Returns:
        The island's ``Data``: arrays, described in its ``data.py``.
    """
    from mlspring import catalog
    from mlspring.verbs import recipes, sources

    spec = catalog.find(hw)
    source = sources.open_source(spec, str(data))
    if recipe is None or isinstance(recipe, str):
        path = recipes.find_recipe(spec, recipe or spec.levels[0], source.kind)
        recipe = recipes.load(spec, path, kind=source.kind)
    return catalog.part(spec, "data").load(source, recipe)


def baselines(hw: str, data: str | Path = "world") -> "Baselines":
    """Return the score that each level demands: ``.public`` and ``.private``, level to score."""
    from mlspring import catalog
    from mlspring.core.spec import Baselines
    from mlspring.verbs import sources

    spec = catalog.find(hw)
    spec.require_ranking()
    nothing = Baselines(origin="none is known for this data", public={}, private={})
    return spec.baselines.get(sources.kind_of(str(data)), nothing)


def recipe(hw: str, name: str | None = None, *, data: str | Path = "world", **changes: Any) -> Any:
    """Return a recipe with some keys changed.

    Args:
        hw: e.g. ``hw03``.
        name: a level, another recipe, or a TOML file; default: the homework's own default.
        data: for which kind of data, ``world`` or a folder.
        changes: ``train__steps=500`` changes ``train.steps``.
    """
    from mlspring.verbs import python_run

    return python_run.changed_recipe(hw, name, str(data), changes)


def write(hw: str, values: Any, file: str | Path, *, data: str | Path = "world") -> Path:
    """Write predictions as a submission and return its path.

    Args:
        hw: e.g. ``hw03``.
        values: one for every test row, in the order of the data: what the homework's ``predict``
            returns.
        file: to write.
        data: whose test rows they are.
    """
    from mlspring import catalog
    from mlspring.core.errors import SubmissionError
    from mlspring.verbs import sources

    spec = catalog.find(hw)
    spec.require_ranking()
    ids = catalog.part(spec, "data").test_ids(sources.open_source(spec, str(data)))
    if hasattr(values, "__len__") and len(values) != len(ids):
        found = f"{len(values):,} predictions"
        raise SubmissionError(found, expected=f"{len(ids):,}, one for every test row")
    catalog.part(spec, "submission").write(Path(file), ids, values)
    return Path(file)


def validate(hw: str, file: str | Path, data: str | Path = "world") -> str:
    """Return a sentence that a submission's format is right; raise ``SubmissionError`` if not."""
    from mlspring import catalog
    from mlspring.verbs import board as verb

    return verb.validate(catalog.find(hw), Path(file), str(data))


def score(hw: str, file: str | Path, answers: str | Path | None = None) -> dict[str, Any]:
    """Return the scores of a submission, which is not handed in: ``public``, ``private`` ...

    Args:
        hw: e.g. ``hw03``.
        file: the submission.
        answers: a file of answers; default: the world's.
    """
    from mlspring import catalog
    from mlspring.verbs import board as verb

    return verb.score(catalog.find(hw), Path(file), None if answers is None else Path(answers))


def submit(
    hw: str, file: str | Path, *, name: str = "me", final: bool = False, rules: Rules = "self-study"
) -> "Receipt":
    """Hand a submission in on the local board and return its receipt."""
    from mlspring import catalog
    from mlspring.verbs import board as verb

    spec = catalog.find(hw)
    return verb.submit(spec, Path(file), name, rules=rules, final=final, address=None)


def board(hw: str, *, private: bool = False, rules: Rules = "self-study") -> list[dict[str, Any]]:
    """Return the rows of the local board, best first, the baselines between the learners."""
    from mlspring import catalog
    from mlspring.verbs import board as verb
    from mlspring.verbs import board_table

    return board_table.board_rows(verb.board(catalog.find(hw), private=private, rules=rules))


def run(
    hw: str,
    recipe: "str | Section | None" = None,
    data: str | Path = "world",
    *,
    seed: int = 0,
    device: Device = "auto",
    precision: Precision = "auto",
    out: str | Path = "runs",
    submit: bool = True,
    **changes: Any,
) -> "Finished":
    """Train, predict, score, rank and draw, as ``mlspring run`` does; return the finished run.

    Args:
        hw: e.g. ``hw03``.
        recipe: a name, a TOML file, or what ``recipe`` returned.
        data: ``world``, or a folder in the official layout.
        seed: fixes every random choice.
        device: where to compute.
        precision: in which arithmetic.
        out: folder of all runs.
        submit: whether to hand it in on the local board.
        changes: ``train__steps=500`` changes ``train.steps`` of a named recipe.
    """
    from mlspring.verbs import python_run

    done = python_run.run(
        hw,
        recipe,
        str(data),
        python_run.Settings(
            seed=seed, device=device, precision=precision, out=Path(out), submit=submit
        ),
        changes,
    )
    return Finished.of(done)


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A finished run; a notebook shows its scores and figures.

    Args:
        folder: of the run.
        result: the content of ``result.json``: ``result["score"]["public"]`` ...
        figures: name -> PNG.
        submission: what was handed in, None where nothing was.
    """

    folder: Path
    result: Mapping[str, Any]
    figures: Mapping[str, Path]
    submission: Path | None

    @classmethod
    def of(cls, run: "Run") -> "Finished":
        """Return what is left of a run that is finished."""
        result = run.result or {}
        name = result.get("submission")
        return cls(
            folder=run.folder,
            result=result,
            figures={path.stem: path for path in sorted(run.figures.glob("*.png"))},
            submission=run.folder / name if name else None,
        )

    def report(self) -> Path:
        """Write the report, one HTML page, and return its path."""
        from mlspring.core.runs import Run
        from mlspring.verbs.report import page

        return page.report(Run.open(self.folder))

    def _repr_html_(self) -> str:
        """Return what a notebook shows in place of the name of the class."""
        from mlspring.verbs.python_run import as_html

        return as_html(self.result, self.figures)
