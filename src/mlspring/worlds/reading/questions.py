"""Questions about a paragraph, each with its one answer."""

from dataclasses import dataclass

import numpy as np

from mlspring.worlds.reading.grammar import Slot, flatten, pick
from mlspring.worlds.reading.paragraphs import Paragraph, Statement

OTHERS = 0.4  # of the questions ask about another than the main entity, where there is one
FIRST = 0.2  # how likely a statement is asked for whose value is the first of its type, others 1
REST = 0.4  # of the questions for a list ask for one of its parts
WHOLE = ("何時", "什麼時候", "在何時", "甚麼時候")  # whatever stands there: a year or a day
YEAR = ("哪一年", "在哪一年", "何年", "哪年")  # the year alone
MARKS = ("?", "?", "?", "？", "")


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question and where its answer stands.

    Args:
        text: what is asked.
        statement: what it asks for.
        answer: the answer.
        start: its first character in the paragraph.
        part: ``whole``, ``year`` of a date or ``rest``, one of a list.
        form: number of its form in the statement's relation.
    """

    text: str
    statement: Statement
    answer: str
    start: int
    part: str
    form: int


def ask(paragraph: Paragraph, number: int, rng: np.random.Generator) -> list[Question]:
    """Return ``number`` questions, each for another statement, in the order of the text.

    Raises:
        ValueError: the paragraph has not as many statements.
    """
    told = paragraph.statements
    if number > len(told):
        raise ValueError(f"{number} questions for {len(told)} statements")
    first = {span.type: span.start for span in reversed(paragraph.spans)}
    of_main = [one.entity == paragraph.names[0] for one in told]
    shares = {True: (1 - OTHERS) / sum(of_main), False: OTHERS / max(1, of_main.count(False))}
    weights = np.array([shares[main] for main in of_main])
    weights *= [FIRST if first[one.value.type] == one.start else 1.0 for one in told]
    rows = rng.choice(len(told), number, replace=False, p=weights / weights.sum())
    return [question(told[row], rng) for row in sorted(rows.tolist())]


def question(statement: Statement, rng: np.random.Generator) -> Question:
    """Return a question for ``statement``."""
    relation, value = statement.relation, statement.value
    rest = bool(relation.questions_rest) and rng.random() < REST
    forms = relation.questions_rest if rest else relation.questions
    form = int(rng.integers(len(forms)))
    given = rng.permutation(len(value.items)).tolist() if rest else []
    year = value.year > 0 and rng.random() < 0.5
    text = ""
    for piece in flatten(forms[form], rng):
        if not isinstance(piece, Slot):
            text += piece
        elif piece.name == "N":
            text += statement.entity
        elif piece.name == "T":
            asked = pick(YEAR if year else WHOLE, rng)
            text += asked.removeprefix("在") if text[-1:] in ("", "在", "於", "從", "自") else asked
        else:
            start, end = value.items[given["AB".index(piece.name)]]
            text += value.text[start:end]
    start, end = (0, value.year) if year else (0, len(value.text))
    if rest:
        start, end = value.items[given[-1]]
    return Question(
        text=text + pick(MARKS, rng),
        statement=statement,
        answer=value.text[start:end],
        start=statement.start + start,
        part="rest" if rest else "year" if year else "whole",
        form=form,
    )
