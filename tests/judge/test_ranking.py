import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fake_island
import pytest

from mlspring.core.errors import UserError
from mlspring.core.score import State
from mlspring.core.spec import Spec
from mlspring.judge import boards
from mlspring.judge.names import name_key
from mlspring.judge.points import Earned, earned, missing_baselines
from mlspring.judge.ranking import Row
from mlspring.judge.store import Store
from mlspring.judge.tables import Learner, Submission

NOON = datetime(2022, 3, 1, 12, tzinfo=UTC)


def scored(
    number: int, learner: str, public: float | None, private: float = 0.0, **more: object
) -> dict[str, object]:
    """Return the values of a row of the store; the learner's name stands for the learner."""
    values = {
        "id": number,
        "homework": "hw99",
        "source": "world",
        "learner": learner,
        "filename": "pred.csv",
        "file": f"hw99/{number}/pred.csv",
        "num_bytes": 1,
        "sha256": "",
        "answers": "",
        "received": NOON + timedelta(minutes=number),
        "state": State.SCORED,
        "public": public,
        "private": None if public is None else private,
    }
    return values | more


def board(
    spec: Spec,
    rows: list[dict[str, object]],
    *,
    source: str = "world",
    private: bool = False,
    **how: object,
) -> list[Row]:
    """Return the rows of the board of a store that holds just these submissions."""
    store = Store.open()
    with store.writing() as session:
        session.query(Submission).delete()
        session.query(Learner).delete()
        learners: dict[str, Learner] = {}
        for row in rows:
            name = str(row["learner"])
            if name not in learners:
                learners[name] = Learner(name=name, key=name_key(name), joined=NOON)
            session.add(Submission(**row | {"learner": learners[name]}))
    return list(boards.board(store, spec, source=source, private=private, **how).rows)


def names(rows: list[Row]) -> list[str]:
    return [row.name for row in rows]


def learners(rows: list[Row]) -> list[tuple[int | None, str]]:
    return [(row.rank, row.name) for row in rows if row.kind == "learner"]


def test_lines_stand_between_the_learners(spec: Spec) -> None:
    rows = board(spec, [scored(1, "ann", 0.6), scored(2, "bob", 0.8)], source="world")
    assert names(rows) == [
        "baseline: boss",
        "bob",
        "baseline: strong",
        "ann",
        "baseline: medium",
        "baseline: simple",
    ]
    assert [row.rank for row in rows] == [None, 1, None, 2, None, None]
    assert [row.num_submissions for row in rows] == [0, 1, 0, 1, 0, 0], (
        "nobody handed in a baseline"
    )


def test_meeting_a_line_exactly_stands_above_it(spec: Spec) -> None:
    rows = board(spec, [scored(1, "ann", 0.75)], source="world")
    assert names(rows)[:3] == ["baseline: boss", "ann", "baseline: strong"]
    assert rows[1].level == "strong"


def test_lower_is_better_turns_the_board_round(tmp_path: Path) -> None:
    baselines = '[world]\norigin = "x"\npublic = {simple = 2.0, boss = 1.0}\nprivate = {}\n'
    spec = fake_island.make_spec(tmp_path, higher_is_better=False, baselines=baselines)
    given = [scored(1, "ann", 0.9), scored(2, "ann", 5.0), scored(3, "bob", 1.5)]
    rows = board(spec, given, source="world")
    assert names(rows) == ["ann", "baseline: boss", "bob", "baseline: simple"]
    assert (rows[0].public, rows[0].num_submissions, rows[0].number) == (0.9, 2, 1)
    assert boards.best_public(Store.open_for_reading(), spec, "ann") == 0.9


def test_equal_scores_share_a_rank_and_the_earlier_stands_above(spec: Spec) -> None:
    given = [
        scored(1, "late", 0.1),
        scored(2, "first", 0.6),
        scored(3, "second", 0.6),
        scored(4, "late", 0.6),
        scored(5, "last", 0.5),
    ]
    rows = board(spec, given, source="world")
    assert learners(rows) == [(1, "first"), (1, "second"), (1, "late"), (4, "last")]


def test_ties_are_decided_by_the_full_value_not_the_shown_one(spec: Spec) -> None:
    a, b = 0.6, 0.6 + 1e-9
    assert spec.metric.show(a) == spec.metric.show(b)
    rows = board(spec, [scored(1, "ann", a), scored(2, "bob", b)], source="world")
    assert learners(rows) == [(1, "bob"), (2, "ann")]


def test_repeating_ones_best_score_does_not_lose_the_earlier_time(spec: Spec) -> None:
    rows = board(spec, [scored(1, "ann", 0.6), scored(2, "ann", 0.6)], source="world")
    row = next(row for row in rows if row.kind == "learner")
    assert (row.number, row.received) == (1, NOON + timedelta(minutes=1))


def test_world_and_official_are_different_boards(spec: Spec) -> None:
    given = [scored(1, "ann", 0.6), scored(2, "bob", 0.8, source="official")]
    assert learners(board(spec, given, source="world")) == [(1, "ann")]
    assert names(board(spec, given, source="official")) == [
        "baseline: boss",
        "bob",
        "baseline: simple",
    ]


def test_only_scored_submissions_of_this_homework_are_ranked(spec: Spec) -> None:
    given = [scored(1, "ann", None, state=State.REJECTED), scored(2, "bob", 0.9, homework="hw01")]
    assert learners(board(spec, given, source="world")) == []


def test_the_private_board_orders_by_the_finals(spec: Spec) -> None:
    given = [
        scored(1, "ann", 0.9, 0.3),
        scored(2, "ann", 0.5, 0.6, final=True),
        scored(3, "bob", 0.6, 0.5),
        scored(4, "bob", 0.4, 1.0),  # better, but not chosen and not the best public one
    ]
    rows = board(spec, given, source="world", private=True)
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


def test_the_public_board_keeps_private_scores_to_itself(spec: Spec) -> None:
    rows = board(spec, [scored(1, "ann", 0.6, 0.9)], source="world")
    assert {row.private for row in rows} == {None}
    assert next(row for row in rows if row.name == "ann").points.private is None


def test_a_level_without_a_private_line_has_no_row_on_the_private_board(spec: Spec) -> None:
    rows = board(
        spec, [scored(1, "a", 0.9, 0.9, source="official")], source="official", private=True
    )
    assert names(rows) == ["a"]
    assert (rows[0].level, rows[0].points.private, rows[0].points.public) == (None, None, 2.0)


def final(spec: Spec, given: list[dict[str, object]]) -> int | None:
    """Return the number of the submission behind the only learner's private score."""
    rows = board(spec, given, private=True)
    (number,) = [row.number for row in rows if row.kind == "learner"]
    return number


def test_finals_are_the_best_private_of_the_chosen(spec: Spec) -> None:
    given = [
        scored(1, "ann", 0.9, 0.2, final=True),
        scored(2, "ann", 0.1, 0.4, final=True),
        scored(3, "ann", 0.8, 0.9),
    ]
    assert final(spec, given) == 2


def test_a_private_score_of_zero_is_a_score(tmp_path: Path) -> None:
    spec = fake_island.make_spec(tmp_path, higher_is_better=False)
    given = [scored(1, "ann", 0.9, 0.0, final=True), scored(2, "ann", 0.1, 0.4, final=True)]
    assert final(spec, given) == 1


def test_without_a_choice_the_best_public_one_counts(spec: Spec) -> None:
    assert final(spec, [scored(1, "ann", 0.9, 0.2), scored(2, "ann", 0.1, 0.4)]) == 1


def test_of_equal_scores_the_one_that_came_in_first_counts(spec: Spec) -> None:
    # Numbers say in which order rows were written; a clock may have said something else.
    early = {"received": NOON - timedelta(hours=1)}
    given = [scored(1, "ann", 0.6), scored(2, "ann", 0.6, **early), scored(3, "bob", 0.6)]
    rows = [row for row in board(spec, given) if row.kind == "learner"]
    assert [(row.name, row.number) for row in rows] == [("ann", 2), ("bob", 3)]
    chosen = [dict(row, final=True, private=0.5) for row in given[:2]]
    assert final(spec, chosen) == 2


def test_a_page_of_a_board_and_ones_own_row_below(
    spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boards, "PAGE", 3)
    scores = [1.0, 0.9, 0.9, 0.9, 0.6, 0.3, 0.1]
    board(spec, [scored(i, f"learner {i}", score) for i, score in enumerate(scores, start=1)])
    store = Store.open_for_reading()
    pages = [boards.board(store, spec, page=number, me="learner 5") for number in (1, 2, 3)]
    assert [learners(list(page.rows)) for page in pages] == [
        [(1, "learner 1"), (2, "learner 2"), (2, "learner 3")],
        [(2, "learner 4"), (5, "learner 5"), (6, "learner 6")],
        [(7, "learner 7")],
    ]
    # Every baseline stands on one page: all together are the whole board.
    together = [row.name for page in pages for row in page.rows]
    monkeypatch.setattr(boards, "PAGE", 100)
    assert together == names(list(boards.board(store, spec).rows))
    assert [page.own and page.own.rank for page in pages] == [5, None, 5]
    assert {(page.num_pages, page.num_learners) for page in pages} == {(3, 7)}
    monkeypatch.setattr(boards, "PAGE", 7)
    full = boards.board(store, spec)  # exactly one page: the baselines below all stand on it
    assert (full.num_pages, names(list(full.rows))) == (1, together)
    for number in (0, 2, 10**30):
        with pytest.raises(UserError, match="there is no page"):
            boards.board(store, spec, page=number)


def test_ones_own_row_is_that_of_the_board_asked_for(
    spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = [scored(1, "ann", 0.9, 0.1), scored(2, "bob", 0.8, 0.7), scored(3, "eve", 0.7, 0.6)]
    board(spec, given)
    monkeypatch.setattr(boards, "PAGE", 1)
    store = Store.open_for_reading()
    public = boards.board(store, spec, me="bob").own
    private = boards.board(store, spec, private=True, me="ann").own
    assert public is not None and private is not None
    assert (public.rank, public.private) == (2, None)
    assert (private.rank, private.private) == (3, 0.1)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("higher", [True, False])
def test_any_board_is_ordered_as_by_hand(tmp_path: Path, seed: int, higher: bool) -> None:
    spec = fake_island.make_spec(tmp_path, higher_is_better=higher, baselines="")
    draw = random.Random(seed)
    given = [
        scored(
            number,
            draw.choice("abcdefgh"),
            draw.randrange(5) / 4,
            draw.randrange(5) / 4,
            final=draw.random() < 0.3,
            received=NOON + timedelta(minutes=draw.randrange(4)),
        )
        for number in range(1, draw.randrange(2, 40))
    ]
    for private in (False, True):
        rows = board(spec, given, private=private)
        assert [(row.rank, row.name, row.number) for row in rows] == by_hand(given, private, higher)


def by_hand(
    given: list[dict[str, object]], private: bool, higher: bool
) -> list[tuple[int, str, int]]:
    """Return rank, name and number of every learner, from the words of the rules alone."""

    def order(row: dict[str, object], part: str) -> tuple[object, ...]:
        score = float(str(row[part]))
        return (-score if higher else score, row["received"], row["id"])

    counting = []
    for name in {str(row["learner"]) for row in given}:
        mine = [row for row in given if row["learner"] == name]
        finals = [row for row in mine if row["final"]]
        if private and finals:
            counting.append(min(finals, key=lambda row: order(row, "private")))
        else:
            counting.append(min(mine, key=lambda row: order(row, "public")))
    part = "private" if private else "public"
    counting.sort(key=lambda row: order(row, part))
    places = [order(row, part)[0] for row in counting]
    return [
        (places.index(place) + 1, str(row["learner"]), int(str(row["id"])))
        for place, row in zip(places, counting, strict=True)
    ]


@pytest.mark.parametrize(
    ("public", "private", "expected", "total"),
    [
        (0.1, 0.25, Earned(public=0.0, private=0.5), 0.5),
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
