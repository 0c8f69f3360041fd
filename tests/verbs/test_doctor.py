import re
import socket
import sys
import threading
import tomllib
import types
from pathlib import Path

import pytest
from rich.console import Console

from mlspring.core import machine
from mlspring.verbs import doctor as module
from mlspring.verbs.doctor import doctor
from mlspring.verbs.findings import Finding, table


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError("Network is unreachable")

    monkeypatch.setattr(socket, "create_connection", refuse)


def drawn(findings: list[Finding]) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(table(findings))
    return captured.get()


def test_a_machine_that_runs_these_tests_lacks_nothing_needed(offline: None) -> None:
    findings = {finding.name: finding for finding in doctor()}
    assert findings["torch"].state == "ok"
    assert findings["Python"].found.startswith("3.")
    assert findings["cache folder"].state in ("ok", "warn")
    assert findings["network"].state == "warn"
    assert all(f.fix for f in findings.values() if f.state != "ok" and "checked" not in f.found)
    text = drawn(list(findings.values()))
    assert all(name in text for name in findings)


def test_it_never_raises_whatever_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise RuntimeError("boom [/red]")

    for name in ("find_spec", "requires", "import_module", "which", "TemporaryFile", "disk_usage"):
        for owner in (
            module.util,
            module.metadata,
            module.importlib,
            module.shutil,
            module.tempfile,
        ):
            if hasattr(owner, name):
                monkeypatch.setattr(owner, name, broken)
    for name in ("num_cores", "cpu_quota", "bf16_units", "memory"):
        monkeypatch.setattr(machine, name, broken)
    monkeypatch.setattr(module, "_reach", broken)
    monkeypatch.setattr(module.threading.Thread, "start", broken)
    findings = doctor()
    broken_ones = [f for f in findings if "could not be checked (RuntimeError: boom" in f.found]
    assert len(broken_ones) == len(findings) - 1  # Python itself is there
    assert "boom [/red]" in drawn(findings)


def test_a_slow_network_does_not_hold_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()  # never, while the doctor looks
    monkeypatch.setattr(module, "_reach", lambda address: answered.wait(60))
    assert module.check_network().state == "warn"
    answered.set()
    monkeypatch.setattr(module, "_reach", lambda address: True)
    assert module.check_network() == Finding(
        name="network", state="ok", found="www.kaggle.com answers"
    )


def test_a_missing_or_broken_torch_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    finding = module.check_torch()
    assert (finding.state, finding.fix) == ("missing", module.INSTALL)

    def fails(name: str) -> None:
        raise OSError("libcudart.so: cannot open shared object file")

    monkeypatch.setattr(module.importlib, "import_module", fails)
    assert "does not load (libcudart.so" in module.check_torch().found


def test_absent_packages_and_extras_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = ["numpy>=2", "no-such-package>=1", "kagglehub>=0.3; extra == 'fetch'"]
    monkeypatch.setattr(module.metadata, "requires", lambda name: needs)
    finding = module.check_packages()
    assert (finding.state, finding.found) == ("missing", "not installed: no-such-package")

    monkeypatch.setitem(module.EXTRAS, "fetch", ("no_such_module",))
    finding = module.check_extra("fetch")
    assert finding.state == "warn"
    assert finding.found == "not installed: no_such_module"
    assert finding.fix.endswith('in the checkout: pip install -e ".[fetch]" -c constraints.txt')


def test_every_command_it_names_can_work() -> None:
    root = Path(__file__).resolve().parents[2]
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert set(module.EXTRAS) < set(extras["optional-dependencies"])
    assert "pip install -e . -c constraints.txt" in module.INSTALL
    assert (root / "constraints.txt").is_file()
    assert {"clean", "install"} <= set(
        re.findall(r"^(\w+):", (root / "Makefile").read_text(), re.M)
    )


def test_torchvision_is_suspected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.util, "find_spec", lambda name: name == "torchvision" or None)
    finding = module.check_intruders()
    assert finding.state == "warn"
    assert "pip uninstall torchvision;" in finding.fix


def test_the_old_python_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.sys, "version_info", (3, 9, 0))
    assert module.check_python().state == "warn"


def test_a_folder_that_cannot_be_written_or_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLSPRING_HOME", str(tmp_path / "not" / "yet"))
    assert module.check_cache_folder().state == "ok"
    assert not (tmp_path / "not").exists()  # looking leaves nothing behind

    for free, state in ((2 * 10**9, "warn"), (10**8, "missing")):
        usage = types.SimpleNamespace(free=free)
        monkeypatch.setattr(module.shutil, "disk_usage", lambda place, usage=usage: usage)
        assert module.check_cache_folder().state == state

    def refuse(dir: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module.tempfile, "TemporaryFile", refuse)
    finding = module.check_cache_folder()
    assert finding.state == "missing"
    assert "cannot be written (Permission denied)" in finding.found
    assert "MLSPRING_HOME" in finding.fix


def test_threads_beyond_the_containers_share_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = types.SimpleNamespace(get_num_threads=lambda: 16)
    monkeypatch.setitem(sys.modules, "torch", fake)
    monkeypatch.setattr(machine, "num_cores", lambda: 16)
    monkeypatch.setattr(machine, "cpu_quota", lambda: 2.0)
    finding = module.check_cores()
    assert finding.state == "warn"
    assert finding.fix == "export OMP_NUM_THREADS=2: this container gets 2"
    monkeypatch.setattr(machine, "cpu_quota", lambda: None)
    assert module.check_cores().state == "ok"
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(get_num_threads=lambda: 1))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert module.check_cores().fix == "unset OMP_NUM_THREADS, it is '1'"


def test_gpus_are_listed_and_unused_ones_told(monkeypatch: pytest.MonkeyPatch) -> None:
    card = types.SimpleNamespace(name="Some Card", total_memory=24 * 10**9)
    cuda = types.SimpleNamespace(
        is_available=lambda: True, device_count=lambda: 2, get_device_properties=lambda i: card
    )
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(cuda=cuda))
    assert module.check_gpu().found == "Some Card (24.0 GB), Some Card (24.0 GB)"
    cuda.is_available = lambda: False
    monkeypatch.setattr(module.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert module.check_gpu().state == "warn"
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    assert module.check_gpu().state == "ok"


def test_little_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "memory", lambda: (10**9, 4 * 10**9))
    assert module.check_memory().state == "warn"
    monkeypatch.setattr(machine, "memory", lambda: (3 * 10**9, 4 * 10**9))
    assert module.check_memory().found == "3.0 GB free of 4.0 GB"


def test_a_torch_for_cuda_on_a_machine_without_a_gpu_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cuda = types.SimpleNamespace(is_available=lambda: False)
    version = types.SimpleNamespace(cuda="13.0")
    fake = types.SimpleNamespace(__version__="2.13.0", version=version, cuda=cuda)
    monkeypatch.setitem(sys.modules, "torch", fake)
    finding = module.check_torch()
    assert finding.state == "warn"
    assert "CUDA 13.0, and no GPU" in finding.found
    assert "--index-url https://download.pytorch.org/whl/cpu" in finding.fix
    cuda.is_available = lambda: True
    assert module.check_torch().state == "ok"
    version.cuda, cuda.is_available = None, lambda: False
    assert module.check_torch().found == "2.13.0, CPU build"


def test_the_pythons_that_are_good_are_those_that_the_package_takes() -> None:
    root = Path(__file__).resolve().parents[2]
    takes = tomllib.loads((root / "pyproject.toml").read_text())["project"]["requires-python"]
    first, last = module.PYTHONS[0], module.PYTHONS[-1]
    assert takes == f">={first[0]}.{first[1]},<{last[0]}.{last[1] + 1}"
