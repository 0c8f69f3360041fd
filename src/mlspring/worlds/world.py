"""A world: a generated data set, made once, cached whole, checked on every opening.

home()/worlds/food-v1-s0-3f9a1c20/     name, version, seed, hash of the library versions
    public/          what training may read
    private/         answers.csv: only the judge reads it
    manifest.json    checksum and size of every file, versions, seconds
"""

import fcntl
import hashlib
import json
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspring.core import progress
from mlspring.core.errors import DataError
from mlspring.core.files import (
    atomic_folder,
    disk_errors,
    home,
    read_json,
    sha256,
    write_json,
)
from mlspring.worlds.shards import Shard, make_shards

LIBRARIES = ("numpy", "scipy", "pillow")  # the bytes of any world may depend on these


@dataclass(frozen=True, kw_only=True)
class World:
    """What a generated data set is made of; ``build`` makes it.

    Args:
        name: folder-safe name; worlds of other content or size have other names.
        title: what a person calls it.
        description: one sentence about its content.
        version: raise it whenever the bytes change.
        seed: fixes every random choice.
        num_shards: independent pieces; one finished piece is one step of the bar.
        unit: what a shard is called on the bar, e.g. ``shards`` or ``states``.
        libraries: distributions, beside ``LIBRARIES``, on whose versions the bytes may depend.
        make: (seed, shard) -> arrays by name; a pure function at the top level of a module (or a
            ``functools.partial`` of one), so that any process can run it.
        write: (shards in order, public folder, private folder) -> None; writes the files.
    """

    name: str
    title: str
    description: str
    version: int
    seed: int
    num_shards: int
    make: Callable[[int, int], Shard]
    write: Callable[[list[Shard], Path, Path], None]
    unit: str = "shards"
    libraries: tuple[str, ...] = ()


def folder(world: World) -> Path:
    """Return where ``world`` is cached, whether or not it exists yet."""
    text = json.dumps(versions(world), sort_keys=True)
    libraries = hashlib.sha256(text.encode()).hexdigest()[:8]
    return home() / "worlds" / f"{world.name}-v{world.version}-s{world.seed}-{libraries}"


def versions(world: World) -> dict[str, str]:
    """Return the versions that a world's bytes may depend on."""
    python = ".".join(platform.python_version_tuple()[:2])
    names = (*LIBRARIES, *world.libraries)
    return {"python": python, **{name: metadata.version(name) for name in names}}


def build(world: World, *, processes: int | None = None) -> Path:
    """Return the cached folder of ``world``, made now if it is missing or damaged.

    Args:
        world: what to make.
        processes: worker processes, by default one a core; 1 works in this process. The bytes
            do not depend on it.

    Returns:
        The folder that holds ``public/``, ``private/`` and ``manifest.json``.

    Raises:
        MachineError: the disk is full, the folder cannot be written, or a worker was killed.
    """
    place = folder(world)
    if not place.exists() or verify(world) is not None:
        _make_once(world, place, processes)
    return place


def verify(world: World, *, full: bool = False) -> str | None:
    """Return what is wrong with the cached world, or None where all is well.

    Sizes are always compared; checksums only of files touched since they were made, unless
    ``full``.
    """
    place = folder(world)
    try:
        manifest = read_json(place / "manifest.json")
        files: dict[str, dict[str, Any]] = manifest["files"]
        for name, facts in files.items():
            path = place / name
            status = path.stat()
            if status.st_size != facts["bytes"]:
                return f"{name} has {status.st_size} bytes instead of {facts['bytes']}"
            touched = status.st_mtime_ns != facts["mtime_ns"]
            if (full or touched) and sha256(path) != facts["sha256"]:
                return f"{name} does not match its checksum"
    except DataError as error:
        return f"manifest.json {error.found}"
    except OSError as error:
        why = "is missing" if isinstance(error, FileNotFoundError) else "cannot be read"
        return f"{Path(error.filename).name} {why}"
    except (KeyError, TypeError, AttributeError):
        return "manifest.json lacks an entry"
    return None


def describe(world: World) -> dict[str, str]:
    """Return the facts of a world for a data card: what it is, where, how large, how made."""
    place = folder(world)
    facts = {
        "World": world.title,
        "Content": world.description,
        "Version and seed": f"version {world.version}, seed {world.seed}",
        "Folder": str(place),
    }
    if verify(world) is not None:
        return facts | {"State": "not made yet; the first use makes it"}
    manifest = read_json(place / "manifest.json")
    size = sum(entry["bytes"] for entry in manifest["files"].values())
    libraries = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    return facts | {
        "Size": f"{size / 2**20:.1f} MiB in {len(manifest['files'])} files",
        "Made": f"in {manifest['seconds']:.1f} s by {manifest['processes']} process(es)",
        "Libraries": libraries,
    }


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write ``array`` as .npy; unlike ``np.save`` it reports a full disk as such."""
    contiguous = np.ascontiguousarray(array)
    with path.open("wb") as stream:
        header = np.lib.format.header_data_from_array_1_0(contiguous)
        np.lib.format.write_array_header_1_0(stream, header)
        stream.write(contiguous.reshape(-1).view(np.uint8).data)


# ---- making


def _make_once(world: World, place: Path, processes: int | None) -> None:
    """Make the world unless another process did so while we waited for the lock."""
    processes = processes or _cores()
    with disk_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        with _lock(world, place):
            damage = verify(world) if place.exists() else None
            if place.exists() and damage is None:
                return
            if damage is not None:
                progress.say(f"{place}: {damage}; the world is made again")
            for leftover in place.parent.glob(f".{place.name}-*.part"):
                shutil.rmtree(leftover, ignore_errors=True)  # of a killed process
            _make(world, place, processes)


def _make(world: World, place: Path, processes: int) -> None:
    start = time.perf_counter()
    with atomic_folder(place) as partial:
        public, private = partial / "public", partial / "private"
        public.mkdir()
        private.mkdir()
        with progress.bar(f"Making {world.title}", world.num_shards, unit=world.unit) as bar:
            shards = make_shards(world.make, world.seed, world.num_shards, processes, bar.advance)
        world.write(shards, public, private)
        manifest = {
            "name": world.name,
            "version": world.version,
            "seed": world.seed,
            "versions": versions(world),
            "processes": processes,
            "seconds": round(time.perf_counter() - start, 3),
            "files": _facts(partial),
        }
        write_json(partial / "manifest.json", manifest)
        _discard(place)


def _facts(partial: Path) -> dict[str, dict[str, Any]]:
    """Return checksum, size and time of change of every file under ``partial``."""
    paths = sorted(path for path in partial.rglob("*") if path.is_file())
    return {
        path.relative_to(partial).as_posix(): {
            "sha256": sha256(path),
            "bytes": path.stat().st_size,
            "mtime_ns": path.stat().st_mtime_ns,
        }
        for path in paths
    }


def _discard(place: Path) -> None:
    """Take ``place`` away in one step, then delete it; a reader never sees half of it."""
    if place.exists():
        trash = Path(tempfile.mkdtemp(dir=place.parent, prefix=f".{place.name}-", suffix=".part"))
        place.rename(trash / place.name)
        shutil.rmtree(trash, ignore_errors=True)


@contextmanager
def _lock(world: World, place: Path) -> Iterator[None]:
    """Hold the world's lock: of two processes that ask at once, one makes and one waits."""
    with (place.parent / f".{place.name}.lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say(f"Another process is making {world.title}; waiting for it")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def join(shards: Sequence[Shard], key: str) -> NDArray[Any]:
    """Return the arrays called ``key`` of all shards, one after the other."""
    return np.concatenate([shard[key] for shard in shards])
