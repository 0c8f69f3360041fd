"""The report's figures of homework 13: names that can be read."""

from mlspring.homeworks.hw13_compression.figures import shown


def test_a_pruned_copy_is_called_by_what_is_left() -> None:
    assert [shown(name) for name in ("pruned-50", "student, int8", "teacher (residual)")] == [
        "50 % kept",
        "int8",
        "teacher (residual)",
    ]
