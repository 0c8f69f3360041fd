"""``mlspring predict``: a finished run's networks on its own or on other data."""

import itertools
from pathlib import Path

from mlspring import catalog
from mlspring.core.errors import DataError
from mlspring.core.source import Source
from mlspring.verbs import sources
from mlspring.verbs.finished import open_finished


def predict(folder: Path, *, data: str | None, out: Path | None) -> Path:
    """Return the submission that the run in ``folder`` makes for ``data``.

    Args:
        folder: a finished run.
        data: other data than the run's own; None: the run's own.
        out: the file to write. By default it lies in the run's folder: for the run's own data
            under its own name, for other data as e.g. ``pred-<their folder>.csv``, which never
            takes the place of a file that is there.

    Raises:
        RunError: no such run, or it is not finished.
        DataError: the data has no test part.
        UserError: a homework whose predictions nobody asks for.
    """
    spec, run, recipe = open_finished(folder)
    spec.require_ranking()
    source = sources.open_source(spec, data or run.request.data)
    loader = catalog.part(spec, "data")
    ids = loader.test_ids(source)
    if not ids:
        raise DataError("has no test part", file=source.folder)
    values = catalog.part(spec, "predict").predict(recipe, loader.load(source, recipe), run)
    own = folder / spec.submission_name
    is_own = data is None or _place(data) == _place(run.request.data)
    file = out or (own if is_own else _beside(own, source))
    catalog.part(spec, "submission").write(file, ids, values)
    return file


def _place(data: str) -> Path | None:
    """Return the folder that ``data`` names, None for the world; nothing is opened or made."""
    return None if sources.kind_of(data) == "world" else Path(data).expanduser().resolve()


def _beside(own: Path, source: Source) -> Path:
    """Return a name for the predictions of other data that no file has yet."""
    name = f"{own.stem}-{'world' if source.kind == 'world' else source.folder.name}"
    names = (name if i == 1 else f"{name}-{i}" for i in itertools.count(1))
    files = (own.with_name(f"{name}{own.suffix}") for name in names)
    return next(file for file in files if not file.exists())
