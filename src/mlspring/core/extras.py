"""Packages that only some homeworks need: an absent one is a sentence with the command."""

import importlib
import importlib.util
from importlib import metadata
from typing import Any

from mlspring.core.errors import MachineError


def demand(package: str, *, extra: str, purpose: str) -> None:
    """Make sure that ``package`` can be imported, without doing so.

    Args:
        package: its name in Python.
        extra: the extra of mlspring that installs it.
        purpose: what needs it, e.g. "sound is read"; ends the sentence "..., with which".

    Raises:
        MachineError: it is not installed.
    """
    if importlib.util.find_spec(package) is None:
        raise absent(package, extra, purpose)


def imported(package: str, *, extra: str, purpose: str) -> Any:
    """Return the module of an extra; arguments and errors as for ``demand``."""
    demand(package, extra=extra, purpose=purpose)
    try:
        return importlib.import_module(package)
    except OSError as error:  # a library in it is of another system
        fix = f'pip install --force-reinstall "mlspring[{extra}]"'
        found = f"the package {package} is installed and does not load ({error})"
        raise MachineError(found, fix=fix) from error


def version_of(distribution: str, extra: str, purpose: str) -> str:
    """Return the version of a package by its name in the index; errors as for ``demand``."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError as error:
        raise absent(distribution, extra, purpose) from error


def absent(package: str, extra: str, purpose: str) -> MachineError:
    """Return the error for a package that is not installed."""
    found = f"the package {package}, with which {purpose}, is not installed"
    fix = f"pip install 'mlspring[{extra}]' (in the checkout: pip install -e \".[{extra}]\" "
    return MachineError(found, fix=fix + "-c constraints.txt)")
