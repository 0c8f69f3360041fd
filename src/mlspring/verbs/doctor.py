"""``mlspring doctor``: what this machine has and lacks, and the fix. It never fails itself."""

import importlib
import os
import platform
import re
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from importlib import metadata, util
from pathlib import Path

from mlspring.core import machine
from mlspring.core.files import home
from mlspring.core.machine import processor
from mlspring.core.texts import count, size
from mlspring.verbs.findings import Finding, guarded

INSTALL = "in the checkout: make clean install, or: pip install -e . -c constraints.txt"
PYTHONS = ((3, 11), (3, 12), (3, 13), (3, 14))
EXTRAS = {  # of which something here makes use
    "lander": ("gymnasium", "Box2D"),
    "speech": ("espeakng_loader", "soundfile", "kaldi_native_fbank"),
    "fetch": ("kagglehub", "huggingface_hub"),
}
NEVER = ("torchvision", "torchaudio")  # their builds for CUDA break a torch for the CPU
NETWORK = ("www.kaggle.com", 443)


def doctor() -> list[Finding]:
    """Return a finding for each check, in the order of the table; takes about two seconds."""
    checks: tuple[Callable[[], Finding], ...] = (
        check_python,
        check_packages,
        check_torch,
        check_cores,
        check_bf16,
        check_gpu,
        check_memory,
        check_cache_folder,
        check_working_folder,
        check_intruders,
        check_compiler,
        check_font,
        check_network,
        *(lambda extra=extra: check_extra(extra) for extra in EXTRAS),
    )
    return [guarded(check) for check in checks]


# ---- what must be there


def check_python() -> Finding:
    """Return whether this Python is one that we test on."""
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info[:2] in PYTHONS:
        return Finding(name="Python", state="ok", found=found)
    fix = "make a virtual environment with Python 3.11 to 3.14"
    return Finding(name="Python", state="warn", found=found, fix=fix)


def check_packages() -> Finding:
    """Return which of the packages that mlspring needs are not installed."""
    try:
        needs = metadata.requires("mlspring") or []
    except metadata.PackageNotFoundError:
        found = "mlspring itself is not installed; it runs from its sources"
        return Finding(name="packages", state="warn", found=found, fix=INSTALL)
    names = [
        re.split(r"[<>=!~; \[]", need, maxsplit=1)[0] for need in needs if "extra ==" not in need
    ]
    absent = []
    for name in names:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            absent.append(name)
    if absent:
        found = f"not installed: {', '.join(absent)}"
        return Finding(name="packages", state="missing", found=found, fix=INSTALL)
    return Finding(name="packages", state="ok", found=f"all {len(names)} that are needed")


def check_torch() -> Finding:
    """Return whether torch can be imported, and which build it is."""
    try:
        torch = importlib.import_module("torch")
    except ImportError as error:
        return Finding(name="torch", state="missing", found=str(error), fix=INSTALL)
    except OSError as error:  # a build for other hardware or another system
        found = f"is installed and does not load ({error})"
        return Finding(name="torch", state="missing", found=found, fix=INSTALL)
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU build"
    if torch.version.cuda and not torch.cuda.is_available():
        found = f"{torch.__version__}, {build}, and no GPU that it can use: several GB for nothing"
        fix = (
            "without a GPU: pip install --force-reinstall torch -c constraints.txt "
            "--index-url https://download.pytorch.org/whl/cpu"
        )
        return Finding(name="torch", state="warn", found=found, fix=fix)
    return Finding(name="torch", state="ok", found=f"{torch.__version__}, {build}")


# ---- how fast it will be


def check_cores() -> Finding:
    """Return the cores we may use and the threads torch will use."""
    cores, allowed = machine.num_cores(), machine.cpu_quota()
    threads = importlib.import_module("torch").get_num_threads()
    found = f"{count(cores, 'core')}, {count(threads, 'thread')} in torch; {processor()}"
    name = "processor"
    if allowed is not None and allowed + 0.5 < threads:
        fix = f"export OMP_NUM_THREADS={max(1, round(allowed))}: this container gets {allowed:g}"
        return Finding(name=name, state="warn", found=found, fix=fix)
    if 2 * threads < cores and "OMP_NUM_THREADS" in os.environ:
        fix = f"unset OMP_NUM_THREADS, it is {os.environ['OMP_NUM_THREADS']!r}"
        return Finding(name=name, state="warn", found=found, fix=fix)
    return Finding(name=name, state="ok", found=found)


def check_bf16() -> Finding:
    """Return the units for bfloat16; with them convolutions train about 2.5 times faster."""
    units = machine.bf16_units()
    found = f"units: {', '.join(units)}" if units else "no units; fp32 will be used"
    return Finding(name="bfloat16", state="ok", found=found)


def check_gpu() -> Finding:
    """Return the graphics processors that torch can use."""
    cuda = importlib.import_module("torch").cuda
    if cuda.is_available():
        cards = [cuda.get_device_properties(i) for i in range(cuda.device_count())]
        found = ", ".join(f"{card.name} ({size(card.total_memory)})" for card in cards)
        return Finding(name="GPU", state="ok", found=found)
    if shutil.which("nvidia-smi"):
        found = "there seems to be one, and torch cannot use it"
        fix = "install a CUDA build of the same torch version, or go on with the CPU"
        return Finding(name="GPU", state="warn", found=found, fix=fix)
    return Finding(name="GPU", state="ok", found="none; every homework runs without")


def check_memory() -> Finding:
    """Return the memory that is free now."""
    free, total = machine.memory()
    found = f"{size(free)} free of {size(total)}"
    if free < 2e9:
        fix = "close other programs, or use smaller batches: --set train.batch_size=32"
        return Finding(name="memory", state="warn", found=found, fix=fix)
    return Finding(name="memory", state="ok", found=found)


# ---- where it writes


def check_cache_folder() -> Finding:
    """Return whether worlds, decoded images and the board have a place to lie."""
    return _check_folder("cache folder", home(), "set MLSPRING_HOME to a folder on another disk")


def check_working_folder() -> Finding:
    """Return whether runs can be written here."""
    return _check_folder("working folder", Path.cwd(), "change to another folder, or use --out")


def _check_folder(name: str, folder: Path, fix: str) -> Finding:
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        found = f"{folder} cannot be written ({error.strerror})"
        return Finding(name=name, state="missing", found=found, fix=fix)
    free = shutil.disk_usage(there).free
    found = f"{folder}, {size(free)} free"
    if free < 3e8:
        return Finding(name=name, state="missing", found=found, fix=f"free some space, or {fix}")
    if free < 3e9:
        return Finding(name=name, state="warn", found=found, fix=f"official data need more: {fix}")
    return Finding(name=name, state="ok", found=found)


# ---- what may be there


def check_intruders() -> Finding:
    """Return whether a package is there that tends to break torch."""
    name = "torch's companions"
    found = [package for package in NEVER if util.find_spec(package) is not None]
    if found:
        fix = f"if torch fails to import: pip uninstall {' '.join(found)}; nothing here uses them"
        return Finding(name=name, state="warn", found=f"{', '.join(found)} installed", fix=fix)
    return Finding(name=name, state="ok", found="none, as it should be")


def check_compiler() -> Finding:
    """Return that no compiler is needed: it is often suspected."""
    found = next((name for name in ("cc", "gcc", "clang") if shutil.which(name)), "none")
    return Finding(name="compiler", state="ok", found=f"{found}; not needed")


def check_font() -> Finding:
    """Return whether figures can show Chinese titles."""
    name = "Chinese font"
    font = importlib.import_module("mlspring.kit.style").cjk_font()
    if font:
        return Finding(name=name, state="ok", found=str(font))
    fix = "only for Chinese text in figures: install Noto Sans CJK (fonts-noto-cjk)"
    return Finding(name=name, state="warn", found="none; figures use English", fix=fix)


def check_network() -> Finding:
    """Return whether fetch could reach an address; waits one second at most."""
    reached: list[bool] = []
    # A name server that does not answer makes us wait for long, and cannot be told not to.
    thread = threading.Thread(target=lambda: reached.append(_reach(NETWORK)), daemon=True)
    thread.start()
    thread.join(1.0)
    if any(reached):
        return Finding(name="network", state="ok", found=f"{NETWORK[0]} answers")
    found = f"{NETWORK[0]} does not answer"
    fix = "only for mlspring fetch; everything else works without"
    return Finding(name="network", state="warn", found=found, fix=fix)


def check_extra(extra: str) -> Finding:
    """Return whether the packages of one extra are there."""
    absent = [package for package in EXTRAS[extra] if util.find_spec(package) is None]
    if absent:
        found = f"not installed: {', '.join(absent)}"
        # mlspring itself is in no package index: only a checkout can be installed
        fix = (
            f'only if you want it, in the checkout: pip install -e ".[{extra}]" -c constraints.txt'
        )
        return Finding(name=f"extra {extra}", state="warn", found=found, fix=fix)
    return Finding(name=f"extra {extra}", state="ok", found="installed")


def _reach(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=1.0).close()
    except OSError:
        return False
    return True
