"""Characters of many alphabets and tasks of unseen ones: the world or a folder like Omniglot's.

    DIR[/Omniglot]/images_background/<alphabet>.0/<character>/<any name>.png
    DIR[/Omniglot-test]/support/<task>/image_0.png .. image_4.png    the number is the class
    DIR[/Omniglot-test]/query/<task>/image_0.png .. image_4.png      no classes here

Both parts are looked for in DIR and up to two levels below it, since archives nest them. The number
behind an alphabet is the angle that its images were turned by; only 0 (or no number) is read, since
turned characters are made here (``data.turns``). The test part may be absent, which is said.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mlspring.core import image_folder
from mlspring.core.errors import DataError, RecipeError
from mlspring.core.images import load_images
from mlspring.core.progress import say
from mlspring.core.source import Source
from mlspring.homeworks.hw15_meta.recipe import Recipe
from mlspring.worlds.glyph_pen import SIDE
from mlspring.worlds.glyphs import NUM_WAYS, TRAIN_ALPHABETS, glyph_world
from mlspring.worlds.world import World

BACKGROUND = "images_background"
FETCH = "fetch the test files again: mlspring fetch hw15"
FEWEST_DRAWINGS = 2  # one for the support, one for the query
NUM_SHOWN = 12  # alphabets in the contact sheet, and pictures of a row


@dataclass(frozen=True, kw_only=True)
class Data:
    """Training's characters and the test's tasks; dark ink on white, as in the files."""

    images: NDArray[np.uint8]  # (c, d, 28, 28), d drawings of each of c characters
    alphabets: NDArray[np.int64]  # (c,), the alphabet of each character, an index into names
    names: tuple[str, ...]  # of the alphabets
    support: NDArray[np.uint8]  # (t, 5, 28, 28), one drawing of each class, in order of the class
    query: NDArray[np.uint8]  # (t, 5, 28, 28), what is to be told apart


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
        num_tasks = len(np.load(source.folder / "test_query.npy", mmap_mode="r"))
    return [str(number) for number in range(num_tasks * NUM_WAYS)]


def describe(data: Data) -> dict[str, str]:
    """Return the data card: a name and a short sentence for each row."""
    counts = np.bincount(data.alphabets, minlength=len(data.names))
    return {
        "characters": f"{len(data.images):,} of {len(data.names)} alphabets, "
        f"{data.images.shape[1]} drawings each; {SIDE} x {SIDE}, grey",
        "test tasks": f"{len(data.support):,} of {NUM_WAYS} characters, one support image each and "
        f"{NUM_WAYS} query images",
        "alphabets": ", ".join(map("{} {}".format, data.names, counts)),
    }


def contact_sheet(data: Data) -> dict[str, NDArray[np.uint8]]:
    """Return rows of pictures for the data card: caption -> (n, 28, 28), ink 0 on white 255."""
    rows = {"one character by several hands": data.images[0]}
    for number, name in enumerate(data.names[:NUM_SHOWN]):
        rows[name] = data.images[data.alphabets == number][:NUM_SHOWN, 0]
    if len(data.support):
        rows |= {"test task 0: support": data.support[0], "test task 0: query": data.query[0]}
    return {caption: images[:NUM_SHOWN] for caption, images in rows.items()}


def export(world_folder: Path, to: Path) -> None:
    """Write the world in the course's layout under ``to``; the answers stay with the judge."""
    data = _load_world(world_folder / "public")
    counts = dict.fromkeys(data.names, 0)
    for number, (drawings, index) in enumerate(zip(data.images, data.alphabets, strict=True), 1):
        name = data.names[index]
        counts[name] += 1
        alphabet = to / "Omniglot" / BACKGROUND / f"{name.replace(' ', '_').replace(',', '')}.0"
        folder = alphabet / f"character{counts[name]:02d}"
        folder.mkdir(parents=True)
        for drawer, drawing in enumerate(drawings, start=1):
            Image.fromarray(drawing).save(folder / f"{number:04d}_{drawer:02d}.png")
    for part, tasks in (("support", data.support), ("query", data.query)):
        for number, task in enumerate(tasks):
            folder = to / "Omniglot-test" / part / f"{number:04d}"
            folder.mkdir(parents=True)
            for label, image in enumerate(task):
                Image.fromarray(image).save(folder / f"image_{label}.png")


def _check_numbers(data: Data, recipe: Recipe) -> None:
    """Raise where the recipe's tasks need more than there is, whichever alphabets are held out."""
    counts, held_out = np.bincount(data.alphabets), recipe.data.held_out
    fewest = np.sort(counts[counts > 0])
    num_alphabets, num_drawings = len(fewest), data.images.shape[1]
    remaining = int(fewest[: max(num_alphabets - held_out, 0)].sum())
    too_few = fewest[:held_out].sum() < NUM_WAYS
    too_few |= remaining * recipe.data.turns < recipe.method.ways
    if held_out >= num_alphabets:
        message = f"data.held_out = {held_out}, but there are {num_alphabets} alphabets"
        fix = f"use --set data.held_out={max(num_alphabets // 5, 1)}"
    elif recipe.method.queries >= num_drawings:
        message = f"method.queries = {recipe.method.queries}, but a character has {num_drawings} "
        message += "drawings, of which one is the support"
        fix = f"use --set method.queries={num_drawings - 1}"
    elif (asked := max(recipe.study.characters, default=0)) > remaining:
        message = f"study.characters asks for {asked:,} characters; {held_out} held-out alphabets "
        message += f"may leave no more than {remaining:,}"
        fix = f"ask for {remaining:,} or fewer, or hold out fewer alphabets (data.held_out)"
    elif too_few:
        message = f"{held_out} alphabets held out of {num_alphabets} may leave fewer than "
        message += f"{NUM_WAYS} characters to validate on, or {recipe.method.ways} to train on"
        fix = "use another data.held_out, or add characters"
    else:
        return
    raise RecipeError(message, fix=fix)


def _load_world(folder: Path) -> Data:
    images, alphabets, support, query = (
        np.load(folder / f"{name}.npy", allow_pickle=False)
        for name in ("train_images", "train_alphabets", "test_support", "test_query")
    )
    names = tuple(alphabet.name for alphabet in TRAIN_ALPHABETS)
    return Data(images=images, alphabets=alphabets, names=names, support=support, query=query)


def _load_folder(folder: Path) -> Data:
    background = _background(folder)
    alphabets = _alphabets(background)
    characters = [
        (number, image_folder.pictures(character, "0709_01.png"))
        for number, alphabet in enumerate(alphabets)
        for character in _folders(alphabet, "characters")
    ]
    num_drawings = max(len(characters[0][1]), FEWEST_DRAWINGS)
    for _, files in characters:
        if len(files) != num_drawings:
            expected = f"{num_drawings}: as many as the first character, {FEWEST_DRAWINGS} or more"
            message = f"holds {len(files)} drawing(s)"
            raise DataError(message, file=files[0].parent, expected=expected)
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
    """Return the folder of training's alphabets."""
    background = image_folder.find(folder, BACKGROUND)
    if background is None:
        raise DataError(
            f"has no folder {BACKGROUND}/",
            file=folder,
            expected=f"Omniglot/{BACKGROUND}/<alphabet>.0/<character>/*.png, and Omniglot-test/, "
            "also in folders inside",
            fix="see: mlspring fetch hw15, or mlspring data hw15 --export DIR for an example",
        )
    return background


def _alphabets(background: Path) -> list[Path]:
    """Return the folders of alphabets that are not turned, sorted by name."""
    alphabets = _folders(background, "alphabets")
    unturned = [f for f in alphabets if not f.suffix[1:].isdecimal() or f.suffix == ".0"]
    if not unturned:
        raise DataError("holds turned alphabets only", file=background, expected="names ending .0")
    return unturned


def _tasks(folder: Path) -> tuple[list[list[Path]], list[list[Path]]]:
    """Return the support and query files of each task, or none, said aloud, without a test part."""
    part = image_folder.find(folder, "support", "query")
    if part is None:
        say(f"{folder}: no test tasks (Omniglot-test/ with support/ and query/), so nothing can be")
        say("handed in; give --data the folder that holds both parts")
        return [], []
    parts = []
    for name in ("support", "query"):
        tasks = _folders(part.parent / name, "tasks")
        parts.append([_images(task) for task in tasks])
    support, query = ([task[0].parent.name for task in half] for half in parts)
    if support != query:
        lone = min(set(support) ^ set(query))
        there, lacking = ("support", "query") if lone in support else ("query", "support")
        fix = f"remove it from {there}/, or {FETCH}"
        raise DataError(f"task {lone} is missing", file=part.parent / lacking, fix=fix)
    return parts[0], parts[1]


def _images(task: Path) -> list[Path]:
    """Return the pictures of a task, in the order of their numbers."""
    expected = [f"image_{number}.png" for number in range(NUM_WAYS)]
    files = {file.name: file for file in image_folder.pictures(task, expected[0])}
    for name in expected:
        if name not in files:
            every = f"{expected[0]} to {expected[-1]} in every task"
            raise DataError("is missing", file=task / name, expected=every, fix=FETCH)
    return [files[name] for name in expected]


def _folders(folder: Path, what: str) -> list[Path]:
    """Return the folders in ``folder``, sorted by name; at least one."""
    folders = image_folder.folders(folder, what)
    if not folders:
        raise DataError(f"holds no folders of {what}", file=folder)
    return folders
