"""Both networks: padding, batch and cache change nothing, and no token sees those to come."""

import math

import pytest
import torch
from torch import Tensor

from mlspring.homeworks.hw05_translation.models import Recurrent, turn
from mlspring.homeworks.hw05_translation.transformer import Attention, positions
from mlspring.homeworks.hw05_translation.vocabulary import EOS, PAD
from tests.homeworks.hw05.tools import KINDS, NUM_TOKENS, network, sentences

CLOSE = {"rtol": 1e-4, "atol": 1e-5}  # sums over padded rows run in another order
each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def source() -> Tensor:
    return sentences(7, 3, 5)


@pytest.fixture
def inputs() -> Tensor:
    return sentences(6, 6, 6, seed=1)


@each_kind
def test_padding_and_the_rest_of_the_batch_change_no_logits(
    kind: str, source: Tensor, inputs: Tensor
) -> None:
    model = network(kind)
    together = model(torch.cat((source, torch.zeros(3, 4, dtype=torch.long)), 1), inputs)
    for row in range(3):
        alone = source[row][source[row] != PAD][None]
        torch.testing.assert_close(model(alone, inputs[row : row + 1])[0], together[row], **CLOSE)


@each_kind
def test_the_source_itself_changes_the_logits(kind: str, source: Tensor, inputs: Tensor) -> None:
    other = source.clone()
    other[0, 0] = 4 + (other[0, 0] - 3) % (NUM_TOKENS - 4)
    model = network(kind)
    before, after = model(source, inputs), model(other, inputs)
    assert not torch.allclose(before[0], after[0], atol=1e-4)
    torch.testing.assert_close(before[1:], after[1:], **CLOSE)


@each_kind
def test_no_token_sees_those_to_come(kind: str, source: Tensor, inputs: Tensor) -> None:
    model, other = network(kind), inputs.clone()
    other[:, 4:] = 5
    before, after = model(source, inputs), model(source, other)
    torch.testing.assert_close(before[:, :4], after[:, :4], **CLOSE)
    assert not torch.allclose(before[:, 4:], after[:, 4:], atol=1e-4)


@each_kind
def test_one_token_at_a_time_gives_the_same_logits(
    kind: str, source: Tensor, inputs: Tensor
) -> None:
    model = network(kind)
    state = model.encode(source, keep_past=True)
    steps = [model.decode(state, inputs[:, i : i + 1]) for i in range(inputs.shape[1])]
    torch.testing.assert_close(torch.cat(steps, 1), model(source, inputs), **CLOSE)


@each_kind
def test_a_selected_state_goes_on_as_its_sentences(
    kind: str, source: Tensor, inputs: Tensor
) -> None:
    model, rows = network(kind), torch.tensor([2, 0, 2])
    state = model.encode(source, keep_past=True)
    model.decode(state, inputs[:, :1])
    chosen = state.select(rows)
    found = model.decode(chosen, inputs[rows, 1:2])
    torch.testing.assert_close(found, model(source, inputs)[rows, 1:2], **CLOSE)


@each_kind
def test_gradients_agree_with_finite_differences(kind: str) -> None:
    from mlspring.homeworks.hw05_translation.train import loss_of

    model = network(kind, layers=1).double()
    source, inputs = sentences(4, 3), sentences(3, 3, seed=1)
    targets = torch.tensor([[5, 6, EOS], [7, EOS, PAD]])

    def loss() -> Tensor:
        return loss_of(model(source, inputs), targets, 5, 0.1)

    loss().backward()
    draw = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        direction = torch.randn(parameter.shape, generator=draw, dtype=torch.float64)
        if name == "embedding.weight":
            direction[PAD] = 0  # has no gradient as an input, and is no target
        told = (parameter.grad * direction).sum().item()
        with torch.no_grad():
            step = 1e-5
            parameter.add_(direction, alpha=step)
            above = loss().item()
            parameter.add_(direction, alpha=-2 * step)
            below = loss().item()
            parameter.add_(direction, alpha=step)
        assert told == pytest.approx((above - below) / (2 * step), rel=1e-4, abs=1e-7), name


@each_kind
def test_alignment_is_a_distribution_over_real_source_tokens(kind: str, source: Tensor) -> None:
    weights = network(kind).alignment(source, sentences(4, 4, 4, seed=1))
    torch.testing.assert_close(weights.sum(2), torch.ones(3, 4))
    assert (weights[1, :, 3:] == 0).all()


def test_the_alignment_is_what_attention_takes() -> None:
    attention = Attention(16, 2).eval()
    x, memory = torch.randn(2, 3, 16), torch.randn(2, 5, 16)
    real = torch.ones(2, 1, 1, 5, dtype=torch.bool)
    real[1, :, :, 3:] = False
    keys, values = attention.heads_of(memory)
    gathered = attention.weights(x, keys, real) @ values  # (b, h, t, d / h)
    by_hand = attention.out(gathered.transpose(1, 2).flatten(2))
    torch.testing.assert_close(attention(x, (keys, values), real), by_hand)


def test_the_recurrent_query_is_the_last_token_alone() -> None:
    """Another history of target tokens asks the same question and gets another answer."""
    model = network("gru")
    assert isinstance(model, Recurrent)
    source = sentences(5, 5)
    source[1] = source[0]
    inputs = torch.tensor([[5, 6, 9], [7, 8, 9]])
    weights = model.alignment(source, inputs)
    torch.testing.assert_close(weights[0, 2], weights[1, 2])
    assert not torch.allclose(weights[0, 1], weights[1, 1], atol=1e-6)
    logits = model(source, inputs)
    assert not torch.allclose(logits[0, 2], logits[1, 2], atol=1e-4)


@each_kind
def test_bf16_is_near_fp32(kind: str, source: Tensor, inputs: Tensor) -> None:
    model = network(kind)
    expected = model(source, inputs)
    with torch.autocast("cpu", torch.bfloat16):
        found = model(source, inputs)
        state = model.encode(source, keep_past=True)
        first = model.decode(state, inputs[:, :1])
    assert found.dtype == torch.bfloat16
    scale = expected.std().item()
    torch.testing.assert_close(found.float(), expected, rtol=0.05, atol=0.1 * scale)
    torch.testing.assert_close(first.float(), expected[:, :1], rtol=0.05, atol=0.1 * scale)


def test_a_sentence_is_turned_round_within_its_own_length() -> None:
    places = turn(torch.tensor([4, 2]), 4)
    assert places.tolist() == [[3, 2, 1, 0], [1, 0, 2, 3]]


def test_positions_are_the_paper_s() -> None:
    table = positions(50, 8)
    for place, i in ((0, 0), (3, 1), (49, 3)):
        angle = place / 10_000 ** (2 * i / 8)
        assert table[place, i].item() == pytest.approx(math.sin(angle), abs=1e-5)
        assert table[place, i + 4].item() == pytest.approx(math.cos(angle), abs=1e-5)
    norms = table.norm(dim=1)
    torch.testing.assert_close(norms, torch.full_like(norms, 2.0))  # sin^2 + cos^2, four times


@each_kind
def test_embeddings_of_source_target_and_output_are_one_table(kind: str) -> None:
    tables = [p for p in network(kind).parameters() if NUM_TOKENS in p.shape]
    assert len(tables) == 1
