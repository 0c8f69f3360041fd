"""What is read back of a run's own files: bounds and kinds of numbers."""

import pytest

from mlspring.core.errors import DataError
from mlspring.core.request import Request, checked_request, checked_result


@pytest.mark.parametrize("seed", [0, 2**63 - 1])
def test_every_seed_that_torch_takes_is_taken(seed: int) -> None:
    request = {"homework": "hw01", "recipe": "simple", "seed": seed}
    assert checked_request({"request": request}) == Request(**request)


@pytest.mark.parametrize("seed", [-1, 2**63, 1.0, True, None])
def test_another_seed_is_named(seed: object) -> None:
    with pytest.raises(DataError, match="seed is"):
        checked_request({"request": {"homework": "hw01", "recipe": "simple", "seed": seed}})


@pytest.mark.parametrize("name", ["device", "precision"])
def test_a_word_that_is_no_choice_is_named(name: str) -> None:
    with pytest.raises(DataError, match=f"{name} is 'other'"):
        checked_request({"request": {"homework": "hw01", "recipe": "a", name: "other"}})


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"score": {"public": None, "private": -3, "validation": float("inf")}, "points": {}},
        {"points": {"total": None}, "seconds": {"train": 0, "data": 0.5}},
    ],
)
def test_scores_may_lack_and_seconds_may_be_none_at_all(values: dict[str, object]) -> None:
    assert checked_result(dict(values)) == values


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("score", True),
        ("score", "0.5"),
        ("points", [1.0]),
        ("seconds", None),
        ("seconds", -0.1),
        ("seconds", float("inf")),
        ("seconds", float("nan")),
    ],
)
def test_what_is_no_number_there_is_named(name: str, value: object) -> None:
    with pytest.raises(DataError, match=f"{name}.train is "):
        checked_result({name: {"train": value}})
