"""The order of learners on a board, computed where the submissions are: in SQL, a page at a time.

As on Kaggle: the public board orders by each learner's best public score; the private board by the
private score of their finals, or, with none chosen, of the submission with the best public score.
Of equal scores the earlier submission counts, and stands above.

One index (``ix_submissions_board``) holds all that is read here, sorted by learner, so a board of
a hundred thousand submissions is one pass over that index.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Integer, String, text
from sqlalchemy.orm import Session

from mlspring.judge.records import Standing
from mlspring.judge.tables import UtcTime

# {best} is MAX or MIN and {down} DESC or ASC, by the metric's direction; nothing else is put in.
THEIRS = """homework = :homework AND source = :source AND state = 'scored' AND answers = :answers"""
FIRST = """(SELECT {what} FROM submissions AS s WHERE {theirs} AND s.learner_id = {of}.learner_id
    AND {part} = {of}.{score}{where} ORDER BY received, id LIMIT 1)"""
PUBLIC = """
best AS (
    SELECT learner_id, {best}(public) AS score, COUNT(*) AS num
    FROM submissions WHERE {theirs} GROUP BY learner_id
),
ranked AS (
    SELECT *, score AS public, NULL AS private, 0 AS chosen,
        RANK() OVER (ORDER BY score {down}) AS rank, COUNT(*) OVER () AS total
    FROM best
)"""
PRIVATE = """
best AS (
    SELECT learner_id, {best}(public) AS public, COUNT(*) AS num
    FROM submissions WHERE {theirs} GROUP BY learner_id
),
finals AS (
    SELECT learner_id, {best}(private) AS score
    FROM submissions WHERE {theirs} AND final GROUP BY learner_id
),
scores AS (
    SELECT best.*, finals.score IS NOT NULL AS chosen,
        COALESCE(finals.score, {private_of_best}) AS score
    FROM best LEFT JOIN finals ON finals.learner_id = best.learner_id
),
ranked AS (
    SELECT *, score AS private,
        RANK() OVER (ORDER BY score {down}) AS rank, COUNT(*) OVER () AS total
    FROM scores
)"""
PAGE = """
SELECT learners.name, rank, public, private, num, total, CASE WHEN chosen THEN {final} ELSE {first}
    END AS number
FROM ranked JOIN learners ON learners.id = ranked.learner_id
WHERE {which}"""
WHOLE = """
WITH {ranked}, page AS ({page})
SELECT page.*, s.received FROM page JOIN submissions AS s ON s.id = page.number
ORDER BY rank, s.received, s.id LIMIT :most OFFSET :skipped"""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Submissions whose scores can be compared: of one homework, source and file of answers."""

    homework: str
    source: str
    answers: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some learners of a board, best first.

    Args:
        standings: the learners of the page.
        before: who stands just above them on the board; None on the first page.
        total: how many learners the whole board has.
    """

    standings: tuple[Standing, ...]
    before: Standing | None = None
    total: int = 0


def latest(session: Session, homework: str, source: str) -> Judged | None:
    """Return what is comparable with the latest scored submission; None: there is none."""
    query = """SELECT answers FROM submissions WHERE homework = :homework AND source = :source
        AND state = 'scored' ORDER BY id DESC LIMIT 1"""
    found = session.execute(text(query), {"homework": homework, "source": source}).first()
    if found is None:
        return None
    return Judged(homework=homework, source=source, answers=str(found[0]))


def num_of_other_answers(session: Session, judged: Judged) -> int:
    """Return how many scored submissions were judged by other answers than the board's."""
    query = """SELECT COUNT(*) FROM submissions WHERE homework = :homework AND source = :source
        AND state = 'scored' AND answers <> :answers"""
    return int(session.execute(text(query), vars(judged)).scalar_one())


def page(
    session: Session,
    judged: Judged,
    *,
    higher_is_better: bool,
    private: bool,
    first: int = 1,
    most: int = 100,
) -> Page:
    """Return at most ``most`` learners, from place ``first`` on.

    Args:
        session: on the board's database.
        judged: which submissions are compared.
        higher_is_better: the metric's direction.
        private: order by the private score of the finals.
        first: place of the first learner, counted from 1.
        most: how many learners at most.
    """
    above = 1 if first > 1 else 0
    place = {"most": most + above, "skipped": first - 1 - above, "last": first - 1 + most}
    # Those of a rank up to the last place are enough, and few: all others need no second look.
    rows = _rows(session, {**vars(judged), **place}, higher_is_better, private, "rank <= :last")
    found = tuple(map(_standing, rows))
    return Page(
        standings=found[above:],
        before=found[0] if above and found else None,
        total=int(rows[0].total) if rows else 0,
    )


def one(
    session: Session, judged: Judged, key: str, *, higher_is_better: bool, private: bool
) -> Standing | None:
    """Return where the learner of this `names.name_key` stands; None: nowhere."""
    given = {**vars(judged), "most": 1, "skipped": 0, "key": key}
    rows = _rows(session, given, higher_is_better, private, "learners.key = :key")
    return _standing(rows[0]) if rows else None


def _rows(
    session: Session, given: dict[str, Any], higher: bool, private: bool, which: str
) -> list[Any]:
    words = {"best": "MAX" if higher else "MIN", "down": "DESC" if higher else "ASC"}

    def first(what: str, of: str, score: str, part: str = "public", where: str = "") -> str:
        place = {"of": of, "score": score, "part": part, "where": where}
        return FIRST.format(what=what, theirs=THEIRS, **place)

    best = first("private", "best", "public")
    ranked = (PRIVATE if private else PUBLIC).format(theirs=THEIRS, private_of_best=best, **words)
    final = first("id", "ranked", "score", "private", " AND final")
    chosen = PAGE.format(final=final, first=first("id", "ranked", "public"), which=which)
    query = text(WHOLE.format(ranked=ranked, page=chosen)).columns(
        name=String, rank=Integer, num=Integer, total=Integer, number=Integer, received=UtcTime
    )
    return list(session.execute(query, given))


def _standing(row: Any) -> Standing:
    """Return the row as a record.

    Raises:
        ValueError: a score is no number.
    """
    return Standing(
        name=str(row.name),
        rank=int(row.rank),
        public=float(row.public),
        private=None if row.private is None else float(row.private),
        number=int(row.number),
        received=row.received,
        num_submissions=int(row.num),
    )
