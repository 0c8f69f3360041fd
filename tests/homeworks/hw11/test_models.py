"""Networks of homework 11 against the notebook's numbers, and who learns from which loss."""

import pytest
import torch
from torch import Tensor, nn

from mlspring.core.errors import RecipeError
from mlspring.homeworks.hw11_adaptation import losses, models, sketches
from mlspring.homeworks.hw11_adaptation.models import Adapter
from tests.tiny.random_domains import recipe


def built(*overrides: str, num_classes: int = 3) -> Adapter:
    knobs = recipe(*overrides)
    torch.manual_seed(0)
    return models.build(knobs.model, knobs.adapt, num_classes)


def num_parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_the_sample_networks_have_the_sample_s_parameters() -> None:
    with torch.device("meta"):
        assert num_parameters(models.PlainExtractor(64)) == 2_142_336
        assert num_parameters(models.LabelPredictor(512, 10)) == 530_442
        assert num_parameters(models.DomainClassifier(512)) == 1_055_233


@pytest.mark.parametrize("side", [32, 64])
@pytest.mark.parametrize("name", ["plain", "residual", "deep"])
def test_features_have_eight_times_the_width(name: str, side: int) -> None:
    model = built(f"model.name={name}", num_classes=7)
    assert model.extract(torch.rand(2, 1, side, side)).shape == (2, 32)
    assert model(torch.rand(2, 1, side, side)).logits.shape == (2, 7)


def test_the_deep_network_halves_once_more_and_ends_in_one_layer() -> None:
    sides = []
    for name in ("residual", "deep"):
        model = built(f"model.name={name}", num_classes=7)
        assert isinstance(model.extract, nn.Sequential)
        maps = nn.Sequential(*list(model.extract)[:-2])(torch.rand(2, 1, 64, 64))
        sides.append(maps.shape[-1])
    assert sides == [8, 4]
    assert num_parameters(model.classify) == 7 * (32 + 1)


def test_each_method_has_the_outputs_it_needs_and_codes_only_in_training() -> None:
    images = torch.rand(8, 1, 32, 32)
    alone = built("adapt.method=source_only")(images)
    assert (alone.domain_logits, alone.codes) == (None, None)
    model = built("adapt.method=dann", "adapt.positive_pairs=0.5").train()
    outputs = model(images, 0.5, 4)
    assert outputs.logits.shape == (8, 3)
    assert outputs.domain_logits.shape == (8, 1)
    assert outputs.codes.shape == (8, sketches.CODE_SIZE)
    assert model.eval()(images, 0.5, 4).codes is None
    two = built("adapt.method=mcd").train()
    rivals = two(images, 0.5, 4).rivals
    assert [logits.shape for logits in rivals] == [(8, 3)] * 3
    assert not torch.equal(rivals.turned, rivals.turned_rival)  # two predictors, not one
    assert two.eval()(images, 0.5, 4).rivals is None


def test_predictors_raise_their_discrepancy_and_the_extractor_lowers_it() -> None:
    """A step along each part's gradient of the same term moves it to opposite sides."""
    model, images = built("adapt.method=mcd").train(), torch.rand(8, 1, 32, 32)

    def apart() -> Tensor:
        rivals = model(images, 1.0, 0).rivals
        return losses.discrepancy(rivals.turned, rivals.turned_rival)

    start = apart()
    (-start).backward()
    for part, grows in ((model.rival, True), (model.extract, False)):
        kept = {name: p.detach().clone() for name, p in part.named_parameters()}
        with torch.no_grad():
            for p in part.parameters():
                p.sub_(1e-3 * p.grad / p.grad.norm().clamp(min=1e-12))
        assert (apart() > start) == grows
        part.load_state_dict(kept, strict=False)


def test_own_statistics_keep_photos_from_changing_drawings() -> None:
    """Photos a hundred times as bright change nothing for drawings, as they do in one batch."""
    photos, drawings = torch.rand(6, 1, 32, 32), torch.rand(6, 1, 32, 32)
    for norm in ("own", "shared"):
        model = built(f"model.norm={norm}").train()
        answers = [
            model(torch.cat((factor * photos, drawings)), 0.0, 6).logits[6:] for factor in (1, 100)
        ]
        assert torch.allclose(*answers, atol=1e-5) == (norm == "own")


def test_drawings_are_shown_where_anything_is_learnt_from_them() -> None:
    assert not recipe("adapt.method=source_only").needs_drawings
    assert recipe().needs_drawings
    asking = ("model.norm=own", "adapt.balance=0.1", "adapt.positive_pairs=0.1", "adapt.method=mcd")
    for more in (*asking, "adapt.entropy=0.1", "adapt.smooth=0.1"):
        assert recipe("adapt.method=source_only", more).needs_drawings, more
    pseudo = ("adapt.pseudo=1.0", "train.ema_decay=0.9")
    assert recipe("adapt.method=source_only", *pseudo).needs_drawings


def test_pseudo_labels_need_a_teacher() -> None:
    with pytest.raises(RecipeError, match=r"adapt\.pseudo needs a teacher: set train\.ema_decay"):
        recipe("adapt.pseudo=1.0", "train.ema_decay=0")


def gradients(weight: float) -> dict[str, list[Tensor]]:
    """Gradients of the domain's term, by part of the network."""
    model = built().double().train()
    images = torch.rand(8, 1, 32, 32, dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 0])
    knobs = recipe()
    _, terms = losses.loss_of(model(images, weight), labels, None, knobs.adapt, knobs.train, 1.0)
    terms["domain"].backward()
    assert model.domain_classifier is not None
    parts = {"extract": model.extract, "classify": model.classify}
    return {
        name: [p.grad.clone() for p in part.parameters() if p.grad is not None]
        for name, part in {**parts, "domain": model.domain_classifier}.items()
    }


def test_the_extractor_learns_against_the_domain_classifier() -> None:
    against, along = gradients(1.0), gradients(-1.0)
    for one, other in zip(against["extract"], along["extract"], strict=True):
        torch.testing.assert_close(one, -other)
    for one, other in zip(against["domain"], along["domain"], strict=True):
        torch.testing.assert_close(one, other)
    assert against["classify"] == []
    assert all(g.abs().max() == 0 for g in gradients(0.0)["extract"])
