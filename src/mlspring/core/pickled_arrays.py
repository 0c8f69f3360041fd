"""NumPy's .npy files of objects read without unpickling: as plain values, nothing is ever called.

Such a file holds a pickle, and unpickling runs whatever the file's writer wished. Here the few
opcodes that an array of lists of numbers needs are followed on a stack of plain values; names of
functions stay names. What a file says of its own size is checked before anything of that size is
made. Formats: NumPy's ``lib.format``, Python's ``pickletools``.
"""

import math
import pickletools
import re
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"\x93NUMPY"
HEADER = re.compile(
    rb"\x93NUMPY(?:\x01\x00..|\x02\x00....)\{'descr': '([<>|][a-zA-Z]\d{0,2})', "
    rb"'fortran_order': (True|False), 'shape': \(((?:\d{1,15},? ?){0,4})\), \}\s*\n",
    re.DOTALL,
)
MAX_DIMENSIONS = 4
ALLOWED = {
    "numpy.core.multiarray _reconstruct",
    "numpy._core.multiarray _reconstruct",
    "numpy.core.multiarray scalar",
    "numpy._core.multiarray scalar",
    "numpy ndarray",
    "numpy dtype",
    "_codecs encode",
    "collections OrderedDict",  # in every tensor of torch; a tensor is recognised, not read
}
TORCH = ("torch ", "torch._utils ", "torch.storage ", "torch.nn.parameter ")
MAX_NAME = 100  # characters
MAX_TEXT = 10_000  # characters that stand for bytes in pickles of protocol 2
CODES = ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "b1")
ATOMS = {"BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "BINFLOAT"}
ATOMS |= {"BINUNICODE", "SHORT_BINUNICODE", "UNICODE", "SHORT_BINBYTES", "BINBYTES"}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
MARK = object()


@dataclass(frozen=True)
class Name:
    """A function or class that the pickle names; never looked up."""

    text: str


@dataclass(eq=False)
class Call:
    """A call that the pickle asks for; never made. ``plain`` reads those that make numbers."""

    name: str
    arguments: Any
    state: Any = field(default=None)

    @property
    def is_tensor(self) -> bool:
        """Whether it would make a tensor of torch."""
        return self.name.startswith("torch")


def read_npy(content: bytes, max_opcodes: int) -> Any:
    """Return the array of a .npy file: of numbers, or as ``plain`` gives it.

    Raises:
        ValueError: it is damaged, too long, or holds a name or opcode that no array of lists needs.
    """
    header = HEADER.match(content)
    if header is None:
        raise ValueError("has a damaged .npy header")
    descr, by_columns, sides = (part.decode() for part in header.groups())
    shape = tuple(int(side) for side in sides.replace(" ", "").split(",") if side)
    rest = content[header.end() :]
    if descr == "|O":
        return plain(follow(rest, max_opcodes))
    if descr[1:] not in CODES:
        raise ValueError(f"holds numbers of type {descr}, which no list needs")
    if math.prod(shape) * np.dtype(descr).itemsize != len(rest) or not rest:
        raise ValueError(f"holds {len(rest):,} bytes, which are not {descr} of shape {shape}")
    return np.frombuffer(rest, descr).reshape(shape, order="F" if by_columns == "True" else "C")


def plain(value: Any) -> Any:
    """Return the array, number or list that a ``Call`` would make; other values as they are.

    Arrays of objects become lists, whose elements are not looked into: lists can hold themselves.
    A table of objects becomes a list of lists.
    """
    if not isinstance(value, Call):
        return value
    try:
        if value.name.endswith(" scalar"):
            dtype, content = value.arguments
            return _numbers(content, dtype, (), by_columns=False)
        if value.name.endswith(" _reconstruct"):
            _, shape, dtype, by_columns, content = value.state
            if isinstance(content, list):
                return _objects(content, shape)
            return _numbers(content, dtype, shape, by_columns=by_columns)
    except (TypeError, ValueError, OverflowError, AttributeError, LookupError):
        pass  # no array of numbers: the caller says what it is instead
    return value


def _numbers(content: Any, dtype: Any, shape: Any, *, by_columns: Any) -> Any:
    numbers: NDArray[Any] = np.frombuffer(_bytes(content), _dtype(dtype))
    return numbers.reshape(_sides(shape), order="F" if by_columns is True else "C")


def _objects(content: list[Any], shape: Any) -> list[Any]:
    """Return the elements, by rows where there are two sides; a pickle keeps them row by row."""
    sides = _sides(shape)
    if len(sides) < 2:
        return content
    if math.prod(sides) != len(content) or set(sides[2:]) - {1}:
        raise ValueError(sides)
    return [content[at : at + sides[1]] for at in range(0, len(content), sides[1])]


def _sides(shape: Any) -> tuple[int, ...]:
    if not isinstance(shape, tuple) or len(shape) > MAX_DIMENSIONS:
        raise ValueError("no shape")
    if not all(type(side) is int and 0 <= side < 2**48 for side in shape):
        raise ValueError("no shape")
    return shape


def follow(content: bytes, max_opcodes: int) -> Any:
    """Return what the pickle would build, with a ``Call`` in place of each call.

    Raises:
        ValueError: it is damaged, too long, or holds a name or opcode that no array of lists needs.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of texts with unknown escapes
        return _follow_all(content, max_opcodes)


def _follow_all(content: bytes, max_opcodes: int) -> Any:
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for number, (opcode, value, _) in enumerate(pickletools.genops(content)):
        if number >= max_opcodes:
            raise ValueError(f"has more than {max_opcodes:,} parts; the lists need fewer")
        try:
            if opcode.name == "STOP":
                return stack.pop()
            _follow_one(opcode.name, value, stack, memo)
        except (IndexError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"is a damaged pickle at {opcode.name}") from error
    raise ValueError("is a pickle without end")


def _follow_one(name: str, value: Any, stack: list[Any], memo: dict[int, Any]) -> None:  # noqa: PLR0912
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
        stack.append(_name(*value.split(" ", 1)))
    elif name == "STACK_GLOBAL":
        function, module = stack.pop(), stack.pop()
        stack.append(_name(module, function))
    elif name == "REDUCE":
        arguments, function = stack.pop(), stack.pop()
        stack.append(Call(function.text, arguments))
    elif name == "BUILD":
        state = stack.pop()
        stack[-1].state = state
    else:
        raise ValueError(f"holds the pickle opcode {name}, which no array of lists needs")


def _name(module: Any, function: Any) -> Name:
    if not (isinstance(module, str) and isinstance(function, str)):
        raise TypeError  # the text of lists within lists may be endless
    text = f"{module[:MAX_NAME]} {function[:MAX_NAME]}"
    if text not in ALLOWED and not text.startswith(TORCH):
        raise ValueError(f"names {text.replace(' ', '.')[:80]!r}, which no array of lists needs")
    return Name(text)


def _since_mark(stack: list[Any]) -> list[Any]:
    items: list[Any] = []
    while (item := stack.pop()) is not MARK:
        items.append(item)
    items.reverse()
    return items


def _dtype(value: Any) -> np.dtype[Any]:
    """Return a type of numbers; its state is (version, order of bytes, ...)."""
    code, order = value.arguments[0], value.state[1]
    if not isinstance(code, str) or code not in CODES or order not in ("<", ">", "|"):
        raise ValueError(code)
    return np.dtype(code).newbyteorder(order)


def _bytes(value: Any) -> bytes:
    """Return bytes; protocol 2 keeps them as text that is to be encoded."""
    if isinstance(value, Call) and value.name == "_codecs encode":
        value = value.arguments[0][:MAX_TEXT].encode("latin1")
    if not isinstance(value, bytes):
        raise TypeError(type(value))
    return value
