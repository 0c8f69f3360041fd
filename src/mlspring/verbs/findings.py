"""What ``mlspring doctor`` found: one row of a table for each thing that it looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.table import Table
from rich.text import Text

State = Literal["ok", "warn", "missing"]
COLOURS: dict[State, str] = {"ok": "green", "warn": "yellow", "missing": "red"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Args:
        name: what was looked at.
        state: ``ok``; ``warn`` where things work but worse, or something optional is absent;
            ``missing`` where mlspring cannot work.
        found: what is there, with its unit.
        fix: what to do; empty where nothing need be done.
    """

    name: str
    state: State
    found: str
    fix: str = ""


def table(findings: list[Finding]) -> Table:
    """Return the findings as a table for the terminal."""
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("what", "state", "found", "what to do"):
        drawn.add_column(heading, overflow="fold")
    for finding in findings:
        state = Text(finding.state, style=COLOURS[finding.state])
        drawn.add_row(Text(finding.name), state, Text(finding.found), Text(finding.fix))
    return drawn


def guarded(check: Callable[[], Finding]) -> Finding:
    """Return what ``check`` finds, or that it could not be made; never an exception."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - a doctor that fails helps nobody
        name = getattr(check, "__name__", "check").removeprefix("check_").replace("_", " ")
        found = f"could not be checked ({type(error).__name__}: {error})"
        return Finding(name=name, state="warn", found=found)
