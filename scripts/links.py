"""Keep the links of READMEs and docs that lead to a line of code at the line they name.

`[loss_of](train.py#L121)` names a function or class of that file; the number is written by `make
docs`, and `--check` fails where one is out of step. Other links must lead to a file that is there.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\[([^\]]+)\]\((?!\w+:|#)([^)#\s]+)(?:#L(\d+))?\)")


def documents() -> list[Path]:
    """Return every page that a reader may come to."""
    found = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")]
    return sorted([*found, *(ROOT / "src").rglob("*.md")])


def line_of(file: Path, name: str) -> int | None:
    """Return the line that defines the function, class or method ``name``; None: none does."""
    last = re.escape(name.strip("`").rpartition(".")[2])
    pattern = re.compile(rf"^\s*(?:def|class) {last}\b")
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if pattern.match(line):
            return number
    return None


def checked(page: Path) -> tuple[str, list[str]]:
    """Return the page with its line numbers in step, and a sentence for each dead link."""
    dead = []

    def lead(link: re.Match[str]) -> str:
        text, path, number = link.groups()
        file = page.parent / path
        if not file.exists():
            dead.append(f"{page.relative_to(ROOT)}: {path} is not there")
            return link[0]
        if number is None:
            return link[0]
        line = line_of(file, text)
        if line is None:
            dead.append(f"{page.relative_to(ROOT)}: {path} defines no {text}")
            return link[0]
        return f"[{text}]({path}#L{line})"

    return LINK.sub(lead, page.read_text(encoding="utf-8")), dead


def main() -> int:
    """Write the line numbers, or with ``--check`` name the pages that differ."""
    stale, dead = [], []
    for page in documents():
        text, wrong = checked(page)
        dead += wrong
        if text != page.read_text(encoding="utf-8"):
            stale.append(str(page.relative_to(ROOT)))
            if "--check" not in sys.argv:
                page.write_text(text, encoding="utf-8")
    for sentence in dead:
        print(sentence, file=sys.stderr)  # noqa: T201
    if "--check" in sys.argv and stale:
        print(f"line numbers out of step: {', '.join(stale)}\n  -> make docs", file=sys.stderr)  # noqa: T201
    return int(bool(dead) or ("--check" in sys.argv and bool(stale)))


if __name__ == "__main__":
    sys.exit(main())
