from datetime import UTC, datetime, timedelta
from pathlib import Path

import fake_island
import pytest

from mlspring.core.score import State
from mlspring.core.spec import Spec
from mlspring.judge.entry import Entry
from mlspring.judge.points import Earned, earned, final_entry, missing_baselines
from mlspring.judge.ranking import Row, board

NOON = datetime(2022, 3, 1, 12, tzinfo=UTC)


def entry(
    number: int, learner: str, public: float | None, private: float = 0.0, **more: object
) -> Entry:
    values = {
        "number": number,
        "homework": "hw99",
        "source": "world",
        "learner": learner,
        "filename": "pred.csv",
        "file": Path("pred.csv"),
        "num_bytes": 1,
        "sha256": "",
        "answers": "",
        "received": NOON + timedelta(minutes=number),
        "state": State.SCORED,
        "public": public,
        "private": None if public is None else private,
    }
    return Entry(**(values | more))


def names(rows: list[Row]) -> list[str]:
    return [row.name for row in rows]


def learners(rows: list[Row]) -> list[tuple[int | None, str]]:
    return [(row.rank, row.name) for row in rows if row.kind == "learner"]


def test_lines_stand_between_the_learners(spec: Spec) -> None:
    rows = board(spec, [entry(1, "ann", 0.6), entry(2, "bob", 0.8)], source="world")
    assert names(rows) == [
        "baseline: boss",
        "bob",
        "baseline: strong",
        "ann",
        "baseline: medium",
        "baseline: simple",
    ]
    assert [row.rank for row in rows] == [None, 1, None, 2, None, None]


def test_meeting_a_line_exactly_stands_above_it(spec: Spec) -> None:
    rows = board(spec, [entry(1, "ann", 0.75)], source="world")
    assert names(rows)[:3] == ["baseline: boss", "ann", "baseline: strong"]
    assert rows[1].level == "strong"


def test_lower_is_better_turns_the_board_round(tmp_path: Path) -> None:
    baselines = '[world]\norigin = "x"\npublic = {simple = 2.0, boss = 1.0}\nprivate = {}\n'
    spec = fake_island.make_spec(tmp_path, higher_is_better=False, baselines=baselines)
    entries = [entry(1, "ann", 0.9), entry(2, "ann", 5.0), entry(3, "bob", 1.5)]
    rows = board(spec, entries, source="world")
    assert names(rows) == ["ann", "baseline: boss", "bob", "baseline: simple"]
    assert (rows[0].public, rows[0].num_submissions, rows[0].number) == (0.9, 2, 1)


def test_equal_scores_share_a_rank_and_the_earlier_stands_above(spec: Spec) -> None:
    entries = [
        entry(1, "late", 0.1),
        entry(2, "first", 0.6),
        entry(3, "second", 0.6),
        entry(4, "late", 0.6),
        entry(5, "last", 0.5),
    ]
    rows = board(spec, entries, source="world")
    assert learners(rows) == [(1, "first"), (1, "second"), (1, "late"), (4, "last")]


def test_ties_are_decided_by_the_full_value_not_the_shown_one(spec: Spec) -> None:
    a, b = 0.6, 0.6 + 1e-9
    assert spec.metric.show(a) == spec.metric.show(b)
    rows = board(spec, [entry(1, "ann", a), entry(2, "bob", b)], source="world")
    assert learners(rows) == [(1, "bob"), (2, "ann")]


def test_repeating_ones_best_score_does_not_lose_the_earlier_time(spec: Spec) -> None:
    rows = board(spec, [entry(1, "ann", 0.6), entry(2, "ann", 0.6)], source="world")
    row = next(row for row in rows if row.kind == "learner")
    assert (row.number, row.received) == (1, NOON + timedelta(minutes=1))


def test_world_and_official_are_different_boards(spec: Spec) -> None:
    entries = [entry(1, "ann", 0.6), entry(2, "bob", 0.8, source="official")]
    assert learners(board(spec, entries, source="world")) == [(1, "ann")]
    assert names(board(spec, entries, source="official")) == [
        "baseline: boss",
        "bob",
        "baseline: simple",
    ]


def test_only_scored_submissions_of_this_homework_are_ranked(spec: Spec) -> None:
    entries = [entry(1, "ann", None, state=State.REJECTED), entry(2, "bob", 0.9, homework="hw01")]
    assert learners(board(spec, entries, source="world")) == []


def test_the_private_board_orders_by_the_finals(spec: Spec) -> None:
    entries = [
        entry(1, "ann", 0.9, 0.3),
        entry(2, "ann", 0.5, 0.6, final=True),
        entry(3, "bob", 0.6, 0.5),
        entry(4, "bob", 0.4, 1.0),  # better, but not chosen and not the best public one
    ]
    rows = board(spec, entries, source="world", private=True)
    assert names(rows) == [
        "baseline: boss",
        "baseline: strong",
        "ann",
        "bob",
        "baseline: medium",
        "baseline: simple",
    ]
    ann = next(row for row in rows if row.name == "ann")
    assert (ann.public, ann.private, ann.number, ann.level) == (0.9, 0.6, 2, "medium")
    assert ann.points == Earned(public=1.5, private=1.0)


def test_the_public_board_keeps_private_scores_unless_told(spec: Spec) -> None:
    entries = [entry(1, "ann", 0.6, 0.9)]
    closed = board(spec, entries, source="world")
    opened = board(spec, entries, source="world", show_private=True)
    assert {row.private for row in closed} == {None}
    assert next(row for row in closed if row.name == "ann").points.private is None
    assert next(row for row in opened if row.name == "ann").private == 0.9


def test_a_level_without_a_private_line_has_no_row_on_the_private_board(spec: Spec) -> None:
    rows = board(
        spec, [entry(1, "a", 0.9, 0.9, source="official")], source="official", private=True
    )
    assert names(rows) == ["a"]
    assert (rows[0].level, rows[0].points.private, rows[0].points.public) == (None, None, 2.0)


def test_finals_are_the_best_private_of_the_chosen(spec: Spec) -> None:
    entries = [
        entry(1, "ann", 0.9, 0.2, final=True),
        entry(2, "ann", 0.1, 0.4, final=True),
        entry(3, "ann", 0.8, 0.9),
    ]
    final = final_entry(spec, entries)
    assert final is not None and final.number == 2


def test_a_private_score_of_zero_is_a_score(tmp_path: Path) -> None:
    spec = fake_island.make_spec(tmp_path, higher_is_better=False)
    entries = [entry(1, "ann", 0.9, 0.0, final=True), entry(2, "ann", 0.1, 0.4, final=True)]
    final = final_entry(spec, entries)
    assert final is not None and final.number == 1


def test_without_a_choice_the_best_public_one_counts(spec: Spec) -> None:
    final = final_entry(spec, [entry(1, "ann", 0.9, 0.2), entry(2, "ann", 0.1, 0.4)])
    assert final is not None and final.number == 1
    assert final_entry(spec, []) is None


@pytest.mark.parametrize(
    ("public", "private", "expected", "total"),
    [
        (1.0, 1.0, Earned(public=2.0, private=2.0), 4.0),
        (0.75, 0.5, Earned(public=1.5, private=1.0), 2.5),
        (0.2, 0.1, Earned(public=0.0, private=0.0), 0.0),
        (0.75, None, Earned(public=1.5, private=None), 1.5),
        (None, None, Earned(public=None, private=None), None),
    ],
)
def test_each_level_pays_on_each_part(
    spec: Spec, public: float | None, private: float | None, expected: Earned, total: float | None
) -> None:
    points = earned(spec, public, private, "world")
    assert (points, points.total) == (expected, total)


def test_no_line_means_no_points_and_it_is_said(spec: Spec) -> None:
    assert earned(spec, 1.0, 1.0, "official") == Earned(public=2.0, private=None)
    assert missing_baselines(spec, "official") == [
        "no private baseline is known for official data, so no private points"
    ]
    assert earned(spec, 1.0, 1.0, "mine").total is None
    assert len(missing_baselines(spec, "mine")) == 2
    assert missing_baselines(spec, "world") == []
