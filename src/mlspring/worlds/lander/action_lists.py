"""Action lists as they stand in a file, checked before they are used.

Whole numbers are taken in whatever they are wrapped: plain ones, NumPy's, arrays of one, and lists
that are arrays themselves.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspring.core.pickled_arrays import Call, plain, read_npy
from mlspring.core.texts import count
from mlspring.worlds.lander.environment import MAX_STEPS, NUM_ACTIONS, Actions

OPCODES, OPCODES_PER_ACTION = 1000, 60  # of a pickle: a tensor takes some 35
ADVICE = "append int(action)"


def from_json(text: bytes) -> Any:
    """Return the lists of ``{"actions": [[2, 0, 3], ...]}``, or of the lists alone.

    Raises:
        ValueError: it is no JSON.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ValueError(f"is no JSON ({error})") from error
    return content.get("actions") if isinstance(content, dict) else content


def from_npy(content: bytes, ids: Sequence[str]) -> Any:
    """Return the lists of the course's ``Action_List.npy``, an object array of lists.

    Raises:
        ValueError: it is damaged, or names anything that such an array does not need.
    """
    return read_npy(content, OPCODES + OPCODES_PER_ACTION * MAX_STEPS * len(ids))


def from_tensors(
    actions: NDArray[Any] | None, lengths: NDArray[Any] | None, ids: Sequence[str]
) -> list[Actions]:
    """Return the lists that stand one after the other in ``actions``, (total,).

    Raises:
        ValueError: one of the two is missing, no whole numbers, or they do not fit together.
    """
    if actions is None or lengths is None:
        raise ValueError("has only one of the tensors actions and lengths")
    if actions.ndim != 1 or lengths.ndim != 1 or {actions.dtype.kind, lengths.dtype.kind} - {*"iu"}:
        raise ValueError("actions and lengths are not two rows of whole numbers")
    _demand_count(len(lengths), ids)
    sizes = lengths.tolist()
    for name, number in zip(ids, sizes, strict=True):
        _demand_length(name, number)
    if sum(sizes) != len(actions):
        raise ValueError(f"has {len(actions):,} actions, but the lengths add up to {sum(sizes):,}")
    return np.split(actions, np.cumsum(sizes)[:-1])


def checked(lists: Any, ids: Sequence[str]) -> tuple[Actions, ...]:
    """Return lists as arrays, int64 (T,) each. Sizes are checked before anything is copied.

    Raises:
        ValueError: not one list an episode, or a list that is empty, too long or holds anything but
            actions; says which list and which step, and what to write.
    """
    if not isinstance(lists, list | np.ndarray) or np.ndim(lists[:0]) < 1:
        raise ValueError('has no "actions", expected a list of lists')
    _demand_count(len(lists), ids)
    arrays = []
    for name, item in zip(ids, lists, strict=True):
        values = plain(item)
        if isinstance(values, np.ndarray) and values.ndim and values.size == len(values):
            values = values.reshape(-1)
        elif not isinstance(values, list | tuple):
            raise ValueError(f"list {name} is {_words(values)}, expected whole numbers: {ADVICE}")
        _demand_length(name, len(values))
        arrays.append(np.array([_action(v, name, t) for t, v in enumerate(values, start=1)]))
    return tuple(arrays)


def _demand_count(number: int, ids: Sequence[str]) -> None:
    """Raise ValueError unless there is one list an episode."""
    if number != len(ids):
        raise ValueError(f"has {count(number, 'list')}, expected {len(ids)}, one an episode")


def _demand_length(name: str, number: int) -> None:
    """Raise ValueError unless an episode may take ``number`` steps."""
    if not 1 <= number <= MAX_STEPS:
        raise ValueError(f"list {name} has {number:,} actions, expected 1 to {MAX_STEPS}")


def _action(value: Any, name: str, step: int) -> int:
    """Return a whole number from 0 to 3, plain or of NumPy, alone or in an array of one."""
    number = plain(value)
    if isinstance(number, np.ndarray | np.generic) and number.size == 1:
        number = number.item() if number.dtype.kind in "iu" else number
    if type(number) is int and 0 <= number < NUM_ACTIONS:
        return number
    advice = "" if type(number) is int else f": {ADVICE}"
    raise ValueError(
        f"list {name}, action {step} is {_words(number)}, expected 0, 1, 2 or 3{advice}"
    )


def _words(value: Any) -> str:
    """Return what a value is, in a few characters; lists within lists may be endless."""
    if isinstance(value, np.ndarray | np.generic):
        return f"{value.item()!r:.40}" if value.size == 1 else f"an array of shape {value.shape}"
    if value is None or isinstance(value, bool | int | float):
        return repr(value)[:40]
    if isinstance(value, Call) and value.is_tensor:
        return "a torch tensor"
    return f"a {type(value).__name__}" if not isinstance(value, Call) else "an unknown object"
