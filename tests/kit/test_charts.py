"""The shared charts: what is drawn is what was logged and counted."""

import csv
from pathlib import Path

import pytest
import torch
from matplotlib.figure import Figure

from mlspring.kit import charts, style


def entry(member: int, epoch: float, train: float, valid: float | None) -> dict[str, float]:
    values = {"member": member, "epoch": epoch, "step": 10 * epoch, "train/loss": train}
    values |= {"train/accuracy": 1 - train}
    if valid is not None:
        values |= {"valid/loss": valid, "valid/accuracy": 1 - valid}
    return values


LOG = [
    entry(0, 1, 0.9, None),
    entry(0, 2, 0.5, 0.6),
    entry(0, 3, 0.2, float("inf")),
    entry(1, 1, 0.8, 0.7),
]


def drawn(against: str, log: list[dict[str, float]] = LOG) -> list[tuple[str, list[list[float]]]]:
    axes = style.new_figure().subplots()
    charts.curves(axes, log, "loss", against=against)
    return [
        (str(line.get_label()), [[float(v) for v in point] for point in line.get_xydata()])
        for line in axes.get_lines()
    ]


def test_every_member_has_its_lines_and_each_kind_one_name() -> None:
    lines = drawn("epoch")
    assert [points for _, points in lines] == [
        [[1, 0.9], [2, 0.5], [3, 0.2]],
        [[1, 0.8]],
        [[2, 0.6]],  # neither what was not logged nor what is not finite
        [[1, 0.7]],
    ]
    shown = [label for label, _ in lines if not label.startswith("_")]
    assert shown == ["training", "held out"]


def test_the_step_can_take_the_place_of_the_epoch() -> None:
    assert drawn("step")[0][1] == [[10, 0.9], [20, 0.5], [30, 0.2]]


def test_a_log_with_nothing_held_out_draws_what_there_is() -> None:
    lines = drawn("epoch", [entry(0, 1, 0.9, None)])
    assert lines == [("training", [[1, 0.9]])]  # and no name of a line that is not there


def test_curves_that_start_with_another_member_are_named_too() -> None:
    labels = [label for label, _ in drawn("epoch", [entry(2, 1, 0.9, 0.8)])]
    assert labels == ["training", "held out"]


def table(path: Path) -> list[list[str]]:
    with path.open(newline="") as stream:
        return list(csv.reader(stream))


def test_loss_and_accuracy_are_written_with_their_numbers(tmp_path: Path) -> None:
    with style.house_style():
        charts.loss_and_accuracy(LOG, tmp_path, items="photos", epoch="epoch of the photos")
    assert {path.name for path in tmp_path.iterdir()} == {
        f"learning_curves.{suffix}" for suffix in ("png", "svg", "csv")
    }
    header, first, second, *_ = table(tmp_path / "learning_curves.csv")
    assert header[:4] == ["member", "epoch", "train/loss", "valid/loss"]
    assert first[:4] == ["0", "1", "0.9", ""]
    assert second[:4] == ["0", "2", "0.5", "0.6"]


def test_the_names_of_the_lines_cover_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Figure] = []

    def keep(figure: Figure, *_: object) -> None:
        figure.draw_without_rendering()
        made.append(figure)

    monkeypatch.setattr(style, "save", keep)
    charts.loss_and_accuracy(LOG, tmp_path)
    (names,) = made[0].legends
    assert [text.get_text() for text in names.get_texts()] == ["training", "held out"]
    box = names.get_window_extent()
    assert not any(box.overlaps(axes.get_window_extent()) for axes in made[0].axes)


@pytest.mark.parametrize("num_classes", [3, 11])
def test_a_confusion_shows_shares_and_keeps_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, num_classes: int
) -> None:
    figures = []
    save = style.save
    monkeypatch.setattr(
        style, "save", lambda figure, *rest: (figures.append(figure), save(figure, *rest))
    )
    counts = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    counts[0, :2] = torch.tensor([30, 10])
    counts[1, 1] = 400
    names = [f"class {i}" for i in range(num_classes)]
    with style.house_style():
        charts.confusion(counts, names, tmp_path)
    axes = figures[0].axes[0]
    texts = {text.get_position(): text.get_text() for text in axes.texts}
    assert texts == {(0, 0): "75", (1, 0): "25", (1, 1): "100"}  # x is the predicted class
    assert [label.get_text() for label in axes.get_yticklabels()] == names
    rows = table(tmp_path / "confusion.csv")
    assert rows[0] == ["true \\ predicted", *names]
    assert rows[1][:3] == ["class 0", "30", "10"]
    assert rows[num_classes][1:] == ["0"] * num_classes  # a class without pictures
