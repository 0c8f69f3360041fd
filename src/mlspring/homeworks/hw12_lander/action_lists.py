"""Action lists from the course's ``Action_List.npy`` and from JSON, checked before they are used.

The notebook saves an object array of five lists, which is a pickle; ``pickled`` reads it without
unpickling. Whole numbers are taken in whatever they are wrapped: plain ones, NumPy's, arrays of
one, and lists that are arrays. What a file says of its own size is checked before anything of that
size is made. Format: NumPy's ``lib.format``.
"""

import io
import json
import math
import tokenize
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspring.core.texts import count
from mlspring.homeworks.hw12_lander import pickled
from mlspring.homeworks.hw12_lander.environment import MAX_STEPS, NUM_ACTIONS, Actions
from mlspring.homeworks.hw12_lander.pickled import Call

MAX_DIMENSIONS = 4
OPCODES, OPCODES_PER_ACTION = 1000, 60  # of a pickle: a tensor takes some 35
ADVICE = "append int(action), not the array or tensor"


def demand_count(number: int, ids: Sequence[str]) -> None:
    """Raise ValueError unless there is one list an episode."""
    if number != len(ids):
        raise ValueError(f"has {count(number, 'list')}, expected {len(ids)}, one an episode")


def demand_length(name: str, number: int) -> None:
    """Raise ValueError unless an episode may take ``number`` steps."""
    if not 1 <= number <= MAX_STEPS:
        raise ValueError(f"list {name} has {number:,} actions, expected 1 to {MAX_STEPS}")


def checked(lists: Sequence[Any], ids: Sequence[str]) -> tuple[Actions, ...]:
    """Return lists as they stand in a file as arrays, int64 (T,) each.

    Raises:
        ValueError: not one list an episode, or a list that is empty, too long or holds anything but
            actions; says which list and which step, and what to write.
    """
    demand_count(len(lists), ids)
    arrays = []
    for name, item in zip(ids, lists, strict=True):
        values = _elements(item)
        if values is None:
            raise ValueError(f"list {name} is {_in_words(item)}, expected a list of whole numbers")
        demand_length(name, len(values))
        actions = [_whole_number(value) for value in values]
        for step, (action, value) in enumerate(zip(actions, values, strict=True), start=1):
            if action is None or not 0 <= action < NUM_ACTIONS:
                words = f"list {name}, action {step} is {_in_words(value)}, expected 0, 1, 2 or 3"
                raise ValueError(words if action is not None else f"{words}: {ADVICE}")
        arrays.append(np.array(actions, dtype=np.int64))
    return tuple(arrays)


def from_json(text: bytes) -> list[Any]:
    """Return the lists of ``{"actions": [[2, 0, 3], ...]}``; ``checked`` looks into them.

    Raises:
        ValueError: it is no JSON, or holds no lists.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ValueError(f"is no JSON ({error})") from error
    lists = content.get("actions") if isinstance(content, dict) else content
    if not isinstance(lists, list):
        raise ValueError('has no "actions"')
    return lists


def from_npy(content: bytes, ids: Sequence[str]) -> Sequence[Any]:
    """Return the lists of a .npy file, one for each of ``ids``; ``checked`` looks into them.

    A pickle can name one list any number of times, so sizes are checked before lists are copied.

    Raises:
        ValueError: it is damaged, no array of lists, or names anything that such an array does not
            need; another number of lists.
    """
    stream = io.BytesIO(content)
    shape, by_columns, dtype = _read_header(stream)
    rest = content[stream.tell() :]
    if not dtype.hasobject:  # lists of one length are saved as a table of numbers
        if not _is_table(shape):
            raise ValueError(f"holds {dtype} of shape {shape}"[:120] + ", expected lists")
        demand_count(shape[0], ids)
        demand_length(ids[0], shape[1])
        table = _numbers(rest, shape, dtype).reshape(shape, order="F" if by_columns else "C")
        rows: list[Any] = table.reshape(shape[:2]).tolist()
        return rows
    array = pickled.follow(rest, OPCODES + OPCODES_PER_ACTION * MAX_STEPS * len(ids))
    parts = _array_state(array)
    if parts is None or not isinstance(parts[2], list):
        raise ValueError("is no array of lists")
    shape, _, elements = parts
    if len(shape) < 2:
        return elements
    demand_count(shape[0], ids)  # equally long lists may also be saved as a table of objects
    if not _is_table(shape) or len(elements) != math.prod(shape):
        raise ValueError(f"holds an array of shape {shape}"[:120] + ", expected lists")
    return [elements[start : start + shape[1]] for start in range(0, len(elements), shape[1] or 1)]


def _read_header(stream: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, whether columns come first, and type; the numbers follow.

    Raises:
        ValueError: it is damaged, or of a version that NumPy does not write for numbers.
    """
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"is .npy of version {version}")
    read = np.lib.format.read_array_header_1_0
    if version == (2, 0):
        read = np.lib.format.read_array_header_2_0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers that Python 2 wrote
            shape, by_columns, dtype = read(stream)
    except (
        tokenize.TokenError,
        SyntaxError,
        TypeError,
        LookupError,
        AttributeError,
        ArithmeticError,
        MemoryError,
    ) as error:
        raise ValueError(f"has a damaged .npy header ({error})") from error
    return shape, by_columns, dtype


def _numbers(content: bytes, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return the whole numbers in ``content``, in one row.

    Raises:
        ValueError: they are of another type, or not as many as the shape says.
    """
    said = f"{dtype} of shape {shape}"[:80]
    if dtype.kind not in "iu":
        raise ValueError(f"holds {said}, expected whole numbers: {ADVICE}")
    if math.prod(shape) * dtype.itemsize != len(content):
        raise ValueError(f"holds {len(content):,} bytes, which are not {said}")
    return np.frombuffer(content, dtype)


def _is_table(shape: tuple[int, ...]) -> bool:
    """Return whether a shape is (lists, steps), possibly with further sides of one."""
    return 2 <= len(shape) <= MAX_DIMENSIONS and set(shape[2:]) <= {1}


def _elements(item: Any) -> Sequence[Any] | None:
    """Return the elements of a list, of a tuple or of an array of one row; else None."""
    if isinstance(item, list | tuple):
        return item
    parts = _array_state(item)
    if parts is None:
        return None
    shape, dtype, content = parts
    if not shape or set(shape[1:]) - {1}:
        return None
    if isinstance(content, list):
        return content if len(content) == shape[0] else None
    if dtype is None or dtype.kind not in "iu" or len(content) != shape[0] * dtype.itemsize:
        return None
    return range(shape[0]) if shape[0] > MAX_STEPS else np.frombuffer(content, dtype).tolist()


def _whole_number(value: Any) -> int | None:
    """Return a whole number, plain, of NumPy or in an array of one; else None."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, Call):
        return None
    if value.name.endswith(" scalar"):
        if not isinstance(value.arguments, tuple) or len(value.arguments) != 2:
            return None
        dtype, content = _dtype(value.arguments[0]), pickled.as_bytes(value.arguments[1])
        shape: tuple[int, ...] = ()
    else:
        parts = _array_state(value)
        if parts is None:
            return None
        shape, dtype, content = parts
    if isinstance(content, list):  # an object array of one; no further level is read
        single = content[0] if len(content) == 1 and set(shape) <= {1} else None
        return single if type(single) is int else None
    if set(shape) - {1} or dtype is None or dtype.kind not in "iu" or content is None:
        return None
    if len(content) != dtype.itemsize:
        return None
    return int(np.frombuffer(content, dtype)[0])


def _array_state(value: Any) -> tuple[tuple[int, ...], np.dtype[Any] | None, Any] | None:
    """Return shape, type and content of an array in a pickle: bytes, or a list of objects.

    Its state is (version, shape, dtype, order, content).
    """
    if not (isinstance(value, Call) and value.name.endswith(" _reconstruct")):
        return None
    state = value.state
    if not (isinstance(state, tuple) and len(state) == 5 and isinstance(state[1], tuple)):
        return None
    shape = state[1]
    if len(shape) > MAX_DIMENSIONS or not all(type(n) is int and 0 <= n < 2**40 for n in shape):
        return None
    content = state[4] if isinstance(state[4], list) else pickled.as_bytes(state[4])
    return None if content is None else (shape, _dtype(state[2]), content)


def _dtype(value: Any) -> np.dtype[Any] | None:
    """Return a type of numbers: its arguments begin with a code such as i8, its state with order."""
    if not (isinstance(value, Call) and isinstance(value.arguments, tuple) and value.arguments):
        return None
    code = value.arguments[0]
    order = value.state[1] if isinstance(value.state, tuple) and len(value.state) > 1 else "<"
    if code not in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "b1"):
        return None
    return np.dtype(f"{order if order in ('<', '>') else '|'}{code}" if code[1] != "1" else code)


def _in_words(value: Any) -> str:
    """Return what a value is, in a few characters; lists within lists may be endless."""
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value if not isinstance(value, str) else value[:40])[:40]
    if not isinstance(value, Call):
        return f"a {type(value).__name__}"
    if value.name.startswith("torch"):
        return "a torch tensor"
    parts = _array_state(value)
    if parts is not None:
        return f"an array of shape {parts[0]}" + (f" of {parts[1]}" if parts[1] else "")
    kind = _dtype(value.arguments[0]) if isinstance(value.arguments, tuple) else None
    return f"a number of type {kind}" if kind else "an object"
