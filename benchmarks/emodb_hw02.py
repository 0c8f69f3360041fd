"""Homework 2 on real speech: the levels of ``recipes/laptop`` on EMO-DB, speakers kept apart.

    python -m benchmarks.emodb_hw02 DIR

DIR holds ``wav/`` with recordings and ``lablaut/`` with label files, as EMO-DB has them: the first
two letters of a name are the speaker. Two speakers, a woman and a man, are the test; of the others
each recipe holds one out. Writes ``results/hw02-files.json``.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.files import measured_rows
from benchmarks.tables import write_files_results
from mlspring import catalog
from mlspring.core.runs import Run
from mlspring.homeworks.hw02_phonemes import libriphone
from mlspring.homeworks.hw02_phonemes.recordings import from_audio
from mlspring.homeworks.hw02_phonemes.utterances import Utterances, joined

# minutes decide how many seeds
NUM_SEEDS = {"laptop/simple": 3, "laptop/medium": 3, "laptop/strong": 1, "laptop/boss": 1}
TEST = ("08", "15")


def main(folder: Path) -> None:
    """Measure every level."""
    spec = catalog.find("hw02")
    with tempfile.TemporaryDirectory() as name:
        labels = arrange(folder, Path(name))

        def accuracy(run: Run) -> list[str]:
            ids = [str(number) for number in range(len(labels))]
            values = catalog.part(spec, "submission").read(run.folder / spec.submission_name, ids)
            return [f"{np.mean(values == labels):.3f}"]

        rows = list(measured_rows(spec, Path(name) / "data", NUM_SEEDS, accuracy))
    columns = ["recipe", f"accuracy on {len(labels):,} frames of two unseen speakers, by seed"]
    write_files_results(spec.id, "emodb_hw02", [*columns, "seconds"], rows)


def arrange(folder: Path, to: Path, test: tuple[str, ...] = TEST) -> np.ndarray:
    """Write ``to``/data in the course's layout; return the classes of its test frames."""
    for sound in sorted((folder / "wav").iterdir()):
        speaker = to / "audio" / sound.name[:2]
        speaker.mkdir(parents=True, exist_ok=True)
        labels = sorted((folder / "lablaut").glob(f"{sound.stem}*.lablaut"))
        if labels and " -1 " in labels[0].read_text(encoding="latin-1"):  # two hold no phone
            shutil.copyfile(sound, speaker / sound.name)
            shutil.copyfile(labels[0], speaker / f"{sound.stem}.lablaut")
    from_audio(to / "audio", to / "all")
    every = libriphone.read_train(libriphone.find(to / "all"))
    assert every.labels is not None
    parts = [[], []]
    for number, name in enumerate(every.names):
        parts[name[:2] in test].append(number)
    train, kept = (part(every, numbers) for numbers in parts)
    assert kept.labels is not None
    phones = libriphone.read_phones(libriphone.find(to / "all"))
    libriphone.write(to / "data", train, kept, phones)
    return kept.labels.astype(np.int64)


def part(every: Utterances, numbers: list[int]) -> Utterances:
    """Return some of the utterances."""
    assert every.labels is not None
    names = [every.names[number] for number in numbers]
    bounds = [slice(*every.offsets[number : number + 2]) for number in numbers]
    parts = ([array[rows] for rows in bounds] for array in (every.features, every.labels))
    return joined(names, *parts)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
