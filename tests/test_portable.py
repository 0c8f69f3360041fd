"""What holds on Linux, macOS and Windows alike."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "mlspring"
ROOMS = {"core/locks.py", "core/processes.py", "core/machine.py"}  # where systems may differ
MODULES = {"fcntl", "resource", "pwd", "grp", "termios", "msvcrt", "winreg", "psutil", "filelock"}
ATTRIBUTES = {
    "os": {"fork", "killpg", "setsid", "wait4", "umask", "getuid", "geteuid", "uname", "sysconf"}
    | {"sched_getaffinity", "mkfifo", "O_NONBLOCK", "O_NOFOLLOW", "O_BINARY", "getpgid"},
    "signal": {"SIGKILL", "SIGHUP", "SIGALRM", "alarm", "setitimer", "SIGCHLD"},
}


def test_what_a_system_lacks_is_asked_for_in_three_files_only() -> None:
    found = set()
    for path in SOURCE.rglob("*.py"):
        name = path.relative_to(SOURCE).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = set()
            if isinstance(node, ast.Import):
                names = {alias.name.partition(".")[0] for alias in node.names} & MODULES
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = {node.module.partition(".")[0]} & MODULES
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                names = {node.attr} & ATTRIBUTES.get(node.value.id, set())
            found |= {(name, one) for one in names if name not in ROOMS}
    assert not found


def test_every_text_is_read_and_written_in_a_named_encoding() -> None:
    found = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            keywords = {keyword.arg for keyword in node.keywords}
            modes = [a.value for a in node.args if isinstance(a, ast.Constant)]
            name = node.func.attr
            text = name in ("read_text", "write_text", "TextIOWrapper") or (
                name in ("open", "fdopen") and any(mode in ("r", "w", "a", "r+") for mode in modes)
            )
            if text and "encoding" not in keywords:
                found.append(f"{path.relative_to(SOURCE).as_posix()}:{node.lineno} {name}")
    assert not found


AS_WINDOWS = """
import importlib, os, pkgutil, signal, sys
import mlspring
names = [module.name for module in pkgutil.walk_packages(mlspring.__path__, "mlspring.")]
names = [name for name in names if not name.endswith("migrations.env")]  # alembic runs it
names = [name for name in names if "migrations.versions" not in name]
heavy = ("torch", "matplotlib.figure", "sklearn", "scipy", "skimage", "sqlalchemy", "alembic")
heavy += ("transformers.models.bert.modeling_bert", "tokenizers", "sacrebleu")
for name in heavy:
    importlib.import_module(name)  # other people's modules may use what this system has
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
for module, names_gone in (
    (os, ("fork", "killpg", "setsid", "wait4", "getuid", "sched_getaffinity", "mkfifo")),
    (os, ("O_NONBLOCK", "O_NOFOLLOW", "register_at_fork")),
    (signal, ("SIGKILL", "SIGHUP", "SIGALRM", "SIGCHLD")),
):
    for gone in names_gone:
        if hasattr(module, gone):
            delattr(module, gone)
for name in names:
    if name != "mlspring.watched":
        importlib.import_module(name)
print(len(names))
"""


def test_every_module_is_imported_without_what_only_unix_has() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AS_WINDOWS], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


VERB = """
import sys
for name in ("fcntl", "resource", "pwd", "grp", "termios"):
    sys.modules[name] = None
from mlspring.cli import main
main()
"""


@pytest.mark.parametrize("verb", [["list"], ["board", "hw01"], ["data", "hw01"], ["doctor"]])
def test_verbs_work_without_the_modules_of_unix(tmp_path: Path, verb: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", VERB, *verb],
        capture_output=True,
        env={**os.environ, "MLSPRING_HOME": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


WITHOUT_SIMULATOR = """
import importlib.abc, importlib.metadata, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("gymnasium", "Box2D", "pygame"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from mlspring.cli import main
main()
"""


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        (["list"], 0),
        (["doctor"], 0),
        (["data", "hw12"], 0),
        (["board", "hw12"], 0),
        (["data", "hw01"], 0),
        (["run", "hw12", "--no-submit"], 2),
    ],
)
def test_without_the_simulator_only_what_plays_is_refused(
    tmp_path: Path, verb: list[str], code: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_SIMULATOR, *verb],
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "MLSPRING_HOME": str(tmp_path), "PYTHONIOENCODING": "utf-8"},
        check=False,
    )
    said = done.stderr.decode()
    assert done.returncode == code, said
    if code:
        assert 'pip install "mlspring[lander]"' in said
        assert "Traceback" not in said
        assert not list(tmp_path.rglob("*.safetensors"))  # nothing was trained
