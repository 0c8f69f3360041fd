"""``mlspring data``: the data card, and a world written out in the official layout."""

import shutil
from pathlib import Path

from rich import box
from rich.table import Table

from mlspring import catalog
from mlspring.core.errors import UserError
from mlspring.core.files import atomic_folder
from mlspring.core.spec import Spec
from mlspring.verbs import recipes, sources
from mlspring.worlds import world


def describe(spec: Spec, data: str) -> Table:
    """Return the facts of a homework's data as a table."""
    source = sources.open_source(spec, data)
    part = catalog.part(spec, "data")
    recipe = recipes.load(spec, recipes.find_recipe(spec, spec.levels[0], source.kind))
    facts = part.describe(part.load(source, recipe))
    if source.kind == "world":
        facts |= world.describe(part.world())
    shown = Table(
        box=box.SIMPLE, show_header=False, pad_edge=False, title=f"{spec.id} {spec.title}"
    )
    shown.add_column(style="bold", no_wrap=True)
    shown.add_column()
    for name, value in facts.items():
        shown.add_row(name, value)
    return shown


def export(spec: Spec, to: Path) -> str:
    """Write the world under ``to``/public in the official layout, any answers under ``to``/private.

    ``to`` appears complete or not at all.

    Raises:
        UserError: ``to`` exists and is not empty.
        MachineError: the disk is full or ``to`` cannot be written.
    """
    if to.exists() and (not to.is_dir() or any(to.iterdir())):
        raise UserError("is not empty", file=to, fix="name a new folder")
    made = sources.world_folder(spec)
    with atomic_folder(to) as partial:
        catalog.part(spec, "data").export(made, partial / "public")
        if not spec.ranked:
            return f"{to / 'public'}: official layout, for --data"
        (partial / "private").mkdir()
        shutil.copyfile(sources.world_answers(spec), partial / "private" / "answers.csv")
    return f"{to / 'public'}: official layout, for --data\n{to / 'private'}: answers, for the judge"
