"""Networks: sizes, what is added to what, and where no gradient goes."""

import pytest
import torch

from mlspring.homeworks.hw08_anomaly import models
from mlspring.homeworks.hw08_anomaly.recipe import ClassifierKnobs, ModelKnobs

NONE = ClassifierKnobs(width=0, compares=True)
SOME = ClassifierKnobs(width=4, compares=True)
IMAGES = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1


def knobs(encoder: str, units: list[int], latent: int = 5, kl_weight: float = 0.0) -> ModelKnobs:
    return ModelKnobs.model_validate(
        {"encoder": encoder, "units": units, "latent": latent, "kl_weight": kl_weight}
    )


def count(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def test_the_sample_s_network_has_its_parameters() -> None:
    model = models.build(knobs("dense", [128, 64, 12], latent=3), NONE, 64)
    assert count(model) == 3_176_419


@pytest.mark.parametrize("encoder", ["dense", "conv", "multi"])
@pytest.mark.parametrize("kl_weight", [0.0, 1.0])
def test_pictures_and_codes_have_their_shapes(encoder: str, kl_weight: float) -> None:
    model = models.build(knobs(encoder, [4, 8], kl_weight=kl_weight), SOME, 32)
    seen = model(IMAGES)
    assert seen.images.shape == IMAGES.shape and seen.images.abs().max() <= 1
    assert seen.mean.shape == (6, 5)
    assert (seen.log_variance is None) == (kl_weight == 0)
    assert seen.logits is not None and seen.logits.shape == (6, 16, 16)


def test_the_codes_of_three_encoders_are_added() -> None:
    model = models.build(knobs("multi", [4, 8]), NONE, 32).eval()
    code, _ = model.encode(IMAGES)
    parts = [encoder(IMAGES) for encoder in model.encoders]
    assert len(parts) == 3
    assert torch.allclose(code, parts[0] + parts[1] + parts[2], atol=1e-6)


def test_a_variational_code_moves_by_what_is_drawn_and_is_its_mean_without() -> None:
    model = models.build(knobs("dense", [8], kl_weight=1.0), NONE, 32)
    plain, still = model(IMAGES), model(IMAGES, torch.zeros(6, 5))
    assert torch.allclose(plain.images, still.images, atol=1e-6)
    assert not torch.allclose(plain.images, model(IMAGES, torch.ones(6, 5)).images, atol=1e-3)
    assert (plain.mean < 0).any(), "no ReLU keeps it from being negative"


def test_a_drawn_code_has_the_variance_that_it_says() -> None:
    model = models.build(knobs("dense", [8], kl_weight=1.0), NONE, 32)
    model.decode = lambda code: code  # type: ignore[method-assign]
    draws = torch.tensor([-1.0, 2.0])[:, None].expand(2, 5)
    seen = model(IMAGES[:1].expand(2, -1, -1, -1), draws)
    assert seen.log_variance is not None
    moved = seen.images - seen.mean
    assert torch.allclose(moved.square(), draws.square() * seen.log_variance.exp(), rtol=1e-4)
    assert torch.allclose(moved[1], -2 * moved[0], atol=1e-5)


def test_the_classifier_s_error_does_not_reach_the_autoencoder() -> None:
    model = models.build(knobs("conv", [4, 8]), SOME, 32)
    logits = model(IMAGES).logits
    assert logits is not None and model.classifier is not None
    logits.sum().backward()
    assert all(p.grad is None for p in model.decoders.parameters())
    assert all(p.grad is None for p in model.encoders.parameters())
    assert all(p.grad is not None for p in model.classifier.parameters())


def test_a_classifier_that_does_not_compare_sees_the_picture_alone() -> None:
    alone = ClassifierKnobs(width=4, compares=False)
    classifier = models.build(knobs("conv", [4, 8]), alone, 32).eval().classifier
    both = models.build(knobs("conv", [4, 8]), SOME, 32).eval().classifier
    assert classifier is not None and both is not None
    assert torch.equal(classifier(IMAGES, IMAGES), classifier(IMAGES, -IMAGES))
    assert not torch.equal(both(IMAGES, IMAGES), both(IMAGES, -IMAGES))
