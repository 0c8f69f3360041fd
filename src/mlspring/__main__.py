"""``python -m mlspring``: the command line, also the entry point under ``torchrun``."""

from mlspring.cli import main

if __name__ == "__main__":
    main()
