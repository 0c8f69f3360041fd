"""Homework 5 on real sentences: the levels of ``recipes/laptop``, scored on pairs never seen.

    python -m benchmarks.tatoeba_hw05 DIR

DIR holds ``cmn.txt``, English and Chinese of Tatoeba as manythings.org packs it: tab separated,
easy sentences first. Pairs in Traditional Chinese are used; one English sentence in twelve is the
test, one in forty is held out, each with all its translations, and the Chinese of every third of
the others stands without its English, for back-translation. Writes ``results/hw05-files.json``.
"""

import random
import sys
import tempfile
from pathlib import Path

from benchmarks.files import measured_rows
from benchmarks.tables import write_files_results
from mlspring import catalog
from mlspring.core.chinese import SIMPLIFIED, read_text_lines
from mlspring.core.runs import Run
from mlspring.core.texts import write_lines
from mlspring.homeworks.hw05_translation.score import bleu, share_accepted

# minutes decide how many seeds
NUM_SEEDS = {"laptop/simple": 3, "laptop/medium": 1, "laptop/strong": 1, "laptop/boss": 1}
TEST, HELD, ALONE = 12, 40, 3


def main(folder: Path) -> None:
    """Measure every level."""
    spec = catalog.find("hw05")
    with tempfile.TemporaryDirectory() as name:
        references = arrange(folder / "cmn.txt", Path(name))
        ids = [str(row) for row in range(len(references))]

        def measured(run: Run) -> list[str]:
            part = catalog.part(spec, "submission")
            lines = part.read(run.folder / spec.submission_name, ids)
            found, _ = bleu(lines, [sentence[0] for sentence in references])
            return [f"{found.score:.1f}", f"{share_accepted(lines, references):.3f}"]

        rows = list(measured_rows(spec, Path(name), NUM_SEEDS, measured))
    told = f"BLEU on {len(references):,} sentences, by seed"
    columns = ["recipe", told, "share that are a known translation", "seconds"]
    write_files_results(spec.id, "tatoeba_hw05", columns, rows)


def arrange(file: Path, to: Path) -> list[list[str]]:
    """Write train, dev, test.en and mono.zh; return all translations of each test sentence.

    Tatoeba has several translations of many sentences: they stay together, in one part, and a
    sentence whose Chinese stands in another part is left out.
    """
    translations: dict[str, list[str]] = {}
    for line in read_text_lines(file, max_bytes=100_000_000, max_lines=1_000_000):
        english, chinese = line.split("\t")[:2]
        if SIMPLIFIED.isdisjoint(chinese):
            translations.setdefault(english, []).append(chinese)
    order = sorted(translations)
    random.Random(0).shuffle(order)
    num_test, num_held = len(order) // TEST, len(order) // HELD
    known: set[str] = set()
    parts = {"test": order[:num_test], "dev": order[num_test : num_test + num_held]}
    for name, sentences in parts.items():
        parts[name] = [e for e in sentences if known.isdisjoint(translations[e])]
        known |= {z for e in parts[name] for z in translations[e]}
    rest = [e for e in order[num_test + num_held :] if known.isdisjoint(translations[e])]
    alone = [z for e in rest[::ALONE] for z in translations[e]]
    parts["train"] = [e for place, e in enumerate(rest) if place % ALONE]
    for name in ("train", "dev"):
        pairs = [(e, z) for e in parts[name] for z in translations[e]]
        write_lines(to / f"{name}.en", [e for e, _ in pairs])
        write_lines(to / f"{name}.zh", [z for _, z in pairs])
    write_lines(to / "mono.zh", alone)
    write_lines(to / "test.en", parts["test"])
    return [translations[e] for e in parts["test"]]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
