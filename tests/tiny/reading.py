"""A folder like the course's of seven short paragraphs, in which a few steps teach something."""

from pathlib import Path
from typing import Any

import numpy as np

from mlspring.core.files import write_json

NAMES = ("王小明", "陳美玲", "林志遠", "張雅婷", "李文雄")
TOWNS = ("花蓮市", "臺南市", "Taipei 101", "「金門」縣", "新竹市")
FORMS = ("{name}住在{town}。", "{name}生於{year}年，愛吃1,000元的魚。", "{town}以山水有名。")


def paragraph(number: int) -> tuple[str, list[tuple[str, str]]]:
    """Return a text about two people, and (question, answer) pairs about it."""
    draw = np.random.default_rng(number + 1)
    text, asked = "", []
    for k in draw.permutation(len(NAMES))[:2]:
        town, year = TOWNS[int(draw.integers(len(TOWNS)))], int(draw.integers(1900, 1999))
        for form in FORMS:
            text += form.format(name=NAMES[k], town=town, year=year)
        asked.append((f"{NAMES[k]}生於哪一年？", f"{year}年"))
        asked.append((f"{NAMES[k]}住在哪裡？", town))
    return text, asked


def table(numbers: range, *, answered: bool) -> tuple[dict[str, Any], list[str]]:
    """Return a file's content for some paragraphs, and the answers."""
    questions: list[dict[str, Any]] = []
    paragraphs, answers = [], []
    for place, number in enumerate(numbers):
        text, asked = paragraph(number)
        paragraphs.append(text)
        for question, answer in asked:
            start = text.index(answer)
            known = (answer, start, start + len(answer) - 1) if answered else (None, None, None)
            keys = ("answer_text", "answer_start", "answer_end")
            row = {"id": len(questions), "paragraph_id": place, "question_text": question}
            questions.append(row | dict(zip(keys, known, strict=True)))
            answers.append(answer)
    return {"questions": questions, "paragraphs": paragraphs}, answers


def write_reading(folder: Path) -> Path:
    """Write the three files; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {"train": range(4), "dev": range(4, 5), "test": range(5, 7)}
    for part, numbers in parts.items():
        content, _ = table(numbers, answered=part != "test")
        write_json(folder / f"hw7_{part}.json", content)
    return folder


def write_answers(path: Path) -> Path:
    """Write the answers to the test of ``write_reading``, every second row public."""
    _, answers = table(range(5, 7), answered=False)
    rows = [f"{k},{a},{('Public', 'Private')[k % 2]}" for k, a in enumerate(answers)]
    path.write_text("\n".join(["ID,Answer,Usage", *rows]) + "\n", encoding="utf-8")
    return path


# A few steps of a small network: what a test may spend.
SMALL = (
    "window.question=12",
    "window.length=30",
    "window.stride=10",
    "encoder.source=trained",
    "encoder.name=''",
    "encoder.match=true",
    "encoder.layers=1",
    "encoder.width=16",
    "encoder.heads=2",
    "encoder.feed_forward=16",
    "pretrain.steps=6",
    "pretrain.batch_size=4",
    "pretrain.warmup_steps=1",
    "train.batch_size=8",
    "train.steps=24",
    "train.warmup_steps=2",
    "train.learning_rate=0.002",
    "train.validate_every=4",
    "train.checkpoint_seconds=0",
)
