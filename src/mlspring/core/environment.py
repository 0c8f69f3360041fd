"""What a result depends on beside its recipe: versions, commit, machine."""

import platform
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from mlspring.core.machine import num_cores, processor

PACKAGES = ("mlspring", "torch", "numpy", "pillow", "scipy", "scikit-learn", "gymnasium", "Box2D")


def environment() -> dict[str, Any]:
    """Return versions, commit, processor and threads: what a result depends on."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "versions": {"python": platform.python_version(), **versions},
        "commit": _commit(),
        "system": platform.platform(),
        "processor": processor(),
        "cores": num_cores(),
        "threads": num_threads(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def num_threads() -> int | None:
    """Return the threads that torch computes with, None before anything has imported it.

    The last digits of a result depend on it: sums are split over the threads.
    """
    ask = getattr(sys.modules.get("torch"), "get_num_threads", None)
    return None if ask is None else int(ask())


def _commit() -> str | None:
    """Return the commit of the checkout this code runs from, ``+`` where it was changed."""
    root = Path(__file__).resolve().parents[3]
    command = ["git", "-C", str(root), "describe", "--always", "--abbrev=12", "--dirty=+"]
    try:
        ours = 'name = "mlspring"' in (root / "pyproject.toml").read_text(encoding="utf-8")
        if not (ours and (root / ".git").exists()):  # a learner's repository is not our commit
            return None
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
