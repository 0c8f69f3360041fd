"""What a learner is told about one submission, and nothing that the rules keep closed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from mlspring.core.foreign_text import shown, shown_lines
from mlspring.core.score import State
from mlspring.core.spec import Spec
from mlspring.judge.points import Earned, earned
from mlspring.judge.records import StoredSubmission
from mlspring.judge.rules import Rules


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a learner learns about one of their submissions.

    Args:
        number: by which it is called, e.g. as a final.
        filename: the learner's own name of the file.
        state: scored, rejected or failed.
        public: the public score; ``private`` only where the rules show it.
        details: what the scorer tells besides, e.g. an interval; of the private part only where
            the rules show it.
        level: highest level reached on the public part.
        points: what these scores earn; a private score that is not shown earns None here.
        message: why there is no score.
        reason: last lines of the trace where judging failed, for whoever keeps the judge; None
            where the rules keep private scores closed, because a trace could tell of answers.
        final: whether it is chosen for the private board.
        num_left: submissions left today, None where the rules set no quota.
    """

    number: int
    homework: str
    source: str
    learner: str
    filename: str
    received: datetime
    state: State
    public: float | None
    private: float | None
    details: Mapping[str, float]
    level: str | None
    points: Earned
    message: str | None
    reason: str | None
    final: bool
    num_left: int | None

    def as_json(self) -> dict[str, Any]:
        """Return plain values: strings, numbers, None."""
        points = {**asdict(self.points), "total": self.points.total}
        return {
            **asdict(self),
            "details": dict(self.details),
            "received": self.received.isoformat(),
            "state": self.state.value,
            "points": points,
        }


def receipt_of(spec: Spec, stored: StoredSubmission, rules: Rules, num_used: int) -> Receipt:
    """Return the receipt of a stored submission on a day that has used ``num_used`` of its quota.

    The private score, and the points it earns, are left out where the rules keep them closed.
    """
    is_open = rules.private_visible
    private = stored.private if is_open else None
    return Receipt(
        number=stored.number,
        homework=stored.homework,
        source=stored.source,
        learner=stored.learner,
        filename=shown(stored.filename),
        received=stored.received,
        state=stored.state,
        public=stored.public,
        private=private,
        details={
            name: value
            for name, value in stored.details.items()
            if is_open or not name.startswith("private")
        },
        level=spec.level_reached(stored.public, stored.source),
        points=earned(spec, stored.public, private, stored.source),
        message=stored.message and shown_lines(stored.message),
        reason=stored.reason and shown_lines(stored.reason) if is_open else None,
        final=stored.final,
        num_left=rules.left(num_used),
    )
