"""Sentence pairs of a dozen words in the course's raw files: learnable in a second or two."""

import itertools
import json
from pathlib import Path

from mlspring.core.files import write_json

WHO = {"Tom": "湯姆", "Mary": "瑪麗", "Anna": "安娜"}
DOES = {"sees": "看見", "draws": "畫", "buys": "買"}
HOW_MANY = {"two": "兩", "three": "三", "four": "四"}
WHAT = {"books": "本書", "cats": "隻貓", "horses": "匹馬", "tables": "張桌子"}
WHEN = {"today": "今天", "every day": "每天"}
NUM_TEST, NUM_MONO = 12, 60


def pairs() -> list[tuple[str, str]]:
    """Return all sentences in a fixed order that mixes them."""
    every = [
        (f"{who[0]} {does[0]} {many[0]} {what[0]} {when[0]}.",
         f"{who[1]}{when[1]}{does[1]}{many[1]}{what[1]}。")
        for who, does, many, what, when in itertools.product(
            *(part.items() for part in (WHO, DOES, HOW_MANY, WHAT, WHEN))
        )
    ]  # fmt: skip
    return [every[(i * 89) % len(every)] for i in range(len(every))]


def write_ted(folder: Path) -> Path:
    """Write training, test and more Chinese in the course's layout; return the folder."""
    every = pairs()
    test, mono = every[:NUM_TEST], every[NUM_TEST : NUM_TEST + NUM_MONO]
    train = every[NUM_TEST + NUM_MONO :]
    (folder / "test").mkdir(parents=True)
    write(folder / "raw.en", [english for english, _ in train])
    write(folder / "raw.zh", [chinese for _, chinese in train])
    write(folder / "test" / "test.en", [english for english, _ in test])
    write(folder / "ted_zh_corpus.deduped", [chinese for _, chinese in mono])
    return folder


def write(path: Path, lines: list[str]) -> None:
    """Write lines as UTF-8."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def write_answers(path: Path) -> Path:
    """Write the answers to the test of ``write_ted``, every second row public."""
    references = [chinese for _, chinese in pairs()[:NUM_TEST]]
    usage = [("Public", "Private")[row % 2] for row in range(NUM_TEST)]
    accepted = [[line] for line in references]
    write_json(path, {"references": references, "usage": usage, "accepted": accepted})
    return path


def write_perfect(answers: Path, path: Path) -> Path:
    """Write the references themselves."""
    write(path, json.loads(answers.read_text(encoding="utf-8"))["references"])
    return path


# A few steps of a small network: what a test may spend.
SMALL = (
    "data.vocabulary=80",
    "model.width=16",
    "model.hidden=16",
    "model.heads=2",
    "model.layers=1",
    "train.batch_tokens=160",
    "train.steps=24",
    "train.warmup_steps=4",
    "train.learning_rate=0.01",
    "train.average_last=2",
    "train.validate_every=4",
    "train.checkpoint_seconds=0",
    "search.beam=2",
    "back.steps=6",
    "back.beam=0",  # draws: what is likeliest after six steps is nothing
)
