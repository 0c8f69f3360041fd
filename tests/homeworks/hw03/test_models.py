"""Networks of homework 3 against the numbers and figures of the slides."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mlspring.homeworks.hw03_food_cnn.models import (
    FoodResNet,
    PlainCNN,
    ResidualBlock,
    ResidualNetwork,
)


def num_parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_the_sample_network_has_the_sample_s_parameters() -> None:
    with torch.device("meta"):
        model = PlainCNN(image_size=128, width=64, num_classes=11)
    assert num_parameters(model) == 12_833_803


def test_question_2_has_the_slide_s_parameters() -> None:
    with torch.device("meta"):
        assert num_parameters(ResidualNetwork(image_size=128)) == 68_259_147


@pytest.mark.parametrize(
    "model",
    [PlainCNN(64, 4, 11), FoodResNet(4, 11), FoodResNet(4, 11, skips=False), ResidualNetwork(16)],
)
def test_logits_have_one_column_a_class(model: nn.Module) -> None:
    side = 16 if isinstance(model, ResidualNetwork) else 64
    assert model(torch.randn(2, 3, side, side)).shape == (2, 11)


def test_skips_of_question_2_are_identities_when_their_layers_are_silent() -> None:
    model = ResidualNetwork(image_size=16).eval()
    for layer in (model.layer2, model.layer4, model.layer6):
        nn.init.zeros_(layer[1].weight)
    images = torch.rand(2, 3, 16, 16)
    x1 = F.relu(model.layer1(images))
    x3 = F.relu(model.layer3(x1))
    x5 = F.relu(model.layer5(x3))
    torch.testing.assert_close(model(images), model.classify(x5.flatten(1)))


def test_question_2_adds_before_the_relu() -> None:
    model = ResidualNetwork(image_size=16).eval()
    for layer in (model.layer2, model.layer4, model.layer6):
        nn.init.zeros_(layer[1].weight)
        nn.init.constant_(layer[1].bias, -1e4)  # relu(-1e4 + x) = 0; relu(-1e4) + x would be x
    features = []
    model.classify.register_forward_pre_hook(lambda _, inputs: features.append(inputs[0]))
    model(torch.rand(1, 3, 16, 16))
    assert features[0].abs().max() == 0


@pytest.mark.parametrize("number", [1, 3, 5])
def test_question_2_has_no_skip_around_other_layers(number: int) -> None:
    model = ResidualNetwork(image_size=16).eval()
    layer = getattr(model, f"layer{number}")
    nn.init.zeros_(layer[1].weight)
    nn.init.constant_(layer[1].bias, -1.0)  # silent: whatever passes would pass around it
    nn.init.zeros_(model.classify[0].bias)
    first, second = model(torch.rand(1, 3, 16, 16)), model(torch.rand(1, 3, 16, 16))
    torch.testing.assert_close(first, second)


def test_a_fresh_block_passes_its_input_on() -> None:
    block = ResidualBlock(8).eval()
    x = torch.rand(2, 8, 6, 6)
    torch.testing.assert_close(block(x), x)


def test_without_skips_a_block_is_its_two_convolutions() -> None:
    torch.manual_seed(0)
    block = ResidualBlock(4, skips=False).eval()
    with_skips = ResidualBlock(4).eval()
    with_skips.load_state_dict(block.state_dict())
    x = torch.rand(2, 4, 6, 6)
    inside = block.norm2(block.conv2(F.relu(block.norm1(block.conv1(x)))))
    torch.testing.assert_close(block(x), F.relu(inside))
    torch.testing.assert_close(with_skips(x), F.relu(inside + x))
    assert block(x).std() > 0.01  # its last batch norm does not start at zero: nothing would pass


def test_skips_cost_no_weights() -> None:
    assert num_parameters(FoodResNet(16, 11)) == 487_307
    assert num_parameters(FoodResNet(16, 11, skips=False)) == 487_307


def test_gradients_agree_with_finite_differences() -> None:
    torch.manual_seed(0)
    block = ResidualBlock(3).double().eval()
    nn.init.ones_(block.norm2.weight)
    x = torch.rand(1, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(block, (x,))
