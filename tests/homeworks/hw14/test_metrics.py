"""The measures of a sequence, on a matrix small enough for the head."""

import pytest

from mlspring.homeworks.hw14_lifelong import metrics

# rows: before any task, after the first, second, third; columns: tasks
MATRIX = [[10, 12, 8], [90, 40, 20], [70, 95, 30], [60, 85, 99]]


def test_acc_is_the_plain_mean_over_tasks_at_the_end() -> None:
    assert metrics.final_accuracy(MATRIX) == pytest.approx((60 + 85 + 99) / 3)


def test_backward_transfer_compares_the_end_with_each_task_s_own_end() -> None:
    assert metrics.backward_transfer(MATRIX) == pytest.approx(((60 - 90) + (85 - 95)) / 2)


def test_forward_transfer_compares_before_a_task_with_the_untrained_network() -> None:
    assert metrics.forward_transfer(MATRIX) == pytest.approx(((40 - 12) + (30 - 8)) / 2)


def test_forgetting_is_measured_from_the_best() -> None:
    assert metrics.forgetting(MATRIX) == pytest.approx(((90 - 60) + (95 - 85)) / 2)
    luck_before_learning = [[99, 99, 99], [90, 40, 99], [70, 95, 30], [60, 85, 99]]
    assert metrics.forgetting(luck_before_learning) == metrics.forgetting(MATRIX)
    better_later = [[0, 0, 0], [50, 0, 0], [80, 90, 0], [70, 90, 90]]
    assert metrics.forgetting(better_later) == pytest.approx((80 - 70 + 0) / 2)
    assert metrics.backward_transfer(better_later) == pytest.approx((70 - 50 + 0) / 2)


def test_plasticity_is_the_diagonal() -> None:
    assert metrics.plasticity(MATRIX) == pytest.approx((90 + 95 + 99) / 3)


def test_nothing_is_forgotten_where_nothing_changes() -> None:
    matrix = [[50.0, 50.0]] * 3
    assert metrics.forgetting(matrix) == metrics.backward_transfer(matrix) == 0
