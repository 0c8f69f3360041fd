"""Networks of homework 13 against their descriptions and the numbers of the fact sheet."""

import pytest
import torch
from torch import nn

from mlspring.homeworks.hw13_compression.architecture import (
    NAMES,
    Architecture,
    group_names,
    resnet18,
)
from mlspring.homeworks.hw13_compression.architecture import residual as teacher
from mlspring.homeworks.hw13_compression.cost import count_macs, count_parameters
from mlspring.homeworks.hw13_compression.models import (
    ConvNorm,
    InvertedBlock,
    ResidualBlock,
    build,
)


def odd(name: str, first: int = 3) -> Architecture:
    """Return a small network whose groups all differ, so that no two can be mistaken."""
    channels = tuple(range(first, first + len(group_names(name))))
    return Architecture(name=name, channels=channels)


@pytest.mark.parametrize("name", NAMES)
def test_a_description_tells_every_tensor_of_its_network(name: str) -> None:
    architecture = odd(name)
    state = build(architecture).state_dict()
    assert {n: tuple(v.shape) for n, v in state.items()} == architecture.shapes
    assert list(state) == list(architecture.shapes)
    assert count_parameters(build(architecture)) == architecture.num_parameters


def test_the_sample_s_student_has_the_course_s_numbers() -> None:
    student = Architecture(name="plain", channels=(32, 32, 64, 100))
    assert student.num_parameters == 87_907
    with torch.device("meta"):
        model = build(student)
    macs = count_macs(model.to_empty(device="cpu"), 224)
    assert round(macs / 1e6) == 859
    half = Architecture(name="plain", channels=(16, 16, 32, 50))
    assert half.num_parameters == 22_647


def test_the_given_teacher_has_the_course_s_numbers() -> None:
    assert len(resnet18().shapes) == 122
    assert resnet18().num_parameters == 11_182_155
    with torch.device("meta"):
        model = build(resnet18())
    assert count_parameters(model) == 11_182_155
    assert round(count_macs(model.to_empty(device="cpu"), 224) / 1e6) == 1_814


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", [32, 64])
def test_logits_have_one_column_a_class(name: str, side: int) -> None:
    assert build(odd(name)).eval()(torch.randn(2, 3, side, side)).shape == (2, 11)


@pytest.mark.parametrize("name", ["separable", "inverted", "residual"])
def test_the_picture_is_halved_four_times(name: str) -> None:
    model, sides = build(odd(name)).eval(), []
    for part in (model.stem, *model.blocks):
        part.register_forward_hook(lambda _, inputs, output: sides.append(output.shape[-1]))
    model(torch.randn(1, 3, 64, 64))
    assert sides == sorted(sides, reverse=True)
    assert [side for side in (64, 32, 16, 8, 4) if side in sides] == [64, 32, 16, 8, 4]


def test_a_fresh_residual_block_passes_its_shortcut_on() -> None:
    block = ResidualBlock(8, 5, 8, stride=1).eval()
    x = torch.rand(2, 8, 6, 6)
    torch.testing.assert_close(block(x), torch.relu(block.shortcut(x)))


def test_an_inverted_block_adds_only_where_asked_and_ends_without_relu() -> None:
    x = torch.randn(2, 4, 6, 6)
    block = InvertedBlock(4, 8, 4, stride=1, add=True).eval()
    nn.init.zeros_(block.project.norm.weight)
    torch.testing.assert_close(block(x), x)
    block.add = False
    assert block(x).abs().max() == 0
    nn.init.constant_(block.project.norm.bias, -1.0)
    assert (block(x) == -1).all()


def test_a_depthwise_convolution_keeps_channels_apart() -> None:
    layer = ConvNorm(4, 4, 3, groups=4, relu=False).eval()
    x = torch.zeros(1, 4, 5, 5)
    x[:, 2] = 1
    assert layer(x).abs().sum(dim=(0, 2, 3)).nonzero().tolist() == [[2]]


@pytest.mark.parametrize("name", NAMES)
def test_gradients_agree_with_finite_differences(name: str) -> None:
    torch.manual_seed(0)
    model = build(odd(name, first=1)).double().eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
    images = torch.rand(1, 3, 32, 32, dtype=torch.float64)
    direction = torch.randn_like(images)
    shift = torch.zeros((), dtype=torch.float64, requires_grad=True)
    # along one random direction: a full Jacobian of 3,072 pixels says no more
    assert torch.autograd.gradcheck(lambda t: model(images + t * direction), (shift,), eps=1e-7)


def test_our_teacher_scales_with_its_width() -> None:
    assert teacher(16).channels == (16, 32, 32, 64, 64, 128, 128, 128, 128)
    assert teacher(16).num_parameters > 5 * teacher(6).num_parameters


@pytest.mark.parametrize(
    ("name", "channels", "message"),
    [
        ("vgg", (1,), "no architecture 'vgg'"),
        ("plain", (1, 2, 3), "plain has 4 groups"),
        ("plain", (1, 2, 3, 0), "0 channels"),
    ],
)
def test_an_impossible_description_is_refused(
    name: str, channels: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Architecture(name=name, channels=channels)
