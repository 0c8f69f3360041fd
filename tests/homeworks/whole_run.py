"""A whole run of an island on tiny data: trained, drawn, and found finished."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from mlspring.core.runs import Request, Run, Training
from mlspring.kit import style

Train = Callable[[Any, Any, Run], Training]
Figures = Mapping[str, Callable[[Run, Any, Any], None]]


@contextmanager
def whole_run(
    folder: Path, homework: str, recipe: Any, data: Any, train: Train, figures: Figures
) -> Iterator[tuple[Run, Training]]:
    """Yield a run of level boss in the new ``folder`` and what its training said, all drawn."""
    folder.mkdir()
    request = Request(homework=homework, recipe="boss", device="cpu", precision="fp32")
    with closing(Run(folder, request)) as run:
        done = train(recipe, data, run)
        assert done.items_per_second > 0
        with style.house_style():
            for draw in figures.values():
                draw(run, recipe, data)
        again = train(recipe, data, run)
        assert again.validation == done.validation, "nothing is left to do"
        yield run, done
