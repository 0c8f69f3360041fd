"""Folders of pictures as people have them: listed, labelled and numbered with readable errors.

What systems leave in folders (``Thumbs.db``, ``.DS_Store`` ...) is passed over. A folder that
archives nest one or two levels deep is found by the names of what it must hold.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from mlspring.core.errors import DataError, unreadable_folder
from mlspring.core.files import is_litter
from mlspring.core.progress import say

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
DEPTH = 2  # levels below a given folder where its content is looked for


def entries(folder: Path, what: str = "pictures") -> list[Path]:
    """Return what is in ``folder``, sorted by name, without hidden files and litter.

    Raises:
        DataError: it is missing, is a file or cannot be read.
    """
    try:
        return sorted(entry for entry in folder.iterdir() if not is_litter(entry.name))
    except FileNotFoundError as error:
        raise DataError("is missing", file=folder, expected=f"a folder of {what}") from error
    except NotADirectoryError as error:
        raise DataError("is a file", file=folder, expected=f"a folder of {what}") from error
    except PermissionError as error:
        raise unreadable_folder(folder) from error


def is_folder(path: Path) -> bool:
    """Return whether ``path`` is a folder.

    Raises:
        DataError: the folder above it cannot be read.
    """
    try:
        return path.is_dir()
    except PermissionError as error:
        raise unreadable_folder(path.parent) from error


def _exists(path: Path) -> bool:
    """Return whether ``path`` is there; a file is told later, by what looks into it."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except PermissionError as error:
        raise unreadable_folder(path.parent) from error
    return True


def folders(folder: Path, what: str = "pictures") -> list[Path]:
    """Return the folders in ``folder``, sorted by name; none is called like a picture."""
    others = (e for e in entries(folder, what) if e.suffix.lower() not in SUFFIXES)
    return [entry for entry in others if is_folder(entry)]


def pictures(folder: Path, example: str) -> list[Path]:
    """Return the pictures in ``folder``, sorted by name; at least one.

    Raises:
        DataError: there is none, or something else; ``example`` shows a right name.
    """
    files = entries(folder)
    for file in files:
        if file.suffix.lower() not in SUFFIXES:
            expected = "only pictures: " + ", ".join(sorted(SUFFIXES))
            fix = f"give --data a folder that holds pictures like {example}"
            raise DataError("is no picture", file=file, expected=expected, fix=fix)
    if not files:
        raise DataError("holds no picture", file=folder, expected=f"files like {example}")
    return files


def unambiguous(files: Sequence[Path], name_of: Callable[[Path], str | int]) -> Sequence[Path]:
    """Return ``files``, of which no two have the same id.

    Raises:
        DataError: two have; names both.
    """
    seen: dict[str | int, Path] = {}
    for file in files:
        if (name := name_of(file)) in seen:
            raise DataError(
                f"has the id of {seen[name].name}", file=file, expected="one picture an id"
            )
        seen[name] = file
    return files


def find(folder: Path, *names: str) -> Path | None:
    """Return the folder called one of ``names`` in ``folder``, or up to two levels below it.

    The nearest one counts; of names in one folder the earlier. None where there is none.

    Raises:
        DataError: two are equally near, so that nobody knows which is meant.
    """
    level = [folder]
    for _ in range(1 + DEPTH):
        there = [[path for name in names if _exists(path := above / name)] for above in level]
        found = [paths[0] for paths in there if paths]
        if len(found) > 1:
            both = " and ".join(str(path.relative_to(folder)) for path in found[:2])
            raise DataError(
                f"holds {both}",
                file=folder,
                expected="one of them",
                fix=f"give one of them, e.g. --data {found[0].parent}",
            )
        if found:
            return found[0]
        level = [below for above in level for below in folders(above)]
    return None


def require(folder: Path, *names: str, expected: str, fix: str) -> Path:
    """Return the folder that `find` finds.

    Raises:
        DataError: there is none; says what was ``expected`` and the ``fix``.
    """
    found = find(folder, *names)
    if found is None:
        raise DataError(f"has no folder {names[0]}/", file=folder, expected=expected, fix=fix)
    return found


def pictures_to_predict(folder: Path, *names: str) -> Sequence[Path]:
    """Return the pictures of a test part called one of ``names``, each with an id of its own.

    Where the folder has no such part there are none, which is said aloud.
    """
    part = find(folder, *names)
    if part is None:
        say(f"{folder}: no folder {names[0]}/, so nothing can be handed in")
        return []
    inner = folders(part)  # Kaggle's archive has test/unknown/
    files = pictures(inner[0] if len(inner) == 1 else part, "0001.jpg")
    return unambiguous(files, lambda file: file.stem)


def labelled_pictures(
    folder: Path, class_names: Sequence[str], example: str
) -> tuple[list[Path], list[int]]:
    """Return the pictures of a part and their classes, from either of two layouts.

    ``<label>_<anything>.jpg`` in one folder, as in the course; or a folder for each class, called
    by its number or its name, as the same pictures are found elsewhere.

    Raises:
        DataError: a name without a label, a label out of range, a folder of no known class.
    """
    below = folders(folder)
    if not below:
        files = pictures(folder, example)
        return files, [label_of(file, len(class_names), example) for file in files]
    numbers = {name.lower(): number for number, name in enumerate(class_names)}
    numbers |= {str(number): number for number in range(len(class_names))}
    files, labels = [], []
    for one in below:
        number = numbers.get(one.name.lower())
        if number is None:
            expected = f"a folder called 0 to {len(class_names) - 1} or by the name of a class"
            raise DataError("is no class", file=one, expected=expected)
        found = pictures(one, "806.jpg")
        files += found
        labels += [number] * len(found)
    return files, labels


def label_of(file: Path, num_classes: int, example: str) -> int:
    """Return the label before the underscore in a file's name.

    Raises:
        DataError: there is none, or it is out of range.
    """
    text, underscore, _ = file.stem.partition("_")
    plain = text.isascii() and text.isdecimal() and len(text) <= 9
    if not (underscore and plain and int(text) < num_classes):
        raise DataError(
            f"has no label 0..{num_classes - 1} before an underscore",
            file=file,
            expected=f"a name like {example}",
            fix="name it by its class, or put each class into a folder of its own",
        )
    return int(text)
