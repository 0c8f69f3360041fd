"""A board for the eye, at most 80 columns wide, and the same as plain rows for ``--json``."""

from dataclasses import asdict
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from mlspring.core.spec import Metric
from mlspring.judge.entry import name_key
from mlspring.judge.points import Earned
from mlspring.judge.ranking import Row
from mlspring.judge.service import Board

WIDTH = 80
MARK = ">"


def table(board: Board, *, me: str | None = None) -> Table:
    """Return the board as a rich table; the row of learner ``me`` is marked, lines are dim."""
    metric = board.spec.metric
    arrow = "higher" if metric.higher_is_better else "lower"
    part = "private" if board.private else "public"
    shown = Table(
        title=f"{board.spec.id} {board.spec.title}: {part} board, {board.source} data",
        caption="\n".join([f"{metric.name}, {arrow} is better", *board.notes]),
        title_justify="left",
        caption_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        min_width=40,
        width=None,
    )
    shown.add_column("", width=1, no_wrap=True)
    shown.add_column("rank", justify="right", no_wrap=True)
    shown.add_column("name", no_wrap=True, overflow="ellipsis", max_width=28)
    shown.add_column("public", justify="right", no_wrap=True)
    if board.show_private:
        shown.add_column("private", justify="right", no_wrap=True)
    shown.add_column("level", no_wrap=True)
    shown.add_column("points", justify="right", no_wrap=True)
    shown.add_column("subs", justify="right", no_wrap=True)
    mine = None if me is None else name_key(me)
    for row in board.rows:
        own = row.kind == "learner" and name_key(row.name) == mine
        style = "bold" if own else "dim" if row.kind == "baseline" else ""
        shown.add_row(*map(Text, _cells(row, board, own=own)), style=style)
    return shown


def as_rows(board: Board) -> list[dict[str, Any]]:
    """Return the rows as plain values, full precision, times in ISO 8601."""
    return [
        {
            **asdict(row),
            "received": row.received.isoformat() if row.received else None,
            "points": {**asdict(row.points), "total": row.points.total},
        }
        for row in board.rows
    ]


def _cells(row: Row, board: Board, *, own: bool) -> list[str]:
    metric, is_baseline = board.spec.metric, row.kind == "baseline"
    private = [_score(metric, row.private)] if board.show_private else []
    return [
        MARK if own else "",
        "" if row.rank is None else str(row.rank),
        row.name,
        _score(metric, row.public),
        *private,
        "" if is_baseline else row.level or "-",
        "" if is_baseline else show_points(row.points),
        "" if is_baseline else str(row.num_submissions),
    ]


def _score(metric: Metric, score: float | None) -> str:
    """Return the score as declared; a huge one, which would push others out, in short form."""
    shown = metric.show(score)
    return shown if score is None or len(shown) <= 11 else f"{score:.4g}"


def show_points(points: Earned) -> str:
    """Return the sum of the known points, or a dash where nothing can be earned yet."""
    return "-" if points.total is None else f"{points.total:g}"
