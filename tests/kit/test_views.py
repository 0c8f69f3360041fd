"""Test-time augmentation looks at each picture as often as it says."""

from dataclasses import dataclass, field

import pytest
import torch

from mlspring.core.recipe_sections import AugmentKnobs, ViewKnobs
from mlspring.kit import views
from mlspring.kit.device import Hardware

PICTURES = torch.zeros(3, 4, 4, 3, dtype=torch.uint8)
UNCHANGED = AugmentKnobs(**dict.fromkeys(AugmentKnobs.model_fields, 0.0) | {"zoom_min": 1.0})
CPU = Hardware(device=torch.device("cpu"), precision="fp32", channels_last=False)


class Counted(torch.nn.Module):
    """Answers with two equal classes and counts the pictures that it saw."""

    num_seen = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.num_seen += len(images)
        return torch.zeros(len(images), 2)


@dataclass
class Passes:
    """Stands in for a progress bar."""

    moved: list[int] = field(default_factory=list)

    def advance(self, steps: int = 1, note: str | None = None) -> None:
        self.moved.append(steps)


@pytest.mark.parametrize(
    ("num_views", "weight", "passes"), [(0, 0.5, 1), (4, 0.0, 1), (1, 0.5, 2), (4, 1.0, 5)]
)
def test_every_pass_is_made_once_and_told(num_views: int, weight: float, passes: int) -> None:
    """Views whose mean weighs nothing are not computed at all."""
    knobs, model, progress = ViewKnobs(views=num_views, views_weight=weight), Counted(), Passes()
    found = views.probabilities(model, PICTURES, CPU, UNCHANGED, knobs, (0,), progress)
    torch.testing.assert_close(found, torch.full((3, 2), 0.5))
    assert views.num_passes(knobs) == passes
    assert model.num_seen == passes * len(PICTURES)
    assert progress.moved == [1] * passes
