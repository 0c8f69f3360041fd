"""The rules of a board: how many a day, which day it is, how many finals, who sees what."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mlspring.core.errors import InternalError, RuleError, UserError
from mlspring.core.score import State
from mlspring.core.spec import Spec

COUNTED = (State.RECEIVED, State.SCORED)
"""States that use up the quota: being judged, and scored. A rejected file costs nothing, and
neither does one that failed, which is never the learner's fault."""

REJECTED_FOR_EACH = 2
"""Rejected files that are free, for each place of the quota; more a day look like no mistake."""

COURSE_TIME_ZONE = "Asia/Taipei"


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What a board allows; two policies are ready, `SELF_STUDY` and `course`.

    Args:
        quota: submissions a day and homework, None for as many as one likes.
        time_zone: whose midnight starts the day.
        finals: how many submissions may be chosen for the private board; None: as the spec says.
        private_visible: whether private scores and the private board are shown.
        isolated: judge every file in a process of its own; otherwise only the kinds that are no
            text (images, actions), and text in this process, which saves its start.
        time_limit: seconds that judging may take in a process of its own.
    """

    quota: int | None = None
    time_zone: str = COURSE_TIME_ZONE
    finals: int | None = None
    private_visible: bool = False
    isolated: bool = True
    time_limit: float = 300.0

    def __post_init__(self) -> None:
        """Refuse rules that cannot be followed.

        Raises:
            RuleError: a negative number, no time to judge, or an unknown time zone.
        """
        if self.quota is not None and self.quota < 0:
            raise RuleError(f"a quota of {self.quota} a day", expected="0 or more")
        if self.finals is not None and self.finals < 0:
            raise RuleError(f"{self.finals} finals", expected="0 or more")
        if not self.time_limit > 0:
            raise RuleError(f"a time limit of {self.time_limit} s", expected="more than 0")
        try:
            ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise RuleError(
                f"there is no time zone {self.time_zone!r}", fix="write it like Asia/Taipei"
            ) from error

    def day(self, now: datetime) -> tuple[datetime, datetime]:
        """Return start and end, in UTC, of the board's day that ``now`` falls into."""
        if now.tzinfo is None:
            raise InternalError(f"the clock gave {now}, which has no time zone")
        zone = ZoneInfo(self.time_zone)
        today = now.astimezone(zone).date()
        # Two midnights, not midnight plus 24 hours: a day is 23 or 25 h long when clocks change.
        start = datetime.combine(today, time(), zone)
        end = datetime.combine(today + timedelta(days=1), time(), zone)
        return start.astimezone(UTC), end.astimezone(UTC)

    def left(self, num_used: int) -> int | None:
        """Return how many more are allowed on a day that has used ``num_used``; None: no end."""
        return None if self.quota is None else max(0, self.quota - num_used)

    def admit(self, num_used: int, now: datetime, *, num_rejected: int = 0) -> None:
        """Let one more submission in.

        Raises:
            RuleError: the day's quota is used up, or too many files were rejected on this day;
                says when the next one is possible.
        """
        if self.quota == 0:
            raise RuleError("this board takes no submissions")
        found = f"all {self.quota} submissions of this day are used"
        if self.left(num_used) != 0:
            if self.quota is None or num_rejected < REJECTED_FOR_EACH * self.quota:
                return
            found = f"{num_rejected} files were rejected on this day, which is the limit"
        _, end = self.day(now)
        wait = end - now.astimezone(UTC)
        hours, minutes = divmod(-(-int(wait.total_seconds()) // 60), 60)
        midnight = end.astimezone(ZoneInfo(self.time_zone))
        fix = (
            f"the next one is possible at {midnight:%Y-%m-%d %H:%M} {self.time_zone}, "
            f"in {hours} h {minutes} min; mlspring validate costs nothing"
        )
        raise RuleError(found, fix=fix)

    def num_finals(self, spec: Spec) -> int:
        """Return how many submissions a learner may choose for the private board."""
        return spec.finals if self.finals is None else self.finals


SELF_STUDY = Rules(private_visible=True, isolated=False)
"""No quota; private scores on request; text files are judged in the same process."""

Policy = Literal["self-study", "course"]


def course(spec: Spec, *, time_zone: str = COURSE_TIME_ZONE) -> Rules:
    """Return the course's rules: the spec's quota (5 a day), the private board closed."""
    return Rules(quota=spec.quota, time_zone=time_zone, finals=spec.finals)


def policy(name: str, spec: Spec) -> Rules:
    """Return the rules called ``self-study`` or ``course``.

    Raises:
        UserError: there are no such rules.
    """
    match name:
        case "self-study":
            return SELF_STUDY
        case "course":
            return course(spec)
        case _:
            raise UserError(f"no rules {name!r}", expected="self-study or course")
