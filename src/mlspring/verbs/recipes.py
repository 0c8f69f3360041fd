"""Which file a recipe's name means."""

import difflib
from pathlib import Path
from typing import Any

from mlspring import catalog
from mlspring.core.errors import RecipeError
from mlspring.core.recipe import load_recipe
from mlspring.core.spec import Spec


def find_recipe(spec: Spec, name: str, kind: str) -> Path:
    """Return the TOML that ``name`` means for data of ``kind``, ``world`` or ``official``.

    ``strong`` is the strong recipe for this kind of data, ``world/strong`` the one made for the
    world whatever the data, ``my.toml`` a file of the user's.

    Raises:
        RecipeError: there is no such recipe; names the nearest one.
    """
    folder = spec.folder / "recipes"
    if name.endswith(".toml"):
        return Path(name)
    path = folder / f"{name}.toml" if "/" in name else folder / kind / f"{name}.toml"
    if path.is_file():
        return path
    known = recipe_names(spec, kind)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}."
    raise RecipeError(f"{spec.id} has no recipe {name!r}", fix=f"{hint} A file must end in .toml")


def recipe_names(spec: Spec, kind: str) -> list[str]:
    """Return the names of an island's recipes: the levels in rising order, then the others."""
    found = {path.stem for path in (spec.folder / "recipes" / kind).glob("*.toml")}
    return [n for n in spec.levels if n in found] + sorted(found - set(spec.levels))


def for_laptop(spec: Spec, path: Path) -> str | None:
    """Return the name of the recipe that does for a laptop what an official one does for a GPU.

    None where ``path`` is no official recipe, or where the homework has no such recipe.
    """
    name = f"laptop/{path.stem}"
    folder = spec.folder / "recipes"
    is_official = path.parent == folder / "official"
    return name if is_official and (folder / f"{name}.toml").is_file() else None


def load(spec: Spec, path: Path, overrides: tuple[str, ...] = ()) -> Any:
    """Return the recipe in ``path`` as the island's own model."""
    return load_recipe(catalog.part(spec, "recipe").Recipe, path, overrides)
