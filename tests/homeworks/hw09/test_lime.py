"""LIME: exact where the network is a line in the superpixels, as scikit-learn and captum else."""

import captum.attr
import numpy as np
import pytest
import torch
from captum._utils.models.linear_model import SkLearnRidge
from sklearn.linear_model import Ridge

from mlspring.homeworks.hw09_explain.methods import lime as method
from mlspring.homeworks.hw09_explain.methods.lime import (
    closeness,
    draw_samples,
    fit_ridge,
    lime,
    mean_colours,
    superpixels,
)
from tests.homeworks.hw09.cases import SIDE, Linear, network, pictures

QUARTERS = (torch.arange(SIDE)[:, None] // 8) * 2 + torch.arange(SIDE)[None] // 8


def test_superpixels_are_numbered_without_a_gap_and_follow_the_colours() -> None:
    image = torch.zeros(3, SIDE, SIDE)
    image[0, :, 8:] = 1.0
    segments = superpixels(image, 4, 1.0)
    count = int(segments.max()) + 1
    assert segments.unique().tolist() == list(range(count))
    assert not set(segments[:, :7].unique().tolist()) & set(segments[:, 9:].unique().tolist())
    finer = superpixels(pictures(1)[0][0], 40, 10.0)
    assert finer.unique().tolist() == list(range(int(finer.max()) + 1))


def test_a_superpixel_is_hidden_behind_its_mean_colour() -> None:
    image = pictures(1)[0][0]
    hidden = mean_colours(image, QUARTERS)
    for number in range(4):
        inside = number == QUARTERS
        expected = image[:, inside].mean(1, keepdim=True).expand(-1, 64)
        assert torch.allclose(hidden[:, inside], expected, atol=1e-6)


def test_a_linear_network_gets_its_own_weights_and_an_r2_of_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(method, "ALPHA", 1e-9)
    model, (images, labels) = Linear(), pictures(1)
    line = lime(model, images[0], int(labels[0]), QUARTERS, num_samples=60, seed=0)
    shown = images[0] - mean_colours(images[0], QUARTERS)
    adds = (model.weight[labels[0]] * shown).sum(0)
    expected = torch.stack([adds[number == QUARTERS].sum() for number in range(4)])
    assert torch.allclose(line.weights, expected, rtol=1e-3, atol=1e-3)
    assert line.r2 == pytest.approx(1.0, abs=1e-5)
    assert torch.equal(line.attribution, line.weights[QUARTERS])
    hidden = model(mean_colours(images[0], QUARTERS)[None])[0, labels[0]].item()
    assert line.intercept == pytest.approx(hidden, abs=1e-3)


def test_the_ridge_is_scikit_learn_s() -> None:
    shown = draw_samples(80, 9, seed=4)
    scores = torch.randn(80, generator=torch.Generator().manual_seed(0))
    counts = closeness(shown)
    weights, intercept, r2 = fit_ridge(shown, scores, counts)
    z, y, w = (value.double().numpy() for value in (shown, scores, counts))
    theirs = Ridge(alpha=method.ALPHA).fit(z, y, sample_weight=w)
    assert np.allclose(weights.numpy(), theirs.coef_, atol=1e-5)
    assert intercept == pytest.approx(float(theirs.intercept_), abs=1e-5)
    assert r2 == pytest.approx(theirs.score(z, y, sample_weight=w), abs=1e-6)


def test_the_line_is_captum_s_for_the_same_samples() -> None:
    model, (images, labels) = network(), pictures(1)
    shown = draw_samples(50, 4, seed=0)
    counts = dict(zip(map(tuple, shown.long().tolist()), closeness(shown).tolist(), strict=False))
    hidden = mean_colours(images[0], QUARTERS)

    def samples(*_: object, **__: object) -> object:
        for row in shown:
            yield row[None].float()

    theirs = captum.attr.LimeBase(
        model,
        SkLearnRidge(alpha=method.ALPHA),
        similarity_func=lambda _x, _p, row, **_: counts[tuple(row[0].long().tolist())],
        perturb_func=samples,
        perturb_interpretable_space=True,
        from_interp_rep_transform=lambda row, x, **_: torch.where(
            row[0].bool()[QUARTERS], x, hidden
        ),
        to_interp_rep_transform=None,
    ).attribute(images, target=labels, n_samples=50)
    line = lime(model, images[0], int(labels[0]), QUARTERS, num_samples=50, seed=0)
    assert line.weights.abs().max() > 0.01
    assert torch.allclose(line.weights, theirs.flatten().float(), atol=1e-4)


def test_the_whole_picture_counts_one_and_the_others_less_and_less() -> None:
    shown = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]]).bool()
    counts = closeness(shown).tolist()
    assert counts[0] == 1.0
    assert counts == sorted(counts, reverse=True)
    assert counts[2] == pytest.approx(np.sqrt(np.exp(-((1 - 0.5) ** 2) / 0.25**2)))


def test_the_samples_depend_on_the_seed_alone_and_not_on_the_batch_size() -> None:
    model, (images, labels) = network(), pictures(1)
    lines = [
        lime(model, images[0], int(labels[0]), QUARTERS, num_samples=40, seed=s, batch_size=b)
        for s, b in ((0, 7), (0, 40), (1, 40))
    ]
    assert torch.allclose(lines[0].weights, lines[1].weights, atol=1e-5)
    assert not torch.allclose(lines[1].weights, lines[2].weights, atol=1e-3)
    assert draw_samples(200, 10, 0)[1:].float().mean().item() == pytest.approx(0.5, abs=0.04)


def test_a_network_that_never_changes_its_mind_has_no_weights_and_no_r2() -> None:
    weights, intercept, r2 = fit_ridge(
        draw_samples(20, 3, 0), torch.full((20,), 2.5), torch.ones(20, dtype=torch.float64)
    )
    assert weights.abs().max() < 1e-9
    assert (intercept, r2) == (pytest.approx(2.5), 0.0)
