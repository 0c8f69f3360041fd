"""The words that several verbs of the command line share: names of choices, arguments, flags."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand


class DeviceName(StrEnum):
    """Where to compute."""

    auto, cpu, cuda = "auto", "cpu", "cuda"


class PrecisionName(StrEnum):
    """In which arithmetic to compute."""

    auto, fp32, bf16 = "auto", "fp32", "bf16"


class LanguageName(StrEnum):
    """In which language to ask."""

    en, zh = "en", "zh"


class RulesName(StrEnum):
    """Whose rules the board follows."""

    self_study, course = "self-study", "course"


class Verb(TyperCommand):
    """A verb whose help shows flags as what they are: words without a value."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return arguments and options."""
        return without_values(super().get_params(ctx))


def without_values(params: list[Any]) -> list[Any]:
    """Return the same parameters; the help shows no value behind those that are flags."""
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
    return params


def _homeworks(incomplete: str) -> list[str]:
    """Return the homeworks that a shell may complete ``incomplete`` to."""
    from mlspring.catalog import SPECS

    return [spec.id for spec in SPECS if spec.id.startswith(incomplete)]


def _recipes(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the recipes of the homework on the command line that begin with ``incomplete``."""
    from mlspring.catalog import SPECS
    from mlspring.verbs.recipes import recipe_names

    chosen = [spec for spec in SPECS if spec.id == ctx.params.get("homework")]
    names = {name for spec in chosen or SPECS for name in recipe_names(spec, "world")}
    return sorted(name for name in names if name.startswith(incomplete))


Homework = Annotated[
    str, typer.Argument(metavar="HW", help="A homework, e.g. hw03.", autocompletion=_homeworks)
]
OneHomework = Annotated[
    str | None,
    typer.Argument(
        metavar="HW", help="A homework; only --check needs none.", autocompletion=_homeworks
    ),
]
SomeHomework = Annotated[
    str | None, typer.Argument(metavar="HW", help="A homework.", autocompletion=_homeworks)
]
RecipeName = Annotated[
    str | None,
    typer.Argument(
        metavar="RECIPE",
        help="A level (default: simple), a recipe like laptop/strong or mas, or a TOML file.",
        autocompletion=_recipes,
    ),
]
RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run's folder, or 'latest': the newest in runs/.")
]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A submission.")]
Data = Annotated[str, typer.Option(help="'world', or a folder in the official layout.")]
AllRuns = Annotated[Path, typer.Option(help="Folder of all runs.")]
Submit = Annotated[
    bool,
    typer.Option("--submit/--no-submit", help="Hand it in on your board."),
]
SubmitOrNot = Annotated[
    bool | None,
    typer.Option(
        "--submit/--no-submit",
        help="Hand it in or not; default: as the run was asked to.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, nothing else.")]
Rules = Annotated[RulesName, typer.Option(help="Whose rules: quota, finals, private scores.")]
DecidingRun = Annotated[
    Path | None, typer.Option("--run", help="A run that decides; default: all yours in runs/.")
]
AnswersFile = Annotated[
    Path | None,
    typer.Option("--answers", help="Grade this file: a line a question, e.g. 'ewc-1 AC'."),
]
Language = Annotated[LanguageName, typer.Option(help="English or Traditional Chinese.")]
Unfinished = Annotated[Path, typer.Option(help="Where unfinished results wait.")]
