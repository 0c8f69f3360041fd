"""The command line: light, frozen, with exit codes that mean something."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlspring import catalog, cli

FLAGS = {
    "list": {"--json"},
    "runs": {"--out", "--json"},
    "compare": {"--out"},
    "recipe": {"--data"},
    "run": {"--data", "--set", "--seed", "--device", "--precision", "--out", "--submit", "--json"},
    "resume": {"--submit", "--json"},
    "predict": {"--data", "--out"},
    "figures": set(),
    "report": set(),
    "data": {"--export", "--answers", "--from-audio", "--listen", "--data"},
    "fetch": {"--to"},
    "validate": {"--data"},
    "score": {"--answers", "--json"},
    "submit": {"--as", "--final", "--rules", "--board", "--json"},
    "board": {"--private", "--mine", "--finals", "--retry", "--as", "--rules", "--json"}
    | {"--page", "--check"},
    "calibrate": {"--seeds", "--out", "--ablate"},
    "quiz": {"--run", "--answers", "--language", "--json"},
    "doctor": set(),
}


def call(*words: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["mlspring", *words])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return int(stop.value.code or 0)


def imported(*words: str) -> set[str]:
    """Return the modules that a verb loads, in a fresh process."""
    code = (
        "import sys; from mlspring import cli\n"
        f"sys.argv = ['mlspring', *{list(words)!r}]\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("words", [("--help",), ("list",), ("board", "hw03"), ("run", "--help")])
def test_light_verbs_never_load_torch(words: tuple[str, ...]) -> None:
    modules = imported(*words)
    assert "mlspring.cli" in modules
    assert not {"torch", "transformers", "tokenizers"} & modules


def test_help_loads_neither_numpy_nor_the_database() -> None:
    assert not {"numpy", "sqlalchemy", "pandas", "matplotlib"} & imported("--help")


def test_the_flags_are_frozen() -> None:
    """The command line does not grow with the science: knobs belong into recipes."""
    from typer.main import get_command

    commands = get_command(cli.app).commands  # type: ignore[attr-defined]
    found = {
        name: {option for p in command.params for option in p.opts if option.startswith("--")}
        for name, command in commands.items()
    }
    assert {name: flags - {"--help"} for name, flags in found.items()} == FLAGS


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("run", "hw003"), "did you mean hw03?"),
        (("run", "hw16"), "did you mean hw1"),
        (("run", "hw03", "bosss"), "did you mean boss?"),
        (("run", "hw03", "--set", "train.stepz=3"), "did you mean 'train.steps'?"),
        (("run", "hw03", "--set", "train.steps=many"), "train.steps"),
        (("run", "hw03", "--set", "train.steps"), "expected key=value"),
        (("run", "hw03", "--data", "/nowhere/at/all"), "there is no such folder"),
        (("run", "hw03", "missing.toml"), "missing.toml"),
        (("resume", "/nowhere"), "is not a run folder"),
        (("report", "/nowhere"), "is not a run folder"),
        (("board", "hw03", "--finals", "x"), "submission numbers"),
        (("quiz", "hw03"), "has no quiz"),
        (("run", "hw03", "--no-such-flag"), "-> mlspring run --help"),
        (("board", "hw03", "--page", "x"), "-> mlspring board --help"),
        (("--no-such-flag",), "-> mlspring --help"),
        (("report", "latest"), "holds no run"),
        (("recipe", "hw03", "bosss"), "did you mean boss?"),
        (("compare", "latest"), "holds no run"),
        (("data", "hw14", "--export", "x", "--answers"), "no board"),
        (("nonsense",), "nonsense"),
    ],
)
def test_a_user_s_mistake_is_a_sentence_and_exit_2(
    words: tuple[str, ...],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)  # where nobody has run anything
    assert call(*words, monkeypatch=monkeypatch) == 2
    shown = capsys.readouterr()
    assert sentence in shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_json_is_all_that_stands_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("list", "--json", monkeypatch=monkeypatch) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [entry["id"] for entry in listed] == [spec.id for spec in catalog.SPECS]
    for entry, spec in zip(listed, catalog.SPECS, strict=True):
        assert entry["recipes"]["world"][: len(spec.levels)] == list(spec.levels)


def test_every_verb_has_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in FLAGS:
        assert call(verb, "--help", monkeypatch=monkeypatch) == 0
        shown = capsys.readouterr().out
        assert "Usage: " in shown and f"mlspring {verb}" in shown  # also under python -m pytest


def test_the_readme_s_verbs_exist() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    named = {line.split()[1] for line in readme.splitlines() if line.startswith("mlspring ")}
    assert named
    assert named <= set(FLAGS)
