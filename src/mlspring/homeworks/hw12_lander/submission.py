"""The file handed in: what was done in the judge's episodes, the policy that did it, or both.

    submission.safetensors   ``actions`` uint8 (total,), ``lengths`` int64 (5,): the five lists, one
                             after the other; ``layers.0.weight``, ``layers.0.bias`` ..: the policy
    *.json                   {"actions": [[2, 0, 3, ...], ...]}: the lists alone
    *.npz                    ``actions`` and ``lengths`` as above, the lists alone
    Action_List.npy          the same as the course's notebook writes it

The name of the file does not matter. The metadata of a safetensors file tell the policy's network,
``{"facts": '{"architecture": "perceptron", "activation": "tanh"}'}``, and what it was made with.
Nothing is built, run or unpickled: ``pickled`` reads the notebook's file, ``policy`` multiplies.
"""

import codecs
import json
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from mlspring.core.errors import SubmissionError
from mlspring.core.files import atomic_path
from mlspring.core.texts import at_most, count, read_bytes, size
from mlspring.homeworks.hw12_lander import arrays, pickled
from mlspring.homeworks.hw12_lander.arrays import demand_count, demand_length
from mlspring.homeworks.hw12_lander.environment import (
    MAX_STEPS,
    NUM_ACTIONS,
    NUM_OBSERVED,
    versions,
)
from mlspring.homeworks.hw12_lander.policy import ARCHITECTURE, Policy, from_tensors
from mlspring.homeworks.hw12_lander.spec import SPEC

EXAMPLE = f'{{"architecture": "{ARCHITECTURE}", "activation": "tanh"}}'
NPY, ZIP = b"\x93NUMPY", b"PK\x03\x04"
MOST_TOLD = 300  # characters of what is wrong
SPARE_BYTES, BYTES_PER_ACTION = 25_000, 64  # of a file of lists; indented JSON takes some 12


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    """What a submission holds; one of the two at least.

    Args:
        actions: a list an episode, int64 (T,) each with T of 1 to 1000; None: the policy plays.
        policy: a network that plays any episode; None: there are only lists.
    """

    actions: tuple[NDArray[np.int64], ...] | None
    policy: Policy | None


def write(path: Path, ids: Sequence[str], values: HandedIn) -> None:
    """Write lists and policy, whole or not at all; equal content gives equal bytes."""
    tensors: dict[str, NDArray[Any]] = {}
    facts = {**versions(), "platform": platform.platform()}
    if values.actions is not None:
        tensors["actions"] = np.concatenate(values.actions).astype(np.uint8)
        tensors["lengths"] = np.array([len(actions) for actions in values.actions])
    if values.policy is not None:
        facts |= {"architecture": ARCHITECTURE, "activation": values.policy.activation}
        tensors |= {k: np.ascontiguousarray(v) for k, v in values.policy.tensors().items()}
    content = safetensors.numpy.save(tensors, metadata={"facts": json.dumps(facts)})
    with atomic_path(path) as partial:
        partial.write_bytes(content)


def read(path: Path, ids: Sequence[str]) -> HandedIn:
    """Return the lists, one for each of ``ids``, and the policy.

    Raises:
        SubmissionError: no such file, of no format above, without lists and policy, too large for
            its lists, another number of lists,
            an action other than 0..3, a list that is empty or too long, or a policy of an unknown
            network or with numbers that are not finite.
    """
    content = read_bytes(path, max_bytes=SPEC.limits.max_bytes, error=SubmissionError)
    try:
        if _is_safetensors(content):
            return _from_safetensors(content, ids)
        return HandedIn(actions=_checked(_lists(content, ids), ids), policy=None)
    except (ValueError, RecursionError) as error:
        expected = "action lists (.json, .npz, .npy), or a policy, or both (.safetensors)"
        fix = f"mlspring run {SPEC.id} writes one to compare with"
        found = str(error)[:MOST_TOLD]  # a library may tell all it read
        raise SubmissionError(found, file=path, expected=expected, fix=fix) from error


def describe(values: HandedIn) -> str:
    """Return what a submission holds, as words: ``5 action lists and a policy 8-64-4 (tanh)``."""
    parts = []
    if values.actions is not None:
        parts.append(count(len(values.actions), "action list"))
    if values.policy is not None:
        units = [NUM_OBSERVED, *(len(bias) for bias in values.policy.biases)]
        shape = "-".join(map(str, units))
        parts.append(f"a policy {shape} ({values.policy.activation})")
    return " and ".join(parts) + ("" if values.actions is not None else ", no action lists")


def _is_safetensors(content: bytes) -> bool:
    """Return whether a file begins with the length of a header, and the header."""
    return content[8:9] == b"{" and content[4:8] == bytes(4)


def _lists(content: bytes, ids: Sequence[str]) -> list[Any]:
    """Return the lists of a file that holds nothing else."""
    most = SPARE_BYTES + BYTES_PER_ACTION * MAX_STEPS * len(ids)
    text = content.removeprefix(codecs.BOM_UTF8).lstrip()
    is_json = text[:1] in (b"{", b"[")
    if not is_json and not content.startswith((NPY, ZIP)):
        raise ValueError("is in none of the formats that are read")
    if len(content) > most:
        raise ValueError(f"has {size(len(content))}; the lists need {at_most(most)}")
    if content.startswith(NPY):
        return pickled.lists_in(content, ids)
    if is_json:
        return _json_lists(content)
    return _split(*arrays.from_npz(content, len(ids)), ids)


def _json_lists(content: bytes) -> list[Any]:
    try:
        told = json.loads(content)
    except ValueError as error:
        raise ValueError(f"is no JSON ({error})") from error
    lists = told.get("actions") if isinstance(told, dict) else told
    if not isinstance(lists, list):
        raise ValueError('has no "actions"')
    return lists


def _from_safetensors(content: bytes, ids: Sequence[str]) -> HandedIn:
    try:
        entries = dict(safetensors.deserialize(content))
        size = int.from_bytes(content[:8], "little")
        metadata = json.loads(content[8 : 8 + size]).get("__metadata__", {})
    except safetensors.SafetensorError as error:
        raise ValueError(f"cannot be read as safetensors ({error})") from error
    tensors = {name: _array(name, entry) for name, entry in entries.items()}
    lists = None
    if "actions" in tensors or "lengths" in tensors:
        actions, lengths = tensors.pop("actions", None), tensors.pop("lengths", None)
        lists = _checked(_split(actions, lengths, ids), ids)
    policy = from_tensors(tensors, _activation(metadata)) if tensors else None
    if lists is None and policy is None:
        raise ValueError("holds neither actions nor a policy")
    return HandedIn(actions=lists, policy=policy)


DTYPES = {"F32": "<f4", "F64": "<f8", "F16": "<f2", "U8": "u1", "I64": "<i8", "I32": "<i4"}


def _array(name: str, entry: dict[str, Any]) -> NDArray[Any]:
    if entry["dtype"] not in DTYPES:
        raise ValueError(f"{name[:80]!r} is {entry['dtype']}, expected one of {', '.join(DTYPES)}")
    return np.frombuffer(entry["data"], np.dtype(DTYPES[entry["dtype"]])).reshape(entry["shape"])


def _split(
    actions: NDArray[Any] | None, lengths: NDArray[Any] | None, ids: Sequence[str]
) -> list[list[int]]:
    """Return the lists that stand one after the other in ``actions``."""
    if actions is None or lengths is None:
        raise ValueError("has only one of the tensors actions and lengths")
    if actions.ndim != 1 or lengths.ndim != 1 or {actions.dtype.kind, lengths.dtype.kind} - {*"iu"}:
        raise ValueError("actions and lengths are not two rows of whole numbers")
    demand_count(len(lengths), ids)
    sizes = lengths.tolist()
    for name, number in zip(ids, sizes, strict=True):
        demand_length(name, number)
    if sum(sizes) != len(actions):
        raise ValueError(f"has {len(actions):,} actions, but the lengths add up to {sum(sizes):,}")
    return [part.tolist() for part in np.split(actions, np.cumsum(sizes)[:-1])]


def _activation(metadata: dict[str, str]) -> str:
    try:
        told = json.loads(metadata.get("facts", ""))
        name, activation = told["architecture"], told["activation"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"does not say which network it is; metadata facts: {EXAMPLE}") from error
    if name != ARCHITECTURE:
        raise ValueError(f"has the architecture {str(name)[:40]!r}; the judge plays {ARCHITECTURE}")
    return str(activation)[:40]


def _checked(lists: Sequence[Any], ids: Sequence[str]) -> tuple[NDArray[np.int64], ...]:
    """Return the lists as arrays.

    Raises:
        ValueError: not one list an episode, or a list that is empty, too long or holds anything
            but actions; says which and where.
    """
    demand_count(len(lists), ids)
    for name, actions in zip(ids, lists, strict=True):
        if not isinstance(actions, list):
            raise ValueError(f"list {name} is {type(actions).__name__}, expected whole numbers")
        demand_length(name, len(actions))
        for place, action in enumerate(actions, start=1):
            if type(action) is not int or not 0 <= action < NUM_ACTIONS:
                found = repr(action)[:40]
                raise ValueError(f"list {name}, action {place} is {found}, expected 0, 1, 2 or 3")
    return tuple(np.array(actions, dtype=np.int64) for actions in lists)
