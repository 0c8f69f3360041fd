"""The records that travel between store, worker, ranking and service; plain values, no SQL."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from mlspring.core.score import Score, State


@dataclass(frozen=True, kw_only=True)
class Upload:
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
class StoredSubmission:
    """A submission in the store.

    Args:
        number: what people call it by.
        file: its content, the stored copy; ``relative`` the same path under the store's files.
        final: whether it is chosen for the private board; of one that is not scored yet, whether
            it will be.
    """

    number: int
    homework: str
    source: str
    learner: str
    filename: str
    file: Path
    relative: str
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


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where one learner stands on a board.

    Args:
        name: the learner's.
        rank: 1 is best; learners with the same full score share it.
        public: best public score.
        private: private score of the final, None on a public board.
        number: the submission behind the score that orders this board.
        received: when that one came in.
        num_submissions: how many of the learner's submissions were scored.
    """

    name: str
    rank: int
    public: float
    private: float | None
    number: int
    received: datetime
    num_submissions: int
