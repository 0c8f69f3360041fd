"""``mlspring data``: the data card, and a world written out in the official layout."""

import shutil
from pathlib import Path

from rich import box
from rich.table import Table

from mlspring import catalog
from mlspring.core.errors import UserError
from mlspring.core.files import atomic_folder, home
from mlspring.core.island import CanBeHeard, TakesRecordings
from mlspring.core.source import official
from mlspring.core.spec import Spec
from mlspring.verbs import contact, recipes, sources
from mlspring.worlds import world

ABOUT_ANSWERS = "for the judge: whoever trains on them measures nothing, and no board can tell"


def describe(spec: Spec, data: str) -> tuple[Table, Path | None]:
    """Return the summary of a homework's data as a table, and its contact sheet if it has one."""
    source = sources.open_source(spec, data)
    part = catalog.part(spec, "data")
    recipe = recipes.load(spec, recipes.find_recipe(spec, spec.levels[0], source.kind))
    loaded = part.load(source, recipe)
    card = part.describe(loaded)
    if source.kind == "world":
        card |= world.describe(part.world())
    shown = Table(
        box=box.SIMPLE, show_header=False, pad_edge=False, title=f"{spec.id} {spec.title}"
    )
    shown.add_column(style="bold", no_wrap=True)
    shown.add_column()
    for name, value in card.items():
        shown.add_row(name, value)
    sheet = contact.write(spec, loaded, home() / "sheets" / f"{spec.id}-{_name(source.folder)}")
    return shown, sheet


def _name(folder: Path) -> str:
    """Return a name for a source's folder, another one for another folder of the same name."""
    return f"{folder.parent.name}-{folder.name}"


def from_audio(spec: Spec, audio: Path, to: Path | None) -> str:
    """Write own recordings in the official layout, in a folder that appears whole or not at all.

    Args:
        spec: the homework.
        audio: the folder of recordings.
        to: a new or empty folder; None: ``<audio>-hw02`` and the like, beside the recordings.

    Raises:
        UserError: the homework takes no recordings, or ``to`` is not empty.
        DataError: a recording or a label file cannot be used.
    """
    part = catalog.part(spec, "data")
    if not isinstance(part, TakesRecordings):
        raise UserError(f"{spec.id} takes no recordings", expected="a homework on speech")
    folder = official(audio.expanduser()).folder
    to = to or folder.with_name(f"{folder.name}-{spec.id}")
    _demand_new(to)
    with atomic_folder(to) as partial:
        said = part.from_audio(folder, partial)
    return f"{to}: official layout, for --data; {said}"


def listen(spec: Spec, number: int, to: Path | None) -> str:
    """Write items of the world as sound; raise ``UserError`` where it is none.

    Args:
        spec: the homework.
        number: of items.
        to: a new or empty folder; None: ``listen-hw02`` and the like, here.
    """
    part = catalog.part(spec, "data")
    if not isinstance(part, CanBeHeard):
        raise UserError(f"the world of {spec.id} is silent", expected="a homework on speech")
    to = to or Path(f"listen-{spec.id}")
    _demand_new(to)
    with atomic_folder(to) as partial:
        said = part.listen(number, partial)
    return f"{to}: {said}"


def _demand_new(to: Path) -> None:
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise UserError("is not empty", file=to, fix="name a new folder: --export DIR")


def export(spec: Spec, to: Path, *, answers: bool = False) -> str:
    """Write the world under ``to``/public in the official layout.

    ``to`` appears complete or not at all.

    Args:
        spec: the homework.
        to: a new or empty folder.
        answers: whether to write the test answers, too, under ``to``/private.

    Raises:
        UserError: ``to`` exists and is not empty.
        MachineError: the disk is full or ``to`` cannot be written.
    """
    _demand_new(to)
    if answers:
        spec.require_ranking()
    made = sources.world_folder(spec)
    said = f"{to / 'public'}: official layout, for --data"
    with atomic_folder(to) as partial:
        catalog.part(spec, "data").export(made, partial / "public")
        if not answers:
            return said
        (partial / "private").mkdir()
        kept = sources.world_answers(spec)
        shutil.copyfile(kept, partial / "private" / f"answers{kept.suffix}")
    return f"{said}\n{to / 'private'}: answers, {ABOUT_ANSWERS}"
