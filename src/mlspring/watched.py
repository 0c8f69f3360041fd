"""``python -m mlspring.watched``: the command line, but it ends with the process that started it.

Whoever starts it keeps the other end of its standard input open, and says nothing there. The system
closes that end when the process dies, of whatever: so no measured run outlives its calibration.
"""

import os
import signal
import threading

from mlspring import cli


def main() -> None:
    """Run the command line, watching standard input from a thread of its own."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cli.main()


def _end_with_parent() -> None:
    os.read(0, 1)  # not sys.stdin: its lock would stop this interpreter from ending
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
