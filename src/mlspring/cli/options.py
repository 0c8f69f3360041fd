"""The words that several verbs of the command line share: names of choices, arguments, flags."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


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


Homework = Annotated[str, typer.Argument(metavar="HW", help="A homework, e.g. hw03.")]
OneHomework = Annotated[
    str | None, typer.Argument(metavar="HW", help="A homework; only --check needs none.")
]
RecipeName = Annotated[
    str | None,
    typer.Argument(
        metavar="[RECIPE]",
        help="A level (default: simple), a recipe like laptop/strong or mas, or a TOML file.",
    ),
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A submission.")]
Data = Annotated[str, typer.Option(help="'world', or a folder in the official layout.")]
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
