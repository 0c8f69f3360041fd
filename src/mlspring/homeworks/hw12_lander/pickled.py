"""A pickle followed without executing it: what it would build, as plain values.

Unpickling runs whatever the file's writer wished. Here the few opcodes that an array of lists needs
are followed on a stack of plain values; names of functions stay names, and nothing is ever called.
Format: Python's ``pickletools``.
"""

import pickletools
from dataclasses import dataclass, field
from typing import Any

ALLOWED = {
    "numpy.core.multiarray _reconstruct",
    "numpy._core.multiarray _reconstruct",
    "numpy.core.multiarray scalar",
    "numpy._core.multiarray scalar",
    "numpy ndarray",
    "numpy dtype",
    "_codecs encode",
    "collections OrderedDict",  # in every tensor of torch; tensors are told apart, not read
}
TORCH = ("torch ", "torch._utils ", "torch.storage ", "torch.nn.parameter ")
MAX_NAME = 100  # characters
MAX_TEXT = 10_000  # characters that stand for bytes in pickles of protocol 2
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


@dataclass(eq=False)
class Call:
    """A call that the pickle asks for; never made."""

    name: str
    arguments: Any
    state: Any = field(default=None)


def follow(content: bytes, max_opcodes: int) -> Any:
    """Return what the pickle would build, with a ``Call`` in place of each call.

    Raises:
        ValueError: it is damaged, too long, or holds a name or opcode that no array of lists needs.
    """
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


def as_bytes(value: Any) -> bytes | None:
    """Return bytes of a pickle; protocol 2 keeps them as text that is to be encoded."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, Call) and value.name == "_codecs encode":
        arguments = value.arguments
        if isinstance(arguments, tuple) and arguments and isinstance(arguments[0], str):
            if len(arguments[0]) <= MAX_TEXT:
                return arguments[0].encode("latin1", "replace")
    return None


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
