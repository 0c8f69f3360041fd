"""What the command line prints, and how it ends."""

import json
import shlex
import sys
from collections.abc import Callable
from typing import Any

from mlspring.core.errors import MlspringError, UserError

INTERRUPTED = 130  # what shells expect of a program that Ctrl-C ended


def show(content: Any) -> None:
    """Print a text or a table on stdout; brackets and colons of names stand as they are."""
    from rich.console import Console

    plain = Console(markup=False, emoji=False, highlight=False)
    plain.print(content, soft_wrap=isinstance(content, str))


def show_json(value: Any) -> None:
    """Print JSON on stdout, in full, whatever the width of the terminal."""
    print(json.dumps(value, indent=2, ensure_ascii=False))  # noqa: T201


def ended(app: Callable[..., Any]) -> int:
    """Run the command line; return its exit code, having said on stderr what went wrong.

    0: done, 1: a fault of ours, 2: the user's input, 130: stopped by Ctrl-C.
    """
    try:
        exit_code = app(standalone_mode=False)  # what typer.Exit was raised with, if it was
    except MlspringError as error:
        return _tell(str(error), error.exit_code)
    except Exception as error:
        usage = getattr(error, "format_message", None)  # the parser's own errors have one
        if usage is None:
            raise
        return _tell(f"{usage()}\n  -> mlspring --help", UserError.exit_code)
    finally:
        if "mlspring.kit.distributed" in sys.modules:
            sys.modules["mlspring.kit.distributed"].stop()
    if exit_code == INTERRUPTED:
        return _tell(_stopped(), INTERRUPTED)
    return int(exit_code or 0)


def _stopped() -> str:
    """Return what Ctrl-C stopped: a run can go on, other verbs are simply called again."""
    runs = sys.modules.get("mlspring.core.runs")  # loaded only by the verbs that have runs
    folder = runs.unfinished() if runs else None
    if folder is None:
        return "stopped"
    return f"stopped; the run goes on with: mlspring resume {shlex.quote(str(folder))}"


def _tell(sentence: str, exit_code: int) -> int:
    print(f"mlspring: {sentence}", file=sys.stderr)  # noqa: T201
    return exit_code
