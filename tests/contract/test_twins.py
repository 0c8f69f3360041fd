"""Functions that homeworks share by repeating them must be marked, alike, and never three.

A homework reads alone, so a function may stand in two of them. The second then says so above it,
``# Same as hw01: one_thread`` for the one in the other's file of the same name, ``# Same as hw03:
train.Split`` for one in another file. What stands in three belongs into ``kit`` or ``core``.
The code is compared, without docstrings, comments and annotations: a copy that is not confessed is
found, too.
"""

import ast
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlspring.catalog import SPECS
from mlspring.core.spec import Spec

MARK = re.compile(r"^# Same as (hw\d\d): (?:(\w+)\.)?(\w+)$", re.MULTILINE)
HOMEWORKS = SPECS[0].folder.parent
FEWEST_NODES = 25  # of the syntax tree: less is a phrase of the language, not a copy


@dataclass(frozen=True)
class Block:
    """A function or class at the top level of an island's file."""

    homework: str
    file: Path
    name: str
    code: str  # a hash of what it does

    @property
    def marked(self) -> bool:
        return any(name == self.name for _, _, name in MARK.findall(self.file.read_text()))


class Bare(ast.NodeTransformer):
    """Leaves of a tree what is executed: no docstrings, no annotations."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        for argument in [*node.args.args, *node.args.kwonlyargs, *node.args.posonlyargs]:
            argument.annotation = None
        return self._without_docstring(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._without_docstring(node)

    def _without_docstring(self, node: ast.FunctionDef | ast.ClassDef) -> ast.AST:
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        self.generic_visit(node)
        return node


def blocks(folder: Path) -> Iterator[Block]:
    """Yield the functions and classes of an island that are long enough to be copies."""
    for file in sorted(folder.rglob("*.py")):
        for node in ast.parse(file.read_text()).body:
            if not isinstance(node, ast.FunctionDef | ast.ClassDef):
                continue
            bare = Bare().visit(node)
            if sum(1 for _ in ast.walk(bare)) < FEWEST_NODES:
                continue
            code = hashlib.sha256(ast.dump(bare).encode()).hexdigest()
            yield Block(folder.name[:4], file, node.name, code)


def copies(folders: list[Path]) -> list[list[Block]]:
    """Return the groups of equal blocks that stand in more than one island."""
    groups = defaultdict(list)
    for folder in folders:
        for block in blocks(folder):
            groups[block.code].append(block)
    return [group for group in groups.values() if len({b.homework for b in group}) > 1]


def complaints(folders: list[Path]) -> list[str]:
    """Return a sentence for each copy that is not marked, or is one too many."""
    told = []
    for group in copies(folders):
        where = ", ".join(f"{b.homework} {b.file.name}: {b.name}" for b in group)
        if len({b.homework for b in group}) > 2:
            told.append(f"in three homeworks, so it belongs into kit or core: {where}")
        elif not any(block.marked for block in group):
            told.append(f"two copies, and none says '# Same as': {where}")
    return told


def test_copies_are_marked_and_never_three() -> None:
    assert complaints([spec.folder for spec in SPECS]) == []


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
    for file in sorted(spec.folder.rglob("*.py")):
        assert drifted(file, islands) == [], file


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


def test_a_copy_is_found_whatever_its_words_and_its_annotations(tmp_path: Path) -> None:
    body = (
        'def mean(values{kind}):\n    """{words}"""\n    # {words}\n    total = 0\n'
        "    for value in values:\n        total = total + value\n    return total / len(values)\n"
    )
    folders = [tmp_path / name for name in ("hw01_a", "hw03_b", "hw11_c")]
    for number, folder in enumerate(folders):
        folder.mkdir()
        kind = ": list" if number else ""
        (folder / f"file{number}.py").write_text(body.format(words=f"Words {number}", kind=kind))
    (two,) = complaints(folders[:2])
    assert two.startswith("two copies")
    path = folders[1] / "file1.py"
    path.write_text("# Same as hw01: file0.mean\n" + path.read_text())
    assert complaints(folders[:2]) == []
    (three,) = complaints(folders)
    assert three.startswith("in three homeworks")
