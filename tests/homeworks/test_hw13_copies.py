"""What homework 13 says is the same as in homework 3 is the same, to the letter."""

import ast
import re
from pathlib import Path

import pytest

from mlspring.catalog import find

ISLAND = find("hw13").folder
MARK = re.compile(r"^# Same as (hw\d\d): (\w+)\.(\w+)$", re.MULTILINE)


def marks() -> list[tuple[Path, str, str, str]]:
    return [
        (file, *found.groups())  # type: ignore[misc]
        for file in sorted(ISLAND.glob("*.py"))
        for found in MARK.finditer(file.read_text())
    ]


def source(file: Path, name: str) -> str:
    text = file.read_text()
    for node in ast.parse(text).body:
        if getattr(node, "name", None) == name:
            return ast.get_source_segment(text, node) or ""
    raise AssertionError(f"{file.name} has no {name}")


def test_copies_are_marked() -> None:
    assert len(marks()) >= 10


@pytest.mark.parametrize(
    ("file", "homework", "module", "name"), marks(), ids=lambda value: getattr(value, "name", value)
)
def test_a_copy_is_a_copy(file: Path, homework: str, module: str, name: str) -> None:
    original = find(homework).folder / f"{module}.py"
    assert source(file, name) == source(original, name)
