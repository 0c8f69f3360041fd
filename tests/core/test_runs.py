import errno
import json
import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlspring.core import foreign
from mlspring.core import runs as module
from mlspring.core.errors import DataError, MachineError, RunError
from mlspring.core.runs import Request, Run

REQUEST = Request(homework="hw03", recipe="strong", seed=7, precision="fp32")
SOURCE = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    created = Run.create(tmp_path / "runs", REQUEST, "[train]\nepochs = 1\n")
    yield created
    created.close()


def python(program: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
    )


# ---- life


def test_a_run_is_a_folder_that_tells_all(tmp_path: Path, run: Run) -> None:
    assert run.folder.parent == tmp_path / "runs" / "hw03" / "strong"
    assert run.folder.name.endswith("-s7")
    time.strptime(run.folder.name, "%Y%m%d-%H%M%S-s7")
    assert (run.folder / "recipe.toml").read_text() == "[train]\nepochs = 1\n"
    facts = json.loads((run.folder / "environment.json").read_text())
    assert facts["request"] == {
        "homework": "hw03",
        "recipe": "strong",
        "data": "world",
        "seed": 7,
        "device": "auto",
        "precision": "fp32",
        "submit": True,
    }
    assert facts["versions"]["numpy"] and facts["cores"] >= 1 and facts["processor"]
    again = Run.open(run.folder)
    assert (again.request, again.writable, again.result) == (REQUEST, False, None)
    assert again.checkpoints == run.folder / "checkpoints"
    assert again.figures == run.folder / "figures"


def test_two_runs_in_the_same_second_are_two_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.time, "strftime", lambda form: "20261122-131500")
    runs = [Run.create(tmp_path, REQUEST, "") for _ in range(3)]
    for run in runs:
        run.close()
    assert [run.folder.name for run in runs] == [
        "20261122-131500-s7",
        "20261122-131500-s7-2",
        "20261122-131500-s7-3",
    ]
    assert len(list((tmp_path / "hw03" / "strong").iterdir())) == 3


def test_many_processes_in_the_same_second_never_share_a_folder(tmp_path: Path) -> None:
    program = (
        "import pathlib, time\n"
        "from mlspring.core import runs\n"
        "runs.time.strftime = lambda *form: '20261122-131500'\n"
        "input()\n"
        "request = runs.Request(homework='hw03', recipe='strong')\n"
        f"print(runs.Run.create(pathlib.Path({str(tmp_path)!r}), request, '').folder)\n"
    )
    started = [python(program) for _ in range(4)]
    for process in started:
        assert process.stdin
        process.stdin.write(b"\n")
        process.stdin.flush()
    folders = {process.communicate(timeout=60)[0] for process in started}
    assert len(folders) == 4 and b"" not in folders


def test_a_run_has_one_writer(run: Run) -> None:
    with pytest.raises(RunError, match=r"another process is writing this run\n  -> wait until"):
        Run.open(run.folder, writable=True)
    assert Run.open(run.folder).request == REQUEST  # readers are always welcome
    run.close()
    second = Run.open(run.folder, writable=True)
    with pytest.raises(RunError):
        Run.open(run.folder, writable=True)
    second.close()


def test_a_killed_writer_gives_the_run_back(tmp_path: Path) -> None:
    program = (
        "import pathlib, time\n"
        "from mlspring.core.runs import Request, Run\n"
        "request = Request(homework='hw03', recipe='strong')\n"
        f"run = Run.create(pathlib.Path({str(tmp_path)!r}), request, '')\n"
        "run.log(step=1)\n"
        "print(run.folder, flush=True)\n"
        "time.sleep(60)\n"
    )
    process = python(program)
    assert process.stdout
    folder = Path(process.stdout.readline().decode().strip())
    with pytest.raises(RunError, match="another process"):
        Run.open(folder, writable=True)
    process.kill()
    process.communicate()
    run = Run.open(folder, writable=True)
    assert run.read_log() == [{"step": 1}]
    run.close()


@pytest.mark.parametrize("finished", [True, False])
def test_ctrl_c_leaves_with_the_run_that_can_go_on(run: Run, finished: bool) -> None:
    with pytest.raises(KeyboardInterrupt) as stop, run:
        if finished:
            run.finish({"seconds": {}})
        raise KeyboardInterrupt
    assert getattr(stop.value, "stopped_run", None) == (None if finished else run.folder)
    Run.open(run.folder, writable=True).close()  # the lock was given back


def test_another_error_passes_through_unchanged(run: Run) -> None:
    with pytest.raises(ValueError, match="loss") as caught, run:
        raise ValueError("loss")
    assert not hasattr(caught.value, "stopped_run")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("environment.json", "{"),
        ("environment.json", "{}"),
        ("environment.json", "[]"),
        ("environment.json", '{"request": {"homework": "hw03"}}'),
        ("environment.json", '{"request": {"homework": "hw03", "recipe": "a", "colour": 1}}'),
        ("environment.json", '{"request": {"homework": ["hw03"], "recipe": "a"}}'),
        ("environment.json", '{"request": {"homework": "hw03", "recipe": 5}}'),
        ("environment.json", '{"request": {"homework": "hw03", "recipe": "a", "data": 5}}'),
        ("environment.json", '{"request": {"homework": "hw03", "recipe": "a", "seed": true}}'),
        ("environment.json", '{"request": {"homework": "hw03", "recipe": "a", "seed": -1}}'),
        ("environment.json", '{"request": {"homework": "hw03", "recipe": "a", "device": "x"}}'),
        ("environment.json", '{"request": [["homework", "hw03"], ["recipe", "a"]]}'),
        ("result.json", "half"),
        ("result.json", "{}"),
        ("result.json", "3"),
        ("result.json", '{"seconds": {}, "score": {"public": "abc"}}'),
        ("result.json", '{"seconds": {}, "score": 0.5}'),
        ("result.json", '{"seconds": {}, "points": {"public": true}}'),
        ("result.json", '{"seconds": {"train": "long"}}'),
        ("result.json", '{"seconds": {"train": -1}}'),
        ("result.json", '{"seconds": {"train": NaN}}'),
    ],
)
def test_a_damaged_run_is_named(run: Run, file: str, content: str) -> None:
    run.close()
    (run.folder / file).write_text(content)
    with pytest.raises(RunError, match="is damaged") as caught:
        Run.open(run.folder, writable=True)
    assert caught.value.file == run.folder


def test_another_folder_is_no_run(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(RunError, match=r"is not a run folder\n  -> runs are folders like"):
            Run.open(folder)


def test_a_full_disk_leaves_no_empty_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MachineError, match="the disk is full; nothing was left behind"):
        Run.create(tmp_path, REQUEST, "")
    assert list((tmp_path / "hw03" / "strong").iterdir()) == []


def test_a_place_that_cannot_hold_runs_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(MachineError, match="cannot be written"):
        Run.create(tmp_path / "runs", REQUEST, "")
    if Path("/proc/self").exists():
        with pytest.raises(MachineError, match=r"cannot be written \(.+: /proc/x\)"):
            Run.create(Path("/proc/x"), REQUEST, "")


def test_a_folder_whose_name_is_no_text_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="the name is not UTF-8 text"):
        Run.create(tmp_path / "\udcb8\udcea", REQUEST, "")
    assert list(tmp_path.iterdir()) == []


# ---- the log


def test_the_log_keeps_order_and_names(run: Run) -> None:
    for step in range(3):
        run.log(step=step, train__loss=1 / (step + 1), note="名")
    assert run.read_log()[1] == {"step": 1, "train/loss": 0.5, "note": "名"}
    assert [entry["step"] for entry in Run.open(run.folder).read_log()] == [0, 1, 2]


def test_a_reader_writes_no_log(run: Run) -> None:
    reader = Run.open(run.folder)
    reader.log(step=1)
    reader.rewind_log(lambda entry: False)
    reader.note(device="cpu")
    assert not (run.folder / "log.jsonl").exists()
    assert reader.read_log() == []
    assert reader.state == {}


@pytest.mark.parametrize("half", ['{"step": 2, "tra', "{", '{"step": 2}'])
def test_half_a_line_after_a_kill_costs_only_itself(run: Run, half: str) -> None:
    run.log(step=0)
    run.log(step=1)
    run.close()
    with (run.folder / "log.jsonl").open("a") as stream:
        stream.write(half)
    whole = half.endswith("}")
    assert [e["step"] for e in run.read_log()] == ([0, 1, 2] if whole else [0, 1])

    again = Run.open(run.folder, writable=True)
    again.log(step=3)  # must not stick to the half line
    again.close()
    assert [e["step"] for e in again.read_log()] == ([0, 1, 2, 3] if whole else [0, 1, 3])


def test_a_resumed_run_logs_nothing_twice(run: Run) -> None:
    for step in range(5):
        run.log(step=step)
    run.rewind_log(lambda entry: entry["step"] <= 2)
    run.log(step=3)
    assert [entry["step"] for entry in run.read_log()] == [0, 1, 2, 3]
    run.rewind_log(lambda entry: False)
    assert run.read_log() == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_log_on_a_full_disk_is_a_sentence(run: Run) -> None:
    full = Path("/dev/full").open("a")  # noqa: SIM115 - the run closes it
    run._log = full
    with pytest.raises(MachineError, match=r"log\.jsonl: the disk is full"), run:
        run.log(step=1)
    Run.open(run.folder, writable=True).close()  # the lock was given back


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("5", "row 2: is no JSON object"),
        ("half", "row 2: is not valid JSON"),
        ('{"a":' * 100_000, "row 2: is not valid JSON"),
        ("\udcff", "row 2: is not valid JSON"),
    ],
)
def test_a_bad_line_of_the_log_is_named(run: Run, line: str, message: str) -> None:
    text = f'{{"step": 1}}\n{line}\n{{"step": 3}}\n'
    (run.folder / "log.jsonl").write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(DataError, match=message):
        run.read_log()


def test_a_number_too_long_for_an_integer_is_read_as_a_float(run: Run) -> None:
    values = f'{{"loss": {"9" * 400}, "ids": {"9" * 5000}, "step": 9007199254740993}}\n'
    (run.folder / "log.jsonl").write_text(values)
    (entry,) = run.read_log()
    assert entry == {"loss": math.inf, "ids": math.inf, "step": 9007199254740993}


# ---- a run folder from elsewhere


@pytest.mark.parametrize("name", ["recipe.toml", "log.jsonl", ".lock", "figures/a.png", "figures"])
def test_a_run_with_a_link_is_refused_and_what_it_points_to_is_untouched(
    run: Run, tmp_path: Path, name: str
) -> None:
    run.close()
    outside = tmp_path / "thesis.txt"
    outside.write_text("300 pages")
    place = run.folder / name
    place.parent.mkdir(exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(outside)
    for writable in (False, True):
        with pytest.raises(RunError, match=f"{re.escape(name)}: is a link"):
            Run.open(run.folder, writable=writable)
    assert outside.read_text() == "300 pages"


def test_the_lock_itself_never_follows_a_link(run: Run, tmp_path: Path) -> None:
    run.close()
    outside = tmp_path / "thesis.txt"
    outside.write_text("300 pages")
    (run.folder / ".lock").unlink()
    (run.folder / ".lock").symlink_to(outside)
    with pytest.raises(MachineError, match="cannot be written"):
        run.lock()
    assert outside.read_text() == "300 pages"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_run_with_a_pipe_is_refused(run: Run) -> None:
    run.close()
    os.mkfifo(run.folder / "data.json")
    with pytest.raises(RunError, match=r"data\.json: is a device, pipe or socket"):
        Run.open(run.folder)


def test_a_run_may_itself_be_reached_through_a_link(run: Run, tmp_path: Path) -> None:
    run.close()
    (tmp_path / "latest").symlink_to(run.folder)
    assert Run.open(tmp_path / "latest").request == REQUEST


def test_an_environment_far_too_large_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.close()
    with (run.folder / "environment.json").open("r+") as stream:
        stream.truncate(foreign.MAX_JSON_BYTES + 1)
    with pytest.raises(RunError, match="has more than 50,000,000 bytes"):
        Run.open(run.folder)


# ---- facts and results


def test_seconds_of_phases_add_up_even_when_one_fails(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 1.5, 10.0, 12.25, 20.0, 20.5])
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(clock))
    with run.phase("train"):
        pass
    with run.phase("train"):
        pass
    with pytest.raises(ValueError), run.phase("score"):
        raise ValueError
    assert run.seconds == {"train": 3.75, "score": 0.5}


def test_notes_are_added_to_the_state_and_the_environment_stays(run: Run) -> None:
    before = (run.folder / "environment.json").read_bytes()
    assert run.state == {}
    run.note(device="cpu", precision="bf16")
    run.note(precision="fp32")
    again = Run.open(run.folder)
    assert again.state == {"device": "cpu", "precision": "fp32"}
    assert again.environment["request"]["seed"] == 7
    assert (run.folder / "environment.json").read_bytes() == before


def test_the_result_ends_the_run_and_brings_its_seconds_back(run: Run) -> None:
    run.finish({"score": {"public": 0.7}, "seconds": {"train": 12.5}})
    again = Run.open(run.folder)
    assert again.result == {"score": {"public": 0.7}, "seconds": {"train": 12.5}}
    assert again.seconds == {"train": 12.5}
