"""Paragraphs with questions in Traditional Chinese: the world of homework 7.

public/   hw7_{train,dev,test}.json   {"questions": [...], "paragraphs": [...]}, as the course has
                                      them; ``answer_end`` is the last character of the answer,
                                      and the three answer fields of the test are null
private/  answers.csv                 ID,Answer,Usage; without ASCII commas, as the course scores
          truth.json                  a row a test question: what was asked, how many values of its
                                      type could be mistaken for it, how far its entity's name is

Names are invented and belong to one split; no sentence of a split is in another. Every question
asks for one relation of one entity, which its paragraph states once.
"""

import csv
import io
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mlspring.core.files import write_json, write_text
from mlspring.worlds.reading.grammar import pick, topics
from mlspring.worlds.reading.names import Names
from mlspring.worlds.reading.paragraphs import Paragraph, write_paragraph
from mlspring.worlds.reading.questions import Question, ask
from mlspring.worlds.shards import Shard
from mlspring.worlds.world import World

SPLITS = ("train", "dev", "test")
PARAGRAPHS = {"train": 3000, "dev": 150, "test": 400}
TINY = {"train": 8, "dev": 2, "test": 2}
QUESTIONS = 3  # of a paragraph
PER_SHARD = 50  # paragraphs

Asked = tuple[Paragraph, list[Question]]


def reading_world(*, seed: int = 0) -> World:
    """Return the world of paragraphs with questions; ``seed`` fixes every name and word."""
    return _world("reading", PARAGRAPHS, seed)


def tiny_reading_world(*, seed: int = 0) -> World:
    """Return a world of twelve paragraphs: made in a second."""
    return _world("reading-tiny", TINY, seed)


def draw_shard(seed: int, split: str, number: int, count: int) -> list[Asked]:
    """Return ``count`` paragraphs with their questions: the shard ``number`` of ``split``.

    A pure function; what it returns knows its statements, unlike the files.
    """
    # Counted from 1: numpy takes seeds that differ in trailing zeros only for the same.
    rng = np.random.default_rng([seed, SPLITS.index(split) + 1, number + 1])
    names = Names(split, rng)
    drawn = []
    for _ in range(count):
        paragraph = write_paragraph(pick(topics(), rng), split, names, rng)
        drawn.append((paragraph, ask(paragraph, QUESTIONS, rng)))
    return drawn


def _world(name: str, sizes: Mapping[str, int], seed: int) -> World:
    counts = ", ".join(f"{sizes[split]:,} {split}" for split in SPLITS)
    return World(
        name=name,
        title="reading paragraphs",
        description=f"invented encyclopedic paragraphs in Traditional Chinese ({counts}), "
        f"{QUESTIONS} questions each",
        version=2,
        seed=seed,
        num_shards=len(_shards(sizes)),
        make=partial(_make, sizes=dict(sizes)),
        write=partial(_write, sizes=dict(sizes)),
    )


def _shards(sizes: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """Return split, number within it and size of every shard."""
    return [
        (split, number, min(PER_SHARD, sizes[split] - first))
        for split in SPLITS
        for number, first in enumerate(range(0, sizes[split], PER_SHARD))
    ]


def _make(seed: int, shard: int, *, sizes: Mapping[str, int]) -> Shard:
    """Return the paragraphs and questions of one shard as the bytes of a JSON text."""
    drawn = draw_shard(seed, *_shards(sizes)[shard])
    rows = [{"text": p.text, "questions": [_row(q, p) for q in asked]} for p, asked in drawn]
    text = json.dumps(rows, ensure_ascii=False)
    return {"json": np.frombuffer(text.encode("utf-8"), np.uint8)}


def _row(question: Question, paragraph: Paragraph) -> dict[str, Any]:
    relation = question.statement.relation
    part = {"whole": relation.type, "year": "year", "rest": relation.type[len("list of ") :]}
    same = [span for span in paragraph.spans if span.type == relation.type]
    return {
        "text": question.text,
        "answer": question.answer,
        "start": question.start,
        "truth": {
            "fact": f"{paragraph.topic.name}.{relation.key}",
            "type": part[question.part],
            "distractors": len(same) - 1,
            "distance": question.statement.distance,
        },
    }


def _write(shards: list[Shard], public: Path, private: Path, *, sizes: Mapping[str, int]) -> None:
    """Write the official files for training, the answers for the judge and what is known."""
    rows = {split: list[dict[str, Any]]() for split in SPLITS}
    for shard, (split, _, _) in zip(shards, _shards(sizes), strict=True):
        rows[split] += json.loads(shard["json"].tobytes().decode("utf-8"))
    for split in SPLITS:
        text = json.dumps(_official(rows[split], split), ensure_ascii=False)
        write_text(public / f"hw7_{split}.json", text + "\n")
    asked = [question for row in rows["test"] for question in row["questions"]]
    write_text(private / "answers.csv", _answers([question["answer"] for question in asked]))
    write_json(private / "truth.json", [{"id": n} | q["truth"] for n, q in enumerate(asked)])


def _official(rows: list[dict[str, Any]], split: str) -> dict[str, Any]:
    """Return a split in the course's own form; the test without its answers."""
    questions: list[dict[str, Any]] = []
    for number, row in enumerate(rows):
        for one in row["questions"]:
            end = one["start"] + len(one["answer"]) - 1
            known = (one["answer"], one["start"], end) if split != "test" else (None, None, None)
            fields = ("answer_text", "answer_start", "answer_end")
            questions.append(
                {"id": len(questions), "paragraph_id": number, "question_text": one["text"]}
                | dict(zip(fields, known, strict=True))
            )
    return {"questions": questions, "paragraphs": [row["text"] for row in rows]}


def _answers(answers: list[str]) -> str:
    """Return the table of the answers; every other one is scored in public."""
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(("ID", "Answer", "Usage"))
    for number, answer in enumerate(answers):
        table.writerow((number, answer.replace(",", ""), ("Public", "Private")[number % 2]))
    return stream.getvalue()
