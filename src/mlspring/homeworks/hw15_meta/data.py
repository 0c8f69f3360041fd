"""Characters of many alphabets and tasks of unseen ones: the world or a folder like Omniglot's.

    DIR[/Omniglot]/images_background/<alphabet>.0/<character>/<any name>.png
    DIR[/Omniglot-test]/support/<task>/image_0.png .. image_4.png    the place is the class
    DIR[/Omniglot-test]/query/<task>/image_0.png .. image_4.png      no classes here

The number behind an alphabet is the angle that its images were turned by; only 0 (or no number) is
read, since turned characters are made here (``data.turns``). Hidden files, such as the ``._*`` of
some archives, are passed over. The test part may be absent.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mlspring.core.errors import DataError, RecipeError, unreadable_folder
from mlspring.core.images import load_images
from mlspring.core.source import Source
from mlspring.homeworks.hw15_meta.recipe import Recipe
from mlspring.worlds.glyph_pen import SIDE
from mlspring.worlds.glyphs import NUM_WAYS, TRAIN_ALPHABETS, glyph_world
from mlspring.worlds.world import World

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp"}
FEWEST_DRAWINGS = 2  # one for the support, one for the query


@dataclass(frozen=True, kw_only=True)
class Data:
    """Training's characters and the test's tasks; dark ink on white, as in the files.

    Args:
        images: uint8 (c, d, 28, 28), d drawings of each of c characters.
        alphabets: int64 (c,), the place of each character's alphabet in ``names``.
        names: of the alphabets.
        support: uint8 (t, 5, 28, 28), one drawing of each class of t tasks, in order of the class.
        query: uint8 (t, 5, 28, 28), what is to be told apart.
    """

    images: NDArray[np.uint8]
    alphabets: NDArray[np.int64]
    names: tuple[str, ...]
    support: NDArray[np.uint8]
    query: NDArray[np.uint8]


def world() -> World:
    """Return the built-in data set of the homework."""
    return glyph_world()


def load(source: Source, recipe: Recipe) -> Data:
    """Return the characters and tasks of ``source``.

    Raises:
        DataError: a file is missing, broken or no image, or a character has too few drawings.
        RecipeError: the recipe's tasks need more alphabets, characters or drawings than there are.
    """
    data = _load_folder(source.folder) if source.kind == "official" else _load_world(source.folder)
    _check_numbers(data, recipe)
    return data


def test_ids(source: Source) -> list[str]:
    """Return the ids that a submission must have, in order; reads no image."""
    if source.kind == "official":
        num_tasks = len(_tasks(source.folder)[0])
    else:
        query = np.load(source.folder / "test_query.npy", mmap_mode="r", allow_pickle=False)
        num_tasks = len(query)
    return [str(number) for number in range(num_tasks * NUM_WAYS)]


def describe(data: Data) -> dict[str, str]:
    """Return the facts of the data card."""
    counts = np.bincount(data.alphabets, minlength=len(data.names))
    return {
        "characters": f"{len(data.images):,} of {len(data.names)} alphabets, "
        f"{data.images.shape[1]} drawings each; {SIDE} x {SIDE}, grey",
        "test tasks": f"{len(data.support):,} of {NUM_WAYS} characters, one support image each and "
        f"{NUM_WAYS} query images",
        "alphabets": ", ".join(
            f"{name} {count}" for name, count in zip(data.names, counts, strict=True)
        ),
        "ink": f"{1 - data.images.mean() / 255:.3f} of a drawing",
    }


def export(world_folder: Path, to: Path) -> None:
    """Write the world in the course's layout under ``to``; the answers stay with the judge."""
    public = world_folder / "public"
    images, alphabets = (
        np.load(public / f"train_{name}.npy", allow_pickle=False)
        for name in ("images", "alphabets")
    )
    counters: dict[str, int] = {}
    for number, (drawings, place) in enumerate(zip(images, alphabets.tolist(), strict=True)):
        alphabet = TRAIN_ALPHABETS[place].name.replace(" ", "_").replace(",", "")
        counters[alphabet] = counters.get(alphabet, 0) + 1
        character = f"character{counters[alphabet]:02d}"
        folder = to / "Omniglot" / "images_background" / f"{alphabet}.0" / character
        folder.mkdir(parents=True)
        for drawer, drawing in enumerate(drawings, start=1):
            Image.fromarray(drawing).save(folder / f"{number + 1:04d}_{drawer:02d}.png")
    for part in ("support", "query"):
        tasks = np.load(public / f"test_{part}.npy", allow_pickle=False)
        for number, task in enumerate(tasks):
            folder = to / "Omniglot-test" / part / f"{number:04d}"
            folder.mkdir(parents=True)
            for place, image in enumerate(task):
                Image.fromarray(image).save(folder / f"image_{place}.png")


def _check_numbers(data: Data, recipe: Recipe) -> None:
    """Raise where the recipe's tasks need more than there is."""
    alphabets, counts = np.unique(data.alphabets, return_counts=True)
    held_out, wanted = recipe.data.held_out, 1 + recipe.method.queries
    if held_out >= len(alphabets):
        raise RecipeError(
            f"data.held_out = {held_out}, but there are {len(alphabets)} alphabets",
            fix=f"use --set data.held_out={max(len(alphabets) // 5, 1)}",
        )
    if (num_drawings := data.images.shape[1]) < wanted:
        raise RecipeError(
            f"method.queries = {recipe.method.queries}, but a character has {num_drawings} "
            "drawings, of which one is the support",
            fix=f"use --set method.queries={num_drawings - 1}",
        )
    fewest = np.sort(counts)  # whichever alphabets the seed holds out
    remaining = int(fewest[: len(alphabets) - held_out].sum())
    asked = {
        "data.characters": [recipe.data.characters],
        "study.characters": recipe.study.characters,
    }
    for key, numbers in asked.items():
        if max(numbers, default=0) > remaining:
            raise RecipeError(
                f"{key} asks for {max(numbers):,} characters; {held_out} held-out alphabets may "
                f"leave no more than {remaining:,}",
                fix=f"ask for {remaining:,} or fewer, or hold out fewer alphabets (data.held_out)",
            )
    if fewest[:held_out].sum() < NUM_WAYS or remaining * recipe.data.turns < recipe.method.ways:
        raise RecipeError(
            f"{held_out} alphabets held out of {len(alphabets)} may leave fewer than {NUM_WAYS} "
            f"characters to validate on, or than {recipe.method.ways} to train on",
            fix="use another data.held_out, or add characters",
        )


def _load_world(folder: Path) -> Data:
    names = {
        "images": "train_images",
        "alphabets": "train_alphabets",
        "support": "test_support",
        "query": "test_query",
    }
    arrays = {
        part: np.load(folder / f"{name}.npy", allow_pickle=False) for part, name in names.items()
    }
    return Data(**arrays, names=tuple(alphabet.name for alphabet in TRAIN_ALPHABETS))


def _load_folder(folder: Path) -> Data:
    background = _background(folder)
    alphabets = _alphabets(background)
    characters = [
        (number, _images(character))
        for number, alphabet in enumerate(alphabets)
        for character in _folders(alphabet, "character folders")
    ]
    num_drawings = len(characters[0][1])
    for _, files in characters:
        if len(files) != num_drawings or num_drawings < FEWEST_DRAWINGS:
            expected = f"{num_drawings} as of the first character"
            if num_drawings < FEWEST_DRAWINGS:
                expected = f"{FEWEST_DRAWINGS} or more: one for the support, one for the query"
            found = f"holds {len(files)} drawing(s)"
            raise DataError(found, file=files[0].parent, expected=expected)
    support, query = _tasks(folder)
    files = [file for _, drawings in characters for file in drawings]
    tests = [file for part in (support, query) for task in part for file in task]
    images = load_images([*files, *tests], SIDE, mode="L")[..., 0]
    half = len(files) + len(tests) // 2
    return Data(
        images=images[: len(files)].reshape(len(characters), num_drawings, SIDE, SIDE),
        alphabets=np.array([number for number, _ in characters], np.int64),
        names=tuple(alphabet.name.removesuffix(".0") for alphabet in alphabets),
        support=images[len(files) : half].reshape(len(support), NUM_WAYS, SIDE, SIDE),
        query=images[half:].reshape(len(query), NUM_WAYS, SIDE, SIDE),
    )


def _background(folder: Path) -> Path:
    """Return the folder of alphabets in or below ``folder``."""
    name = "images_background"
    for place in (folder, folder / "Omniglot", folder / "omniglot"):
        if _is_folder(place / name):
            return place / name
    raise DataError(
        f"has no folder {name}/",
        file=folder,
        expected="Omniglot/images_background/<alphabet>.0/<character>/*.png, and Omniglot-test/",
        fix="see: mlspring fetch hw15, or mlspring data hw15 --export DIR for an example",
    )


def _alphabets(background: Path) -> list[Path]:
    """Return the folders of alphabets that are not turned, sorted by name."""
    found = _folders(background, "folders of alphabets")
    kept = [f for f in found if not f.suffix[1:].isdecimal() or f.suffix == ".0"]
    if not kept:
        raise DataError("holds turned alphabets only", file=background, expected="names ending .0")
    return kept


def _tasks(folder: Path) -> tuple[list[list[Path]], list[list[Path]]]:
    """Return the support and the query files of each task; none where there is no test part."""
    places = (folder, folder / "Omniglot-test", folder / "omniglot-test")
    place = next((p for p in places if _is_folder(p / "support") or _is_folder(p / "query")), None)
    if place is None:
        return [], []
    parts = []
    for name in ("support", "query"):
        tasks = _folders(place / name, "folders of tasks")
        parts.append([[_image(task, number) for number in range(NUM_WAYS)] for task in tasks])
    support, query = ([task[0].parent.name for task in part] for part in parts)
    if support != query:
        lone = min(set(support) ^ set(query))
        there, lacking = ("support", "query") if lone in support else ("query", "support")
        fix = f"remove it from {there}/, or fetch the test files again"
        raise DataError(f"task {lone} is missing", file=place / lacking, fix=fix)
    return parts[0], parts[1]


def _image(task: Path, number: int) -> Path:
    """Return the file of a task's image."""
    file = task / f"image_{number}.png"
    try:
        is_there = file.is_file()
    except PermissionError as error:
        raise unreadable_folder(task) from error
    if not is_there:
        expected = f"image_0.png to image_{NUM_WAYS - 1}.png in every task"
        raise DataError("is missing", file=file, expected=expected, fix="fetch the files again")
    return file


def _images(character: Path) -> list[Path]:
    """Return the drawings of a character, sorted by name; at least one."""
    files = [file for file in _entries(character, "drawings") if not _is_folder(file)]
    for file in files:
        if file.suffix.lower() not in SUFFIXES:
            expected = "only images: " + ", ".join(sorted(SUFFIXES))
            raise DataError("is no image", file=file, expected=expected, fix="move it elsewhere")
    if not files:
        raise DataError("holds no drawing", file=character, expected="files like 0709_01.png")
    return files


def _folders(folder: Path, what: str) -> list[Path]:
    """Return the folders in ``folder``, sorted by name; at least one."""
    folders = [entry for entry in _entries(folder, what) if _is_folder(entry)]
    if not folders:
        raise DataError(f"holds no {what}", file=folder)
    return folders


def _entries(folder: Path, what: str) -> list[Path]:
    """Return what is in ``folder``, sorted by name; hidden entries are passed over."""
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except FileNotFoundError as error:
        raise DataError("is missing", file=folder, expected=f"a folder with {what}") from error
    except NotADirectoryError as error:
        raise DataError("is a file", file=folder, expected=f"a folder with {what}") from error
    except PermissionError as error:
        raise unreadable_folder(folder) from error


def _is_folder(path: Path) -> bool:
    """Return whether ``path`` is a folder."""
    try:
        return path.is_dir()
    except PermissionError as error:
        raise unreadable_folder(path.parent) from error
