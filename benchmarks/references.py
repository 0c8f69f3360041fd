"""Score a homework's reference methods on its world, for the README's table.

    python -m benchmarks.references hw01

writes them into ``results/hw01.json``, which a calibration made; a new calibration keeps them.
"""

import sys
import tempfile
from pathlib import Path

from mlspring import catalog
from mlspring.core.errors import UserError
from mlspring.core.files import read_json, write_json
from mlspring.core.progress import say
from mlspring.judge.worker import score_locally
from mlspring.verbs import recipes, sources

RESULTS = Path(__file__).resolve().parent / "results"


def main(homework: str) -> None:
    """Measure the references of ``homework`` and keep them beside its results."""
    spec = catalog.find(homework)
    path = RESULTS / f"{spec.id}.json"
    if not path.exists():
        raise UserError("no results yet", file=path, fix=f"mlspring calibrate {spec.id}")
    source = sources.open_source(spec, "world")
    recipe = recipes.load(spec, recipes.find_recipe(spec, spec.levels[0], "world"))
    data, scores = catalog.part(spec, "data").load(source, recipe), {}
    with tempfile.TemporaryDirectory() as folder:
        for name, values in catalog.part(spec, "references").references(data).items():
            file = Path(folder) / spec.submission_name
            catalog.part(spec, "submission").write(file, data.test_ids, values)
            score = score_locally(spec, file, sources.world_answers(spec))
            scores[name] = {"public": score.public, "private": score.private}
            say(f"{name}: public {score.public:.4f}, private {score.private:.4f}")
    write_json(path, read_json(path) | {"references": scores})


if __name__ == "__main__":
    main(sys.argv[1])
