"""What the report's figures are drawn from: ticks that can be read, layers that add up."""

import itertools

import pytest

from mlspring.homeworks.hw13_compression.figures import with_norms
from mlspring.homeworks.hw13_compression.pareto import frontier, log_ticks, shown


@pytest.mark.parametrize(
    ("low", "high"),
    [(24_531, 616_347), (0.8767, 1.8911), (14.7, 77.9), (22e3, 88e3), (1.2, 1.9), (1e5, 2.5e6)],
)
def test_ticks_of_a_cost_are_three_or_more_and_do_not_touch(low: float, high: float) -> None:
    ticks = log_ticks(low, high)
    assert 3 <= len(ticks) <= 6
    assert low <= ticks[0] and ticks[-1] <= high
    for one, following in itertools.pairwise(ticks):
        assert following / one >= (high / low) ** 0.2


def test_a_single_cost_has_a_tick() -> None:
    assert log_ticks(17.3, 17.3) == [17.3]
    assert log_ticks(10.0, 10.0) == [10.0]


@pytest.mark.parametrize(
    ("costs", "accuracies", "expected"),
    [
        ([3, 1, 2], [0.9, 0.5, 0.7], [1, 2, 0]),  # each costs more and gives more
        ([3, 1, 2], [0.7, 0.5, 0.9], [1, 2]),  # the dearest gives less than a cheaper one
        ([1, 1, 2], [0.5, 0.6, 0.6], [1]),  # at equal cost the better, at equal worth the cheaper
        ([1, 1], [0.5, 0.5], [0, 1]),  # twins do not beat each other
        ([5], [0.1], [0]),
    ],
)
def test_the_frontier_is_what_no_other_network_beats(
    costs: list[float], accuracies: list[float], expected: list[int]
) -> None:
    assert frontier(costs, accuracies) == expected


def test_a_norm_belongs_to_the_layer_before_it() -> None:
    layers = [
        {"name": "stem.conv", "kind": "3x3", "parameters": 27, "macs": 9},
        {"name": "stem.norm", "kind": "norm", "parameters": 6, "macs": 0},
        {"name": "classify", "kind": "linear", "parameters": 5, "macs": 4},
    ]
    assert with_norms(layers) == [
        {"name": "stem", "kind": "3x3", "parameters": 33, "macs": 9},
        {"name": "classify", "kind": "linear", "parameters": 5, "macs": 4},
    ]
    assert layers[0]["parameters"] == 27, "the facts stay as they were"


def test_a_pruned_copy_is_called_by_what_is_left() -> None:
    assert [shown(name) for name in ("pruned-50", "student, int8", "teacher (residual)")] == [
        "50 % kept",
        "student, int8",
        "teacher (residual)",
    ]
