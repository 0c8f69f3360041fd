"""Names of phones in label files -> the 41 classes; the tables stand in ``label_names.toml``."""

import re
import tomllib
from functools import cache
from pathlib import Path

from mlspring.core.errors import DataError
from mlspring.core.label_files import read_labels
from mlspring.worlds.speech.phones import CLASS_NAMES, SIL, Segment

SETS = Path(__file__).with_suffix(".toml")
BURST = re.compile(r"[!_]|(?<=[ptkbdg])asp$|(?<=d)sap$")  # !t, _t, tasp: parts of the stop t


def read_segments(path: Path) -> list[Segment]:
    """Return the phones of a label file in seconds, without gaps; what none covers is silence.

    Raises:
        DataError: damaged, empty, out of order, or a phone that no table knows.
    """
    segments: list[Segment] = []
    behind = 0.0
    for start, end, phone, row in read_labels(path):
        if start > behind:
            segments.append(Segment(label=SIL, start=behind, end=start))
        segments.append(Segment(label=_class(phone, path, row, segments), start=behind, end=end))
        behind = max(behind, end)
    return segments


def _class(phone: str, path: Path, row: int, before: list[Segment]) -> int:
    """Return the class of a phone's name.

    In .lablaut marks alone, and what the table lacks, belong to the phone before.
    """
    if path.suffix == ".lablaut":
        name = _sets()["lablaut"].get(BURST.sub("", phone))
        return CLASS_NAMES.index(name) if name else before[-1].label if before else SIL
    known = _sets()["any"]
    for name in (phone, phone.upper(), phone.lower(), phone.rstrip("012").upper()):
        if known.get(name, name) in CLASS_NAMES:
            return CLASS_NAMES.index(known.get(name, name))
    expected = f"a phone of ARPAbet: {' '.join(CLASS_NAMES)}"
    raise DataError(f"no class is known for {phone!r}", file=path, row=row, expected=expected)


@cache
def _sets() -> dict[str, dict[str, str]]:
    table: dict[str, dict[str, str]] = tomllib.loads(SETS.read_text(encoding="utf-8"))
    return table
