"""Readers that have learnt nothing: what the world must not yield to."""

from collections import Counter

from mlspring.worlds.reading.paragraphs import Paragraph, Span
from mlspring.worlds.reading.questions import Question


def first_of_type(paragraph: Paragraph, question: Question) -> str:
    """Return the first value of the asked type."""
    return _answer(paragraph, question, _spans(paragraph, question))


def nearest_sentence(paragraph: Paragraph, question: Question) -> str:
    """Return the first value of the asked type in the sentence most like the question.

    Of the sentences that hold one, the one that shares most characters.
    """
    spans = _spans(paragraph, question)
    asked = Counter(question.text)
    ends = (*paragraph.sentences[1:], len(paragraph.text))
    best: list[Span] = []
    most = -1
    for start, end in zip(paragraph.sentences, ends, strict=True):
        inside = [span for span in spans if start <= span.start < end]
        shared = (asked & Counter(paragraph.text[start:end])).total()
        if inside and shared > most:
            best, most = inside, shared
    return _answer(paragraph, question, best)


def _spans(paragraph: Paragraph, question: Question) -> list[Span]:
    kind = question.statement.relation.type
    if question.part == "rest":
        kind = kind.removeprefix("list of ")
    return [span for span in paragraph.spans if span.type == kind]


def _answer(paragraph: Paragraph, question: Question, spans: list[Span]) -> str:
    first = spans[0]
    end = first.start + first.year if question.part == "year" else first.end
    return paragraph.text[first.start : end]
