"""Lists of runs, the word ``latest``, and runs side by side."""

import os
import sys
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console, RenderableType

from mlspring import catalog, cli
from mlspring.core.errors import RunError
from mlspring.core.runs import Request, Run
from mlspring.verbs import compare, listing, runs

SPEC = catalog.find("hw01")


def make(root: Path, name: str, recipe: str = "world/simple", seed: int = 0, **toml: int) -> Path:
    """A finished run folder with a log; its name says when it began."""
    text = "[train]\n" + "".join(f"{key} = {value}\n" for key, value in toml.items())
    request = Request(homework="hw01", recipe=recipe, seed=seed)
    with closing(Run.create(root, request, text)) as run:
        for step in range(4):
            run.log(
                step=step, epoch=step, member=0, train__loss=9.0 - step, valid__loss=10.0 - step
            )
        score = {"public": 0.123456, "private": 2.0, "validation": 1.5}
        run.finish({"score": score, "level": "simple", "seconds": {"total": 3.5}})
    folder = run.folder.with_name(name)
    run.folder.rename(folder)
    return folder


def shown(content: RenderableType, width: int) -> str:
    stream = StringIO()
    Console(file=stream, width=width, color_system=None).print(content)
    return stream.getvalue()


# ---- latest


def test_latest_is_the_newest_run_under_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    old = make(Path("runs"), "20260101-120000-s0")
    new = make(Path("runs"), "20260301-120000-s1", seed=1)
    between = make(Path("runs"), "20260201-120000-s0", "world/boss")
    os.utime(old / "environment.json")  # the name counts, not who touched it last
    assert runs.named(Path("latest")) == new
    assert runs.named(Path("runs/latest")) == new
    assert runs.named(Path("runs/hw01/boss/latest")) == between
    assert runs.named(old) == old
    Path("latest").mkdir()
    assert runs.named(Path("latest")) == Path("latest"), "a folder of that name is itself"


def test_without_a_run_latest_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        RunError, match=r"runs: holds no run\n  -> make one first, e\.g\. mlspring run"
    ):
        runs.named(Path("latest"))


@pytest.mark.parametrize("verb", ["resume", "predict", "figures", "report", "compare"])
def test_latest_stands_wherever_a_run_does(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["mlspring", verb, "latest"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    assert "runs: holds no run" in capsys.readouterr().err


# ---- the lists


def test_runs_are_listed_newest_first_and_a_damaged_one_with_its_reason(tmp_path: Path) -> None:
    make(tmp_path, "20260101-120000-s0")
    damaged = make(tmp_path, "20260401-120000-s0", "laptop/strong")
    (damaged / "environment.json").write_text("{half")
    found = runs.all_runs(tmp_path, None)
    assert [listed.folder.name for listed in found] == ["20260401-120000-s0", "20260101-120000-s0"]
    assert found[0].problem is not None and "damaged" in found[0].problem
    assert [listed.folder for listed in runs.all_runs(tmp_path, "hw03")] == []
    assert len(runs.all_runs(tmp_path, "hw01")) == 1
    table = shown(runs.table(found, tmp_path), 80)
    assert "hw01/simple/20260101-120000-s0" in table and "0.12346" in table
    assert runs.as_rows(found)[1]["score"]["public"] == 0.123456


@pytest.mark.parametrize("width", [60, 80, 100])
def test_tables_lose_no_digit_on_a_narrow_terminal(width: int, tmp_path: Path) -> None:
    make(tmp_path, "20260101-120000-s0")
    assert "0.12346" in shown(runs.table(runs.all_runs(tmp_path, None), tmp_path), width)
    entries = listing.entries()
    table = shown(listing.table(entries), width)
    for entry in entries:
        assert entry["id"] in table
        for value in entry["baselines"].values():
            assert f"{value:.{min(entry['digits'], 4)}f}" in table


# ---- compare


def test_runs_side_by_side_show_scores_curves_and_the_keys_that_differ(tmp_path: Path) -> None:
    first = make(tmp_path, "20260101-120000-s0", steps=5, width=3)
    second = make(tmp_path, "20260102-120000-s1", "laptop/strong", seed=1, steps=6, width=3)
    compared = compare.compare([first, second])
    assert list(compared.runs) == ["simple seed 0", "laptop/strong seed 1"]
    assert compared.differing == {"train.steps": (5, 6), "seed": (0, 1)}
    table = shown(compare.table(compared), 80)
    assert "train.steps" in table and "train.width" not in table and "0.12346" in table
    path = compare.draw(compared, tmp_path / "deep" / "both.png")
    assert path is not None
    with Image.open(path) as picture:
        assert min(picture.size) > 300
        assert len(picture.convert("RGB").resize((60, 60)).getcolors(3600) or ()) > 3


def test_runs_of_one_recipe_and_seed_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    folders = [make(tmp_path, f"2026010{day}-120000-s0") for day in (1, 2)]
    compared = compare.compare(folders)
    assert all(
        name in label
        for name, label in zip(
            ("20260101-120000-s0", "20260102-120000-s0"), compared.runs, strict=True
        )
    )
    assert "no key of the recipes differs" in shown(compare.table(compared), 80)


def test_what_cannot_be_compared_is_told(tmp_path: Path) -> None:
    first = make(tmp_path, "20260101-120000-s0")
    with pytest.raises(RunError, match=r"1 run.* to compare"):
        compare.compare([first])
    with pytest.raises(RunError, match="named twice"):
        compare.compare([first, first])
    Run.create(tmp_path, Request(homework="hw03", recipe="boss"), "").close()
    with pytest.raises(RunError, match="runs of hw01, hw03"):
        compare.compare([first, runs.named(tmp_path / "hw03" / "latest")])


def test_runs_without_curves_draw_nothing(tmp_path: Path) -> None:
    folders = [make(tmp_path, f"2026010{day}-120000-s0") for day in (1, 2)]
    for folder in folders:
        (folder / "log.jsonl").write_text('{"step": 1, "train/loss": 1.0}\n')
    assert compare.draw(compare.compare(folders), tmp_path / "none.png") is None
    assert not (tmp_path / "none.png").exists()
