"""What ``--data`` means, and where the judge finds the answers to it."""

import os
from pathlib import Path
from typing import Literal

from mlspring import catalog
from mlspring.core.errors import MachineError
from mlspring.core.files import sha256
from mlspring.core.island import HasAnswers
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
    return world.build(catalog.part(spec, "data").world())


def world_answers(spec: Spec) -> Path:
    """Return the world's answers, which only the judge reads.

    Raises:
        MachineError: the world is another user's, and its answers are closed to this one.
    """
    answers = _answers(spec, world_folder(spec))
    if not os.access(answers, os.R_OK):
        found, fix = (
            "cannot be read: nothing can be scored",
            "set MLSPRING_HOME to a folder of yours",
        )
        raise MachineError(found, file=answers, fix=fix)
    return answers


def answers_of(spec: Spec, source: Source) -> Path:
    """Return the answers that belong to an opened world, which only the judge reads."""
    return _answers(spec, source.folder.parent)


def are_world_answers(spec: Spec, answers: Path) -> bool:
    """Return whether a file holds the answers of the world that is cached; none is made to see."""
    folder = world.folder(catalog.part(spec, "data").world())
    if not os.access(kept := _answers(spec, folder), os.R_OK):
        return False
    return sha256(kept) == sha256(answers)


def _answers(spec: Spec, folder: Path) -> Path:
    """Return the file of answers in a world's folder.

    A homework that numbers the test rows of a shared world in its own way has ``answers(folder)``
    in its ``data``.
    """
    part = catalog.part(spec, "data")
    if isinstance(part, HasAnswers):
        return part.answers(folder)
    return folder / "private" / "answers.csv"
