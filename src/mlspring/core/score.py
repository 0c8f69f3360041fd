"""What a judged submission is worth, and the three ways a submission can end."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class State(StrEnum):
    """How a submission ends; ``received`` is the only state that does not last."""

    RECEIVED = "received"
    SCORED = "scored"
    REJECTED = "rejected"  # the learner's file: row and reason
    FAILED = "failed"  # our fault: kept, and can be retried


@dataclass(frozen=True, kw_only=True)
class Score:
    """The metric on the public and on the private part of the answers, in the metric's unit."""

    public: float
    private: float
    details: Mapping[str, float] = field(default_factory=dict)
