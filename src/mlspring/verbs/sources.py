"""What ``--data`` means, and where the judge finds the answers to it."""

from pathlib import Path
from typing import Literal

from mlspring import catalog
from mlspring.core.files import sha256
from mlspring.core.source import Source, official
from mlspring.core.spec import Spec
from mlspring.worlds import world

WORLD = "world"


def kind_of(data: str) -> Literal["world", "official"]:
    """Return the kind of data that ``data`` names, without opening it."""
    return "world" if data == WORLD else "official"


def open_source(spec: Spec, data: str) -> Source:
    """Return the data that ``data`` names: ``world`` (made now if need be) or a folder.

    Raises:
        DataError: the folder is missing or cannot be read.
        MachineError: the world cannot be written.
    """
    if kind_of(data) == "official":
        return official(Path(data).expanduser())
    return Source(kind="world", folder=world_folder(spec) / "public")


def world_folder(spec: Spec) -> Path:
    """Return the folder of the homework's world: ``public/``, ``private/``, ``manifest.json``."""
    return world.build(catalog.part(spec, "data").WORLD)


def world_answers(spec: Spec) -> Path:
    """Return the world's answers, which only the judge reads."""
    return world_folder(spec) / "private" / "answers.csv"


def are_world_answers(spec: Spec, answers: Path) -> bool:
    """Return whether a file holds the answers of the world that is cached; none is made to see."""
    known = world.folder(catalog.part(spec, "data").WORLD) / "private" / "answers.csv"
    return known.is_file() and sha256(known) == sha256(answers)
