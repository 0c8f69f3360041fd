"""Homework 7 on real text: the levels of ``recipes/laptop``, scored on paragraphs never read.

    python -m benchmarks.reading_hw07 DIR

DIR holds the course's ``hw7_dev.json`` and, where it is there, ``cmrc2018/cmrc2018_dev.json`` (in
simplified characters; github.com/ymcui/cmrc2018). Each is split by paragraph: a tenth to validate
on, a fifth to answer, the rest to learn from; encoders are pre-trained on these alone. Writes
``results/hw07-files.json``.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.files import measured_rows
from benchmarks.tables import write_files_results
from mlspring import catalog
from mlspring.core.files import write_json
from mlspring.core.runs import Run
from mlspring.homeworks.hw07_reading.data import Part, read_part
from mlspring.homeworks.hw07_reading.predict import exact_match

NUM_SEEDS = {"laptop/simple": 1, "laptop/boss": 1}  # half an hour of a laptop a set
SHARES = {"dev": 0.1, "test": 0.2}  # of the paragraphs; the rest is learnt from


def main(folder: Path) -> None:
    """Measure the levels on each set."""
    spec, rows = catalog.find("hw07"), []
    with tempfile.TemporaryDirectory() as name:
        sets = {"hw7_dev": folder / "hw7_dev.json"}
        if (cmrc := folder / "cmrc2018" / "cmrc2018_dev.json").is_file():
            sets["cmrc2018"] = Path(name) / "cmrc.json"
            write_json(sets["cmrc2018"], as_course(json.loads(cmrc.read_text(encoding="utf-8"))))
        for title, file in sets.items():
            answers = split(read_part(file, answered=True), data := Path(name) / title)

            def match(run: Run, answers: list[str] = answers) -> list[str]:
                ids = [str(k) for k in range(len(answers))]
                part = catalog.part(spec, "submission")
                found = part.read(run.folder / spec.submission_name, ids).tolist()
                return [f"{exact_match(found, answers).mean():.3f}"]

            for row in measured_rows(spec, data, NUM_SEEDS, match):
                rows.append([title, str(len(answers)), *row])
    columns = ["set", "questions", "recipe", "exact match, by seed", "seconds"]
    write_files_results(spec.id, "reading_hw07", columns, rows)


def as_course(squad: dict[str, Any]) -> dict[str, Any]:
    """Return CMRC's nested lists as the course's, without answers that stand elsewhere."""
    questions: list[dict[str, Any]] = []
    paragraphs: list[str] = []
    for one in (one for entry in squad["data"] for one in entry["paragraphs"]):
        text = one["context"]
        for asked in one["qas"]:
            answer, start = asked["answers"][0]["text"], asked["answers"][0]["answer_start"]
            if not answer or text[start : start + len(answer)] != answer:
                continue
            known = {"answer_text": answer, "answer_start": start}
            known["answer_end"] = start + len(answer) - 1
            place = {"id": len(questions), "paragraph_id": len(paragraphs)}
            questions.append(place | {"question_text": asked["question"]} | known)
        paragraphs.append(text)
    return {"questions": questions, "paragraphs": paragraphs}


def split(part: Part, to: Path) -> list[str]:
    """Write the three files under ``to``, whole paragraphs in each; return the test's answers."""
    order = np.random.default_rng(0).permutation(len(part.paragraphs))
    ends = np.cumsum([round(share * len(order)) for share in SHARES.values()])
    groups = dict(zip([*SHARES, "train"], np.split(order, ends), strict=True))
    answers = part.answers
    for name, which in groups.items():
        rows = np.flatnonzero(np.isin(part.paragraph_ids, which))
        write_json(to / f"hw7_{name}.json", table(part, rows, which, answered=name != "test"))
        if name == "test":
            told = [answers[row] for row in rows]
    return told


def table(part: Part, rows: np.ndarray, which: Sequence[int], *, answered: bool) -> dict[str, Any]:
    """Return some questions and paragraphs as a file of the course has them."""
    place = {int(number): k for k, number in enumerate(which)}
    answers = part.answers
    questions = [
        {
            "id": k,
            "paragraph_id": place[int(part.paragraph_ids[row])],
            "question_text": part.questions[row],
            "answer_text": answers[row] if answered else None,
            "answer_start": int(part.starts[row]) if answered else None,
            "answer_end": int(part.ends[row]) if answered else None,
        }
        for k, row in enumerate(rows)
    ]
    return {"questions": questions, "paragraphs": [part.paragraphs[number] for number in which]}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
