"""What the system tells of this machine: cores, flags, memory."""

import os
import re
from pathlib import Path


def num_cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cpu_quota(path: Path = Path("/sys/fs/cgroup/cpu.max")) -> float | None:
    """Return how many cores the container may keep busy, or None where nothing bounds it."""
    try:
        quota, period = _text(path).split()
        return int(quota) / int(period)
    except (OSError, ValueError):  # no such file, or "max"
        return None


def bf16_units(path: Path = Path("/proc/cpuinfo")) -> list[str]:
    """Return the processor's flags for bfloat16 arithmetic."""
    try:
        flags = set(_text(path).split())
    except OSError:
        return []
    return sorted(flags & {"amx_bf16", "avx512_bf16", "avx_ne_convert", "bf16", "svebf16"})


def memory(
    path: Path = Path("/proc/meminfo"), group: Path = Path("/sys/fs/cgroup")
) -> tuple[int, int]:
    """Return free and total memory in bytes, bounded by what the container gets."""
    try:
        found = dict(re.findall(r"^(\w+): +(\d+) kB$", _text(path), re.M))
        free, total = 1024 * int(found["MemAvailable"]), 1024 * int(found["MemTotal"])
    except (OSError, KeyError):
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        free = total  # not told by this system
    try:
        bound = int(_text(group / "memory.max"))
        used = int(_text(group / "memory.current"))
        # What files left in memory is given back when it is needed.
        kept = re.findall(r"^inactive_file (\d+)$", _text(group / "memory.stat"), re.M)
        used -= sum(map(int, kept))
    except (OSError, ValueError):
        return free, total
    return min(free, max(0, bound - used)), min(total, bound)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")
