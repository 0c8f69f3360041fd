"""Which file a recipe's name means."""

import difflib
import json
import tomllib
from pathlib import Path
from textwrap import shorten
from typing import Any

from mlspring import catalog
from mlspring.core.errors import RecipeError
from mlspring.core.recipe import load_recipe
from mlspring.core.spec import Spec

MUCH = 10  # times the work of the world's recipe, which takes minutes without a GPU


def find_recipe(spec: Spec, name: str, kind: str) -> Path:
    """Return the TOML that ``name`` means for data of ``kind``, ``world`` or ``official``.

    ``strong`` is the strong recipe for this kind of data, ``world/strong`` the one made for the
    world whatever the data, ``my.toml`` a file of the user's.

    Raises:
        RecipeError: there is no such recipe; names those that may be meant, else all of them.
    """
    folder = spec.folder / "recipes"
    if name.endswith(".toml"):
        return Path(name)
    path = folder / f"{name}.toml" if "/" in name else folder / kind / f"{name}.toml"
    if _behind(spec, path).is_file():
        return path
    every = _names_by_kind(spec, kind)
    found, file = f"{spec.id} has no recipe {name!r}", "a file that ends in .toml"
    if near := _nearest(name, kind, every):
        more = f" Or {', '.join(near[1:])}?" if near[1:] else ""
        fix = f"did you mean {near[0]}?{more}"
        raise RecipeError(found, expected=f"the name of a recipe, or {file}", fix=fix)
    raise RecipeError(found, expected=f"one of these, or {file}", fix=_listing(kind, every))


def _names_by_kind(spec: Spec, first: str) -> dict[str, list[str]]:
    """Return the names of all recipes by folder, those for data of the kind ``first`` first."""
    folders = {path.parent.name for path in (spec.folder / "recipes").glob("*/*.toml")}
    kinds = sorted(folders, key=lambda kind: (kind != first, kind))
    return {kind: recipe_names(spec, kind) for kind in kinds}


def _nearest(name: str, kind: str, every: dict[str, list[str]]) -> list[str]:
    """Return the recipes whose own name is most like ``name``'s, in whichever folder."""
    typed_folder, _, typed = name.rpartition("/")
    known = sorted({n for names in every.values() for n in names})
    near = difflib.get_close_matches(typed, known, n=1, cutoff=0.6)
    meant = difflib.get_close_matches(typed_folder, every, n=1, cutoff=0.6)
    return [
        n if folder == kind else f"{folder}/{n}"
        for folder in sorted(every, key=lambda folder: folder not in meant)
        for n in every[folder]
        if n in near
    ]


def _listing(kind: str, every: dict[str, list[str]]) -> str:
    """Return all recipes on a line of a terminal: ``simple boss {laptop,official}/{simple,boss}``.

    Where there are too many, other folders are named alone, ``official/*``, and the rest is cut.
    """
    width = 75  # of a line of a terminal, behind the arrow of a fix
    alike: dict[tuple[str, ...], list[str]] = {}
    for folder, names in every.items():
        if folder != kind:
            alike.setdefault(tuple(names), []).append(folder)
    own = " ".join(every.get(kind, []))
    others = " ".join(
        f"{_braced(folders)}/{_braced(list(names))}" for names, folders in alike.items()
    )
    line = f"{own} {others}".strip()
    if len(line) <= width:
        return line
    others = " ".join(f"{folder}/*" for folder in every if folder != kind)
    return f"{shorten(own, width - len(others) - 1, placeholder=' ..')} {others}"


def _braced(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{{{','.join(names)}}}"


def recipe_names(spec: Spec, kind: str) -> list[str]:
    """Return the names of an island's recipes: the levels in rising order, then the others."""
    found = {path.stem for path in (spec.folder / "recipes" / kind).glob("*.toml")}
    if spec.default in found:
        found |= set(variants(spec))
    return [n for n in spec.levels if n in found] + sorted(found - set(spec.levels))


def for_laptop(spec: Spec, path: Path) -> str | None:
    """Return the name of the recipe that does for a laptop what an official one does for a GPU.

    That is the one of the same name in ``recipes/laptop``; else the nearest level there, first
    above and then below, if it is no more work; else the world's of that name, where the official
    one is so much more work that it takes an hour and more without a GPU.

    None where ``path`` is no official recipe, or where there is nothing lighter.
    """
    folder, name = spec.folder / "recipes", path.stem
    if path.parent != folder / "official":
        return None
    there = recipe_names(spec, "laptop")
    if name in there:
        return f"laptop/{name}"
    lighter = [(f"world/{name}", MUCH)]
    if name in spec.levels:
        place = spec.levels.index(name)
        near = [*spec.levels[place + 1 :], *reversed(spec.levels[:place])]
        lighter = [(f"laptop/{level}", 1) for level in near if level in there][:1] + lighter
    work = num_examples(_behind(spec, path))
    for other, times in lighter:
        file = folder / f"{other}.toml"
        if file.is_file() and 0 < times * num_examples(file) <= work:
            return other
    return None


def num_examples(path: Path) -> int:
    """Return how many examples the training of a recipe looks at; 0 where it does not say."""
    train = tomllib.loads(path.read_text(encoding="utf-8")).get("train", {})
    return int(train.get("steps", 0) * train.get("batch_size", 0) * train.get("members", 1))


def variants(spec: Spec) -> dict[str, dict[str, Any]]:
    """Return what ``recipes/variants.toml`` says: a name, and the keys that it changes.

    A variant has no file of its own: it is the default recipe of a folder with a few other keys.
    """
    path = spec.folder / "recipes" / "variants.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _behind(spec: Spec, path: Path) -> Path:
    """Return the file of a recipe: for a variant the one that it is a variant of."""
    own = path.parent.parent == spec.folder / "recipes" and not path.is_file()
    return path.with_name(f"{spec.default}.toml") if own and path.stem in variants(spec) else path


def load(spec: Spec, path: Path, overrides: tuple[str, ...] = ()) -> Any:
    """Return the recipe in ``path`` as the island's own model."""
    file = _behind(spec, path)
    changed = _as_overrides(variants(spec)[path.stem]) if file != path else ()
    return load_recipe(catalog.part(spec, "recipe").Recipe, file, (*changed, *overrides))


def _as_overrides(table: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    """Return sections and their keys as ``section.key=value``."""
    return tuple(f"{s}.{k}={json.dumps(v)}" for s, keys in table.items() for k, v in keys.items())
