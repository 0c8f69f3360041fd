"""What the command line prints, and how it ends."""

import io
import json
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import typer.core

from mlspring.cli.options import without_values
from mlspring.core.errors import MlspringError, UserError
from mlspring.core.foreign_text import shown_lines
from mlspring.core.texts import shell_word

INTERRUPTED = 130  # what shells expect of a program that Ctrl-C ended


class StoppedError(MlspringError):
    """Ctrl-C: the user stopped the command."""

    exit_code = INTERRUPTED


class Verbs(typer.core.TyperGroup):
    """The group of all verbs; after Ctrl-C it says which run can go on."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options of the program itself."""
        return without_values(super().get_params(ctx))

    def invoke(self, ctx: Any) -> Any:
        """Run the verb that the command line names.

        Raises:
            StoppedError: in place of ``KeyboardInterrupt``, which the parser would swallow.
        """
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            folder = getattr(stop, "stopped_run", None)  # a run that can go on leaves its folder
            if folder is None:
                raise StoppedError("stopped") from stop
            resume = f"mlspring resume {shell_word(str(folder))}"
            raise StoppedError(f"stopped; the run goes on with: {resume}") from stop


def show(content: Any) -> None:
    """Print a text or a table on stdout; brackets and colons of names stand as they are."""
    from mlspring.core.progress import print_plain

    print_plain(content)


def show_json(value: Any) -> None:
    """Print JSON on stdout, in full, whatever the width of the terminal or its characters."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        text = json.dumps(value, indent=2)  # a character as \u4f60 is the same value
    print(text)  # noqa: T201


def run_app(app: Callable[..., Any]) -> int:
    """Run the command line; return its exit code, having said on stderr what went wrong.

    0: done, 1: a fault of ours, 2: the user's input, 130: stopped by Ctrl-C.
    """
    settle_environment()
    try:
        exit_code = app(standalone_mode=False)  # what typer.Exit was raised with, if it was
    except MlspringError as error:
        return _tell(str(error), error.exit_code)
    except Exception as error:
        usage = getattr(error, "format_message", None)  # the parser's own errors have one
        if usage is None:
            raise
        return _tell(f"{usage()}\n  -> {_help(error)}", UserError.exit_code)
    finally:
        if "WORLD_SIZE" in os.environ:
            from mlspring.verbs import torchrun

            torchrun.stop()
    if exit_code == INTERRUPTED:
        return _tell("stopped", INTERRUPTED)
    return int(exit_code or 0)


def settle_environment() -> None:
    """Make what the caller's environment says harmless to libraries that are imported later.

    Streams replace the characters that they cannot encode. Figures are files, so the window or
    notebook that the caller draws in does not matter. Warnings that the caller turned into errors
    would stop a library's import after minutes of training.
    """
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        with suppress(ValueError, OSError):  # closed
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
    os.environ["MPLBACKEND"] = "agg"
    os.environ.pop("SOURCE_DATE_EPOCH", None)  # matplotlib reads it, whatever it holds
    if any(option.partition(":")[0].startswith("e") for option in sys.warnoptions):
        warnings.simplefilter("default")
        os.environ.pop("PYTHONWARNINGS", None)  # for the processes that this one starts


def _help(error: Exception) -> str:
    """Return the command that shows the help of the verb whose words were wrong."""
    context = getattr(error, "ctx", None)
    if context is None or context.parent is None:  # the verb itself is unknown
        return "mlspring --help"
    return f"mlspring {context.info_name} --help"


def _tell(sentence: str, exit_code: int) -> int:
    print(f"mlspring: {shown_lines(sentence)}", file=sys.stderr)  # noqa: T201
    return exit_code
