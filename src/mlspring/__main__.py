"""``python -m mlspring``: the command line, also the entry point under ``torchrun``."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # With -m, Python looks for modules in the working folder first: a learner's csv.py there
    # would be imported in place of Python's own.
    sys.path[:] = [folder for folder in sys.path if folder and Path(folder) != Path.cwd()]
    from mlspring.cli import main

    main()
