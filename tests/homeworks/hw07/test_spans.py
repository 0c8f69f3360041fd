"""From scores to spans: the sample's rule with its faults, and each rule that mends one."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlspring.homeworks.hw07_reading.recipe import SpanKnobs
from mlspring.homeworks.hw07_reading.spans import (
    NEVER,
    Rules,
    Scores,
    best_pairs,
    choose,
    ladder,
    rules_of,
)

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

LENGTH = 10  # places of a sequence: [CLS] and two of the question, [SEP], six of the window
FIRST, SIZE = 3, 6


def scores_of(*windows: dict[str, dict[int, float]], questions: list[int] | None = None) -> Scores:
    """Return scores, each window's from place to logit; elsewhere 0."""
    logits = np.zeros((len(windows), 2, LENGTH), np.float32)
    for row, window in enumerate(windows):
        for side, name in enumerate(("start", "end")):
            for place, value in window.get(name, {}).items():
                logits[row, side, place] = value
    count = len(windows)
    return Scores(
        logits=logits,
        questions=np.array(questions or [0] * count),
        offsets=np.arange(count) * 4,
        firsts=np.full(count, FIRST),
        sizes=np.full(count, SIZE),
    )


def chosen(scores: Scores, rules: Rules) -> list[tuple[int, int, int]]:
    return list(zip(*(x.tolist() for x in choose(scores, rules)), strict=True))


def test_the_sample_s_rule_takes_start_and_end_apart_and_the_window_of_the_larger_sum() -> None:
    """The slide's example: 0.5 + 0.4 in one window, 0.3 + 0.7 in the other."""
    scores = scores_of({"start": {4: 0.5}, "end": {5: 0.4}}, {"start": {6: 0.3}, "end": {7: 0.7}})
    assert chosen(scores, Rules()) == [(1, 6, 7)]
    reversed_span = scores_of({"start": {7: 2.0}, "end": {4: 2.0}})
    assert chosen(reversed_span, Rules()) == [(0, 7, 4)]
    in_question = scores_of({"start": {1: 2.0}, "end": {4: 1.0}})
    assert chosen(in_question, Rules()) == [(0, 1, 4)]


def test_each_rule_mends_its_fault() -> None:
    steps = list(ladder(2).values())
    raw, inside, ordered, capped, across = steps[1:]
    assert steps[0] == Rules()
    assert raw.raw
    in_question = scores_of({"start": {1: 2.0, 4: 1.0}, "end": {5: 1.0, 9: 3.0}})
    assert chosen(in_question, raw) == [(0, 1, 9)]
    assert chosen(in_question, inside) == [(0, 4, 5)]
    backwards = scores_of({"start": {7: 2.0, 3: 1.5}, "end": {4: 2.0}})
    assert chosen(backwards, inside) == [(0, 7, 4)]
    assert chosen(backwards, ordered) == [(0, 3, 4)]
    long = scores_of({"start": {3: 2.0, 7: 1.0}, "end": {8: 2.0}})
    assert chosen(long, ordered) == [(0, 3, 8)]
    assert chosen(long, capped) == [(0, 7, 8)]
    two = scores_of({"start": {8: 3.0}, "end": {3: 3.0}}, {"start": {4: 2.0}, "end": {4: 2.0}})
    assert chosen(two, capped)[0][0] == 0
    assert chosen(two, across) == [(1, 4, 4)]


def test_a_question_s_windows_do_not_meet_another_s() -> None:
    windows = [{"start": {4: value}, "end": {5: value}} for value in (1.0, 2.0, 9.0, 3.0, 3.0)]
    scores = scores_of(*windows, questions=[0, 0, 1, 2, 2])
    for rules in ladder(5).values():
        assert [window for window, *_ in chosen(scores, rules)] == [1, 2, 3]


@patient
@given(
    values=st.lists(st.integers(-3, 3), min_size=2, max_size=24).filter(lambda v: len(v) % 2 == 0),
    longest=st.integers(1, 14),
)
def test_the_best_pair_is_the_best_of_all(values: list[int], longest: int) -> None:
    length = len(values) // 2
    starts, ends = np.array(values, np.float32).reshape(2, 1, length)
    best, first, last = best_pairs(starts, ends, longest)
    sums = {
        (i, j): starts[0, i] + ends[0, j]
        for i, j in itertools.product(range(length), repeat=2)
        if i <= j < i + longest
    }
    assert best[0] == max(sums.values())
    assert sums[first[0], last[0]] == best[0]


def test_padding_and_the_question_are_never_chosen_by_the_joint_rule() -> None:
    draw = np.random.default_rng(0)
    scores = scores_of(*[{}] * 50, questions=list(range(50)))
    scores.logits[:] = draw.normal(0, 5, scores.logits.shape)
    scores.logits[:, :, -1] = NEVER
    rules = rules_of(SpanKnobs(rule="joint", longest=4, members=1))
    for _, first, last in chosen(scores, rules):
        assert FIRST <= first <= last < FIRST + SIZE
        assert last - first < 4
    assert rules_of(SpanKnobs(rule="sample", longest=4, members=1)) == Rules()
    assert rules == list(ladder(4).values())[-1]


@pytest.mark.parametrize("rules", ladder(3).values())
def test_chosen_places_are_in_the_sequence_whatever_the_rule(rules: Rules) -> None:
    draw = np.random.default_rng(1)
    scores = scores_of(*[{}] * 30, questions=sorted(draw.integers(0, 9, 30).tolist()))
    scores.logits[:] = draw.normal(0, 5, scores.logits.shape)
    window, first, last = choose(scores, rules)
    assert scores.questions[window].tolist() == sorted(set(scores.questions.tolist()))
    assert 0 <= min(first.min(), last.min()) <= max(first.max(), last.max()) < LENGTH
