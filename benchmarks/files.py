"""Recipes measured over seeds on files from outside: one row of a README's table for each."""

import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from mlspring.core.progress import bar, say
from mlspring.core.runs import Request, Run
from mlspring.core.spec import Spec
from mlspring.verbs import run as verb


def measured_rows(
    spec: Spec,
    data: Path,
    num_seeds: Mapping[str, int],
    measure: Callable[[Run], Sequence[str]],
    overrides: Sequence[str] = (),
) -> Iterator[list[str]]:
    """Run each recipe with seeds 0, 1, ...; yield its name, what was measured, mean seconds.

    ``num_seeds`` says how often a recipe runs, ``measure`` tells a run's figures, a text a column;
    a cell holds those of all seeds. A run's folder is gone once its recipe's row is there.
    """
    with bar(data.name, sum(num_seeds.values()), unit="runs") as done:
        for recipe, count in num_seeds.items():
            found, seconds = [], []
            with tempfile.TemporaryDirectory() as out:
                for seed in range(count):
                    request = Request(
                        homework=spec.id, recipe=recipe, data=str(data), seed=seed, submit=False
                    )
                    run = verb.run(spec, request, overrides=overrides, out=Path(out))
                    found.append(measure(run))
                    seconds.append(run.seconds["total"])
                    told = ", ".join(found[-1])
                    say(f"{recipe}, seed {seed}: {told} in {seconds[-1]:.0f} s")
                    done.advance()
            cells = [", ".join(column) for column in zip(*found, strict=True)]
            yield [recipe, *cells, f"{statistics.mean(seconds):.0f}"]
