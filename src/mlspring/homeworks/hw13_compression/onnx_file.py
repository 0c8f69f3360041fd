"""The parameters in an ONNX file, counted from its bytes; nothing is built, run or imported.

A file is a protobuf message: fields of a number, a kind and a value, some of them messages again.
Only those that can hold numbers are followed; what could hide some is counted or refused.

    model      7 graph, 20 training information, 25 functions
    graph      1 nodes, 5 initialisers, 15 sparse initialisers
    node       1 inputs, 4 operator, 5 attributes, 7 domain
    attribute  2 3 4 7 8 9 plain values, 5 10 tensors, 6 11 graphs, 14 15 types, 22 23 sparse
    tensor     1 dims, 2 data type, 3 segment, 4-7 10 11 typed values, 8 name, 9 raw bytes,
               13 14 data in another file

Numbers can also be written as the way in which nodes are joined. So there are two walls: the count,
and the bytes of everything that a runtime reads, which ``over_budget`` compares with the count.

Sources: protobuf's encoding guide; onnx.proto of ONNX 1.x.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_BYTES = 2_000_000  # 400,000 of weights, the rest for what exporters note; bounds the time, too
FREE_BYTES = 150_000  # of nodes and names; exports by torch take 5,000 to 142,000: README
MAX_DIMS = 8
VARINT_BYTES = 10
WIDTHS = {1: 8, 5: 4}  # bytes of a value by its kind; 0 is a varint, 2 has its length before it
ITEM_BYTES = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 16: 2}  # by data type
TYPED = {1: 4, 7: 7, 11: 10}  # the field of typed values by data type, 5 for all others
FIXED = {4: "<u4", 10: "<u8"}  # typed values that are no varints
EXPONENT = {1: 0x7F800000, 10: 0x7C00, 11: 0x7FF << 52, 16: 0x7F80}
WORD = 4  # bytes that count as one parameter
MAX_SHAPE = 64  # items of 8 bytes that count once each: a shape, a list of axes
MAX_SETTINGS = 16  # whole numbers in an attribute that are strides or the like and no weights
MAX_WORDING = 64  # bytes of an attribute's text that are a mode or an equation and no weights
# Read by people only: names of producer, graph and nodes, doc strings, metadata.
UNREAD = {
    "model": (2, 3, 4, 6, 14),
    "graph": (2, 10, 16),
    "node": (3, 6, 9),
    "tensor": (12, 16),
}
DAMAGED = "cannot be read as ONNX"

Message = dict[int, list[int | bytes]]  # values by the number of their field


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What an ONNX file holds.

    Args:
        num_parameters: numbers, of at most four bytes each.
        num_bytes: of the file, without what no runtime reads.
    """

    num_parameters: int
    num_bytes: int


def over_budget(networks: Iterable[Stored]) -> str | None:
    """Return what is wrong with networks whose bytes their parameters do not explain, or None.

    All of them together have four bytes a parameter and ``FREE_BYTES`` for nodes and names. So
    whatever a file does, no more than that is stored in it.
    """
    found = list(networks)
    num_bytes = sum(stored.num_bytes for stored in found)
    num_parameters = sum(stored.num_parameters for stored in found)
    budget = WORD * num_parameters + FREE_BYTES
    if num_bytes <= budget:
        return None
    return (
        f"has {num_bytes:,} bytes of ONNX, names of nodes and notes left out, but "
        f"{num_parameters:,} parameters and their graph have {budget:,}"
    )


def read_network(content: bytes) -> Stored:
    """Return how many numbers the network of an ONNX file holds, and in how many bytes.

    Every initialiser and every constant counts, of whatever type, and so do long lists and texts
    among the settings of operators. An item of 8 bytes counts as two, but for ``MAX_SHAPE`` of
    them and fewer. Batch norm's running mean and variance do not count: one of each for every
    scale that is stored, no longer than it, and read by no other operator.

    Raises:
        ValueError: no ONNX file, without weights, with weights that are not finite, or with
            something that could hide them: sub-graphs, functions, data in other files.
    """
    if len(content) > MAX_BYTES:
        raise ValueError(f"has {len(content):,} bytes, at most {MAX_BYTES:,} are read")
    model = _read(content)
    if len(model.get(7, [])) != 1:
        raise ValueError(f"{DAMAGED}: it has {len(model.get(7, []))} graphs")
    (graph,) = _messages(model, 7)
    if {20, 25} & set(model) or 15 in graph:
        raise ValueError("holds functions, sparse tensors or training information")
    nodes, tensors = _messages(graph, 1), _messages(graph, 5)
    total, sizes = 0, dict[bytes, int]()
    for node in nodes:
        is_constant = b"Constant" in node.get(4, [])
        total += sum(_in_attribute(a, is_constant) for a in _messages(node, 5))
    for tensor in tensors:
        size, name = _size(tensor), _name(tensor)
        total += size
        sizes[name] = min(size, sizes.get(name, size))  # which of two is read is not asked
    total -= _statistics(nodes, sizes)
    if total == 0:
        raise ValueError("holds no weights")
    parts = {"model": [model], "graph": [graph], "node": nodes, "tensor": tensors}
    unread = sum(_unread(m, UNREAD[part]) for part, found in parts.items() for m in found)
    return Stored(num_parameters=total, num_bytes=len(content) - unread)


def _statistics(nodes: list[Message], sizes: dict[bytes, int]) -> int:
    """Return how many of the initialisers' numbers are batch norm's running mean and variance."""
    weights, statistics = set[bytes](), dict[bytes, int]()
    scales = set[bytes]()
    for node in nodes:
        inputs = _strings(node, 1)
        is_norm = node.get(4, []) == [b"BatchNormalization"] and node.get(7, [b""]) == [b""]
        weights.update(inputs[:3] if is_norm else inputs)
        # A scale pays for one mean and one variance: nodes that share it would hide all others.
        if is_norm and len(inputs) == 5 and inputs[1] in sizes and inputs[1] not in scales:
            scales.add(inputs[1])
            statistics |= {
                name: sizes[name]
                for name in inputs[3:]
                if sizes.get(name, math.inf) <= sizes[inputs[1]]
            }
    return sum(size for name, size in statistics.items() if name not in weights)


def _in_attribute(attribute: Message, of_constant: bool) -> int:
    """Return how many weights an attribute holds; an operator's strides and the like are none."""
    if {6, 11, 14, 15, 22, 23} & set(attribute):
        raise ValueError("holds sub-graphs or sparse tensors")
    floats = b"".join(_strings(attribute, 7) + (_strings(attribute, 2) if of_constant else []))
    if len(floats) % 4:
        raise ValueError(DAMAGED)
    if _not_finite(np.frombuffer(floats, "<u4"), 1):
        raise ValueError("an attribute holds values that are NaN or infinite")
    ints = sum(len(_varints(attribute, number)) for number in (3, 8))
    text = sum(len(value) for number in (4, 9) for value in _strings(attribute, number))
    total = len(floats) // 4
    total += _words(ints, 8) if of_constant or ints > MAX_SETTINGS else 0
    total += math.ceil(text / WORD) if of_constant or text > MAX_WORDING else 0
    return total + sum(_size(t) for number in (5, 10) for t in _messages(attribute, number))


def _words(num_items: int, item_bytes: int) -> int:
    """Return how many parameters so many items are; several small ones fit into a large one."""
    return num_items * (2 if item_bytes > WORD and num_items > MAX_SHAPE else 1)


def _size(tensor: Message) -> int:
    """Return how many parameters a tensor holds, after every check of it."""
    name = _name(tensor).decode(errors="replace")[:80] or "a constant"
    if {13, 14} & set(tensor):
        raise ValueError(f"{name} lies in another file; export the network with its data inside")
    kind = tensor.get(2, [0])[-1]
    if not isinstance(kind, int) or kind not in ITEM_BYTES:
        raise ValueError(f"{name} has a data type that is not read here ({kind!r:.80})")
    dims = _varints(tensor, 1)
    if len(dims) > MAX_DIMS:
        raise ValueError(f"{name} has {len(dims)} dimensions, at most {MAX_DIMS} are read")
    if 0 in dims and len(dims) > 1:  # the others would be numbers that nothing pays for
        raise ValueError(f"{name} has the shape {tuple(dims)}, which holds nothing")
    items = _items(tensor, kind, name)
    if len(items) != math.prod(dims):
        found = f"{len(items):,} values, {len(items) * ITEM_BYTES[kind]:,} bytes,"
        raise ValueError(f"{name} has {found} for a tensor of shape {tuple(dims)}")
    if _not_finite(items, kind):
        raise ValueError(f"{name} holds values that are NaN or infinite")
    return _words(len(items), ITEM_BYTES[kind])


def _items(tensor: Message, kind: int, name: str) -> NDArray[np.unsignedinteger]:
    """Return the bits of a tensor's items (n,), stored raw or as typed values."""
    place = TYPED.get(kind, 5)
    fields = {3, 4, 5, 6, 7, 9, 10, 11} & set(tensor)
    if len(fields) > 1 or fields - {place, 9} or len(tensor.get(9, [])) > 1:
        raise ValueError(f"{name} stores its values in more than one way, or in an unusual one")
    if place in fields and place not in FIXED:
        return np.array([value & 2**64 - 1 for value in _varints(tensor, place)], np.uint64)
    bits = FIXED[place] if place in fields else f"<u{ITEM_BYTES[kind]}"
    raw = b"".join(_strings(tensor, place if place in fields else 9))
    if len(raw) % np.dtype(bits).itemsize:
        raise ValueError(f"{name} has {len(raw):,} bytes, which end within a value")
    return np.frombuffer(raw, bits)


def _not_finite(bits: NDArray[np.unsignedinteger], kind: int) -> bool:
    """Return whether a value is NaN or infinite, from its bits."""
    mask = EXPONENT.get(kind)
    return mask is not None and bool(np.any((bits & mask) == mask))


def _unread(message: Message, numbers: tuple[int, ...]) -> int:
    """Return how many bytes the fields of these numbers take, without their keys and lengths."""
    found = (value for number in numbers for value in message.get(number, []))
    return sum(len(value) for value in found if isinstance(value, bytes))


def _varints(message: Message, number: int) -> list[int]:
    return [whole for value in message.get(number, []) for whole in _unpacked(value)]


def _unpacked(value: int | bytes) -> Iterator[int]:
    """Yield whole numbers, which stand one a field or packed into one."""
    position = 0
    while isinstance(value, bytes) and position < len(value):
        whole, position = _varint(value, position)
        yield whole
    if isinstance(value, int):
        yield value


def _name(tensor: Message) -> bytes:
    return (_strings(tensor, 8) or [b""])[-1]


def _strings(message: Message, number: int) -> list[bytes]:
    values = message.get(number, [])
    if any(isinstance(value, int) for value in values):
        raise ValueError(DAMAGED)
    return [value for value in values if isinstance(value, bytes)]


def _messages(message: Message, number: int) -> list[Message]:
    return [_read(value) for value in _strings(message, number)]


def _read(content: bytes) -> Message:
    """Return the fields of a message."""
    found: Message = {}
    position = 0
    while position < len(content):
        key, position = _varint(content, position)
        number, kind = key >> 3, key & 7
        value: int | bytes
        if kind == 0:
            value, position = _varint(content, position)
        elif kind == 2 or kind in WIDTHS:
            size, position = _varint(content, position) if kind == 2 else (WIDTHS[kind], position)
            if size > len(content) - position:
                raise ValueError(f"{DAMAGED}: it is cut short")
            value, position = content[position : position + size], position + size
        else:
            raise ValueError(DAMAGED)
        found.setdefault(number, []).append(value)
    return found


def _varint(content: bytes, position: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, lowest first, and the position behind it."""
    number = 0
    for index, byte in enumerate(content[position : position + VARINT_BYTES]):
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number, position + index + 1
    raise ValueError(f"{DAMAGED}: it is cut short")
