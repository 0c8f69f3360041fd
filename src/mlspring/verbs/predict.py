"""``mlspring predict``: a finished run's networks on its own or on other data."""

from pathlib import Path

from mlspring import catalog
from mlspring.core.errors import DataError
from mlspring.verbs import sources
from mlspring.verbs.run import open_finished


def predict(folder: Path, *, data: str | None, out: Path | None) -> Path:
    """Return the submission that the run in ``folder`` makes for ``data``.

    Raises:
        RunError: no such run, or it is not finished.
        DataError: the data has no test part.
    """
    spec, run, recipe = open_finished(folder)
    source = sources.open_source(spec, data or run.request.data)
    loader = catalog.part(spec, "data")
    ids = loader.test_ids(source)
    if not ids:
        raise DataError("has no test part", file=source.folder)
    values = catalog.part(spec, "predict").predict(recipe, loader.load(source, recipe), run)
    file = out or folder / spec.submission_name
    catalog.part(spec, "submission").write(file, ids, values)
    return file
