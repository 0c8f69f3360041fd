from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from mlspring import catalog
from mlspring.core.errors import InternalError, RuleError, UserError
from mlspring.core.score import State
from mlspring.judge.rules import COUNTED, SELF_STUDY, Rules, course, policy

HW03 = catalog.find("hw03")


def test_the_day_starts_at_midnight_in_taipei() -> None:
    rules = course(HW03)
    before, after = (
        datetime(2022, 3, 1, 15, 59, tzinfo=UTC),
        datetime(2022, 3, 1, 16, 0, tzinfo=UTC),
    )
    start = datetime(2022, 3, 1, 16, 0, tzinfo=UTC)
    assert rules.day(before) == (start - timedelta(days=1), start)
    assert rules.day(after) == (start, start + timedelta(days=1))


def test_the_day_is_the_same_whatever_zone_the_clock_speaks() -> None:
    utc = datetime(2022, 3, 1, 18, 0, tzinfo=UTC)
    assert course(HW03).day(utc) == course(HW03).day(utc.astimezone(ZoneInfo("America/New_York")))


def test_another_time_zone_moves_midnight() -> None:
    now = datetime(2022, 3, 1, 18, 0, tzinfo=UTC)
    start, end = course(HW03, time_zone="UTC").day(now)
    assert (start.isoformat(), end.isoformat()) == (
        "2022-03-01T00:00:00+00:00",
        "2022-03-02T00:00:00+00:00",
    )


def test_a_day_on_which_clocks_change_is_23_hours_long() -> None:
    start, end = Rules(time_zone="Europe/Berlin").day(datetime(2022, 3, 27, 12, tzinfo=UTC))
    assert end - start == timedelta(hours=23)


def test_a_clock_without_zone_is_our_fault() -> None:
    with pytest.raises(InternalError, match="no time zone"):
        SELF_STUDY.day(datetime(2022, 3, 1))


def test_the_sixth_of_a_day_is_told_when_the_next_is_possible() -> None:
    now = datetime(2022, 3, 1, 12, 47, 30, tzinfo=UTC)  # 20:47:30 in Taipei
    course(HW03).admit(4, now)
    with pytest.raises(RuleError) as caught:
        course(HW03).admit(5, now)
    assert str(caught.value) == (
        "all 5 submissions of this day are used\n"
        "  -> the next one is possible at 2022-03-02 00:00 Asia/Taipei, in 3 h 13 min; "
        "mlspring validate costs nothing"
    )


def test_self_study_never_ends() -> None:
    SELF_STUDY.admit(10**6, datetime.now(UTC))
    assert SELF_STUDY.left(10**6) is None


def test_a_quota_of_zero_closes_the_board() -> None:
    with pytest.raises(RuleError, match="takes no submissions"):
        Rules(quota=0).admit(0, datetime.now(UTC))


def test_what_counts_is_scored_or_being_judged() -> None:
    assert set(COUNTED) == {State.SCORED, State.RECEIVED}


def test_the_course_takes_its_numbers_from_the_spec() -> None:
    rules = course(replace(HW03, quota=3, finals=1))
    assert (rules.quota, rules.num_finals(HW03), rules.private_visible) == (3, 1, False)
    assert rules.time_zone == "Asia/Taipei"
    assert SELF_STUDY.num_finals(replace(HW03, finals=1)) == 1


def test_policies_by_name() -> None:
    assert policy("self-study", HW03) is SELF_STUDY
    assert policy("course", HW03) == course(HW03)
    with pytest.raises(UserError, match="expected self-study or course"):
        policy("kaggle", HW03)


@pytest.mark.parametrize(
    "wrong",
    [
        {"time_zone": "Asia/Taibei"},
        {"time_zone": "../etc/passwd"},
        {"time_zone": ""},
        {"quota": -1},
        {"finals": -1},
        {"time_limit": 0.0},
    ],
)
def test_rules_that_cannot_be_followed_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(RuleError):
        Rules(**wrong)


def test_what_is_left_is_never_negative() -> None:
    assert [Rules(quota=3).left(used) for used in (0, 3, 4)] == [3, 0, 0]
    with pytest.raises(RuleError, match="are used"):
        Rules(quota=3).admit(4, datetime.now(UTC))


def test_a_board_may_have_no_finals() -> None:
    assert Rules(finals=0).num_finals(HW03) == 0
