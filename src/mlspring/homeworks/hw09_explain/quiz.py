"""Keys of the quiz that a learner's own run decides: read from its figures' tables, no torch."""

import csv
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from mlspring.core.errors import RunError
from mlspring.core.quiz import Decided
from mlspring.homeworks.hw09_explain.text import keys as of_texts

TABLES = ("lime", "truth", "sanity", "completeness", "filters", *of_texts.TABLES)
MAPS = ("lime", "saliency", "smoothgrad", "integrated")
CLEAR = 0.01  # by which two shares must differ to be told apart
GOOD_FIT = 0.5  # of R^2
NUM_PICTURES, LAYERS = 10, ("1", "5", "9", "13")  # of the runs that the questions are about

Row = Mapping[str, str]
Tables = Mapping[str, Sequence[Row]]


def keys(folders: Sequence[Path]) -> Decided:
    """Return the letters of every question that a run decides, and which run does.

    The first run in ``folders`` that holds what a question compares decides it.
    """
    decided: dict[str, str] = {}
    runs, skipped = {}, []
    for folder in folders:
        try:
            tables = {name: _read(folder / "figures" / f"{name}.csv") for name in TABLES}
            for name in [name for name in DECIDES if name not in decided]:
                with suppress(KeyError, StopIteration):  # the run has no such method, or no masks
                    decided[name] = DECIDES[name](tables)
                    runs[name] = folder
        except RunError as error:
            skipped.append(error)
        except ValueError as error:
            fix = f"mlspring figures {folder}"
            skipped.append(RunError(f"its tables are damaged ({error})", file=folder, fix=fix))
    return Decided(keys=decided, runs=runs, skipped=tuple(skipped))


def _read(path: Path) -> list[Row]:
    """Return the rows of a figure's table.

    Raises:
        RunError: it is missing or no table.
    """
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            return list(csv.DictReader(lines))
    except (OSError, ValueError, csv.Error) as error:
        fix = f"mlspring figures {path.parent.parent}"
        raise RunError(f"cannot be read ({error})", file=path, fix=fix) from error


def _value(tables: Tables, method: str, key: str) -> float:
    """Return a score of the table ``truth``; KeyError or StopIteration where it is not there."""
    return float(next(row for row in tables["truth"] if row["method"] == method)[key])


def _strongest_speaks_for(tables: Tables) -> str:
    """A: the first picture's superpixel of the largest weight speaks for the label; B: against."""
    weights = [float(row["weight"]) for row in tables["lime"] if row["picture"] == "0"]
    if not weights:
        raise KeyError("lime")
    return "A" if max(weights, key=abs) > 0 else "B"


def _good_fits(tables: Tables) -> str:
    """A .. D: at most 2, 5, 8 or more of the ten lines explain half of the variance."""
    fits = {row["picture"]: float(row["r2"]) for row in tables["lime"]}
    if len(fits) != NUM_PICTURES:
        raise KeyError("lime")
    good = sum(r2 > GOOD_FIT for r2 in fits.values())
    return "ABCD"[sum(good > most for most in (2, 5, 8))]


def _best_inside(tables: Tables) -> str:
    """Return the letter of the map with the largest share inside the dish."""
    shares = [_value(tables, name, "inside") for name in (*MAPS, "edges", "middle")]
    return "ABCDEF"[shares.index(max(shares))]


def _above_chance(tables: Tables) -> str:
    """Return the letters of the methods with more inside than the dish has of the picture."""
    dish = _value(tables, "edges", "dish")
    above = [_value(tables, name, "inside") - dish for name in MAPS]
    letters = "".join("ABCD"[i] for i, more in enumerate(above) if more > CLEAR)
    return letters or "E"


def _falls_at_the_last_layer(tables: Tables) -> str:
    """A: saliency's correlation is below 1/2 once the last layer is random; B: it is not."""
    first = next(row for row in tables["sanity"] if row["method"] == "saliency")
    return "A" if float(first["correlation"]) < 0.5 else "B"


def _smoother_is(tables: Tables) -> str:
    """A: SmoothGrad has more inside than saliency; B: less; C: as much."""
    more = _value(tables, "smoothgrad", "inside") - _value(tables, "saliency", "inside")
    return "C" if abs(more) <= CLEAR else "A" if more > 0 else "B"


def _best_insertion(tables: Tables) -> str:
    """Return the letter of the method with the largest insertion area."""
    areas = [_value(tables, name, "insertion") for name in MAPS]
    return "ABCD"[areas.index(max(areas))]


def _layers_beaten(tables: Tables) -> str:
    """A .. E: in 0 .. 4 layers the ascent excites filter 0 more than each of the ten pictures."""
    told = {row["layer"]: row for row in tables["filters"] if row["filter"] == "0"}
    rows = [told[layer] for layer in LAYERS]
    return "ABCDE"[sum(float(row["excited"]) > float(row["best picture"]) for row in rows)]


def _doubled(tables: Tables) -> str:
    """A: twice the steps halve the completeness error or better; B: it falls less; C: it rises."""
    errors = [float(row["mean absolute error"]) for row in tables["completeness"]]
    if len(errors) < 2:
        raise KeyError("completeness")
    *_, once, twice = errors
    return "A" if twice <= once / 2 else "B" if twice < once else "C"


DECIDES: Mapping[str, Callable[[Tables], str]] = {
    "lime-2": _strongest_speaks_for,
    "lime-3": _good_fits,
    "saliency-3": _best_inside,
    "saliency-4": _above_chance,
    "saliency-5": _falls_at_the_last_layer,
    "smoothgrad-3": _smoother_is,
    "smoothgrad-4": _best_insertion,
    "filters-2": _layers_beaten,
    "integrated-2": _doubled,
    **of_texts.DECIDES,
}
NEEDS = dict.fromkeys(DECIDES, "mlspring run hw09 all")  # what a learner runs to decide each
