"""What the terminal shows: names as they are, and after Ctrl-C only what is true."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from rich.table import Table
from rich.text import Text

from mlspring import catalog
from mlspring.cli import terminal
from mlspring.core import runs
from mlspring.core.errors import DataError
from mlspring.core.progress import say
from mlspring.verbs.findings import Finding
from mlspring.verbs.findings import table as findings_table

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
    monkeypatch.setattr("sys.argv", ["mlspring", "stopped"])
    app = typer.Typer(cls=terminal.Verbs)
    app.callback()(lambda: None)  # several verbs, of which one is called
    made = []

    @app.command()
    def stopped() -> None:
        if finished is not None:
            request = runs.Request(homework="hw03", recipe="simple")
            with runs.Run.create(tmp_path / "my runs", request, "") as run:
                made.append(run.folder)
                if finished:
                    run.finish({"seconds": {}})
                raise KeyboardInterrupt
        raise KeyboardInterrupt

    assert terminal.run_app(app) == terminal.INTERRUPTED
    said = capsys.readouterr().err.strip()
    if finished is False:
        resume = f"mlspring resume '{made[0]}'"
        assert said == f"mlspring: stopped; the run goes on with: {resume}"
    else:
        assert said == "mlspring: stopped"


@pytest.mark.parametrize("code", ["\x1b[2J", "\x07", "\r", "\x9b31m", "\u202e", "\u2066", "\x00"])
def test_a_name_cannot_send_codes_to_the_terminal(
    capsys: pytest.CaptureFixture[str], code: str
) -> None:
    name = f"cat{code}.jpg"
    table = Table(show_header=False, box=None)
    table.add_row(name, Text(name, style="red"))
    for print_it in (terminal.show, say):
        print_it(name)
        print_it(f"two\nlines of {name}")
    terminal.show(table)
    app = typer.Typer(cls=terminal.Verbs)

    def refuse() -> None:
        raise DataError("is odd", file=name)

    app.callback(invoke_without_command=True)(refuse)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["mlspring"])
        assert terminal.run_app(app) == 2
    said = capsys.readouterr()
    assert code not in said.out + said.err
    assert re.search(r"two\nlines of cat\S*.*[.]jpg", said.out)
    assert re.search(r"mlspring: cat\S*.*[.]jpg: is odd", said.err)


def run_mlspring(
    *arguments: str, stdin: bytes = b"", **variables: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "mlspring", *arguments],
        input=stdin,
        capture_output=True,
        env={**os.environ, **variables},
        check=False,
    )


VERBS = (("list",), ("board", "hw01"), ("quiz", "hw14", "--language", "zh"), ("doctor",))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp950", "utf-8"])
def test_what_cannot_be_written_is_replaced_everywhere(tmp_path: Path, encoding: str) -> None:
    variables = {"PYTHONIOENCODING": encoding, "MLSPRING_HOME": str(tmp_path), "COLUMNS": "100"}
    verbs = VERBS if encoding == "ascii" else VERBS[:1]
    for verb in verbs:
        done = run_mlspring(*verb, **variables)
        assert done.returncode == 0, done.stderr.decode(encoding)
        assert done.stdout.decode(encoding).strip()  # every byte is of this encoding
        assert b"Traceback" not in done.stderr
    told = json.loads(run_mlspring("list", "--json", **variables).stdout.decode(encoding))
    assert {entry["title_zh"] for entry in told} >= {spec.title_zh for spec in catalog.SPECS}


def test_answers_in_another_encoding_are_no_trace(tmp_path: Path) -> None:
    typed = "甲\n".encode("big5") * 3
    done = run_mlspring("quiz", "hw14", stdin=typed, MLSPRING_HOME=str(tmp_path))
    assert b"Traceback" not in done.stderr


def test_a_learners_module_in_the_working_folder_is_not_ours(tmp_path: Path) -> None:
    for name in ("csv", "queue", "tomllib", "matplotlib", "safetensors"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('the wrong module')\n")
    done = subprocess.run(
        [sys.executable, "-m", "mlspring", "list"],
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "MLSPRING_HOME": str(tmp_path / "home")},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


IMPORTS = """
import sys
from mlspring.cli.terminal import settle_environment
settle_environment()
import warnings
from mlspring.kit.style import new_figure, save
from pathlib import Path
figure = new_figure()
figure.subplots().plot([1, 2])
save(figure, Path(sys.argv[1]), "a", ["x"], [[1]])
warnings.warn("old", DeprecationWarning)
"""


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MPLBACKEND", "module://matplotlib_inline.backend_inline"),
        ("MPLBACKEND", "nonsense"),
        ("MPLBACKEND", "TkAgg"),
        ("MPLCONFIGDIR", "/proc/x"),
        ("MATPLOTLIBRC", "/proc/x"),
        ("PYTHONWARNINGS", "error"),
        ("PYTHONOPTIMIZE", "2"),
        ("SOURCE_DATE_EPOCH", "soon"),
        ("COLUMNS", "x"),
    ],
)
def test_figures_do_not_depend_on_what_the_caller_draws_in(
    tmp_path: Path, variable: str, value: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, str(tmp_path)],
        env={**os.environ, variable: value},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.png", "a.svg"]
