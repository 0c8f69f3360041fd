"""Progress on stderr: a bar with rate and remaining time, and silence when nobody watches."""

import importlib.util
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment
from rich.text import Text

from mlspring.core.foreign_text import shown_lines
from mlspring.core.machine import is_main_process

T = TypeVar("T")


class RateColumn(ProgressColumn):
    """Finished items a second."""

    def render(self, task: Task) -> Text:
        """Return the rate with the task's unit, e.g. ``213.4 images/s``."""
        speed = task.finished_speed or task.speed
        unit = task.fields.get("unit", "items")
        return Text("" if speed is None else f"{speed:,.1f} {unit}/s", style="progress.data.speed")


class Bar:
    """One running bar; ``advance`` moves it, ``note`` is a short text at its end."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress, self._task = progress, task

    def advance(self, steps: int = 1, note: str | None = None) -> None:
        """Move the bar by ``steps`` and, where given, replace the note at its end."""
        if note is None:
            self._progress.update(self._task, advance=steps)
        else:
            self._progress.update(self._task, advance=steps, note=note)


@contextmanager
def bar(label: str, total: int, *, unit: str = "items", done: int = 0) -> Iterator[Bar]:
    """Yield a bar of ``total`` items of which ``done`` are finished already.

    Nothing is drawn when stderr is no terminal (and no notebook with ``ipywidgets``), nor by any
    but the first process of ``torchrun``; the bar's methods still work.
    """
    console = Console(stderr=True)
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),  # names of files stand in it
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        RateColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", style="dim"),
        console=console,
        disable=not _is_watched(console) or not is_main_process(),
    )
    with progress:
        task = progress.add_task(label, total=total, completed=done, unit=unit, note="")
        yield Bar(progress, task)


def _is_watched(console: Console) -> bool:
    """Return whether a bar can move: in a terminal, or in a notebook that has its widgets."""
    if console.is_jupyter:
        return importlib.util.find_spec("ipywidgets") is not None
    return sys.stderr.isatty()


def track(items: Iterable[T], label: str, total: int, *, unit: str = "items") -> Iterator[T]:
    """Yield from ``items`` while a bar counts them."""
    with bar(label, total, unit=unit) as progress:
        for item in items:
            yield item
            progress.advance()


def say(text: str) -> None:
    """Print one line for the person at the terminal, on stderr."""
    print_plain(text, stderr=True)


def print_plain(content: Any, *, stderr: bool = False) -> None:
    """Print a text or a table as it stands: no markup, no pictures, no codes for the terminal."""
    console = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    console.print(_Visible(content), soft_wrap=isinstance(content, str))


class _Visible:
    """A renderable whose texts show every character; the colours are our own and stay."""

    def __init__(self, content: Any) -> None:
        self.content = content if not isinstance(content, str) else Text(content)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self.content, options):
            yield segment if segment.control else Segment(shown_lines(segment.text), segment.style)
