"""What the figures are drawn from, by hand."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw05_translation import data as part
from mlspring.homeworks.hw05_translation import figures, vocabulary
from mlspring.homeworks.hw05_translation.transformer import positions
from mlspring.kit import style
from tests.homeworks.hw05.tools import folder_of, recipe
from tests.tiny.translation import write_ted


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Yield a run whose log has four steps, two of them clipped."""
    with Run.create(tmp_path, Request(homework="hw05", recipe="world/simple"), "") as made:
        made.log(member=0, step=2, train__norms=[3.0, 0.5])
        made.log(member=0, step=4, train__norms=[0.25, 1.5])
        yield made


def rows_of(run: Run, name: str) -> list[list[str]]:
    with (run.figures / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))[1:]


@pytest.mark.parametrize(("bound", "clipped"), [(1.0, "1001"), (0.0, "0000"), (0.3, "1101")])
def test_clipped_steps_are_marked(run: Run, bound: float, clipped: str, tmp_path: Path) -> None:
    data = part.load(folder_of(write_ted(tmp_path / "ted")), recipe())
    with style.house_style():
        figures.q2_gradient_norm(run, recipe("simple", f"train.clip_norm={bound}"), data)
    rows = rows_of(run, "q2_gradient_norm")
    assert [float(norm) for _, norm, _ in rows] == [3.0, 0.5, 0.25, 1.5]
    assert "".join(mark for *_, mark in rows) == clipped


def test_cosines_of_positions() -> None:
    table = positions(40, 16)
    alike = figures.similarity(torch.cat((table, torch.zeros(1, 16))))
    torch.testing.assert_close(alike.diagonal()[:40], torch.ones(40))
    assert (alike[40] == 0).all(), "a row of padding divides by nothing"
    # cos(p w) cos(q w) + sin(p w) sin(q w) = cos((p - q) w): the distance alone counts
    torch.testing.assert_close(alike[3, 10], alike[20, 27], rtol=1e-4, atol=1e-5)


def test_the_longest_sentence_that_fits_is_shown(tmp_path: Path, isolated_home: Path) -> None:
    data = part.load(folder_of(write_ted(tmp_path / "ted")), recipe())
    words = vocabulary.open_vocabulary(recipe(), data)
    row = figures.sentence_to_show(data, words)
    lengths = [len(tokens) for tokens in words.encode(data.held.english)]
    fitting = [n for n in lengths if n <= figures.MOST_TOKENS]
    assert lengths[row] == max(fitting)
