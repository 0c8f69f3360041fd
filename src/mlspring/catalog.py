"""The visible tuple of homeworks, and the only place that loads a part of one by name."""

import difflib
import importlib
from typing import TYPE_CHECKING, Any, Literal, overload

from mlspring.core.errors import UserError
from mlspring.core.spec import Spec
from mlspring.homeworks.hw01_regression.spec import SPEC as HW01
from mlspring.homeworks.hw02_phonemes.spec import SPEC as HW02
from mlspring.homeworks.hw03_food_cnn.spec import SPEC as HW03
from mlspring.homeworks.hw04_speakers.spec import SPEC as HW04
from mlspring.homeworks.hw05_translation.spec import SPEC as HW05
from mlspring.homeworks.hw06_gan.spec import SPEC as HW06
from mlspring.homeworks.hw07_reading.spec import SPEC as HW07
from mlspring.homeworks.hw08_anomaly.spec import SPEC as HW08
from mlspring.homeworks.hw09_explain.spec import SPEC as HW09
from mlspring.homeworks.hw10_attack.spec import SPEC as HW10
from mlspring.homeworks.hw11_adaptation.spec import SPEC as HW11
from mlspring.homeworks.hw12_lander.spec import SPEC as HW12
from mlspring.homeworks.hw13_compression.spec import SPEC as HW13
from mlspring.homeworks.hw14_lifelong.spec import SPEC as HW14
from mlspring.homeworks.hw15_meta.spec import SPEC as HW15

if TYPE_CHECKING:  # numpy, which these need, is not loaded to print a help
    from mlspring.core.island import (
        DataPart,
        FiguresPart,
        PredictPart,
        QuizPart,
        RecipePart,
        ScorePart,
        SubmissionPart,
        TrainPart,
    )

SPECS: tuple[Spec, ...] = (
    HW01,
    HW02,
    HW03,
    HW04,
    HW05,
    HW06,
    HW07,
    HW08,
    HW09,
    HW10,
    HW11,
    HW12,
    HW13,
    HW14,
    HW15,
)


def find(homework: str) -> Spec:
    """Return the spec of ``hw03``, also called ``3``, ``03`` or ``hw03_food_cnn``.

    Raises:
        UserError: there is no such homework; names the nearest one.
    """
    wanted = homework.lower().removeprefix("hw")
    for spec in SPECS:
        if wanted in (spec.id[2:], spec.id[2:].lstrip("0"), spec.island[2:]):
            return spec
    names = [spec.id for spec in SPECS]
    near = difflib.get_close_matches(homework.lower(), names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}."
    raise UserError(f"no homework {homework!r}", fix=f"{hint} See: mlspring list")


@overload
def part(spec: Spec, name: Literal["data"]) -> "DataPart": ...
@overload
def part(spec: Spec, name: Literal["train"]) -> "TrainPart": ...
@overload
def part(spec: Spec, name: Literal["predict"]) -> "PredictPart": ...
@overload
def part(spec: Spec, name: Literal["submission"]) -> "SubmissionPart": ...
@overload
def part(spec: Spec, name: Literal["score"]) -> "ScorePart": ...
@overload
def part(spec: Spec, name: Literal["figures"]) -> "FiguresPart": ...
@overload
def part(spec: Spec, name: Literal["recipe"]) -> "RecipePart": ...
@overload
def part(spec: Spec, name: Literal["quiz"]) -> "QuizPart": ...
def part(spec: Spec, name: str) -> Any:
    """Return a module of an island, ``data``, ``train`` ...: what it has is in ``core.island``.

    Where the spec declares a table, its reader and scorer stand for ``submission`` and ``score``.
    """
    if spec.table is not None and name in ("submission", "score"):
        from mlspring.core.table_submission import TableSubmission

        return TableSubmission(spec)
    return importlib.import_module(f"mlspring.homeworks.{spec.island}.{name}")
