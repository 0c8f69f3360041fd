"""The loss of a short run with seed 0, against the curve that is kept of it.

A change that moves a curve changes results: it must say so and measure the scores again.
``python -m tests.contract.test_losses`` writes the curves anew. Other processors and builds of
torch sum in another order: one bit in the last place at the start, which training magnifies. After
the four steps of the first validation no machine was seen to differ by more than 1e-5; after
twenty-four, where second derivatives are trained on, by 0.03. That equal code gives equal weights
to the bit is asked within one machine, in ``test_islands`` and ``test_resume``.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mlspring.catalog import SPECS
from mlspring.core.files import read_json, write_json
from mlspring.core.runs import Run
from mlspring.core.spec import Spec
from tests.contract.journey import run_tiny
from tests.tiny.islands import TINY

CURVES = Path(__file__).parent / "losses"
FIRST, LATER = 1e-3, 0.1  # relative differences, of the first validation and of later ones


def curve(run: Run) -> list[float]:
    """Return the logged training losses of a tiny run."""
    key = TINY[run.request.homework].loss
    return [round(e[key], 6) for e in run.read_log() if key in e]


def kept(spec: Spec) -> tuple[str, ...]:
    """Return the levels whose curves are kept: the first and the last."""
    return (spec.levels[0], spec.levels[-1])


@pytest.mark.parametrize(
    ("spec", "level"),
    [pytest.param(spec, level, id=f"{spec.id}-{level}") for spec in SPECS for level in kept(spec)],
)
def test_a_seed_keeps_its_losses(spec: Spec, level: str, finished: Callable[..., Run]) -> None:
    expected = read_json(CURVES / f"{spec.id}.json")[level]
    losses = curve(finished(spec, recipe=f"world/{level}"))
    assert losses == pytest.approx(expected, rel=LATER, abs=1e-3)
    assert losses[0] == pytest.approx(expected[0], rel=FIRST, abs=1e-5)


def write_all() -> None:
    """Write the curves of every homework."""
    with tempfile.TemporaryDirectory() as name:
        os.environ["MLSPRING_HOME"] = name
        for spec in SPECS:
            levels = {
                level: curve(run_tiny(spec, Path(name) / spec.id, recipe=f"world/{level}"))
                for level in kept(spec)
            }
            write_json(CURVES / f"{spec.id}.json", levels)
            print(f"{spec.id}: {levels}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    write_all()
