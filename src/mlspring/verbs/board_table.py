"""Boards and submissions as tables for a terminal of 80 columns, and as plain rows."""

from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from mlspring.core.score import State
from mlspring.core.spec import Metric, Spec
from mlspring.judge.boards import Board
from mlspring.judge.names import name_key
from mlspring.judge.points import Earned
from mlspring.judge.ranking import Row
from mlspring.judge.receipt import Receipt

MARK = ">"


def board_table(board: Board, *, me: str | None = None) -> Table:
    """Return the board as a rich table; the row of learner ``me`` is marked, baselines are dim."""
    metric = board.spec.metric
    arrow = "higher" if metric.higher_is_better else "lower"
    part = "private" if board.private else "public"
    shown = Table(
        title=f"{board.spec.id} {board.spec.title}: {part} board, {board.source} data",
        caption="\n".join([f"{metric.name}, {arrow} is better", *_pages(board), *board.notes]),
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
    if board.private:
        shown.add_column("private", justify="right", no_wrap=True)
    shown.add_column("level", no_wrap=True)
    shown.add_column("points", justify="right", no_wrap=True)
    shown.add_column("subs", justify="right", no_wrap=True)
    mine = None if me is None else name_key(me)
    for row in [*board.rows, *([board.own] if board.own else [])]:
        own = row.kind == "learner" and name_key(row.name) == mine
        style = "bold" if own else "dim" if row.kind == "baseline" else ""
        shown.add_row(*map(Text, _cells(row, board, own=own)), style=style)
    return shown


def board_rows(board: Board) -> list[dict[str, Any]]:
    """Return the rows as plain values, full precision, times in ISO 8601."""
    rows = [*board.rows, *([board.own] if board.own else [])]
    return [
        {
            **asdict(row),
            "received": row.received.isoformat() if row.received else None,
            "points": {**asdict(row.points), "total": row.points.total},
        }
        for row in rows
    ]


def own_text(spec: Spec, receipts: list[Receipt]) -> Group:
    """Return a learner's submissions as a table, and below it why some have no score."""
    told = []
    for receipt in receipts:
        if receipt.state in (State.REJECTED, State.FAILED):
            said = f"submission {receipt.number}: {receipt.message or ''}{again(receipt)}"
            told.append(Text(said, style="" if again(receipt) else "dim"))
    return Group(_own_table(spec, receipts), *told)


def again(receipt: Receipt) -> str:
    """Return why a submission failed on our side and how to try again; empty where it did not."""
    if receipt.state is not State.FAILED:
        return ""
    reason = f"\n{receipt.reason}" if receipt.reason else ""
    return f"{reason}\nmlspring board {receipt.homework} --retry {receipt.number}"


def _own_table(spec: Spec, receipts: list[Receipt]) -> Table:
    """Return a learner's submissions as a table; where it is narrow, only file names are cut."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in ("no.", "received"):
        shown.add_column(column, no_wrap=True)
    shown.add_column("file", no_wrap=True, overflow="ellipsis", max_width=24)
    for column in ("state", "public", "private", "level", "final"):
        shown.add_column(column, no_wrap=True)
    for receipt in receipts:
        cells = (
            str(receipt.number),
            f"{receipt.received.astimezone():%m-%d %H:%M}",
            receipt.filename,
            str(receipt.state),
            _score(spec.metric, receipt.public),
            _score(spec.metric, receipt.private),
            receipt.level or "-",
            "yes" if receipt.final else "",
        )
        shown.add_row(*map(Text, cells))
    return shown


def _pages(board: Board) -> list[str]:
    """Return which page of how many this is, where there are several."""
    if board.num_pages == 1:
        return []
    found = f"page {board.page:,} of {board.num_pages:,}, {board.num_learners:,} learners"
    return [f"{found}; another one: --page N"]


def _cells(row: Row, board: Board, *, own: bool) -> list[str]:
    metric, is_baseline = board.spec.metric, row.kind == "baseline"
    private = [_score(metric, row.private)] if board.private else []
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
