"""Losses of homework 11 against closed forms and finite differences."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw11_adaptation import losses, sketches
from mlspring.homeworks.hw11_adaptation.losses import Outputs, Rivals
from tests.tiny.random_domains import recipe


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_reversal_changes_the_gradient_only() -> None:
    features = random(4, 3).requires_grad_()
    weights = random(3, seed=1).requires_grad_()
    (losses.reverse(features, 0.7) @ weights).sum().backward()
    torch.testing.assert_close(losses.reverse(features, 0.7), features)
    torch.testing.assert_close(features.grad, -0.7 * weights.expand(4, 3))
    torch.testing.assert_close(weights.grad, features.sum(0))  # what follows learns as usual


@pytest.mark.parametrize("progress", [0.0, 0.1, 0.5, 1.0])
def test_the_reversed_weight_rises_or_stays(progress: float) -> None:
    steady = recipe("adapt.weight=0.5", "adapt.schedule=constant").adapt
    rising = recipe("adapt.weight=0.5", "adapt.schedule=rising").adapt
    assert losses.reversal_weight(steady, progress) == 0.5
    expected = 0.5 * math.tanh(5 * progress)
    assert losses.reversal_weight(rising, progress) == pytest.approx(expected)


def test_a_confused_domain_classifier_pays_log_two() -> None:
    is_photo = torch.tensor([True, True, False, False])
    assert losses.domain_loss(torch.zeros(4), is_photo) == pytest.approx(math.log(2))
    sure = torch.tensor([20.0, 20.0, -20.0, -20.0])
    assert losses.domain_loss(sure, is_photo) < 1e-8
    assert losses.domain_loss(-sure, is_photo) == pytest.approx(20.0)


def test_entropy_lies_between_certainty_and_log_k() -> None:
    assert losses.entropy(torch.zeros(5, 8)) == pytest.approx(math.log(8))
    assert losses.entropy(100 * torch.eye(8)) == pytest.approx(0, abs=1e-6)
    p = torch.tensor([0.7, 0.2, 0.1])
    assert losses.entropy(p.log()[None]) == pytest.approx(-(p * p.log()).sum().item())


def test_imbalance_is_the_divergence_of_the_mean_prediction_from_equal_classes() -> None:
    assert losses.imbalance(100 * torch.eye(4)) == pytest.approx(0, abs=1e-6)
    assert losses.imbalance(torch.zeros(6, 4)) == pytest.approx(0, abs=1e-6)
    logits = random(50, 3)
    mean = logits.softmax(1).mean(0)
    assert losses.imbalance(logits).item() == pytest.approx((mean * (3 * mean).log()).sum().item())


def test_a_class_without_any_mass_adds_nothing_to_the_imbalance() -> None:
    one_class = torch.zeros(6, 4)
    one_class[:, 2] = 1000  # the others' probabilities are 0 and not only small
    one_class.requires_grad_()
    loss = losses.imbalance(one_class)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(4))
    assert one_class.grad is not None
    assert one_class.grad.isfinite().all()


def test_discrepancy_is_zero_for_equal_predictors_and_two_over_k_for_opposed_ones() -> None:
    certain = 100 * torch.eye(4)
    assert losses.discrepancy(certain, certain) == 0
    assert losses.discrepancy(certain, certain.roll(1, 0)) == pytest.approx(2 / 4)
    first, second = torch.tensor([[0.7, 0.2, 0.1]]), torch.tensor([[0.5, 0.1, 0.4]])
    expected = (0.2 + 0.1 + 0.3) / 3
    assert losses.discrepancy(first.log(), second.log()) == pytest.approx(expected)


def test_divergence_is_kullback_leibler_from_the_reference() -> None:
    p, q = random(6, 3).softmax(1), random(6, 3, seed=1).softmax(1)
    assert losses.divergence(p.log(), p.log()) == pytest.approx(0, abs=1e-12)
    expected = (q * (q / p).log()).sum(1).mean().item()
    assert losses.divergence(p.log(), q.log()).item() == pytest.approx(expected)


@pytest.mark.parametrize("name", ["entropy", "imbalance"])
def test_gradients_agree_with_finite_differences(name: str) -> None:
    logits = random(5, 4).requires_grad_()
    assert torch.autograd.gradcheck(getattr(losses, name), (logits,))


def test_pseudo_labels_are_moved_towards_equal_classes() -> None:
    logits = torch.tensor([[2.0, 0.0], [2.0, 0.0], [2.0, 0.0], [0.3, 0.0]])
    plain = losses.pseudo_labels(logits, 0.0)
    torch.testing.assert_close(plain, logits.softmax(1))
    moved = losses.pseudo_labels(logits, 1.0)
    torch.testing.assert_close(moved.sum(1), torch.ones(4))
    assert abs(moved.mean(0)[0] - 0.5) < abs(plain.mean(0)[0] - 0.5) / 2
    assert moved[3].argmax() == 1  # the least certain row changes side
    divided = plain / plain.mean(0) ** 0.5
    halfway = divided / divided.sum(1, keepdim=True)
    torch.testing.assert_close(losses.pseudo_labels(logits, 0.5), halfway)


def test_only_certain_rows_teach() -> None:
    logits = torch.zeros(4, 2)
    targets = torch.tensor([[0.95, 0.05], [0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    assert losses.pseudo_loss(logits, targets, 0.9) == pytest.approx(2 * math.log(2) / 4)
    assert losses.pseudo_loss(logits, targets, 0.99) == 0


# ---- the terms of a step


LABELS = torch.tensor([0, 1, 2, 0])


def terms_of(
    *overrides: str,
    outputs: Outputs | None = None,
    teacher: Tensor | None = None,
    progress: float = 1.0,
) -> dict[str, Tensor]:
    knobs = recipe(*overrides)
    outputs = outputs or Outputs(random(8, 3))
    loss, terms = losses.loss_of(outputs, LABELS, teacher, knobs.adapt, knobs.train, progress)
    torch.testing.assert_close(loss, torch.stack(list(terms.values())).sum().to(loss))
    return terms


def test_the_class_term_asks_photos_alone() -> None:
    logits = random(8, 3).float()
    smoothed = terms_of("train.label_smoothing=0.1", outputs=Outputs(logits))
    expected = F.cross_entropy(logits[:4], LABELS, label_smoothing=0.1)
    torch.testing.assert_close(smoothed["class"], expected)
    assert set(smoothed) == {"class"}


def test_the_domain_term_falls_when_photos_have_the_higher_logits() -> None:
    right = torch.tensor([9.0] * 4 + [-9.0] * 4)[:, None]
    assert terms_of(outputs=Outputs(random(8, 3), right))["domain"] < 1e-3
    assert terms_of(outputs=Outputs(random(8, 3), -right))["domain"] > 8


def test_terms_on_predictions_wait_until_their_start() -> None:
    knobs = ("adapt.balance=0.2", "adapt.start=0.25")
    outputs = Outputs(random(8, 3).float())
    assert set(terms_of(*knobs, outputs=outputs, progress=0.24)) == {"class"}
    terms = terms_of(*knobs, outputs=outputs, progress=0.25)
    assert set(terms) == {"class", "balance"}
    torch.testing.assert_close(terms["balance"], 0.2 * losses.imbalance(outputs.logits[4:]))


def test_positive_pairs_are_sought_from_the_first_step_and_in_their_own_domain() -> None:
    codes = random(8, 5, seed=3).float()
    outputs = Outputs(random(8, 3), None, codes)
    terms = terms_of("adapt.positive_pairs=2.0", outputs=outputs, progress=0.0)
    assert set(terms) == {"class", "pairs", "photo_pairs"}
    torch.testing.assert_close(terms["pairs"], 2 * sketches.contrastive_loss(codes[4:]))
    torch.testing.assert_close(terms["photo_pairs"], 0.2 * sketches.contrastive_loss(codes[:4]))


def test_pseudo_labels_weigh_what_the_recipe_says_and_are_balanced_once_at_most() -> None:
    teacher = random(4, 3, seed=4).float()
    outputs = Outputs(random(8, 3).float())
    needed = ("train.ema_decay=0.9", "adapt.threshold=0.0", "adapt.pseudo=3.0")
    for balance, power in ((0.0, 0.0), (0.4, 0.4), (1.0, 1.0), (5.0, 1.0)):
        knobs = (*needed, f"adapt.balance={balance}")
        targets = losses.pseudo_labels(teacher, power)
        expected = 3 * losses.pseudo_loss(outputs.logits[4:], targets, 0.0)
        terms = terms_of(*knobs, outputs=outputs, teacher=teacher)
        torch.testing.assert_close(terms["pseudo"], expected)


def test_two_predictors_learn_the_photos_and_are_told_to_differ_on_drawings() -> None:
    logits, rival, first, second = (random(8, 3, seed=seed).float() for seed in range(4))
    terms = terms_of(outputs=Outputs(logits, rivals=Rivals(rival, first, second)))
    assert set(terms) == {"class", "rival", "discrepancy"}
    torch.testing.assert_close(terms["rival"], F.cross_entropy(rival[:4], LABELS))
    torch.testing.assert_close(terms["discrepancy"], -losses.discrepancy(first[4:], second[4:]))


def test_drawings_are_to_be_certain_and_to_stay_so_when_moved() -> None:
    logits = random(12, 3).float().requires_grad_()  # photos, drawings, the drawings moved
    knobs = ("adapt.entropy=0.2", "adapt.smooth=3.0", "adapt.start=0.5")
    terms = terms_of(*knobs, outputs=Outputs(logits))
    assert set(terms) == {"class", "entropy", "smooth"}
    torch.testing.assert_close(terms["entropy"], 0.2 * losses.entropy(logits[4:8]))
    torch.testing.assert_close(terms["smooth"], 3 * losses.divergence(logits[8:], logits[4:8]))
    terms["smooth"].backward()
    assert logits.grad is not None
    assert logits.grad[4:8].abs().max() == 0  # the moved drawings follow, the plain ones stay
    assert logits.grad[8:].abs().max() > 0


def test_the_last_steps_of_dirt_t_ask_nothing_of_photos_and_stay_near_the_teacher() -> None:
    logits, teacher = random(8, 3).float().requires_grad_(), random(4, 3, seed=5).float()
    knobs = ("adapt.refine=0.25", "train.ema_decay=0.9")
    before = terms_of(*knobs, outputs=Outputs(logits), teacher=teacher, progress=0.74)
    assert set(before) == {"class"}
    assert before["class"] > 0
    terms = terms_of(*knobs, outputs=Outputs(logits), teacher=teacher, progress=0.75)
    assert terms["class"] == 0
    torch.testing.assert_close(terms["stay"], losses.divergence(logits[4:], teacher))
    sum(terms.values(), start=torch.zeros(())).backward()
    assert logits.grad is not None
    assert logits.grad[:4].abs().max() == 0
