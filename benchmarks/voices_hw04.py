"""Homework 4 on real speech: the levels of ``recipes/laptop``, scored on recordings never heard.

    python -m benchmarks.voices_hw04 DIR

DIR holds a folder of recordings for each speaker, e.g. some of LibriSpeech's. The last quarter of
each is the test. Writes ``results/hw04-files.json``.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.files import measured_rows
from benchmarks.tables import write_files_results
from mlspring import catalog
from mlspring.core.image_folder import entries, folders
from mlspring.core.runs import Run
from mlspring.core.tables import read_table

NUM_SEEDS = {f"laptop/{level}": 3 for level in ("simple", "medium", "strong", "boss")}
SHARE = 4  # one of so many recordings is tested


def main(folder: Path) -> None:
    """Measure every level."""
    spec = catalog.find("hw04")
    reader = catalog.part(spec, "data")
    with tempfile.TemporaryDirectory() as name:
        audio = Path(name) / "audio"
        right = as_test(folder, audio)
        (data := Path(name) / "data").mkdir()
        reader.from_audio(audio, data)
        listed = read_table(
            data / "Dataset" / "recordings.csv",
            header=("feature_path", "recording"),
            max_bytes=10_000_000,
            max_rows=100_000,
        )
        labels = {row[0]: right[row[1]] for row in listed.rows if row[1] in right}

        def accuracy(run: Run) -> list[str]:
            part = catalog.part(spec, "submission")
            values = part.read(run.folder / spec.submission_name, list(labels))
            return [f"{np.mean(values == np.array(list(labels.values()))):.3f}"]

        rows = list(measured_rows(spec, data, NUM_SEEDS, accuracy))
    columns = ["recipe", f"accuracy on {len(labels)} recordings, by seed", "seconds"]
    write_files_results(spec.id, "voices_hw04", columns, rows)


def as_test(folder: Path, to: Path) -> dict[str, str]:
    """Copy the recordings, the last of each speaker into ``test``; return who speaks in those."""
    right = {}
    (to / "test").mkdir(parents=True)
    for speaker in folders(folder, "speakers"):
        files = entries(speaker, "recordings")
        (to / speaker.name).mkdir()
        for place, file in enumerate(files):
            tested = place >= len(files) - len(files) // SHARE
            shutil.copyfile(file, to / ("test" if tested else speaker.name) / file.name)
            if tested:
                right[f"test/{file.name}"] = speaker.name
    return right


if __name__ == "__main__":
    main(Path(sys.argv[1]))
