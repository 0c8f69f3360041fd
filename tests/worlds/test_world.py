"""Worlds are made once, whole, the same by one process or two, and mended when damaged."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import MachineError
from mlspring.core.files import disk_errors, home
from mlspring.worlds import world as world_module
from mlspring.worlds.shards import Shard
from mlspring.worlds.world import World, build, describe, folder, join, save_array, verify

SOURCE = Path(world_module.__file__).parents[2]


def draw(seed: int, shard: int) -> Shard:
    return {"x": np.random.default_rng([seed, shard]).normal(size=(5, 3))}


def keep(shards: list[Shard], public: Path, private: Path) -> None:
    save_array(public / "x.npy", join(shards, "x"))
    (private / "answers.csv").write_text("Id,Usage\n1,Public\n")


def crash(seed: int, shard: int) -> Shard:
    raise ZeroDivisionError(f"shard {shard} of seed {seed}")


def vanish(seed: int, shard: int) -> Shard:
    os._exit(9)  # as a kill: nothing is cleaned up
    return draw(seed, shard)


def wait_long(seed: int, shard: int) -> Shard:
    time.sleep(0.4)
    return draw(seed, shard)


def numbers(**changes: object) -> World:
    world = World(
        name="numbers",
        title="numbers",
        description="twenty rows of random numbers",
        version=1,
        seed=0,
        num_shards=4,
        make=draw,
        write=keep,
    )
    return replace(world, **changes)  # type: ignore[arg-type]


def checksums(world: World) -> dict[str, str]:
    manifest = json.loads((folder(world) / "manifest.json").read_text())
    return {name: entry["sha256"] for name, entry in manifest["files"].items()}


def left_behind() -> list[str]:
    """Names in the cache folder, locks aside."""
    place = home() / "worlds"
    return sorted(p.name for p in place.glob("*") if p.suffix != ".lock") if place.exists() else []


def test_one_process_and_two_make_the_same_bytes() -> None:
    build(numbers(), processes=1)
    alone = checksums(numbers())
    shutil.rmtree(folder(numbers()))
    build(numbers(), processes=2)
    assert checksums(numbers()) == alone


def test_another_seed_or_version_is_another_world() -> None:
    build(numbers(), processes=1)
    build(numbers(seed=1), processes=1)
    key = "public/x.npy"
    assert checksums(numbers())[key] != checksums(numbers(seed=1))[key]
    assert folder(numbers(version=2)) != folder(numbers())


def test_other_libraries_are_another_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    place = folder(numbers())
    monkeypatch.setattr(metadata, "version", lambda name: "0.0.1")
    assert folder(numbers()) != place


def test_shards_stay_in_order_and_arrays_keep_type_and_shape() -> None:
    made = np.load(build(numbers(), processes=2) / "public" / "x.npy", allow_pickle=False)
    expected = np.concatenate([draw(0, shard)["x"] for shard in range(4)])
    assert made.dtype == np.float64 and np.array_equal(made, expected)


def test_a_cached_world_is_not_made_again() -> None:
    made = build(numbers(), processes=1)
    assert build(numbers(make=crash), processes=1) == made  # would raise if it ran


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "damage", "sentence"),
    [
        ("public/x.npy", truncate, "bytes instead of"),
        ("public/x.npy", flip, "does not match its checksum"),
        ("private/answers.csv", Path.unlink, "answers.csv is missing"),
        ("manifest.json", Path.unlink, "manifest.json is missing"),
        ("manifest.json", truncate, "manifest.json"),
        ("manifest.json", lambda path: path.write_text("{}"), "lacks an entry"),
    ],
)
def test_damage_is_told_and_mended(
    name: str,
    damage: Callable[[Path], object],
    sentence: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    world = numbers()
    place = build(world, processes=1)
    sound = checksums(world)
    damage(place / name)
    if name == "manifest.json" and damage is truncate:
        (place / name).write_text("{")
    assert sentence in (verify(world) or "")
    build(world, processes=1)
    assert sentence in capfd.readouterr().err
    assert verify(world, full=True) is None and checksums(world) == sound
    assert left_behind() == [place.name]


def test_a_change_that_hides_its_time_needs_the_full_check() -> None:
    place = build(numbers(), processes=1)
    path = place / "public" / "x.npy"
    times = path.stat()
    flip(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert verify(numbers()) is None
    assert "checksum" in (verify(numbers(), full=True) or "")


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_in_a_shard_leaves_nothing(processes: int) -> None:
    with pytest.raises(ZeroDivisionError, match="of seed 0"):
        build(numbers(make=crash), processes=processes)
    assert left_behind() == []


def test_a_killed_worker_is_a_sentence_and_leaves_nothing() -> None:
    with pytest.raises(MachineError, match="ended abruptly"):
        build(numbers(make=vanish), processes=2)
    assert left_behind() == []


def test_ctrl_c_leaves_nothing() -> None:
    def interrupt(shards: list[Shard], public: Path, private: Path) -> None:
        keep(shards, public, private)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(numbers(write=interrupt), processes=1)
    assert left_behind() == []


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="sends Ctrl-C as a Unix terminal does")
def test_ctrl_c_while_two_processes_work_leaves_nothing(tmp_path: Path) -> None:
    script = tmp_path / "slow.py"
    script.write_text(
        "import signal, time, numpy as np\n"
        "from mlspring.worlds.world import World, build\n"
        "def slow(seed, shard):\n"
        "    print('working', flush=True)\n"
        "    time.sleep(0.5)\n"
        "    return {'x': np.zeros(1)}\n"
        "def keep(shards, public, private):\n"
        "    pass\n"
        "if __name__ == '__main__':\n"
        "    # what runs in a shell's background ignores Ctrl-C, and so would its children\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "    build(World(name='slow', title='slow', description='', version=1, seed=0,\n"
        "                num_shards=99, make=slow, write=keep), processes=2)\n"
    )
    child = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        start_new_session=True,
    )
    assert child.stdout is not None
    child.stdout.readline()
    os.killpg(child.pid, signal.SIGINT)  # as a terminal does: parent and workers alike
    assert child.wait(timeout=20) != 0
    child.stdout.close()
    assert left_behind() == []


def test_what_a_killed_process_left_is_cleaned() -> None:
    place = folder(numbers())
    (place.parent / f".{place.name}-abc.part" / "public").mkdir(parents=True)
    build(numbers(), processes=1)
    assert left_behind() == [place.name]


def test_full_disk_is_a_sentence_and_leaves_nothing() -> None:
    def full(shards: list[Shard], public: Path, private: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(MachineError, match="disk is full"):
        build(numbers(write=full), processes=1)
    assert left_behind() == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_saving_an_array_to_a_full_device_reports_the_full_disk() -> None:
    with pytest.raises(MachineError, match="disk is full"), disk_errors(Path("/dev/full")):
        save_array(Path("/dev/full"), np.zeros((300, 300)))


def test_two_that_ask_at_once_make_it_once(capfd: pytest.CaptureFixture[str]) -> None:
    made = []

    def write(shards: list[Shard], public: Path, private: Path) -> None:
        made.append(1)
        keep(shards, public, private)

    world = numbers(make=wait_long, write=write, num_shards=2)
    others = [threading.Thread(target=build, args=(world,), kwargs={"processes": 1})]
    others.append(threading.Thread(target=build, args=(world,), kwargs={"processes": 1}))
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert made == [1] and verify(world, full=True) is None
    assert "waiting" in capfd.readouterr().err


def test_describe_tells_content_size_and_making() -> None:
    before = describe(numbers())
    assert "not made yet" in before["State"]
    build(numbers(), processes=1)
    facts = describe(numbers())
    assert facts["Content"] == "twenty rows of random numbers"
    assert facts["Size"].endswith("in 2 files") and "numpy" in facts["Libraries"]
    assert facts["Folder"] == str(folder(numbers()))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_answers_are_closed_to_other_users_also_those_made_before() -> None:
    made = build(numbers())
    assert (made / "private").stat().st_mode & 0o077 == 0
    (made / "private").chmod(0o755)
    build(numbers())
    assert (made / "private").stat().st_mode & 0o077 == 0


SHARED = """
import os
import sys
from mlspring.core.errors import MachineError
from mlspring.worlds.world import build, verify
sys.path.insert(0, sys.argv[1])
from tests.worlds.test_world import numbers
build(numbers())  # so that all that is imported late is imported: it may lie where only root reads
os.setgroups([])
os.setgid(12345)
os.setuid(12345)
made = build(numbers())
print((made / "public" / "x.npy").stat().st_size)
try:
    build(numbers(seed=1))
except MachineError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs another user")
def test_another_user_reads_a_shared_world_and_is_told_what_cannot_be_made(tmp_path: Path) -> None:
    shared = Path(tempfile.mkdtemp(prefix="mlspring-"))  # pytest's own folders are closed
    try:
        shared.chmod(0o755)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MLSPRING_HOME", str(shared))
            build(numbers())
        command = [sys.executable, "-c", SHARED, str(SOURCE.parent)]
        variables = {**os.environ, "MLSPRING_HOME": str(shared), "PYTHONPATH": str(SOURCE)}
        done = subprocess.run(
            command, env=variables, capture_output=True, text=True, check=False, cwd="/"
        )
        assert done.returncode == 0, done.stderr
        size, sentence = done.stdout.split("\n", 1)
        assert int(size) > 100, done.stderr
        assert "cannot be written" in sentence and "MLSPRING_HOME" in sentence
    finally:
        shutil.rmtree(shared)
