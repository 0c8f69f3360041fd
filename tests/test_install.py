"""What ``make`` says when the installation cannot go on, and which torch it asks for."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="make is for Linux and macOS")
ROOT = Path(__file__).resolve().parents[1]
TOOLS = ("bash", "dirname", "awk", "grep", "tail", "touch", "mkdir", "cp")

PYTHON = """#!/usr/bin/env bash
case "$1 $2 ${3:-}" in
  "-c import sys; "*) exit "${FAKE_TOO_OLD:-0}" ;;
  "-c import sys, urllib"*) exit "${FAKE_OFFLINE:-0}" ;;
  "-m venv "*) [ -z "${FAKE_NO_VENV:-}" ] && mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  "-m pip config") printf '%s\\n' "${FAKE_CONFIG:-}" ;;
  "-m pip install") echo "$*" >>asked.txt; echo "${FAKE_SAYS:-}"; exit "${FAKE_FAILS:-0}" ;;
esac
"""
SYSTEM = """#!/usr/bin/env bash
[ "$1" = -s ] && echo "${FAKE_SYSTEM:-Linux}" || echo "${FAKE_MACHINE:-x86_64}"
"""
DISK = """#!/usr/bin/env bash
printf 'Filesystem blocks used free\\n/dev/fake 1 1 %s\\n' "${FAKE_FREE:-50000}"
"""


class Checkout:
    """A checkout whose machine is made up: ``FAKE_`` variables say what it is like."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.tools = folder / "checkout", folder / "tools"
        (self.folder / "scripts").mkdir(parents=True)
        shutil.copy(ROOT / "scripts" / "install.sh", self.folder / "scripts")
        self.tools.mkdir()
        for name in TOOLS:
            found = shutil.which(name)
            assert found, name
            (self.tools / name).symlink_to(found)
        for name, script in (("python3.11", PYTHON), ("uname", SYSTEM), ("df", DISK)):
            self.add_tool(name, script)

    def add_tool(self, name: str, script: str = "#!/usr/bin/env bash\n") -> None:
        (self.tools / name).write_text(script)
        (self.tools / name).chmod(0o755)

    def install(self, **fake: object) -> tuple[int, str]:
        """Return exit code and stderr."""
        facts = {f"FAKE_{name.upper()}": str(value) for name, value in fake.items()}
        done = subprocess.run(
            ["bash", "scripts/install.sh"],
            cwd=self.folder,
            env={"PATH": str(self.tools), **facts},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout == ""
        return done.returncode, done.stderr

    def asked(self) -> list[str]:
        """Return what pip was asked to install, one line a call."""
        file = self.folder / "asked.txt"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_a_good_machine_gets_torch_first_and_a_stamp(checkout: Checkout) -> None:
    code, said = checkout.install()
    assert (code, said) == (0, "installing torch ...\ninstalling mlspring and the rest ...\n")
    torch, rest = checkout.asked()
    assert " --constraint constraints.txt torch" in torch
    assert rest.endswith("--editable .[all,dev]")
    assert (checkout.folder / ".venv" / ".ready").exists()


# ---- which torch


def extra_index(checkout: Checkout) -> list[bool]:
    return ["--extra-index-url https://download.pytorch.org/whl/cpu" in a for a in checkout.asked()]


def test_a_linux_without_gpu_gets_the_build_for_the_cpu(checkout: Checkout) -> None:
    assert checkout.install()[0] == 0
    assert extra_index(checkout) == [True, False]


@pytest.mark.parametrize(
    "config",
    [
        ":env:.index-url='https://mirror'",
        "global.extra-index-url='file:///srv/simple'",
        ":env:.find-links='/srv/wheels'",
        "install.no-index='true'",
    ],
)
def test_a_chosen_index_is_left_alone(checkout: Checkout, config: str) -> None:
    assert checkout.install(config=config, offline=1, free=5000)[0] == 0
    assert extra_index(checkout) == [False, False]


def test_other_settings_of_pip_are_no_index(checkout: Checkout) -> None:
    assert checkout.install(config="global.timeout='60'")[0] == 0
    assert extra_index(checkout) == [True, False]


@pytest.mark.parametrize(
    "machine", [{"system": "Darwin", "machine": "arm64"}, {"machine": "aarch64"}]
)
def test_other_machines_have_one_torch(checkout: Checkout, machine: dict[str, str]) -> None:
    assert checkout.install(**machine, free=5000)[0] == 0
    assert extra_index(checkout) == [False, False]


def test_a_gpu_gets_cuda_and_the_room_it_takes(checkout: Checkout) -> None:
    checkout.add_tool("nvidia-smi")
    code, said = checkout.install(free=5000)
    assert code == 1 and "only 5000 MiB are free here, 10000 are needed" in said
    assert checkout.asked() == []
    assert checkout.install()[0] == 0
    assert extra_index(checkout) == [False, False]


def test_without_the_index_for_the_cpu_it_goes_on_and_says_what_that_costs(
    checkout: Checkout,
) -> None:
    code, said = checkout.install(offline=1)
    assert code == 0
    assert "whl/cpu is out of reach, so torch comes with libraries for CUDA: several GB" in said
    assert extra_index(checkout) == [False, False]
    assert "10000 are needed" in checkout.install(offline=1, free=5000)[1]


# ---- what is missing


@pytest.mark.parametrize(
    ("fake", "sentence"),
    [
        ({"too_old": 1}, "mlspring: found no Python 3.11 to 3.14\n  -> install one"),
        ({"free": 3999}, "mlspring: only 3999 MiB are free here, 4000 are needed\n  -> free"),
        ({"no_venv": 1}, "mlspring: python3.11 cannot make a virtual environment\n  -> on Debian"),
    ],
)
def test_what_the_machine_lacks_is_a_sentence(
    checkout: Checkout, fake: dict[str, object], sentence: str
) -> None:
    code, said = checkout.install(**fake)
    assert code == 1 and said.startswith(sentence)
    assert checkout.asked() == []


NO_NETWORK = "no package could be downloaded: the network or the package index is out of reach"
CONFLICT = "ERROR: ResolutionImpossible: for help visit dependency-resolution"


@pytest.mark.parametrize(
    ("pip_says", "sentence"),
    [
        ("WARNING: Retrying: [Errno -3] Temporary failure in name resolution", NO_NETWORK),
        ("Failed to establish a new connection: [Errno 111]", NO_NETWORK),
        ("Could not connect: [Errno -2] Name or service not known", NO_NETWORK),
        ("ReadTimeoutError: Read timed out.", NO_NETWORK),
        ("ERROR: Could not install: [Errno 28] No space left on device", "the disk is full"),
        ("connection broken\nERROR: [Errno 28] No space left on device", "the disk is full"),
        ("error: command 'gcc' failed: No such file", "no ready build for this machine"),
        (CONFLICT, f"the installation stopped: {CONFLICT}"),
        ("ERROR: something new", "the installation stopped: ERROR: something new"),
    ],
)
def test_what_stopped_pip_is_a_sentence(checkout: Checkout, pip_says: str, sentence: str) -> None:
    code, said = checkout.install(says=pip_says, fails=1)
    assert code == 1 and len(checkout.asked()) == 1
    last = said.splitlines()[-2:]
    assert last[0].startswith("mlspring: ") and sentence in last[0]
    assert last[1].startswith("  -> ") and ("make again" in last[1] or "compiler" in last[1])
    assert not (checkout.folder / ".venv" / ".ready").exists()


def test_what_pip_said_is_kept(checkout: Checkout) -> None:
    checkout.install(says="ERROR: something new", fails=1)
    assert "something new" in (checkout.folder / ".venv" / "install.log").read_text()
