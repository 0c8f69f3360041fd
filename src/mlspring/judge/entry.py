"""The records that travel between store, worker, ranking and service; plain values, no SQL."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from mlspring.core.errors import UserError
from mlspring.core.score import Score, State

BASELINE_PREFIX = "baseline: "
LONGEST_NAME = 64


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A submission as it comes in, its file already copied into the store.

    Args:
        homework: ``hw01`` .. ``hw15``.
        source: whose answers judge it, ``world`` or ``official``; each is a board of its own.
        learner: the name under which it appears on the board.
        filename: what the learner called the file, for messages only.
        file: where the copy lies, relative to the store's folder of files.
        num_bytes: size of the file; ``sha256`` its content.
        answers: SHA-256 of the answers; scores are comparable only under the same answers.
        received: when it came in, with a time zone.
    """

    homework: str
    source: str
    learner: str
    filename: str
    file: str
    num_bytes: int
    sha256: str
    answers: str
    received: datetime


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How judging ended.

    Args:
        state: scored, rejected or failed.
        score: where it was scored.
        message: a sentence for the learner, where it was not.
        reason: last lines of the trace of a failure, for whoever keeps the judge.
        seconds: how long judging took.
    """

    state: State
    score: Score | None = None
    message: str | None = None
    reason: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A submission in the store; ``number`` is what people call it by, ``file`` its content."""

    number: int
    homework: str
    source: str
    learner: str
    filename: str
    file: Path
    num_bytes: int
    sha256: str
    answers: str
    received: datetime
    state: State
    public: float | None = None
    private: float | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    message: str | None = None
    reason: str | None = None
    seconds: float = 0.0
    num_attempts: int = 1
    final: bool = False


def learner_name(name: str) -> str:
    """Return the name as the board shows it: composed characters, single spaces.

    Raises:
        UserError: empty, too long, not printable, or a name that the board's baselines use.
    """
    clean = " ".join(unicodedata.normalize("NFC", name).split())
    fix = "choose another name, e.g. --as ann"
    if not clean:
        raise UserError("the learner's name is empty", fix=fix)
    if len(clean) > LONGEST_NAME:
        found = f"the learner's name has {len(clean)} characters"
        raise UserError(found, expected=f"at most {LONGEST_NAME}", fix=fix)
    if not clean.isprintable():
        raise UserError("the learner's name has characters that cannot be shown", fix=fix)
    if name_key(clean).startswith(BASELINE_PREFIX.strip()):
        raise UserError(f"{clean!r} would look like a baseline of the board", fix=fix)
    return clean


def name_key(name: str) -> str:
    """Return what two spellings of one name have in common, so that nobody poses as another."""
    return unicodedata.normalize("NFKC", name).casefold()
