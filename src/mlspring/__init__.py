"""mlspring: the course "Machine Learning 2022 Spring" (Hung-yi Lee, NTU) as software that runs.

>>> import mlspring
>>> data = mlspring.load("hw03")
>>> mlspring.run("hw03", "medium")
"""

from mlspring.core.errors import MlspringError
from mlspring.face import (
    Finished,
    baselines,
    board,
    load,
    recipe,
    run,
    score,
    submit,
    validate,
    write,
)
from mlspring.log import Log

__version__ = "0.1.0"

__all__ = [
    "Finished",
    "Log",
    "MlspringError",
    "__version__",
    "baselines",
    "board",
    "load",
    "recipe",
    "run",
    "score",
    "submit",
    "validate",
    "write",
]
