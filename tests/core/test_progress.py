import sys

import pytest
from rich.console import Console
from rich.progress import Progress

from mlspring.core import progress
from mlspring.core.progress import RateColumn, bar, say, track


class Terminal:
    """A stderr that says it is a terminal and remembers."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None: ...

    def fileno(self) -> int:
        raise OSError


def test_nothing_is_drawn_when_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with bar("train", 3, unit="images") as progress:
        progress.advance()
        progress.advance(2, note="loss 0.5")
    assert list(track([1, 2, 3], "count", 3)) == [1, 2, 3]
    assert capsys.readouterr() == ("", "")


def test_a_terminal_sees_the_bar_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("RANK", raising=False)
    with bar("decode", 10, unit="images", done=4) as progress:
        progress.advance(6, note="last.jpg")
    assert all(part in terminal.text for part in ("decode", "10/10", "last.jpg"))
    assert capsys.readouterr().out == ""


def test_only_the_first_process_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("RANK", "1")
    with bar("decode", 10) as progress:
        progress.advance(10)
    assert terminal.text == ""


def test_an_error_inside_a_bar_comes_out() -> None:
    with pytest.raises(ZeroDivisionError):
        for _ in track([1], "x", 1):
            raise ZeroDivisionError


def test_the_rate_has_its_unit() -> None:
    progress = Progress(console=Console(quiet=True))
    number = progress.add_task("x", total=10, unit="images")
    task = next(task for task in progress.tasks if task.id == number)
    assert str(RateColumn().render(task)) == ""
    task.finished_speed = 1234.56
    assert str(RateColumn().render(task)) == "1,234.6 images/s"


def test_say_writes_one_plain_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    say("[bold]not markup[/bold] " + "x" * 300)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "[bold]not markup[/bold] " + "x" * 300 + "\n"


@pytest.mark.parametrize("widgets", [True, False])
def test_a_notebook_shows_bars_where_it_has_widgets(
    monkeypatch: pytest.MonkeyPatch, widgets: bool
) -> None:
    """Without them rich would warn in every bar, and under ``-W error`` stop the training."""
    console = Console()
    console.is_jupyter = True
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if widgets else None)
    assert progress._is_watched(console) is widgets
