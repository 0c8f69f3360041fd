"""Which file a recipe's name means."""

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from textwrap import shorten
from typing import Any

from mlspring import catalog
from mlspring.core.errors import RecipeError
from mlspring.core.recipe import Section, make_recipe, merged, read_table
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


def _keys(spec: Spec, path: Path) -> dict[str, Any]:
    """Return the keys of a recipe's file, those of a variant over its file's."""
    file = _behind(spec, path)
    table = read_table(file)
    return table if file == path else merged(table, variants(spec)[path.stem])


def full_name(spec: Spec, path: Path) -> str:
    """Return e.g. ``laptop/strong`` for a recipe of mlspring, else the path of the file."""
    folder = spec.folder / "recipes"
    if path.parent.parent == folder:
        return f"{path.parent.name}/{path.stem}"
    return str(path)


def shown_name(name: str) -> str:
    """Return a recipe's full name for people: ``strong`` for the world's, else all of it."""
    return name.removeprefix("world/")


def load(
    spec: Spec,
    path: Path,
    overrides: tuple[str, ...] = (),
    *,
    kind: str = "world",
    changes: Mapping[str, Any] | None = None,
) -> Any:
    """Return the recipe in ``path`` as the island's own model.

    A file may say ``extends = "boss"`` and hold only what it changes.

    Args:
        spec: the homework.
        path: the TOML file.
        overrides: of the form ``section.key=value``.
        kind: of the data, ``world`` or ``official``: whose ``boss`` it is.
        changes: keys, in their sections, that take the place of the file's.

    Raises:
        RecipeError: the file, or one that it extends, is missing or not valid.
    """
    model: type[Section] = catalog.part(spec, "recipe").Recipe
    return make_recipe(model, merged(_extended(spec, path, kind), changes or {}), path, overrides)


def _extended(spec: Spec, path: Path, kind: str, children: tuple[Path, ...] = ()) -> dict[str, Any]:
    """Return the keys of a recipe's file over those of the recipe that it extends."""
    table = _keys(spec, path)
    name = table.pop("extends", None)
    if name is None:
        return table
    expected = "the name of a recipe, or of a TOML file beside this one"
    if not isinstance(name, str) or not name:
        raise RecipeError(f"extends = {name!r}", file=path, expected=f"{expected}, in quotes")
    if path.parent.parent == spec.folder / "recipes":
        kind = path.parent.name
    try:
        below = find_recipe(spec, name, kind)
    except RecipeError as error:
        found = f"extends = {name!r}: {error.found}"
        raise RecipeError(found, file=path, expected=expected, fix=error.fix) from error
    if name.endswith(".toml"):
        below = path.parent / name
    chain = (*children, path.resolve())
    if below.resolve() in chain:
        names = " -> ".join(file.name for file in (*chain, below))
        raise RecipeError(f"extends itself: {names}", file=path, expected="another recipe")
    return merged(_extended(spec, below, kind, chain), table)
