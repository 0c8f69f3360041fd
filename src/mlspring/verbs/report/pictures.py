"""The pictures of a run's report, read from its folder: figures, animations, the contact sheet.

A run folder may come from elsewhere. No link in it is followed, and no file is read without bound.
"""

import base64
import stat
from dataclasses import dataclass
from pathlib import Path

from mlspring.core.errors import RunError
from mlspring.core.runs import Run
from mlspring.core.spec import Question, Spec
from mlspring.verbs import contact
from mlspring.verbs.figures import not_drawn

CURVES = "learning_curves"
_LARGEST_SVG = 400_000  # bytes; above it, the PNG is the smaller one
_LARGEST = 20_000_000  # bytes of any picture
_KINDS = {".svg": "image/svg+xml", ".png": "image/png", ".gif": "image/gif"}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A figure of the run.

    Args:
        uri: the whole image, or None where it was not drawn.
        animation: the whole animation of the same name, or None.
        problem: why it could not be drawn, or None.
    """

    number: int
    question: str
    name: str
    uri: str | None
    animation: str | None
    alt: str
    table: str | None
    problem: str | None


def pictures(spec: Spec, run: Run) -> list[Picture]:
    """Return the figures that answer the questions, numbered; the learning curves come first."""
    ordered = sorted(spec.questions, key=lambda question: not is_curves(question))
    return [picture(run, n, q.text, q.figure) for n, q in enumerate(ordered, start=1)]


def is_curves(question: Question) -> bool:
    """Return whether a question is answered by how training went."""
    return CURVES in (question.figure, question.id) or question.id == "curves"


def curves(spec: Spec, run: Run, drawn: list[Picture]) -> Picture:
    """Return the picture of how training went, whether or not a question asks for it."""
    asked = next((q.figure for q in spec.questions if is_curves(q)), None)
    found = next((p for p in drawn if p.name == asked), None)
    return found or picture(run, 0, "How did training go?", CURVES)


def picture(run: Run, number: int, question: str, name: str) -> Picture:
    """Return the figure ``name`` of the run, with everything in it."""
    problems = not_drawn(run)
    table = f"figures/{name}.csv" if is_own_file(run.figures / f"{name}.csv") else None
    return Picture(
        number=number,
        question=question,
        name=name,
        uri=_figure(run.figures, name),
        animation=_data_uri(run.figures / f"{name}.gif"),
        alt=f"{name.replace('_', ' ')}: the figure for the question {question}",
        table=table,
        problem=problems.get(name),
    )


def contact_sheet(run: Run) -> str | None:
    """Return the contact sheet of the run's data, or None where there is none."""
    return _data_uri(run.folder / contact.NAME)


def is_own_file(path: Path) -> bool:
    """Return whether there is a regular file; False where there is nothing.

    Raises:
        RunError: there is a link, a device or a pipe, which a run never makes.
    """
    try:
        mode = path.lstat().st_mode
    except OSError:
        return False
    if not stat.S_ISREG(mode):
        kind = "a link" if stat.S_ISLNK(mode) else "no file"
        fix = "a report reads only the run's own files; remove it, or copy the file itself"
        raise RunError(f"is {kind}", file=path, expected="a file of this run", fix=fix)
    return True


def _figure(folder: Path, name: str) -> str | None:
    """Return the figure as a data URI: the SVG where it is small, else the PNG."""
    svg, png = folder / f"{name}.svg", folder / f"{name}.png"
    small = is_own_file(svg) and svg.stat().st_size <= _LARGEST_SVG
    return _data_uri(svg) if small or not is_own_file(png) else _data_uri(png)


def _data_uri(path: Path) -> str | None:
    """Return a picture as a data URI; None where there is none, or one that is far too large."""
    if not is_own_file(path):
        return None
    with path.open("rb") as stream:
        content = stream.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        return None
    text = base64.b64encode(content).decode("ascii")
    return f"data:{_KINDS[path.suffix]};base64,{text}"
