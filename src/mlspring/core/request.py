"""What a run was asked for and what it reports; both are checked when they come from a file."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from mlspring.core.errors import DataError

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked for; stored in the run, so that ``resume`` asks for the same.

    Args:
        homework: ``hw01`` .. ``hw15``.
        recipe: its full name, e.g. ``laptop/strong``, or the path of a TOML file.
        data: ``world`` or the folder in the official layout.
        seed: fixes every random choice.
        device: where to compute; ``precision``: in which arithmetic.
        submit: whether to hand the submission in on the local board.
    """

    homework: str
    recipe: str
    data: str = "world"
    seed: int = 0
    device: Device = "auto"
    precision: Precision = "auto"
    submit: bool = True


@dataclass(frozen=True, kw_only=True)
class Training:
    """What training reports back.

    Args:
        validation: the homework's metric on data held out from training, or None.
        items_per_second: training examples seen a second, loading included.
    """

    validation: float | None
    items_per_second: float


def checked_request(values: Mapping[str, Any]) -> Request:
    """Return the request in the content of an ``environment.json``.

    Raises:
        DataError: it is missing, lacks a key, has an unknown one, or a value of another kind.
    """
    given = values.get("request")
    if not isinstance(given, Mapping):
        raise DataError("it holds no request")
    try:
        request = Request(**given)
    except TypeError as error:
        raise DataError(str(error)) from error
    shown = asdict(Request(homework="", recipe=""))
    for name, value in asdict(request).items():
        if type(value) is not type(shown[name]):
            raise DataError(f"{name} is {value!r:.80}", expected=type(shown[name]).__name__)
    for name, choices in (("device", Device), ("precision", Precision)):
        if getattr(request, name) not in get_args(choices):
            raise DataError(f"{name} is {getattr(request, name)!r:.80}")
    if not 0 <= request.seed < 2**63:
        raise DataError(f"seed is {request.seed}", expected="a whole number from 0")
    return request


def checked_result(values: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a ``result.json`` whose numbers are numbers.

    Raises:
        DataError: a score, its points or the seconds of a phase are something else.
    """
    for name, may_lack in (("score", True), ("points", True), ("seconds", False)):
        numbers = values.get(name, {})
        if not isinstance(numbers, Mapping):
            raise DataError(f"{name} is {numbers!r:.80}", expected="names and numbers")
        for key, value in numbers.items():
            if value is None and may_lack:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise DataError(f"{name}.{key} is {value!r:.80}", expected="a number")
            if not may_lack and not (math.isfinite(value) and value >= 0):
                raise DataError(f"{name}.{key} is {value}", expected="seconds")
    return values
