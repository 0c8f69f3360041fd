"""Losses of distillation: properties on random draws, closed forms, finite differences."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw13_compression.recipe import DistillKnobs
from mlspring.homeworks.hw13_compression.train import distillation_loss, soft_label_loss

TEMPERATURES = (0.5, 1.0, 4.0, 20.0)
each_temperature = pytest.mark.parametrize("temperature", TEMPERATURES)


def draws(*shape: int, scale: float = 3.0, count: int = 20) -> list[Tensor]:
    """Return random tensors in double precision, from tame to extreme."""
    torch.manual_seed(0)
    return [scale * (i + 1) / 4 * torch.randn(*shape, dtype=torch.float64) for i in range(count)]


@each_temperature
def test_soft_labels_cost_nothing_only_where_distributions_agree(temperature: float) -> None:
    for student, teacher in zip(draws(5, 11), reversed(draws(5, 11)), strict=True):
        assert soft_label_loss(student, teacher, temperature) > 0
        shifted = teacher + 7.0  # the same distribution
        assert soft_label_loss(shifted, teacher, temperature).abs() < 1e-9


@each_temperature
def test_soft_labels_are_the_sum_over_classes_from_teacher_to_student(temperature: float) -> None:
    student, teacher = draws(2, 3, count=2)
    expected = 0.0
    for s, t in zip(student.tolist(), teacher.tolist(), strict=True):
        p = [math.exp(v / temperature) for v in t]
        q = [math.exp(v / temperature) for v in s]
        p, q = [v / sum(p) for v in p], [v / sum(q) for v in q]
        expected += sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    loss = soft_label_loss(student, teacher, temperature)
    assert loss.item() == pytest.approx(temperature**2 * expected / 2)


def test_the_wrong_way_round_is_another_number() -> None:
    student, teacher = draws(4, 11, count=2)
    there, back = soft_label_loss(student, teacher, 2.0), soft_label_loss(teacher, student, 2.0)
    assert abs(there - back) > 0.01


@each_temperature
def test_the_gradient_of_soft_labels_agrees_with_finite_differences(temperature: float) -> None:
    student, teacher = draws(3, 5, count=2)
    student.requires_grad_()
    assert torch.autograd.gradcheck(lambda s: soft_label_loss(s, teacher, temperature), (student,))


@each_temperature
def test_the_gradient_is_t_times_the_difference_of_distributions(temperature: float) -> None:
    student, teacher = draws(3, 5, count=2)
    student.requires_grad_()
    soft_label_loss(student, teacher, temperature).backward()
    difference = (student / temperature).softmax(1) - (teacher / temperature).softmax(1)
    torch.testing.assert_close(student.grad, temperature * difference.detach() / 3)


def test_t_squared_keeps_the_gradient_s_size() -> None:
    student, teacher = (0.01 * logits for logits in draws(8, 11, count=2))
    norms = []
    for temperature in (1.0, 4.0, 16.0):
        leaf = student.clone().requires_grad_()
        soft_label_loss(leaf, teacher, temperature).backward()
        norms.append(leaf.grad.norm().item())
    assert max(norms) / min(norms) < 1.05


def test_extreme_logits_stay_finite() -> None:
    student = torch.tensor([[1e4, -1e4, 0.0]], requires_grad=True)
    loss = soft_label_loss(student, torch.tensor([[-1e4, 1e4, 0.0]]), 1.0)
    loss.backward()
    assert loss.isfinite() and student.grad.isfinite().all()


def test_at_temperature_1_a_certain_teacher_is_a_label() -> None:
    student = draws(6, 11, count=1)[0]
    labels = torch.arange(6)
    certain = 1e3 * F.one_hot(labels, 11).double()
    expected = F.cross_entropy(student, labels)
    torch.testing.assert_close(soft_label_loss(student, certain, 1.0), expected)


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_alpha_divides_between_labels_and_the_teacher(weight: float) -> None:
    logits, teacher = draws(4, 11, count=2)
    targets = F.one_hot(torch.tensor([3, 0, 10, 3]), 11).double()
    logs = logits.log_softmax(1)
    labels = -(logs[0, 3] + logs[1, 0] + logs[2, 10] + logs[3, 3]) / 4
    expected = (1 - weight) * labels + weight * soft_label_loss(logits, teacher, 3.0)
    knobs = DistillKnobs(weight=weight, temperature=3.0)
    torch.testing.assert_close(distillation_loss(logits, targets, teacher, knobs), expected)


def test_without_a_teacher_the_labels_are_all() -> None:
    logits = draws(2, 11, count=1)[0]
    targets = torch.full((2, 11), 1 / 11, dtype=torch.float64)  # of mixed pictures, say
    loss = distillation_loss(logits, targets, None, DistillKnobs(weight=0.9, temperature=4.0))
    torch.testing.assert_close(loss, -logits.log_softmax(1).mean())
