"""The loss of a short run with seed 0, against the curve that is kept of it.

A change that moves a curve changes results: it must say so and measure the scores again.
``python -m tests.contract.test_losses`` writes the curves anew.
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
TOLERANCE = 2e-3  # other processors and library builds sum in another order


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
    assert curve(finished(spec, recipe=f"world/{level}")) == pytest.approx(
        expected, rel=TOLERANCE, abs=1e-4
    )


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
