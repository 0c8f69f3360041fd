"""What the terminal shows: names as they are, and after Ctrl-C only what is true."""

from contextlib import closing
from pathlib import Path

import pytest
import typer
from rich.table import Table

from mlspring import terminal
from mlspring.core import runs
from mlspring.core.progress import say
from mlspring.verbs.doctor import Finding
from mlspring.verbs.doctor import table as findings_table

NAMES = ("runs/x[a]/hw03", "runs/[/b]", "[red]x[/red]", "runs/:smile:/hw03")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_never_markup_or_a_picture(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.show(name)
    assert capsys.readouterr().out == f"{name}\n"
    table = Table(show_header=False, box=None)
    table.add_row("Folder", name)
    terminal.show(table)
    assert capsys.readouterr().out.split() == ["Folder", name]
    terminal.show(findings_table([Finding(name="a", state="ok", found=name)]))
    assert name in capsys.readouterr().out
    say(name)
    assert capsys.readouterr().err == f"{name}\n"


def test_a_long_path_is_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    path = "runs/" + 60 * "long "
    terminal.show(path)
    assert capsys.readouterr().out == f"{path}\n"


@pytest.mark.parametrize("finished", [None, True, False])
def test_ctrl_c_names_the_run_that_can_go_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    finished: bool | None,
) -> None:
    monkeypatch.setattr(runs, "_written", None)
    monkeypatch.setattr("sys.argv", ["mlspring"])
    app = typer.Typer()
    made = []

    @app.command()
    def stopped() -> None:
        if finished is not None:
            request = runs.Request(homework="hw03", recipe="simple")
            with closing(runs.Run.create(tmp_path / "my runs", request, "")) as run:
                made.append(run.folder)
                if finished:
                    run.finish({"seconds": {}})
                raise KeyboardInterrupt
        raise KeyboardInterrupt

    assert terminal.ended(app) == terminal.INTERRUPTED
    said = capsys.readouterr().err.strip()
    if finished is False:
        resume = f"mlspring resume '{made[0]}'"
        assert said == f"mlspring: stopped; the run goes on with: {resume}"
    else:
        assert said == "mlspring: stopped"
