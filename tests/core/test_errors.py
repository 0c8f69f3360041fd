from pathlib import Path

import pytest

from mlspring.core import errors
from mlspring.core.errors import InternalError, MlspringError, UserError


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "is broken"),
        ({"file": Path("a/b.csv")}, "a/b.csv: is broken"),
        ({"row": 3}, "row 3: is broken"),
        ({"file": "a.csv", "row": 1}, "a.csv, row 1: is broken"),
        ({"expected": "a whole one"}, "is broken; expected a whole one"),
        ({"fix": "mend it"}, "is broken\n  -> mend it"),
        (
            {"file": "a.csv", "row": 12, "expected": "a number", "fix": "mend it"},
            "a.csv, row 12: is broken; expected a number\n  -> mend it",
        ),
    ],
)
def test_the_sentence_says_where_what_and_what_next(
    given: dict[str, object], sentence: str
) -> None:
    error = MlspringError("is broken", **given)
    assert str(error) == sentence
    assert (error.found, error.row) == ("is broken", given.get("row"))


def test_the_users_faults_and_ours_have_their_exit_codes() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    users = [kind for kind in kinds if issubclass(kind, UserError)]
    assert len(users) >= 7
    assert {kind.exit_code for kind in users} == {2}
    assert InternalError.exit_code == 1
    assert not issubclass(InternalError, UserError)


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn = errors.__doc__ or ""
    for kind in (k for k in vars(errors).values() if isinstance(k, type)):
        if issubclass(kind, MlspringError):
            assert kind.__name__ in drawn
