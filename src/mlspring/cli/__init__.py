"""The command line: `app` parses, `options` names its words, `terminal` prints and ends."""

from mlspring.cli.app import app, main

__all__ = ["app", "main"]
