"""Prove that a change of the code changes no weight: every shipped recipe, a few steps, one CPU.

    python scripts/same_weights.py --save FILE               keep what this checkout trains
    python scripts/same_weights.py --against FILE [hw03 ..]  compare; exit 1 where one differs

Every recipe runs on the homework's tiny data from `tests/tiny`, with one thread. Of each finished
network the tensors are hashed one by one, so neither names nor files matter, only numbers. Both
sides must run on one processor, with one build of torch.
"""

import argparse
import contextlib
import hashlib
import io
import json
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]
os.environ.setdefault("OMP_NUM_THREADS", "1")


def main() -> int:
    """Save or compare; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--save", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("homeworks", nargs="*")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.environ["MLSPRING_HOME"] = str(Path(name) / "home")
        if given.against is None:
            kept = {recipe: trained(recipe, Path(name)) for recipe in recipes(given.homeworks)}
            given.save.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
            return 0
        return compare(json.loads(given.against.read_text(encoding="utf-8")), given, Path(name))


def compare(kept: dict[str, list[str]], given: argparse.Namespace, folder: Path) -> int:
    """Train all that was kept again; return 1 where a recipe is gone or a number differs."""
    wrong = 0
    for recipe, before in kept.items():
        if given.homeworks and recipe.split()[0] not in given.homeworks:
            continue
        now = trained(recipe, folder)
        if now != before:
            wrong += 1
            same = len(set(now) & set(before))
            say(f"DIFFERS {recipe}: {same} of {len(before)} tensors are the same, now {len(now)}")
    say(f"{wrong} of {len(kept)} recipes differ")
    return int(wrong > 0)


def recipes(homeworks: list[str]) -> list[str]:
    """Return `hw03 world/simple` and so on: every shipped recipe."""
    from mlspring.catalog import SPECS

    return [
        f"{spec.id} {path.parent.name}/{path.stem}"
        for spec in SPECS
        if not homeworks or spec.id in homeworks
        for path in sorted((spec.folder / "recipes").glob("*/*.toml"))
    ]


def trained(recipe: str, folder: Path) -> list[str]:
    """Return the hashes of all tensors of a tiny run, sorted."""
    from mlspring.cli import app
    from mlspring.verbs import figures
    from tests.tiny.islands import TINY

    homework, name = recipe.split()
    tiny, data, out = TINY[homework], folder / homework / "data", folder / recipe.replace(" ", "-")
    if not data.exists():
        tiny.write_data(data)
    figures.draw_all = lambda *_: ()
    sets = [word for override in tiny.small for word in ("--set", override)]
    words = ["run", homework, name, "--data", str(data), "--out", str(out), *sets]
    words += ["--no-submit", "--device", "cpu", "--precision", "fp32", "--json"]
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            app(words, standalone_mode=False)
    except Exception as error:  # noqa: BLE001  (told as a difference)
        say(f"{recipe}: {type(error).__name__}: {error}")
        return []
    return sorted(
        digest
        for file in out.rglob("checkpoints/*.safetensors")
        if ".state." not in file.name
        for digest in tensors(file)
    )


def tensors(file: Path) -> list[str]:
    """Return a hash of shape and bytes for each tensor of a file."""
    from safetensors.numpy import load_file

    return [
        hashlib.sha256(repr(value.shape).encode() + value.tobytes()).hexdigest()[:16]
        for value in load_file(file).values()
    ]


def say(text: str) -> None:
    """Print one line on stderr."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
