"""What the system tells of this machine and of this process: cores, memory, processor, rank."""

import os
import platform
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path


def num_cores() -> int:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    try:
        import psutil

        return len(psutil.Process().cpu_affinity())
    except (ImportError, AttributeError, OSError):  # macOS has no such bounds
        return os.cpu_count() or 1


def cpu_quota(path: Path = Path("/sys/fs/cgroup/cpu.max")) -> float | None:
    """Return how many cores the container may keep busy, or None where nothing bounds it."""
    try:
        quota, period = _text(path).split()
        return int(quota) / int(period)
    except (OSError, ValueError):  # no such file, or "max"
        return None


def bf16_units(path: Path = Path("/proc/cpuinfo")) -> list[str]:
    """Return the processor's flags for bfloat16 arithmetic; Linux alone tells them."""
    try:
        flags = set(_text(path).split())
    except OSError:
        return []
    return sorted(flags & {"amx_bf16", "avx512_bf16", "avx_ne_convert", "bf16", "svebf16"})


def memory(group: Path = Path("/sys/fs/cgroup")) -> tuple[int, int]:
    """Return free and total memory in bytes, bounded by what the container gets."""
    import psutil

    whole = psutil.virtual_memory()
    free, total = int(whole.available), int(whole.total)
    try:
        bound = int(_text(group / "memory.max"))
        used = int(_text(group / "memory.current"))
        # What files left in memory is given back when it is needed.
        kept = re.findall(r"^inactive_file (\d+)$", _text(group / "memory.stat"), re.M)
        used -= sum(map(int, kept))
    except (OSError, ValueError):
        return free, total
    return min(free, max(0, bound - used)), min(total, bound)


def peak_memory_mib() -> float:
    """Return the largest resident memory of this process so far, in MiB."""
    try:
        import resource
    except ImportError:  # Windows
        return _peak_on_windows()
    return peak_mib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _peak_on_windows(process: int | None = None) -> float:
    try:
        import psutil

        info = psutil.Process(process).memory_info()
    except ImportError:
        return 0.0
    return round(int(getattr(info, "peak_wset", info.rss)) / 2**20, 1)


def peak_mib(ru_maxrss: int) -> float:
    """Return the peak of resident memory as ``getrusage`` and ``wait4`` tell it, in MiB."""
    return round(ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10), 1)


def processor() -> str:
    """Return the processor's name as the system tells it."""
    with suppress(OSError):
        for line in _text(Path("/proc/cpuinfo")).splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    with suppress(OSError, subprocess.SubprocessError):
        if sys.platform == "darwin":
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
            if name := done.stdout.strip():
                return name
        if sys.platform == "win32":
            import winreg

            key = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as opened:
                return str(winreg.QueryValueEx(opened, "ProcessorNameString")[0]).strip()
    return platform.processor() or platform.machine()


def is_main_process() -> bool:
    """Return whether this process is the one that writes and prints: rank 0 under ``torchrun``."""
    return os.environ.get("RANK", "0") == "0"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
