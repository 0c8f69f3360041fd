"""Write the page that follows from the code: the command line.

``--check`` writes nothing and fails when a page is out of step.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


AROUND = """## Around the verbs

`mlspring --install-completion` lets the shell complete verbs, homeworks and recipes. `latest`
stands for the newest run in `runs/` wherever a RUN is asked for, `DIR/latest` for that in DIR.

A recipe of your own is a TOML file. With `extends = "boss"` on its first line it holds only what it
changes; `mlspring recipe hw03 boss` prints a whole one.

| variable | meaning |
| --- | --- |
| `MLSPRING_HOME` | worlds, decoded pictures, your board; default: in your cache folder |
| `OMP_NUM_THREADS` | threads of the CPU; equal sums need equal numbers, so a report tells it |

The exit code is 0 where all went well, 1 for a fault of ours, 2 for what was given, 130 after
Ctrl-C.
"""


def command_line() -> str:
    """Return the page of all verbs with their help."""
    overview = _help()
    verbs = re.findall(r"^│ (\w+) ", overview, flags=re.MULTILINE)
    parts = ["# Command line\n\nWritten by `make docs` from the program's own help.\n"]
    parts.append(f"```\n{overview}```\n")
    parts.append(AROUND)
    parts += [f"## mlspring {verb}\n\n```\n{_help(verb)}```\n" for verb in verbs]
    return "\n".join(parts)


def _help(*verb: str) -> str:
    environment = {**os.environ, "COLUMNS": "88", "NO_COLOR": "1", "TERM": "dumb"}
    command = [sys.executable, "-m", "mlspring", *verb, "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    return "\n".join(lines).strip("\n") + "\n"


def pages() -> dict[Path, str]:
    """Return every generated page and its content."""
    return {ROOT / "docs" / "command-line.md": command_line()}


def main() -> int:
    """Write the pages, or with ``--check`` name those that differ."""
    stale = []
    for path, text in pages().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path)
            if "--check" not in sys.argv:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    if stale and "--check" in sys.argv:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        print(f"out of step: {names}\n  -> make docs", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
