"""Homework 8 on real faces: the four levels of ``recipes/laptop`` on the ORL faces.

    python -m benchmarks.orl_hw08 FACES OTHERS [OTHERS ...]

FACES holds a folder for each of 40 persons (s1 .. s40, ten pictures each), OTHERS any pictures
without faces; both may be zip archives. 30 persons are normal and trained on; the faces of the
other 10 are the normal half of the test, pictures of OTHERS, spread evenly over them, its
anomalous half. All are made grey, so that colour tells nothing. Writes ``results/hw08-files.json``.
"""

import io
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.files import measured_rows
from benchmarks.tables import write_files_results
from mlspring import catalog
from mlspring.core.image_folder import SUFFIXES
from mlspring.core.runs import Run
from mlspring.homeworks.hw08_anomaly.data import SIDE, TEST, TRAIN
from mlspring.homeworks.hw08_anomaly.score import interval, roc_auc

NUM_SEEDS = {f"laptop/{level}": 3 for level in ("simple", "medium", "strong", "boss")}
NUM_TRAINED = 30  # persons


def main(faces: Path, others: Sequence[Path]) -> None:
    """Measure every level."""
    spec = catalog.find("hw08")
    with tempfile.TemporaryDirectory() as name:
        wrong = write(faces, others, Path(name))

        def area(run: Run) -> list[str]:
            ids = [str(row) for row in range(len(wrong))]
            part = catalog.part(spec, "submission")
            scores = part.read(run.folder / spec.submission_name, ids)
            low, high = interval(scores, wrong)
            return [f"{roc_auc(scores, wrong):.3f}", f"{low:.3f} to {high:.3f}"]

        rows = list(measured_rows(spec, Path(name), NUM_SEEDS, area))
    columns = ["recipe", f"ROC AUC on {len(wrong)} pictures, by seed", "95 %", "seconds"]
    write_files_results(spec.id, "orl_hw08", columns, rows, "FACES OTHERS")


def write(faces: Path, others: Sequence[Path], to: Path) -> NDArray[np.bool_]:
    """Write both arrays into ``to``; return which rows of the test are anomalies."""
    by_person: dict[str, list[NDArray[np.uint8]]] = {}
    for name, content in pictures(faces):
        by_person.setdefault(name.rsplit("/", 2)[-2], []).append(grey(content))
    persons = [np.stack(by_person[p]) for p in sorted(by_person, key=lambda p: int(p[1:]))]
    normal = np.concatenate(persons[NUM_TRAINED:])
    every = [content for path in others for _, content in pictures(path)]
    chosen = np.linspace(0, len(every) - 1, len(normal)).astype(int)
    strange = np.stack([grey(every[i]) for i in chosen])
    np.save(to / TRAIN, np.concatenate(persons[:NUM_TRAINED]))
    np.save(to / TEST, np.concatenate((normal, strange)))
    return np.arange(2 * len(normal)) >= len(normal)


def pictures(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the pictures in a folder or a zip archive, by name."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            if file.suffix.lower() in SUFFIXES:
                yield file.relative_to(path.parent).as_posix(), file.read_bytes()
        return
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if Path(name).suffix.lower() in SUFFIXES:
                yield name, archive.read(name)


def grey(content: bytes) -> NDArray[np.uint8]:
    """Return a picture as 64 x 64 grey pixels in three equal colours: uint8 (64, 64, 3)."""
    with Image.open(io.BytesIO(content)) as opened:
        image = opened.convert("L")
    side = min(image.size)
    left, top = ((length - side) // 2 for length in image.size)
    square = image.crop((left, top, left + side, top + side))
    small = np.array(square.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    return np.repeat(small[..., None], 3, 2)


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(word) for word in sys.argv[2:]])
