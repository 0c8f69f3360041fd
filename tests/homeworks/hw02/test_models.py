"""Networks of homework 2 against the slides' numbers and against networks of torch."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from mlspring.core.errors import RecipeError
from mlspring.homeworks.hw02_phonemes import models
from mlspring.homeworks.hw02_phonemes.models import BiLSTM, WindowNet
from mlspring.kit import device
from tests.homeworks.hw02.tools import knobs, recipe


def test_the_sample_network_has_the_sample_s_parameters() -> None:
    assert models.num_parameters(knobs("simple")) == 86_569


@pytest.mark.parametrize(
    ("frames", "layers", "width", "expected"),
    [  # the notebook's hidden_layers is one less than ours; source: HW02 slides, question 1
        (1, 7, 1024, 6_380_585),
        (1, 3, 1700, 5_921_141),
        (1, 3, 1760, 6_341_321),
        (11, 7, 1024, 6_779_945),
        (11, 3, 1700, 6_584_141),
        (19, 7, 1024, 7_099_433),
        (19, 3, 1700, 7_114_541),
    ],
)
def test_question_1_has_the_parameters_of_the_slide(
    frames: int, layers: int, width: int, expected: int
) -> None:
    sizes = [f"model.frames={frames}", f"model.layers={layers}", f"model.width={width}"]
    assert models.num_parameters(knobs("simple", *sizes)) == expected


@pytest.mark.parametrize("batch_norm", ["true", "false"])
@pytest.mark.parametrize("layers", [1, 2, 5, 12])
def test_another_depth_has_about_as_many_weights(layers: int, batch_norm: str) -> None:
    own = knobs("strong", f"model.batch_norm={batch_norm}")
    other = models.as_large(own, layers)
    assert other.layers == layers
    wanted, found = models.num_parameters(own), models.num_parameters(other)
    unit = models.num_parameters(other.model_copy(update={"width": other.width + 1})) - found
    assert abs(found - wanted) <= unit / 2 + 1, "no whole width is nearer"


def test_members_are_the_recipe_s_network_then_those_of_the_questions() -> None:
    studied = recipe("world/medium", "study.layers=[1, 6]", "study.dropout=[0.5]")
    assert studied.num_members == 4
    members = [models.of_member(studied, number) for number in range(4)]
    assert members[0] == studied.model
    assert [member.layers for member in members] == [3, 1, 6, 3]
    assert [member.dropout for member in members] == [0, 0, 0, 0.5]
    assert members[3].width == members[0].width


def bilstm(*overrides: str) -> BiLSTM:
    torch.manual_seed(0)
    model = models.build(knobs("boss", "model.width=7", *overrides))
    assert isinstance(model, BiLSTM)
    return model.eval()


def torch_s_own(model: BiLSTM) -> nn.LSTM:
    """Return torch's bidirectional LSTM with the weights of ``model``."""
    own = nn.LSTM(39, 7, len(model.forwards), bidirectional=True, batch_first=True)
    for layer, (ahead, back) in enumerate(zip(model.forwards, model.backwards, strict=True)):
        for part, suffix in ((ahead, ""), (back, "_reverse")):
            for name, value in part.named_parameters():
                getattr(own, name.replace("l0", f"l{layer}{suffix}")).data.copy_(value)
    return own


def test_the_bilstm_is_torch_s_on_packed_utterances() -> None:
    model, lengths = bilstm("model.stride=1"), torch.tensor([9, 4, 1])
    inputs = torch.randn(3, 9, 39)
    for place, length in enumerate(lengths.tolist()):
        inputs[place, length:] = 0
    packed = pack_padded_sequence(inputs, lengths, batch_first=True)
    outputs, _ = pad_packed_sequence(torch_s_own(model)(packed)[0], batch_first=True)
    rows = [outputs[place, :length] for place, length in enumerate(lengths.tolist())]
    torch.testing.assert_close(model(inputs, lengths), model.classify(torch.cat(rows)))


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_padding_changes_no_logit(stride: int) -> None:
    model = bilstm(f"model.stride={stride}")
    first, second = torch.randn(1, 5, 39), torch.randn(1, 12, 39)
    together = torch.cat((F.pad(first, (0, 0, 0, 7)), second))
    found = model(together, torch.tensor([5, 12]))
    alone = [model(first, torch.tensor([5])), model(second, torch.tensor([12]))]
    torch.testing.assert_close(found, torch.cat(alone))


@pytest.mark.parametrize("stride", [1, 2])
def test_every_frame_reaches_every_logit_of_its_utterance(stride: int) -> None:
    model = bilstm(f"model.stride={stride}")
    inputs = torch.randn(2, 6, 39, requires_grad=True)
    logits = model(inputs, torch.tensor([6, 6]))
    for row in (0, 5):
        (gradient,) = torch.autograd.grad(logits[row].sum(), inputs, retain_graph=True)
        assert gradient[0].abs().sum(1).gt(0).all()
        assert not gradient[1].any(), "another utterance has no part in it"


def test_lstms_compute_in_fp32_where_the_processor_has_none_for_bf16(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = models.build(knobs("boss")).eval()
    utterances, lengths = torch.randn(2, 12, 39), torch.tensor([12, 7])
    expected = network(utterances, lengths)
    monkeypatch.setattr(device, "_has_bf16_lstm", lambda kind: False)
    read: list[torch.dtype] = []
    for lstm in network.forwards:
        lstm.register_forward_hook(lambda *passed: read.append(passed[2][0].dtype))
    with torch.autocast("cpu", torch.bfloat16):
        found = network(utterances, lengths)
    assert set(read) == {torch.float32}
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), expected, rtol=0.02, atol=0.02)


def test_turning_around_twice_changes_nothing() -> None:
    turned = models.turned_around(torch.tensor([3, 5]), 5)
    assert turned.tolist() == [[2, 1, 0, 3, 4], [4, 3, 2, 1, 0]]
    x = torch.randn(2, 5, 4)
    assert torch.equal(models.reordered(models.reordered(x, turned), turned), x)


def test_gradients_agree_with_finite_differences() -> None:
    torch.manual_seed(0)
    model = models.build(knobs("boss", "model.width=2", "model.dropout=0.0", "model.layers=1"))
    model = model.double()
    inputs = torch.randn(2, 4, 39, dtype=torch.float64, requires_grad=True)
    lengths = torch.tensor([4, 3])
    assert torch.autograd.gradcheck(lambda x: model(x, lengths), (inputs,))


def test_dense_layers_are_linear_norm_relu_dropout() -> None:
    model = models.build(knobs("strong", "model.layers=2"))
    assert isinstance(model, WindowNet)
    block = [nn.Linear, nn.BatchNorm1d, nn.ReLU, nn.Dropout]
    assert [type(layer) for layer in model] == [*block, *block, nn.Linear]
    assert model(torch.randn(4, 39 * model.num_frames)).shape == (4, 41)


@pytest.mark.parametrize(
    ("level", "override", "words"),
    [
        ("medium", "model.frames=4", "model.frames = 4 is even"),
        ("medium", "augment.stretch=0.1", "augment changes whole utterances"),
        ("medium", "model.stride=2", "only the recurrent network reads several frames"),
        ("boss", "model.frames=11", "reads whole utterances; use 1"),
        ("boss", "model.batch_norm=true", "the recurrent network has none"),
        ("boss", "study.layers=[1]", "compares dense networks"),
    ],
)
def test_knobs_that_fit_no_network_are_told(level: str, override: str, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        recipe(f"world/{level}", override)
