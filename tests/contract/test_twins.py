"""Functions that homeworks share by repeating them, each readable alone, must not drift apart.

A line ``# Same as hw01: answer_ids`` stands above a function that repeats the one of that name
in hw01's file of the same name, ``# Same as hw03: train.Split`` above one from another file. Code
moves to ``kit`` or ``core`` when three homeworks use it.
"""

import ast
import re
from pathlib import Path

import pytest

from mlspring.catalog import SPECS
from mlspring.core.spec import Spec

MARK = re.compile(r"^# Same as (hw\d\d): (?:(\w+)\.)?(\w+)$", re.MULTILINE)
HOMEWORKS = SPECS[0].folder.parent


def block(file: Path, name: str) -> str:
    """Return the source of a top-level function or class, decorators included."""
    text = file.read_text()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            first = min([node.lineno, *(line.lineno for line in node.decorator_list)])
            return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
    raise AssertionError(f"{file} has no {name}")


def drifted(file: Path, islands: dict[str, Path]) -> list[str]:
    """Return the names of the marked blocks in ``file`` that differ from their originals."""
    return [
        name
        for home, module, name in MARK.findall(file.read_text())
        if block(file, name) != block(islands[home] / f"{module or file.stem}.py", name)
    ]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_marked_blocks_are_the_same(spec: Spec) -> None:
    islands = {other.id: other.folder for other in SPECS}
    for file in sorted(spec.folder.glob("*.py")):
        assert drifted(file, islands) == [], file


def test_there_are_marked_blocks() -> None:
    assert sum(len(MARK.findall(file.read_text())) for file in HOMEWORKS.glob("*/*.py")) >= 2


def test_what_a_third_homework_uses_has_moved() -> None:
    """One repetition of a block is a copy; a second is for ``kit`` or ``core`` to hold."""
    copies = [
        (home, module or file.stem, name)
        for file in HOMEWORKS.glob("*/*.py")
        for home, module, name in MARK.findall(file.read_text())
    ]
    assert len(copies) == len(set(copies))


def test_a_change_on_either_side_is_seen(tmp_path: Path) -> None:
    original, copy = tmp_path / "hw01", tmp_path / "hw03"
    for folder in (original, copy):
        folder.mkdir()
    body = "def twice(x):\n    return 2 * x\n"
    (original / "a.py").write_text(body)
    (copy / "a.py").write_text(f"# Same as hw01: twice\n{body}")
    assert drifted(copy / "a.py", {"hw01": original}) == []
    (original / "a.py").write_text(body.replace("2", "3"))
    assert drifted(copy / "a.py", {"hw01": original}) == ["twice"]
    (original / "a.py").write_text("@cache\n" + body)
    assert drifted(copy / "a.py", {"hw01": original}) == ["twice"]
