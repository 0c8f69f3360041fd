import os
import re
import socket
import sys
import time
import tomllib
import types
from pathlib import Path

import pytest
from rich.console import Console

from mlspring.verbs import doctor as module
from mlspring.verbs import machine
from mlspring.verbs.doctor import Finding, doctor, table


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
    monkeypatch.setattr(module, "_reach", lambda address: time.sleep(3) or True)
    start = time.perf_counter()
    assert module.check_network().state == "warn"
    assert time.perf_counter() - start < 2
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
    assert finding.fix.endswith("in the checkout: pip install -e '.[fetch]' -c constraints.txt")


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


def test_what_the_system_tells_is_read(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("200000 100000\n")
    assert machine.cpu_quota(file) == 2.0
    file.write_text("max 100000\n")
    assert machine.cpu_quota(file) is None
    assert machine.cpu_quota(tmp_path / "none") is None
    file.write_text("flags : fpu amx_bf16 avx512_bf16 avx512f\n")
    assert machine.bf16_units(file) == ["amx_bf16", "avx512_bf16"]
    assert machine.bf16_units(tmp_path / "none") == []
    file.write_text("MemTotal:       1000 kB\nMemFree: 1 kB\nMemAvailable:    500 kB\n")
    assert machine.memory(file, tmp_path) == (512_000, 1_024_000)
    (tmp_path / "memory.max").write_text("204800\n")
    (tmp_path / "memory.current").write_text("102400\n")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 2400\n")
    assert machine.memory(file, tmp_path) == (104_800, 204_800)
    (tmp_path / "memory.max").write_text("max\n")
    assert machine.memory(file, tmp_path) == (512_000, 1_024_000)
    free, total = machine.memory(tmp_path / "none", tmp_path)
    assert 0 < free <= total
    assert machine.num_cores() <= (os.cpu_count() or 1)
