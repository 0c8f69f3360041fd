"""The file handed in: what was done in the judge's episodes, the policy that did it, or both.

    submission.safetensors   ``actions`` uint8 (total,), ``lengths`` int64 (5,): the five lists, one
                             after the other; ``layers.0.weight``, ``layers.0.bias`` ..: the policy
    Action_List.npy          the lists alone, as the course's notebook writes them
    *.json                   the lists alone, {"actions": [[2, 0, 3, ...], ...]}

The name of the file does not matter. The metadata of a safetensors file tell the policy's network,
``{"metadata": '{"architecture": "perceptron", "activation": "tanh"}'}``, and what it was made with.
Nothing is built, run or unpickled.
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
from mlspring.core.pickled_arrays import MAGIC
from mlspring.core.texts import count, read_bytes
from mlspring.homeworks.hw12_lander.spec import SPEC
from mlspring.worlds.lander import action_lists
from mlspring.worlds.lander.environment import NUM_OBSERVED, Actions, versions
from mlspring.worlds.lander.policy import ARCHITECTURE, Policy, from_tensors

EXAMPLE = f'{{"architecture": "{ARCHITECTURE}", "activation": "tanh"}}'
MOST_TOLD = 300  # characters of what is wrong


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    """What a submission holds; one of the two at least.

    Args:
        actions: of each episode, int64 (T,) with T of 1 to 1000; None: the policy plays.
        policy: plays any episode; None: there are only lists.
    """

    actions: tuple[Actions, ...] | None
    policy: Policy | None


def write(path: Path, ids: Sequence[str], values: HandedIn) -> None:
    """Write lists and policy, whole or not at all; equal content gives equal bytes."""
    tensors: dict[str, NDArray[Any]] = {}
    metadata = {**versions(), "platform": platform.platform()}
    if values.actions is not None:
        tensors["actions"] = np.concatenate(values.actions).astype(np.uint8)
        tensors["lengths"] = np.array([len(actions) for actions in values.actions])
    if values.policy is not None:
        metadata |= {"architecture": ARCHITECTURE, "activation": values.policy.activation}
        tensors |= {k: np.ascontiguousarray(v) for k, v in values.policy.tensors().items()}
    content = safetensors.numpy.save(tensors, metadata={"metadata": json.dumps(metadata)})
    with atomic_path(path) as partial:
        partial.write_bytes(content)


def read(path: Path, ids: Sequence[str]) -> HandedIn:
    """Return the lists, one for each of ``ids``, and the policy.

    Raises:
        SubmissionError: no such file, of no format above, without lists and policy, another number
            of lists, an action other than 0..3, a list that is empty or too long, or a policy of an
            unknown network or with numbers that are not finite.
    """
    content = read_bytes(path, max_bytes=SPEC.limits.max_bytes, error=SubmissionError)
    try:
        if content[8:9] == b"{" and content[4:8] == bytes(4):  # the length of a header, the header
            return _from_safetensors(content, ids)
        if content.startswith(MAGIC):
            lists = action_lists.from_npy(content, ids)
        else:
            text = content.removeprefix(codecs.BOM_UTF8).lstrip()
            if text[:1] not in (b"{", b"["):
                raise ValueError("is in none of the formats that are read")
            lists = action_lists.from_json(text)
        return HandedIn(actions=action_lists.checked(lists, ids), policy=None)
    except (ValueError, RecursionError) as error:
        expected = "action lists (.npy, .json), or a policy, or both (.safetensors)"
        fix = f"mlspring run {SPEC.id} writes one to compare with"
        found = str(error)[:MOST_TOLD]  # a library may tell all it read
        raise SubmissionError(found, file=path, expected=expected, fix=fix) from error


def describe(values: HandedIn) -> str:
    """Return what a submission holds, as words: ``a policy 8-64-4 (tanh), no action lists``.

    Whether each list ends where its episode does is only known when it is played: by the score.
    """
    policy = ""
    if values.policy is not None:
        units = [NUM_OBSERVED, *(len(bias) for bias in values.policy.biases)]
        policy = f"a policy {'-'.join(map(str, units))} ({values.policy.activation})"
    if values.actions is None:
        return f"{policy}, no action lists"
    both = count(len(values.actions), "action list") + (f" and {policy}" if policy else "")
    return f"{both}; of lists only the format was checked: mlspring score {SPEC.id} plays them"


def _from_safetensors(content: bytes, ids: Sequence[str]) -> HandedIn:
    try:
        tensors = safetensors.numpy.load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    except (safetensors.SafetensorError, KeyError, TypeError) as error:
        raise ValueError(f"cannot be read as safetensors ({error})") from error
    lists = policy = None
    if "actions" in tensors or "lengths" in tensors:
        actions, lengths = tensors.pop("actions", None), tensors.pop("lengths", None)
        lists = action_lists.checked(action_lists.from_tensors(actions, lengths, ids), ids)
    if tensors:
        policy = from_tensors(tensors, _activation(header.get("__metadata__")))
    if lists is None and policy is None:
        raise ValueError("holds neither actions nor a policy")
    return HandedIn(actions=lists, policy=policy)


def _activation(metadata: dict[str, str] | None) -> str:
    """Return the policy's activation; older files have ``facts`` in place of ``metadata``."""
    try:
        known = metadata or {}
        network = json.loads(known.get("metadata") or known.get("facts", ""))
        name, activation = network["architecture"], network["activation"]
    except (ValueError, KeyError, TypeError) as error:
        words = f'does not say which network it is; metadata: {{"metadata": {EXAMPLE!r}}}'
        raise ValueError(words) from error
    if name != ARCHITECTURE:
        raise ValueError(f"has the architecture {str(name)[:40]!r}; the judge plays {ARCHITECTURE}")
    return str(activation)[:40]
