"""``make demo``: train homework 3, hand in, rank, draw, and say where to look."""

import json
import os
import subprocess
import sys
from pathlib import Path


def mlspring(*arguments: str, capture: bool = False) -> str:
    """Run one verb; return its stdout if captured."""
    command = [sys.executable, "-m", "mlspring", *arguments]
    print(f"\n$ mlspring {' '.join(arguments)}", file=sys.stderr)  # noqa: T201
    done = subprocess.run(
        command, check=False, text=True, stdout=subprocess.PIPE if capture else None
    )
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout or ""


def main() -> None:
    """Run the journey of a first-time user."""
    result = json.loads(mlspring("run", "hw03", "simple", "--json", capture=True))
    mlspring("board", "hw03")
    page = mlspring("report", result["run"], capture=True).strip()
    folder = Path(result["run"])
    print(  # noqa: T201
        f"\nAccuracy {result['score']['public']:.3f} on the public board. Where to look:\n"
        f"  the report      {page}\n"
        f"  the figures     {folder / 'figures'}\n"
        f"  the submission  {folder / result['submission']}\n"
        f"Next: {os.path.relpath(sys.executable)} -m mlspring run hw03 medium"
    )


if __name__ == "__main__":
    main()
