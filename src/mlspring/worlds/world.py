"""A world: a generated data set, made once, cached whole, checked on every opening.

home()/worlds/food-v1-s0-3f9a1c20/     name, version, seed, hash of the library versions
    public/          what training may read
    private/         answers.csv: only the judge reads it
    manifest.json    checksum and size of every file, versions, seconds
"""

import hashlib
import json
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlspring.core import progress
from mlspring.core.errors import DataError
from mlspring.core.extras import version_of
from mlspring.core.files import (
    atomic_folder,
    disk_errors,
    home,
    read_json,
    sha256,
    write_json,
)
from mlspring.core.locks import locked
from mlspring.core.machine import num_cores
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
        extra: of mlspring, which installs them.
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
    extra: str = ""


def folder(world: World) -> Path:
    """Return where ``world`` is cached, whether or not it exists yet."""
    text = json.dumps(versions(world), sort_keys=True)
    libraries = hashlib.sha256(text.encode()).hexdigest()[:8]
    return home() / "worlds" / f"{world.name}-v{world.version}-s{world.seed}-{libraries}"


def versions(world: World) -> dict[str, str]:
    """Return the versions that a world's bytes may depend on."""
    python = ".".join(platform.python_version_tuple()[:2])
    names = (*LIBRARIES, *world.libraries)
    made = f"{world.title} are made"
    return {"python": python, **{name: version_of(name, world.extra, made) for name in names}}


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
    cached = folder(world)
    with disk_errors(cached):
        there = cached.exists() and verify(world) is None
    if not there:
        _make_once(world, cached, processes)
    with suppress(OSError):  # another user's, who alone may change it
        (cached / "private").chmod(0o700)
    return cached


def verify(world: World, *, full: bool = False) -> str | None:
    """Return what is wrong with the cached world, or None where all is well.

    Sizes are always compared; checksums only of files touched since they were made, unless
    ``full``.
    """
    cached = folder(world)
    try:
        manifest = read_json(cached / "manifest.json")
        files: dict[str, dict[str, Any]] = manifest["files"]
        for name, noted in files.items():
            path = cached / name
            try:
                status = path.stat()
            except PermissionError:
                if name.startswith("private/"):  # of a world that another user keeps for many
                    continue
                raise
            if status.st_size != noted["bytes"]:
                return f"{name} has {status.st_size} bytes instead of {noted['bytes']}"
            touched = status.st_mtime_ns != noted["mtime_ns"]
            if (full or touched) and sha256(path) != noted["sha256"]:
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
    """Return the rows of a data card: what it is, where, how large, how made."""
    cached = folder(world)
    card = {
        "World": world.title,
        "Content": world.description,
        "Version and seed": f"version {world.version}, seed {world.seed}",
        "Folder": str(cached),
    }
    if verify(world) is not None:
        return card | {"State": "not made yet; the first use makes it"}
    manifest = read_json(cached / "manifest.json")
    size = sum(entry["bytes"] for entry in manifest["files"].values())
    libraries = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    return card | {
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


def _make_once(world: World, cached: Path, processes: int | None) -> None:
    """Make the world unless another process did so while we waited for the lock."""
    processes = processes or num_cores()
    with disk_errors(cached):
        cached.parent.mkdir(parents=True, exist_ok=True)
        with _lock(world, cached):
            damage = verify(world) if cached.exists() else None
            if cached.exists() and damage is None:
                return
            if damage is not None:
                progress.say(f"{cached}: {damage}; the world is made again")
            for leftover in cached.parent.glob(f".{cached.name}-*.part"):
                shutil.rmtree(leftover, ignore_errors=True)  # of a killed process
            _make(world, cached, processes)


def _make(world: World, cached: Path, processes: int) -> None:
    start = time.perf_counter()
    with atomic_folder(cached) as partial:
        public, private = partial / "public", partial / "private"
        public.mkdir()
        private.mkdir(0o700)
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
            "files": _checksums(partial),
        }
        write_json(partial / "manifest.json", manifest)
        _discard(cached)


def _checksums(partial: Path) -> dict[str, dict[str, Any]]:
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


def _discard(cached: Path) -> None:
    """Take ``cached`` away in one step, then delete it; a reader never sees half of it."""
    if cached.exists():
        trash = Path(tempfile.mkdtemp(dir=cached.parent, prefix=f".{cached.name}-", suffix=".part"))
        cached.rename(trash / cached.name)
        shutil.rmtree(trash, ignore_errors=True)


def _lock(world: World, cached: Path) -> AbstractContextManager[None]:
    """Return the world's lock: of two processes that ask at once, one makes and one waits."""
    waiting = f"Another process is making {world.title}; waiting for it"
    return locked(cached.parent / f".{cached.name}.lock", on_wait=lambda: progress.say(waiting))


def join(shards: Sequence[Shard], key: str) -> NDArray[Any]:
    """Return the arrays called ``key`` of all shards, one after the other."""
    return np.concatenate([shard[key] for shard in shards])
