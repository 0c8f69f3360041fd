"""Keep retired words out: the table at the end of docs/glossary.md, one word or phrase a row.

A word in `code style` is looked for among the names that our code gives (functions, classes,
arguments, variables), a phrase in plain letters among the sentences of code and pages.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GLOSSARY = ROOT / "docs" / "glossary.md"
ROW = re.compile(r"^\| (.+?) +\| (.+?) +\|$", re.MULTILINE)


def retired() -> tuple[dict[str, str], dict[str, str]]:
    """Return retired names and retired phrases, each with the word to use."""
    table = GLOSSARY.read_text(encoding="utf-8").partition("## Retired words")[2]
    rows = [(old, new) for old, new in ROW.findall(table) if old not in ("retired", "---")]
    names = {name: new for old, new in rows for name in re.findall(r"`(\w+)`", old)}
    phrases = {old.strip('"'): new for old, new in rows if old.startswith('"')}
    return names, phrases


def given_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of all that a file itself names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr


def complaints() -> Iterator[str]:
    """Yield one sentence for each retired word that is used."""
    names, phrases = retired()
    for file in sorted((ROOT / "src").rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        for line, name in given_names(ast.parse(text)):
            if (plain := name.lstrip("_")) in names:
                yield f"{file.relative_to(ROOT)}:{line}: {plain} -> {names[plain]}"
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "src").rglob("*.md")]
    for file in [*sorted((ROOT / "src").rglob("*.py")), *sorted(pages)]:
        text = file.read_text(encoding="utf-8")
        for phrase, new in phrases.items():
            if file != GLOSSARY and file.name != "CHANGELOG.md" and phrase in text.lower():
                line = text.lower()[: text.lower().index(phrase)].count("\n") + 1
                yield f"{file.relative_to(ROOT)}:{line}: {phrase!r} -> {new}"


def main() -> int:
    """Name every retired word; return 1 where there is one."""
    told = list(complaints())
    for sentence in told:
        print(sentence, file=sys.stderr)  # noqa: T201
    return int(bool(told))


if __name__ == "__main__":
    sys.exit(main())
