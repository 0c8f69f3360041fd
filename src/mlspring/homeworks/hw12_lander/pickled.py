"""The course's ``Action_List.npy`` read without executing what it holds.

The notebook saves an object array of five lists, so the file is a pickle, and unpickling runs
whatever the file's writer wished. Here the pickle's few opcodes that such an array needs are
followed on a stack of plain values; names of functions stay names, and nothing is ever called.
Format: Python's ``pickletools``.
"""

import io
import pickletools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mlspring.homeworks.hw12_lander.arrays import (
    demand_count,
    demand_length,
    numbers,
    read_header,
)
from mlspring.homeworks.hw12_lander.environment import MAX_STEPS

PARTS, PARTS_PER_ACTION = 1000, 20  # of a pickle; NumPy's own numbers take some eight each
ALLOWED = {
    "numpy.core.multiarray _reconstruct",
    "numpy._core.multiarray _reconstruct",
    "numpy.core.multiarray scalar",
    "numpy._core.multiarray scalar",
    "numpy ndarray",
    "numpy dtype",
    "_codecs encode",
}
ATOMS = {
    "BININT",
    "BININT1",
    "BININT2",
    "INT",
    "LONG",
    "LONG1",
    "BINUNICODE",
    "SHORT_BINUNICODE",
    "UNICODE",
    "SHORT_BINBYTES",
    "BINBYTES",
    "BINFLOAT",
}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
MARK = object()


@dataclass(frozen=True)
class Name:
    """A function or class that the pickle names; never looked up."""

    text: str


@dataclass
class Made:
    """What a call would have made, had anything been called."""

    name: str
    arguments: Any
    state: Any = field(default=None)


def lists_in(content: bytes, ids: Sequence[str]) -> list[list[int]]:
    """Return the lists of whole numbers in a .npy file, one for each of ``ids``.

    A pickle can name one list any number of times, so sizes are checked before lists are copied.

    Raises:
        ValueError: it is damaged, no array of lists of whole numbers, or names anything that such
            an array does not need; another number of lists, or one that is empty or too long.
    """
    stream = io.BytesIO(content)
    header = read_header(stream)
    shape, _, dtype = header
    rest = content[stream.tell() :]
    if not dtype.hasobject:  # lists of one length are saved as a table of numbers
        if len(shape) != 2:
            raise ValueError(f"holds {dtype} of shape {shape}"[:120] + ", expected lists")
        demand_count(shape[0], ids)
        demand_length(ids[0], shape[1])
        table: list[list[int]] = numbers(rest, header).tolist()
        return table
    items = _items(_follow(rest, PARTS + PARTS_PER_ACTION * MAX_STEPS * len(ids)))
    demand_count(len(items), ids)
    for name, item in zip(ids, items, strict=True):
        if not isinstance(item, list):
            raise ValueError("holds something other than lists")
        demand_length(name, len(item))
    return [[_whole_number(value) for value in item] for item in items]


def _follow(content: bytes, max_parts: int) -> Any:
    """Return what the pickle would build, functions left uncalled."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for number, (opcode, value, _) in enumerate(pickletools.genops(content)):
        if number >= max_parts:
            raise ValueError(f"has more than {max_parts:,} parts; the lists need fewer")
        try:
            if opcode.name == "STOP":
                return stack.pop()
            _one(opcode.name, value, stack, memo)
        except (IndexError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"is a damaged pickle at {opcode.name}") from error
    raise ValueError("is a pickle without end")


def _one(name: str, value: Any, stack: list[Any], memo: dict[int, Any]) -> None:  # noqa: PLR0912
    """Follow one opcode."""
    if name in ("PROTO", "FRAME"):
        return
    if name in ATOMS:
        stack.append(value)
    elif name in CONSTANTS:
        stack.append(CONSTANTS[name])
    elif name == "MARK":
        stack.append(MARK)
    elif name == "EMPTY_LIST":
        stack.append([])
    elif name == "EMPTY_TUPLE":
        stack.append(())
    elif name in TUPLES:
        taken = [stack.pop() for _ in range(TUPLES[name])]
        stack.append(tuple(reversed(taken)))
    elif name == "TUPLE":
        stack.append(tuple(_since_mark(stack)))
    elif name == "LIST":
        stack.append(_since_mark(stack))
    elif name == "APPEND":
        item = stack.pop()
        stack[-1].append(item)
    elif name == "APPENDS":
        items = _since_mark(stack)
        stack[-1].extend(items)
    elif name == "MEMOIZE":
        memo[len(memo)] = stack[-1]
    elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
        memo[int(value)] = stack[-1]
    elif name in ("BINGET", "LONG_BINGET", "GET"):
        stack.append(memo[int(value)])
    elif name == "GLOBAL":
        stack.append(_name(value))
    elif name == "STACK_GLOBAL":
        function, module = stack.pop(), stack.pop()
        if not (isinstance(module, str) and isinstance(function, str)):
            raise TypeError  # the text of lists within lists may be endless
        stack.append(_name(f"{module} {function}"))
    elif name == "REDUCE":
        arguments, function = stack.pop(), stack.pop()
        stack.append(Made(function.text, arguments))
    elif name == "BUILD":
        state = stack.pop()
        stack[-1].state = state
    else:
        raise ValueError(f"holds the pickle opcode {name}, which no array of lists needs")


def _name(text: str) -> Name:
    if text not in ALLOWED:
        raise ValueError(f"names {text.replace(' ', '.')[:80]!r}, which no array of lists needs")
    return Name(text)


def _since_mark(stack: list[Any]) -> list[Any]:
    items: list[Any] = []
    while (item := stack.pop()) is not MARK:
        items.append(item)
    items.reverse()
    return items


def _items(built: Any) -> list[Any]:
    """Return the elements of the array: its state is (version, shape, dtype, order, elements)."""
    if isinstance(built, Made) and built.name.endswith("_reconstruct"):
        state = built.state
        if isinstance(state, tuple) and len(state) == 5 and isinstance(state[4], list):
            return state[4]
    raise ValueError("is no array of lists")


def _whole_number(value: Any) -> int:
    """Return a whole number: a plain one, or NumPy's own with its bytes."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, Made) and value.name.endswith("scalar"):
        arguments = value.arguments
        if isinstance(arguments, tuple) and len(arguments) == 2 and isinstance(arguments[0], Made):
            kind = arguments[0].arguments
            code = kind[0] if isinstance(kind, tuple) and kind else ""
            content = arguments[1] if code in ("i8", "i4", "i2", "i1", "u1") else b""
            if isinstance(content, bytes) and content and len(content) == int(code[1]):
                return int.from_bytes(content, "little", signed=code[0] == "i")
    raise ValueError("a list holds something other than whole numbers")
