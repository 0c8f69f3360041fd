"""``mlspring fetch``: the course's own files, from the first address that still gives them."""

import importlib
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pydantic import Field

from mlspring.core.archives import archive_kind, extract
from mlspring.core.errors import DataError, MachineError
from mlspring.core.files import disk_errors, home
from mlspring.core.locks import Lock, LockedError
from mlspring.core.progress import say
from mlspring.core.recipe import Section, load_recipe
from mlspring.core.spec import Spec
from mlspring.verbs.download import download
from mlspring.verbs.transfer import UnavailableError

EXTRA = 'needs an extra package; in the checkout: pip install -e ".[fetch]" -c constraints.txt'


class WebFile(Section):
    """One file behind a plain address."""

    url: str = Field(description="http or https address")
    name: str = Field(description="name of the file here")
    checksum: str = Field(default="", description="sha256: or md5: and digits, where known")


class Address(Section):
    """One address that has, or had, the whole data set."""

    kind: Literal["web", "kaggle", "huggingface"] = Field(description="how it is asked")
    name: str = Field(description="the competition, the data set or, for web, whose site it is")
    note: str = Field(default="", description="what a person must know or do first")
    files: list[WebFile] = Field(default=[], description="the files of a web address")

    @property
    def label(self) -> str:
        """The address as it stands in messages."""
        places = {"kaggle": "Kaggle competition", "huggingface": "Hugging Face data set"}
        if self.kind in places:
            return f"{places[self.kind]} {self.name}"
        return f"{self.name}: {', '.join(file.url for file in self.files)}"


class Addresses(Section):
    """The content of an island's ``addresses.toml``."""

    expects: list[str] = Field(description="files and folders that a complete data set has")
    by_hand: str = Field(description="what to do when no address answers; a sentence")
    address: list[Address] = Field(description="the places, tried in this order")


def fetch(spec: Spec, to: Path | None = None) -> Path:
    """Return a folder with the homework's official data, fetched if it is not there already.

    The folder can be given to ``--data``. It appears complete or not at all; what was fetched of a
    large file is kept beside it, hidden, and continued by the next call.

    Args:
        spec: the homework.
        to: the folder to make; by default one for the homework under ``home()/official``.

    Raises:
        DataError: ``to`` holds something else.
        MachineError: no address gave the data (each is named with its reason), or the disk is full.
    """
    addresses = load_addresses(spec)
    to = to or home() / "official" / spec.id
    if (there := _find(to, addresses.expects)) is not None:
        say(f"{there} is complete already")
        return there
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        expected = f"an empty or new folder, or one with {', '.join(addresses.expects)}"
        raise DataError("holds something else", file=to, expected=expected)
    reasons = []
    with _work_folder(to) as work:
        for number, address in enumerate(addresses.address, start=1):
            say(f"{spec.id}: trying {address.label}")
            try:
                came = work / "parts" / f"{number}-{address.kind}"
                root = _from(address, came, work / "files", addresses.expects)
            except UnavailableError as error:
                reasons += _told(number, address, str(error))
                continue
            with disk_errors(to):
                (work / "files").rename(to)
            shutil.rmtree(work / "parts", ignore_errors=True)
            return to / root
    fix = "then give its folder with --data DIR; the built-in world needs no network"
    raise MachineError(
        f"the data of {spec.id} could not be fetched; tried",
        fix=f"{addresses.by_hand}; {fix}",
        details=reasons,
    )


@contextmanager
def _work_folder(to: Path) -> Iterator[Path]:
    """Yield the hidden folder beside ``to`` for what is on its way; one process at a time.

    Afterwards it is gone, unless parts of files are in it that the next call can continue.
    """
    work = to.with_name(f".{to.name}.fetch")
    try:
        lock = Lock(work / "lock")
    except LockedError as error:
        raise MachineError("another process is fetching this", file=to) from error
    try:
        yield work
    finally:
        shutil.rmtree(work / "files", ignore_errors=True)
        empty = not any(path.is_file() for path in (work / "parts").rglob("*"))
        if empty and sys.platform != "win32":  # gone before another process can take the lock
            shutil.rmtree(work, ignore_errors=True)
        lock.release()
        if empty:
            shutil.rmtree(work, ignore_errors=True)


def load_addresses(spec: Spec) -> Addresses:
    """Return the addresses of a homework.

    Raises:
        DataError: the homework has no data to fetch.
    """
    path = spec.folder / "addresses.toml"
    if not path.exists():
        raise DataError(f"{spec.id} has no official data to fetch", fix="use the built-in world")
    return load_recipe(Addresses, path)


def _told(number: int, address: Address, reason: str) -> list[str]:
    note = [address.note] if address.note else []
    return [f"{number}. {address.label}", *(f"   {text}" for text in (reason, *note))]


def _from(address: Address, came: Path, files: Path, expects: list[str]) -> Path:
    """Fill ``files`` from one address and return where in it the data set stands.

    What came stays in ``came`` until the end: Ctrl-C or a full disk while it is unpacked does not
    cost another download. What turns out to be of no use is removed.
    """
    shutil.rmtree(files, ignore_errors=True)
    with disk_errors(files):
        files.mkdir(parents=True)
    _download(address, came, files)
    try:
        with disk_errors(files):
            if _find(came, expects) is None:
                _unpack_all(came, files)
            else:
                came.rename(files)
        root = _find(files, expects)
        if root is None:
            raise UnavailableError(f"what came lacks {', '.join(expects)}")
    except UnavailableError:
        shutil.rmtree(came, ignore_errors=True)
        raise
    return root.relative_to(files)


def _download(address: Address, came: Path, empty: Path) -> None:
    """Put everything that an address has into ``came``; what is there already is not asked for.

    Other people's libraries fill the folder ``empty``, which becomes ``came`` once it is complete.
    """
    if address.kind == "web":
        for file in address.files:
            download(file.url, came / file.name, checksum=file.checksum)
        return
    if came.exists():
        return
    if address.kind == "kaggle":
        _call("kagglehub", "competition_download", address.name, output_dir=str(empty))
    else:
        options = {"repo_type": "dataset", "local_dir": str(empty)}
        _call("huggingface_hub", "snapshot_download", address.name, **options)
    with disk_errors(came):
        came.parent.mkdir(exist_ok=True)
        empty.rename(came)
        empty.mkdir()


def _call(module: str, function: str, name: str, **options: str) -> None:
    try:
        loaded = importlib.import_module(module)
    except ImportError as error:
        raise UnavailableError(EXTRA) from error
    try:
        getattr(loaded, function)(name, **options)
    except Exception as error:  # whatever it is, the next address may work
        lines = str(error).strip().splitlines()
        raise UnavailableError(f"{type(error).__name__}: {lines[0] if lines else ''}") from error


def _unpack_all(came: Path, files: Path) -> None:
    """Unpack the archives in ``came`` into ``files``, and move what came as folders there."""
    unpacked = files / ".unpacked"
    for archive in sorted(path for path in came.iterdir() if path.is_file()):
        try:
            archive_kind(archive)
            extract(archive, unpacked)
        except DataError as error:
            raise UnavailableError(str(error)) from error
        _move(unpacked.iterdir(), files)
        unpacked.rmdir()
    _move((path for path in came.iterdir() if path.is_dir()), files)


def _move(entries: Iterable[Path], to: Path) -> None:
    for entry in sorted(entries):
        if (to / entry.name).exists():
            raise UnavailableError(f"{entry.name} came twice")
        entry.rename(to / entry.name)


def _find(folder: Path, expects: list[str]) -> Path | None:
    """Return the folder to give ``--data``: it has everything expected, or holds what has.

    That is the outermost folder, at most two levels inside, with everything in it; or ``folder``
    itself where each part lies in a folder of its own, as in Kaggle's archives: readers look two
    levels down.
    """
    below: list[Path] = [folder]
    level = [folder]
    for _ in range(2):
        level = [p for above in level if above.is_dir() for p in sorted(above.iterdir())]
        below += [path for path in level if path.is_dir()]
    whole = (one for one in below if all((one / name).exists() for name in expects))
    if (found := next(whole, None)) is not None:
        return found
    scattered = all(any((one / name).exists() for one in below) for name in expects)
    return folder if expects and scattered else None
