"""The parameters in an ONNX file, counted from its bytes; nothing is built, run or imported.

A file is a protobuf message: fields of a number, a kind and a value, some of them messages again.
Only those that can hold numbers are followed; whatever could hide some is refused.

    model      7 graph, 20 training information, 25 functions
    graph      1 nodes, 5 initialisers, 15 sparse initialisers
    node       1 inputs, 4 operator, 5 attributes, 7 domain
    attribute  2 3 4 7 8 9 plain values, 5 10 tensors, 6 11 graphs, 14 15 types, 22 23 sparse
    tensor     1 dims, 2 data type, 3 segment, 4-7 10 11 typed values, 8 name, 9 raw bytes,
               13 14 data in another file

Sources: protobuf's encoding guide; onnx.proto of ONNX 1.x.
"""

import math
from collections.abc import Iterator

import numpy as np

MAX_BYTES = 2_000_000  # 100,000 numbers of 8 bytes and a graph; also bounds the time
MAX_DIMS = 8
VARINT_BYTES = 10
WIDTHS = {1: 8, 5: 4}  # bytes of a value by its kind; 0 is a varint, 2 has its length before it
ITEM_BYTES = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 16: 2}  # by data type
EXPONENT = {1: ("<u4", 0x7F800000), 10: ("<u2", 0x7C00), 11: ("<u8", 0x7FF << 52)}
EXPONENT[16] = ("<u2", 0x7F80)
DAMAGED = "cannot be read as ONNX"

Message = dict[int, list[int | bytes]]  # values by the number of their field


def count_parameters(content: bytes) -> int:
    """Return how many numbers the network of an ONNX file holds.

    Every initialiser and every constant counts, of whatever type; batch norm's running mean and
    variance do not, where no other operator reads them.

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
    weights, statistics, total = set[bytes](), set[bytes](), 0
    for node in _messages(graph, 1):
        operator = node.get(4, [])
        inputs = _strings(node, 1)
        is_norm = operator == [b"BatchNormalization"] and node.get(7, [b""]) == [b""]
        weights.update(inputs[:3] if is_norm else inputs)
        statistics.update(inputs[3:] if is_norm else ())
        total += sum(_in_attribute(a, operator == [b"Constant"]) for a in _messages(node, 5))
    for tensor in _messages(graph, 5):
        size = _size(tensor)
        total += size if _name(tensor) not in statistics - weights else 0
    if total == 0:
        raise ValueError("holds no weights")
    return total


def _in_attribute(attribute: Message, of_constant: bool) -> int:
    """Return how many weights an attribute holds; an operator's strides and the like are none."""
    if {6, 11, 14, 15, 22, 23} & set(attribute):
        raise ValueError("holds sub-graphs or sparse tensors")
    if of_constant and {2, 3, 4, 7, 8, 9} & set(attribute):
        raise ValueError("holds a constant that is no tensor")
    floats = sum(len(value) // 4 for value in _strings(attribute, 7))
    return floats + sum(_size(t) for number in (5, 10) for t in _messages(attribute, number))


def _size(tensor: Message) -> int:
    """Return how many numbers a tensor holds, after every check of them."""
    name = _name(tensor).decode(errors="replace")[:80] or "a constant"
    if {13, 14} & set(tensor):
        raise ValueError(f"{name} lies in another file; export the network with its data inside")
    if {3, 4, 5, 6, 7, 10, 11} & set(tensor) or len(tensor.get(9, [])) > 1:
        raise ValueError(f"{name} is not stored as raw bytes, as torch.onnx.export does")
    kind = tensor.get(2, [0])[-1]
    if not isinstance(kind, int) or kind not in ITEM_BYTES:
        raise ValueError(f"{name} has a data type that is not read here ({kind!r})")
    dims = [dim for value in tensor.get(1, []) for dim in _dims(value)]
    if len(dims) > MAX_DIMS:
        raise ValueError(f"{name} has {len(dims)} dimensions, at most {MAX_DIMS} are read")
    raw = b"".join(_strings(tensor, 9))
    if len(raw) != math.prod(dims) * ITEM_BYTES[kind]:
        raise ValueError(f"{name} has {len(raw):,} bytes for a tensor of shape {tuple(dims)}")
    if kind in EXPONENT:
        bits, mask = EXPONENT[kind]
        if np.any((np.frombuffer(raw, bits) & mask) == mask):
            raise ValueError(f"{name} holds values that are NaN or infinite")
    return math.prod(dims)


def _dims(value: int | bytes) -> Iterator[int]:
    """Yield dimensions, which stand one a field or packed into one."""
    position = 0
    while isinstance(value, bytes) and position < len(value):
        dim, position = _varint(value, position)
        yield dim
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
