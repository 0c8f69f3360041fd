import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fake_island
import pytest

from mlspring.core.errors import DataError, RuleError, SubmissionError, UserError
from mlspring.core.score import State
from mlspring.core.spec import Spec
from mlspring.judge import service
from mlspring.judge.boards import Board, best_public, board
from mlspring.judge.points import Earned
from mlspring.judge.receipt import Receipt
from mlspring.judge.rules import SELF_STUDY, Rules, course
from mlspring.judge.service import choose_finals, retry, submissions_of, submit
from mlspring.judge.store import Store

NOON = datetime(2022, 3, 1, 4, tzinfo=UTC)  # noon in Taipei
COURSE = Rules(quota=5, isolated=False)


class Desk:
    """Hands in files with so many right rows."""

    def __init__(self, store: Store, spec: Spec, answers: Path, folder: Path) -> None:
        self.store, self.spec, self.answers, self.folder = store, spec, answers, folder

    def hand_in(self, public: int, private: int, learner: str = "ann", **more: object) -> Receipt:
        file = fake_island.write_submission(self.folder / "mine.csv", public, private)
        given: dict[str, object] = {"answers": self.answers, "now": NOON}
        return submit(self.store, self.spec, file, learner, **(given | more))

    def hand_in_broken(self, **more: object) -> Receipt:
        (self.folder / "mine.csv").write_text("id,value\n0,maybe\n")
        given: dict[str, object] = {"answers": self.answers, "now": NOON}
        return submit(self.store, self.spec, self.folder / "mine.csv", "ann", **(given | more))


@pytest.fixture
def desk(store: Store, spec: Spec, answers: Path, tmp_path: Path) -> Desk:
    return Desk(store, spec, answers, tmp_path)


# ---- submit


def test_a_good_file_is_scored_and_kept(desk: Desk) -> None:
    receipt = desk.hand_in(3, 2)
    assert (receipt.number, receipt.state) == (1, State.SCORED)
    assert (receipt.public, receipt.private, receipt.level) == (0.75, 0.5, "strong")
    assert receipt.points == Earned(public=1.5, private=1.0)
    assert (receipt.filename, receipt.num_left, receipt.message) == ("mine.csv", None, None)
    stored = desk.store.submission(1)
    assert stored.file.read_bytes() == (desk.folder / "mine.csv").read_bytes()
    assert json.loads(json.dumps(receipt.as_json()))["points"]["total"] == 2.5


def test_the_courses_rules_judge_in_a_child_and_hide_the_private_score(desk: Desk) -> None:
    receipt = desk.hand_in(3, 2, rules=course(desk.spec))
    assert (receipt.state, receipt.public, receipt.private) == (State.SCORED, 0.75, None)
    assert receipt.points == Earned(public=1.5, private=None)
    assert receipt.num_left == 4
    stored = desk.store.submission(1)
    assert stored.private == 0.5
    assert stored.details["process"] != os.getpid()
    # What the scorer tells of the private part is closed like its score.
    assert receipt.details == {"rows": 8.0, "process": stored.details["process"]}
    assert desk.hand_in(3, 2).details == stored.details | {"process": os.getpid()}


def test_only_text_is_judged_in_this_process_and_only_for_oneself(desk: Desk) -> None:
    assert Rules().isolated and course(desk.spec).isolated and not SELF_STUDY.isolated
    assert desk.hand_in(3, 2, rules=SELF_STUDY).details["process"] == os.getpid()
    desk.spec = replace(desk.spec, submission="archive")
    assert desk.hand_in(3, 2, rules=SELF_STUDY).details["process"] != os.getpid()


def test_a_rejected_file_is_a_receipt_with_row_and_reason(desk: Desk) -> None:
    receipt = desk.hand_in_broken(rules=COURSE)
    assert receipt.state == State.REJECTED
    assert receipt.message == "mine.csv, row 2: '0,maybe'; expected 0 or 1"
    assert (receipt.public, receipt.points.total, receipt.num_left) == (None, None, 5)
    assert desk.store.submission(1).file.read_text() == "id,value\n0,maybe\n"


def test_a_fault_of_ours_is_kept_and_can_be_retried(desk: Desk, tmp_path: Path) -> None:
    broken = fake_island.write_answers(tmp_path / "broken.csv", "raise")
    receipt = desk.hand_in(3, 2, answers=broken, rules=COURSE)
    assert receipt.state == State.FAILED
    assert receipt.message is not None and "KeyError" not in receipt.message
    assert "KeyError: 'a bug in the scorer'" in (desk.store.submission(1).reason or "")
    (mine,) = submissions_of(desk.store, desk.spec, "ann", rules=COURSE, now=NOON)
    assert mine.reason is None, "a trace could tell of the answers"
    (mine,) = submissions_of(desk.store, desk.spec, "ann", rules=SELF_STUDY)
    assert "a bug in the scorer" in (mine.reason or "")
    assert receipt.num_left == 5
    again = retry(desk.store, desk.spec, 1, answers=desk.answers, rules=COURSE, now=NOON)
    assert (again.number, again.state, again.public, again.num_left) == (1, State.SCORED, 0.75, 4)
    stored = desk.store.submission(1)
    assert (stored.received, stored.num_attempts, stored.reason) == (NOON, 2, None)


def test_what_can_be_retried(desk: Desk) -> None:
    desk.hand_in(1, 1)
    with pytest.raises(RuleError, match="submission 1 is scored; expected one that failed"):
        retry(desk.store, desk.spec, 1, answers=desk.answers)
    with pytest.raises(UserError, match="no submission 2"):
        retry(desk.store, desk.spec, 2, answers=desk.answers)


def test_a_retry_without_its_content_says_so(desk: Desk, tmp_path: Path) -> None:
    desk.hand_in(1, 1, answers=fake_island.write_answers(tmp_path / "broken.csv", "raise"))
    desk.store.submission(1).file.unlink()
    with pytest.raises(DataError, match="the content of submission 1 is gone"):
        retry(desk.store, desk.spec, 1, answers=desk.answers)


@pytest.mark.parametrize(("do", "kind"), [("exit", SystemExit), ("interrupt", KeyboardInterrupt)])
def test_an_interruption_leaves_a_failed_one_and_goes_on(
    desk: Desk, tmp_path: Path, do: str, kind: type[BaseException]
) -> None:
    slow = fake_island.write_answers(tmp_path / "slow.csv", do)
    with pytest.raises(kind):
        desk.hand_in(3, 2, answers=slow, rules=COURSE)
    stored = desk.store.submission(1)
    assert (stored.state, stored.reason) == (State.FAILED, f"interrupted by {kind.__name__}")
    again = retry(desk.store, desk.spec, 1, answers=desk.answers, rules=COURSE)
    assert again.state == State.SCORED


def test_received_without_a_living_judge_or_without_content_ends_failed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(desk.store, "finish", lambda *_: (_ for _ in ()).throw(OSError("power cut")))
        for _ in range(2):
            with pytest.raises(OSError, match="power cut"):
                desk.hand_in(1, 1)
    desk.store.submission(2).file.unlink()
    assert [e.state for e in desk.store.submissions()] == [State.RECEIVED] * 2
    store = service.open_store()
    assert [e.state for e in store.submissions()] == [State.FAILED] * 2
    assert service.recover(store) == []


def test_recovering_leaves_alone_what_ended_well_meanwhile(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.hand_in(1, 1)
    stale = replace(desk.store.submission(1), state=State.RECEIVED)
    monkeypatch.setattr(desk.store, "submissions", lambda **_: [stale])
    assert service.recover(desk.store) == []
    assert desk.store.submission(1).state == State.SCORED


def test_nothing_is_stored_of_what_is_not_taken(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "none.csv"
    with pytest.raises(SubmissionError, match="no such file"):
        submit(desk.store, desk.spec, file, "ann", answers=desk.answers)
    with pytest.raises(UserError, match="name"):
        desk.hand_in(1, 1, learner="")
    with pytest.raises(DataError, match="no answers for hw99 on official data"):
        desk.hand_in(1, 1, answers=None, source="official")
    with pytest.raises(DataError, match="no such file of answers"):
        desk.hand_in(1, 1, answers=tmp_path / "none.csv")
    for _ in range(5):
        desk.hand_in(1, 1, rules=COURSE)
    with pytest.raises(RuleError, match="all 5 submissions"):
        desk.hand_in(1, 1, rules=COURSE)
    assert len(desk.store.submissions()) == 5
    assert len(list((desk.store.files / "hw99").iterdir())) == 5


# ---- quota


def test_five_a_day_until_midnight_in_taipei(desk: Desk) -> None:
    late = datetime(2022, 3, 1, 15, 59, 59, tzinfo=UTC)
    left = [desk.hand_in(1, 1, now=late, rules=COURSE).num_left for _ in range(5)]
    assert left == [4, 3, 2, 1, 0]
    with pytest.raises(RuleError, match="2022-03-02 00:00 Asia/Taipei, in 0 h 1 min"):
        desk.hand_in(1, 1, now=late, rules=COURSE)
    assert desk.hand_in(1, 1, now=late + timedelta(seconds=1), rules=COURSE).num_left == 4


def test_midnight_of_utc_changes_nothing_in_taipei(desk: Desk) -> None:
    before = datetime(2022, 3, 1, 23, 59, tzinfo=UTC)
    for _ in range(5):
        desk.hand_in(1, 1, now=before, rules=COURSE)
    with pytest.raises(RuleError):
        desk.hand_in(1, 1, now=before + timedelta(minutes=2), rules=COURSE)
    in_utc = Rules(quota=5, time_zone="UTC", isolated=False)
    assert desk.hand_in(1, 1, now=before + timedelta(minutes=2), rules=in_utc).num_left == 4


def test_a_quota_that_was_lowered_lets_nobody_in(desk: Desk) -> None:
    for _ in range(4):
        desk.hand_in(1, 1, rules=COURSE)
    with pytest.raises(RuleError, match="all 3 submissions"):
        desk.hand_in(1, 1, rules=replace(COURSE, quota=3))


def test_midnight_belongs_to_the_day_that_begins(desk: Desk) -> None:
    midnight = datetime(2022, 3, 1, 16, tzinfo=UTC)  # in Taipei
    desk.hand_in(1, 1, now=midnight, rules=COURSE)
    assert desk.hand_in(1, 1, now=midnight - timedelta(seconds=1), rules=COURSE).num_left == 4
    assert desk.hand_in(1, 1, now=midnight, rules=COURSE).num_left == 3


def test_rejected_files_are_free_but_not_without_end(desk: Desk) -> None:
    for _ in range(10):
        desk.hand_in_broken(rules=COURSE)
    with pytest.raises(RuleError, match=r"10 files were rejected on this day.*\n.*is possible at"):
        desk.hand_in(1, 1, rules=COURSE)
    assert desk.hand_in(1, 1, rules=COURSE, now=NOON + timedelta(days=1)).num_left == 4
    assert desk.hand_in(1, 1, learner="bob", rules=COURSE).num_left == 4
    assert desk.hand_in(1, 1, rules=SELF_STUDY).state == State.SCORED


def test_rejected_files_cost_nothing(desk: Desk) -> None:
    for _ in range(7):
        desk.hand_in_broken(rules=COURSE)
    assert desk.hand_in(1, 1, rules=COURSE).num_left == 4


# ---- finals and board


def test_finals_decide_the_private_board(desk: Desk) -> None:
    desk.hand_in(4, 1)
    desk.hand_in(2, 3)
    desk.hand_in(2, 2)
    assert private_of(desk) == 0.25  # none chosen: the best public one
    chosen = choose_finals(desk.store, desk.spec, "Ann", [2, 3, 2])
    assert [receipt.number for receipt in chosen] == [2, 3]
    assert private_of(desk) == 0.75
    choose_finals(desk.store, desk.spec, "ann", [3])
    assert private_of(desk) == 0.5
    assert choose_finals(desk.store, desk.spec, "ann", []) == []
    assert private_of(desk) == 0.25


def private_of(desk: Desk) -> float | None:
    rows = board(desk.store, desk.spec, private=True).rows
    return next(row.private for row in rows if row.name == "ann")


def test_finals_that_cannot_be_chosen(desk: Desk, tmp_path: Path) -> None:
    for _ in range(3):
        desk.hand_in(1, 1)
    desk.hand_in_broken()
    desk.hand_in(1, 1, learner="bob")
    desk.hand_in(1, 1, source="official")
    choose_finals(desk.store, desk.spec, "ann", [1])
    for numbers, message in {
        (1, 2, 3): "3 finals chosen; expected at most 2",
        (1, 4): "4 is no scored submission of ann in hw99",
        (5,): "expected one of theirs: 1, 2, 3",
        (6,): "6 is no scored submission of ann in hw99 \\(world\\)",
        (7,): "7 is no scored submission",
    }.items():
        with pytest.raises(RuleError, match=message):
            choose_finals(desk.store, desk.spec, "ann", numbers)
    with pytest.raises(RuleError, match="none yet"):
        choose_finals(desk.store, desk.spec, "zoe", [1])
    finals = [r.number for r in submissions_of(desk.store, desk.spec, "ann") if r.final]
    assert finals == [1]  # a refused choice leaves the earlier one


def test_a_final_has_its_place_from_the_moment_it_comes_in(desk: Desk, tmp_path: Path) -> None:
    assert [desk.hand_in(1, 1, final=True).final for _ in range(2)] == [True, True]
    with pytest.raises(RuleError, match="no room for another final; chosen: 1, 2; expected at"):
        desk.hand_in(1, 1, final=True)
    assert len(desk.store.submissions()) == 2 == len(list(desk.store.files.glob("*/*/*")))
    assert not desk.hand_in(1, 1).final
    assert desk.hand_in(1, 1, final=True, learner="bob").final
    assert desk.hand_in(1, 1, final=True, source="official").final
    desk.spec = replace(desk.spec, id="hw98")
    assert desk.hand_in(1, 1, final=True).final  # every homework has its own


def test_a_place_among_the_finals_comes_back_from_what_is_not_scored(
    desk: Desk, tmp_path: Path
) -> None:
    broken = fake_island.write_answers(tmp_path / "broken.csv", "raise")
    assert not desk.hand_in_broken(final=True).final
    assert not desk.hand_in(1, 1, final=True, answers=broken).final
    assert [desk.hand_in(1, 1, final=True).final for _ in range(2)] == [True, True]
    assert not retry(desk.store, desk.spec, 2, answers=desk.answers).final


def test_a_name_that_looks_like_anothers_is_refused_and_nothing_is_kept(desk: Desk) -> None:
    desk.hand_in(1, 1, learner="Ian")
    with pytest.raises(UserError, match="'lan' looks like 'Ian', who is on this board already"):
        desk.hand_in(1, 1, learner="lan")
    assert desk.hand_in(1, 1, learner="IAN").learner == "Ian"
    assert len(list(desk.store.files.glob("*/*/*"))) == 2


@pytest.mark.parametrize("number", [0, -1, 2**63, 10**100, -(10**100)])
def test_a_number_that_no_submission_has(desk: Desk, number: int) -> None:
    with pytest.raises(UserError, match="there is no submission"):
        retry(desk.store, desk.spec, number, answers=desk.answers)


def test_submissions_of_shows_all_states_in_order(desk: Desk) -> None:
    desk.hand_in(1, 1)
    desk.hand_in_broken()
    desk.hand_in(1, 1, learner="bob")
    mine = submissions_of(desk.store, desk.spec, "ANN", rules=COURSE, now=NOON)
    assert [(r.number, r.state) for r in mine] == [(1, State.SCORED), (2, State.REJECTED)]
    assert [r.private for r in mine] == [None, None]
    assert mine[0].num_left == 4
    assert submissions_of(desk.store, desk.spec, "nobody") == []


def test_the_board_of_each_source_is_its_own(desk: Desk) -> None:
    desk.hand_in(4, 4)
    desk.hand_in(1, 1, learner="bob", source="official")
    assert learners(board(desk.store, desk.spec)) == ["ann"]
    official = board(desk.store, desk.spec, source="official")
    assert learners(official) == ["bob"]
    assert official.notes == (
        "no private baseline is known for official data, so no private points",
    )


def learners(shown: Board) -> list[str]:
    return [row.name for row in shown.rows if row.kind == "learner"]


def test_scores_under_other_answers_are_not_compared(desk: Desk, tmp_path: Path) -> None:
    desk.hand_in(4, 4)
    desk.hand_in(3, 3)
    other = fake_island.write_answers(tmp_path / "other.csv", "nothing")
    desk.hand_in(1, 1, learner="bob", answers=other)
    shown = board(desk.store, desk.spec)
    assert learners(shown) == ["bob"]
    assert shown.notes == ("not shown, because judged by other answers: 2",)


def test_the_course_keeps_the_private_board_closed(desk: Desk) -> None:
    desk.hand_in(4, 4)
    with pytest.raises(RuleError, match="private board is closed"):
        board(desk.store, desk.spec, private=True, rules=course(desk.spec))
    assert {row.private for row in board(desk.store, desk.spec, rules=SELF_STUDY).rows} == {None}


def test_the_best_public_score_is_told_alone(desk: Desk) -> None:
    assert best_public(desk.store, desk.spec, "ann") is None
    for public, private in ((3, 1), (2, 4)):
        desk.hand_in(public, private)
    assert best_public(desk.store, desk.spec, "ANN") == 0.75
    assert best_public(desk.store, desk.spec, "bob") is None


def test_an_empty_board_shows_the_lines(store: Store, spec: Spec) -> None:
    names = [row.name for row in board(store, spec).rows]
    assert names == ["baseline: boss", "baseline: strong", "baseline: medium", "baseline: simple"]
