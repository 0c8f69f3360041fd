"""``python -m mlspring.watched``: the command line, which ends with the process that started it."""

from mlspring import cli
from mlspring.core.processes import end_with_parent_of_stdin

if __name__ == "__main__":
    end_with_parent_of_stdin()
    cli.main()
