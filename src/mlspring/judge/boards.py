"""A board as it is asked for: one page of the ranking, and what must be said beside it."""

from dataclasses import dataclass

from mlspring.core.errors import RuleError, UserError
from mlspring.core.spec import Spec
from mlspring.judge import standings
from mlspring.judge.names import name_key
from mlspring.judge.points import missing_baselines
from mlspring.judge.ranking import Row, board_rows, learner_row
from mlspring.judge.records import Standing
from mlspring.judge.rules import SELF_STUDY, Rules
from mlspring.judge.store import Store

PAGE, LAST_PAGE = 100, 1_000_000
"""Learners on one page of a board, and the largest number of a page that is looked for."""


@dataclass(frozen=True, kw_only=True)
class Board:
    """One page of a ranked board and what must be said beside it.

    Args:
        spec: the homework; ``source`` whose answers judged it.
        private: whether it orders by the private score, and shows it.
        rows: best first, baselines between the learners.
        notes: sentences, e.g. that no private baseline is known.
        page: which page this is, counted from 1, of ``num_pages``.
        num_learners: on all pages together.
        own: the row of the learner who asked, where it is on another page.
    """

    spec: Spec
    source: str
    private: bool
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    page: int = 1
    num_pages: int = 1
    num_learners: int = 0
    own: Row | None = None


def board(
    store: Store,
    spec: Spec,
    *,
    source: str = "world",
    private: bool = False,
    rules: Rules = SELF_STUDY,
    page: int = 1,
    me: str | None = None,
) -> Board:
    """Return one page of the board of one homework on one data source.

    Only submissions judged by the same answers as the latest one are on it, because scores under
    different answers cannot be compared; a note says how many were left out.

    Args:
        store: what was handed in.
        spec: the homework.
        source: ``world`` or ``official``.
        private: order by the private part.
        rules: whether the private board is open.
        page: counted from 1, of `PAGE` learners each.
        me: whose row is wanted on whatever page it is.

    Raises:
        RuleError: the private board is asked for and the rules keep it closed.
        UserError: there is no such page.
    """
    if private and not rules.private_visible:
        raise RuleError("the private board is closed", fix="see the public one: mlspring board")
    shown, own, num_left_out = _page(store, spec, source, private, page, me)
    num_pages = max(1, -(-shown.total // PAGE))
    rows = board_rows(
        spec,
        shown.standings,
        source=source,
        private=private,
        before=shown.before,
        is_last=page == num_pages,
    )
    notes = missing_baselines(spec, source)
    if num_left_out:
        notes.append(f"not shown, because judged by other answers: {num_left_out}")
    return Board(
        spec=spec,
        source=source,
        private=private,
        rows=tuple(rows),
        notes=tuple(notes),
        page=page,
        num_pages=num_pages,
        num_learners=shown.total,
        own=learner_row(spec, own, source=source, private=private) if own else None,
    )


def best_public(store: Store, spec: Spec, learner: str, *, source: str = "world") -> float | None:
    """Return the learner's best public score on the board; None without a scored submission."""
    with store.reading() as session:
        judged = standings.latest(session, spec.id, source)
        if judged is None:
            return None
        higher = spec.metric.higher_is_better
        key = name_key(learner)
        mine = standings.one(session, judged, key, higher_is_better=higher, private=False)
        return mine.public if mine else None


# ---- inside


def _page(
    store: Store, spec: Spec, source: str, private: bool, page: int, me: str | None
) -> tuple[standings.Page, Standing | None, int]:
    """Return a page, where ``me`` stands if not on it, and the number of what is left out."""
    if not 1 <= page <= LAST_PAGE:
        raise UserError(f"there is no page {page} of this board", fix="see the first one")
    higher, first = spec.metric.higher_is_better, (page - 1) * PAGE + 1
    own, key = None, None if me is None else name_key(me)
    with store.reading() as session:
        judged = standings.latest(session, spec.id, source)
        if judged is None:
            return standings.Page(standings=()), None, 0
        shown = standings.page(
            session, judged, higher_is_better=higher, private=private, first=first, most=PAGE
        )
        if page > 1 and not shown.standings:
            raise UserError(f"there is no page {page} of this board", fix="see the first one")
        if key is not None and key not in map(name_key, (s.name for s in shown.standings)):
            own = standings.one(session, judged, key, higher_is_better=higher, private=private)
        return shown, own, standings.num_of_other_answers(session, judged)
