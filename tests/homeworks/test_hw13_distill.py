"""Losses of distillation: properties on random draws, closed forms, finite differences."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw13_compression.distill import (
    attention_loss,
    lessons,
    relation_loss,
    soft_label_loss,
)
from mlspring.homeworks.hw13_compression.recipe import DistillKnobs

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


def test_relations_do_not_see_scale_place_or_turn() -> None:
    embedding = draws(6, 4, count=1)[0]
    turn = torch.linalg.qr(draws(4, 4, count=1)[0]).Q
    moved = 5 * embedding @ turn + 2
    assert relation_loss(moved, embedding) < 1e-12
    widened = torch.cat((embedding, torch.zeros(6, 3)), dim=1)
    assert relation_loss(widened, embedding) < 1e-12
    assert relation_loss(embedding**2, embedding) > 1e-3


def test_relations_have_a_closed_form_for_a_triangle() -> None:
    flat = torch.tensor([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])  # distances 1, 1, 2: mean 4/3
    even = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.5, 0.75**0.5]])  # all equal
    gaps = [abs(d / (4 / 3) - 1) for d in (1, 1, 2)]
    distances = 2 * sum(g * g / 2 for g in gaps) / 9
    # at each corner the cosine between the other two: -1 or 1 against 1/2
    cosines = [0.5 * 0.5**2, 0.5 * 0.5**2, abs(-1.5) - 0.5]
    angles = 2 * sum(cosines) / 27
    assert relation_loss(flat, even).item() == pytest.approx(distances + 2 * angles)


def test_relations_of_equal_pictures_have_a_finite_gradient() -> None:
    student = torch.zeros(4, 3, requires_grad=True)
    relation_loss(student, torch.randn(4, 3)).backward()
    assert student.grad.isfinite().all()


def test_the_gradient_of_relations_agrees_with_finite_differences() -> None:
    student, teacher = draws(4, 3, count=2)
    student.requires_grad_()
    assert torch.autograd.gradcheck(lambda s: relation_loss(s, teacher), (student,))


def test_attention_sees_place_not_size_or_channels() -> None:
    maps = draws(2, 3, 4, 4, count=2)
    assert attention_loss([maps[0]], [5 * maps[0]]) < 1e-12
    assert attention_loss([maps[0]], [torch.cat((maps[0], maps[0]), dim=1)]) < 1e-12
    assert attention_loss([maps[0]], [maps[1]]) > 1e-3


def test_attention_compares_maps_of_equal_sides_only() -> None:
    small, large = draws(2, 3, 2, 2, count=1)[0], draws(2, 3, 4, 4, count=2)
    alone = attention_loss([large[0]], [large[1]])
    torch.testing.assert_close(attention_loss([large[0], small], [large[1]]), alone)


def test_opposite_corners_are_as_far_apart_as_can_be() -> None:
    here, there = torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)
    here[..., 0, 0] = there[..., 1, 1] = 3.0
    assert attention_loss([here], [there]).item() == pytest.approx(2.0)


def test_the_gradient_of_attention_agrees_with_finite_differences() -> None:
    student, teacher = draws(2, 3, 2, 2, count=2)
    student.requires_grad_()
    assert torch.autograd.gradcheck(lambda s: attention_loss([s], [teacher]), (student,))


@pytest.mark.parametrize(
    ("weight", "relations", "attention"), [(0.7, 0, 0), (0, 2, 0), (0, 0, 3), (0.5, 1, 2)]
)
def test_lessons_are_weighted(weight: float, relations: float, attention: float) -> None:
    logits = [tensor.float() for tensor in draws(4, 11, count=2)]
    maps = [tensor.float() for tensor in draws(4, 3, 2, 2, count=2)]
    knobs = DistillKnobs(
        weight=float(weight),
        temperature=3.0,
        relations=float(relations),
        attention=float(attention),
    )
    loss = lessons(knobs, (logits[0], [maps[0]]), (logits[1], [maps[1]]))
    expected = (
        weight * soft_label_loss(logits[0], logits[1], 3.0)
        + relations * relation_loss(maps[0].mean((2, 3)), maps[1].mean((2, 3)))
        + attention * attention_loss([maps[0]], [maps[1]])
    )
    torch.testing.assert_close(loss, expected)


def test_at_temperature_1_a_certain_teacher_is_a_label() -> None:
    student = draws(6, 11, count=1)[0]
    labels = torch.arange(6)
    certain = 1e3 * F.one_hot(labels, 11).double()
    expected = F.cross_entropy(student, labels)
    torch.testing.assert_close(soft_label_loss(student, certain, 1.0), expected)
