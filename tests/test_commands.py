"""Every command that a page or a message names can be given: its verb, words, flags and recipe."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from mlspring import catalog, cli
from mlspring.core.errors import UserError
from mlspring.verbs import recipes, sources

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "mlspring"
COMMANDS: dict[str, Any] = get_command(cli.app).commands  # type: ignore[attr-defined]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *sorted(SOURCE.rglob("README.md"))]
PLACES = {"HW": "hw03", "N": "1", "N,N": "1,2", "LEVEL": "simple"}  # words that stand for others


def on_page(text: str) -> Iterator[str]:
    """Yield the commands in a page's blocks and between its backticks, without comments."""
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            if found := re.match(r"\s*(?:\$ )?(?:python -m )?(mlspring [a-z].*)", line):
                yield found[1].partition(" #")[0]
    outside = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for inline in re.findall(r"`([^`]+)`", outside):
        words = " ".join(inline.split())
        if found := re.match(r"(?:.*-m )?(mlspring [a-z].*)", words):
            yield found[1]


def problem(command: str) -> str | None:
    """Return what is wrong with a command, None where it can be given."""
    _, verb, *words = shlex.split(command)
    if verb not in COMMANDS:
        return f"there is no verb {verb!r}"
    if "..." in words or not words:  # a form, or the verb alone as a name
        return None
    words = [PLACES.get(word, word) for word in words]
    try:
        with COMMANDS[verb].make_context(verb, list(words)) as context:
            given = context.params
        if given.get("homework") in (None, "all"):
            return None
        spec = catalog.find(given["homework"])
        if "recipe" in given and not str(given["recipe"]).endswith(".toml"):
            kind = sources.kind_of(given["data"])
            path = recipes.find_recipe(spec, given["recipe"] or spec.default, kind)
            recipes.load(spec, path, tuple(given.get("set_") or ()))
    except UserError as error:
        return str(error)
    except Exception as error:
        said = getattr(error, "format_message", None)
        if said is None:
            raise
        return str(said())
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_every_page_can_be_given(page: Path) -> None:
    wrong = {c: found for c in on_page(page.read_text()) if (found := problem(c)) is not None}
    assert wrong == {}


def test_commands_are_found_and_faults_noticed() -> None:
    page = (
        "Say `mlspring run hw03 boss`.\n```bash\n$ mlspring list  # all\nmlspring nonsense\n"
        "python -m mlspring run hw03 --bad\n```\n`torchrun -m mlspring run hw03 bosss` mlspring is"
    )
    commands = list(on_page(page))
    assert [problem(command) is None for command in commands] == [True, False, False, True, False]
    readme = list(on_page((ROOT / "README.md").read_text()))
    assert len(readme) >= 8


# ---- messages


def literals(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of a module; what is put into one stands as X."""
    inside = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = (p.value if isinstance(p, ast.Constant) else "X" for p in node.values)
            yield "".join(map(str, parts))
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in inside
        ):
            yield node.value


def in_message(text: str) -> Iterator[tuple[str, set[str]]]:
    """Yield verb and flags of each command that a message tells to give."""
    for found in re.finditer(
        r"(?:^|[:`>,(] ?|e\.g\. |see |or |then )mlspring (?!itself)([a-z]+)([^`;,)\n]*)", text
    ):
        yield found[1], set(re.findall(r"(?<!\S)(--[a-z-]+)", found[2]))


def unknown(text: str) -> Iterator[str]:
    """Yield the commands of a message whose verb or flags do not exist."""
    for verb, flags in in_message(text):
        command = COMMANDS.get(verb)
        known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} if command else {}
        if command is None or not flags <= set(known):
            yield f"mlspring {verb} {' '.join(flags)} in {text!r:.90}"


def test_the_commands_of_every_message_exist_with_their_flags() -> None:
    wrong, number = [], 0
    for file in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(file.read_text())
        kinds = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        docstrings = {
            ast.get_docstring(n, clean=False) for n in ast.walk(tree) if isinstance(n, kinds)
        }
        messages = [text for text in literals(tree) if text not in docstrings]
        wrong += [
            f"{file.relative_to(SOURCE)}: {bad}" for text in messages for bad in unknown(text)
        ]
        number += sum(1 for text in messages for _ in in_message(text))
    assert wrong == []
    assert number > 40
    assert list(unknown("-> mlspring figures RUN --answers")) != []
    assert list(unknown("see: mlspring nonsense")) != []


def test_the_report_s_own_advice_exists() -> None:
    page = (SOURCE / "verbs" / "report" / "templates" / "report.html.j2").read_text()
    advice = re.findall(r"<code>(mlspring [a-z].*?)</code>", page)
    assert len(advice) >= 6
    assert [bad for text in advice for bad in unknown(text)] == []
