"""What homework 11 measures of drawings without labels, and how well it ranks validations."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmarks import monitors_hw11
from mlspring.homeworks.hw11_adaptation import models, monitors
from mlspring.homeworks.hw11_adaptation.losses import Outputs
from mlspring.homeworks.hw11_adaptation.models import Adapter
from tests.homeworks.hw11.training import CPU, finished
from tests.tiny.random_domains import domains, recipe


class Oracle(Adapter):
    """Gives the same logits whatever it sees; its domain logits are what it is told for each."""

    def __init__(self, logits: Tensor, photos: float, drawings: float) -> None:
        classify = models.LabelPredictor(1, logits.shape[1])
        super().__init__(torch.nn.Identity(), classify, models.DomainClassifier(1))
        self.logits, self.photos, self.drawings = logits, photos, drawings

    def forward(self, images: Tensor, weight: float = 0.0, num_photos: int = 0) -> Outputs:
        n = len(images)
        value = self.photos if num_photos else self.drawings
        return Outputs(self.logits[:n], torch.full((n, 1), value))


def measured(photos: float, drawings: float) -> tuple[dict[str, float], Tensor]:
    logits = 100 * torch.eye(4)[torch.tensor([0, 1, 2, 3, 0, 0, 0, 0])]
    world = domains(num_photos=8, num_drawings=8)
    pictures = monitors.validation_set(world, torch.arange(8), recipe().augment)
    return monitors.measure(Oracle(logits, photos, drawings), pictures, CPU)


def test_monitors_are_what_their_names_say() -> None:
    values, predictions = measured(1.0, -1.0)
    assert predictions.tolist() == [0, 1, 2, 3, 0, 0, 0, 0]
    assert values["valid__accuracy"] == pytest.approx(5 / 8)  # labels 0 1 2 3 0 1 2 3
    assert values["target__entropy"] == pytest.approx(0, abs=1e-5)
    assert values["target__agreement"] == 1.0
    mean = np.array([5, 1, 1, 1]) / 8
    expected = math.log(4) + (mean * np.log(mean)).sum()
    assert values["target__imbalance"] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("photos", "drawings", "accuracy"),
    [(1.0, -1.0, 1.0), (-1.0, 1.0, 0.0), (1.0, 1.0, 0.5), (-1.0, -1.0, 0.5)],
)
def test_the_domain_accuracy_counts_photos_above_and_drawings_below_zero(
    photos: float, drawings: float, accuracy: float
) -> None:
    assert measured(photos, drawings)[0]["domain__accuracy"] == accuracy


def test_a_validation_changes_nothing_in_the_network_and_sees_plain_pictures() -> None:
    world = domains()
    knobs = recipe()
    torch.manual_seed(0)
    model = models.build(knobs.model, knobs.adapt, 4).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    held_out = torch.tensor([3, 5, 8])
    pictures = monitors.validation_set(world, held_out, knobs.augment)
    assert torch.equal(pictures.photos, world.photos[0, held_out])  # the first view
    values, predictions = monitors.measure(model, pictures, CPU)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    alone = [model.eval()(drawing[None, None] / 255).logits.argmax() for drawing in world.drawings]
    assert predictions.tolist() == torch.stack(alone).tolist()  # whatever else is in the batch
    logits = model(world.photos[0, held_out][:, None] / 255).logits
    loss = torch.nn.functional.cross_entropy(logits, world.labels[held_out]).item()
    assert values["valid__loss"] == pytest.approx(loss, abs=1e-5)


def test_predictions_of_every_validation_are_kept(tmp_path: Path) -> None:
    run, loaded, _ = finished(tmp_path)
    files = sorted((run.folder / "predictions").iterdir())
    assert len(files) == len(run.read_log()) == 6
    predictions = np.load(files[-1], allow_pickle=False)
    assert predictions.shape == (len(loaded.target_images),)
    assert set(predictions.tolist()) <= {0, 1, 2}


def test_ranks_of_monitors_are_spearman_s() -> None:
    history = [
        {
            "valid/loss": 1.0 - 0.1 * i,  # falls as the accuracy rises: a perfect monitor
            "target/entropy": 0.1 * i,  # rises with it: the worst one
            "target/agreement": [0.5, 0.9, 0.6, 0.7][i],
            "target/imbalance": 0.2,  # says nothing
            "accuracy": 0.3 + 0.1 * i,
        }
        for i in range(4)
    ]
    table = monitors_hw11.rank([history, history[:2]])  # two validations rank nothing
    assert table["members"] == 1
    for name, ranks, choice in (
        ("source_risk", 1.0, 0.6),
        ("entropy", -1.0, 0.3),
        ("agreement", 0.4, 0.4),
    ):
        assert table[name]["by member"] == [ranks]
        assert table[name]["rank correlation"] == ranks
        assert table[name]["accuracy of its choice"] == choice
    assert table["balance"]["rank correlation"] is None
    assert (table["last"], table["best"]) == (0.6, 0.6)
    head, rows = monitors_hw11.as_table({"strong": table})
    assert head[1:] == ["strong: rank correlation, by member", "strong: accuracy of its choice"]
    assert rows[1] == ["entropy", "-1.00", "0.300"]
    assert rows[-1] == ["*the best validation*", "", "0.600"]
