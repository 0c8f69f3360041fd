"""The networks of homework 4: padding changes nothing, and the parts equal their formulas."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.homeworks.hw04_speakers import conformer
from mlspring.homeworks.hw04_speakers.conformer import (
    MaskedBatchNorm,
    SelfAttention,
    Subsampling,
    by_distance,
)
from mlspring.homeworks.hw04_speakers.models import (
    AttentionPooling,
    CosineClassifier,
    MeanPooling,
    SpeakerNet,
    TransformerBlock,
)
from mlspring.homeworks.hw04_speakers.recipe import ModelKnobs
from tests.homeworks.hw04.tools import recipe

LENGTHS = (23, 40, 31)
KINDS = {
    "transformer": ("simple", ()),
    "every second frame": ("simple", ("model.every=2",)),
    "attention pooling": ("simple", ("model.pooling=attention",)),
    "conformer": ("simple", ("model.encoder=conformer", "model.kernel=7")),
    "tokens by convolution": ("simple", ("model.channels=[3, 5]",)),
    "a whole conformer": (
        "simple",
        ("model.encoder=conformer", "model.kernel=5", "model.channels=[3, 4, 5]"),
    ),
    "no convolution": ("simple", ("model.encoder=conformer", "model.kernel=0")),
    "a sparse conformer": (
        "simple",
        ("model.encoder=conformer", "model.kernel=7", "model.every=3", "model.layers=2"),
    ),
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def knobs(kind: str) -> ModelKnobs:
    level, overrides = KINDS[kind]
    return recipe(level, "model.dropout=0.0", "model.every=1", *overrides).model


def network(kind: str, num_speakers: int = 5) -> SpeakerNet:
    torch.manual_seed(0)
    model = SpeakerNet(knobs(kind), num_speakers, 0.0)
    for parameter in model.parameters():  # no part may be silent because it begins at zero
        parameter.data += 0.1 * torch.randn_like(parameter)
    model.mean.fill_(-3.0)
    return model


def padded(num_frames: int, rubbish: float) -> tuple[Tensor, Tensor]:
    """Return three utterances side by side, ``rubbish`` behind each, and their mask."""
    frames = torch.full((len(LENGTHS), num_frames, 40), rubbish)
    for row, length in enumerate(LENGTHS):
        stream = torch.Generator().manual_seed(row)
        frames[row, :length] = torch.randn(length, 40, generator=stream) - 3
    return frames, torch.arange(num_frames) < torch.tensor(LENGTHS)[:, None]


@each_kind
def test_an_utterance_alone_is_heard_as_among_others(kind: str) -> None:
    model = network(kind).eval()
    together = model(*padded(64, 50.0))
    for row, length in enumerate(LENGTHS):
        alone = model(padded(64, 50.0)[0][row : row + 1, :length])
        assert torch.allclose(together[row], alone[0], atol=1e-5)


@each_kind
def test_in_training_too_padding_changes_no_output_no_gradient_and_no_statistic(kind: str) -> None:
    """What stands behind an utterance, and how much of it, must not matter."""

    def step(num_frames: int, rubbish: float) -> dict[str, Tensor]:
        model = network(kind).train()
        logits = model(*padded(num_frames, rubbish))
        F.cross_entropy(logits, torch.tensor([0, 1, 2])).backward()
        gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        assert len(gradients) == len(list(model.parameters()))
        return {"logits": logits.detach(), **gradients, **dict(model.named_buffers())}

    first, second = step(40, 0.0), step(77, -1e4)
    for name, value in first.items():
        assert torch.allclose(value.float(), second[name].float(), rtol=1e-4, atol=1e-6), name


def test_a_mask_of_all_frames_is_no_mask() -> None:
    for kind in KINDS:
        model = network(kind).train()
        frames = padded(40, 0.0)[0][:, :23]
        everything = torch.ones(frames.shape[:2], dtype=torch.bool)
        assert torch.allclose(model(frames), model(frames, everything), atol=1e-6)


def test_masked_batch_norm_is_batch_norm_of_what_sounds() -> None:
    frames, mask = padded(50, 9.0)
    ours, theirs = MaskedBatchNorm(40), nn.BatchNorm1d(40)
    normed, expected = ours(frames, mask), theirs(frames[mask])
    assert torch.allclose(normed[mask], expected)
    assert (normed[~mask] == 0).all()
    assert torch.allclose(ours.norm.running_var, theirs.running_var)


def test_a_transformer_block_is_torch_s_own() -> None:
    torch.manual_seed(0)
    block = TransformerBlock(knobs("transformer"))
    width, heads = 16, 2
    theirs = nn.TransformerEncoderLayer(width, heads, 16, dropout=0.0, batch_first=True)
    ours = block.state_dict()
    theirs.load_state_dict(
        {
            "self_attn.in_proj_weight": ours["attention.project.weight"],
            "self_attn.in_proj_bias": ours["attention.project.bias"],
            "self_attn.out_proj.weight": ours["attention.join.weight"],
            "self_attn.out_proj.bias": ours["attention.join.bias"],
            **{f"linear1.{k}": ours[f"feed_forward.0.{k}"] for k in ("weight", "bias")},
            **{f"linear2.{k}": ours[f"feed_forward.3.{k}"] for k in ("weight", "bias")},
            **{
                f"norm{n + 1}.{k}": ours[f"norms.{n}.{k}"]
                for n in (0, 1)
                for k in ("weight", "bias")
            },
        }
    )
    x, mask = torch.randn(3, 50, width), padded(50, 0.0)[1]
    expected = theirs.train()(x, src_key_padding_mask=~mask)
    assert torch.allclose(block(x, mask)[mask], expected[mask], atol=1e-5)


def test_scores_by_distance_stand_where_they_belong() -> None:
    t = 5
    distances = torch.arange(t - 1, -t, -1)  # as _distances has them
    scores = distances.expand(2, 3, t, 2 * t - 1).float()
    places = torch.arange(t)
    assert torch.equal(by_distance(scores)[1, 2], (places[:, None] - places).float())


def test_relative_attention_is_its_formula() -> None:
    torch.manual_seed(0)
    module = SelfAttention(8, 2, relative=True)
    nn.init.normal_(module.content_bias)
    nn.init.normal_(module.distance_bias)
    x = torch.randn(1, 6, 8)
    q, k, _ = (part[0] for part in module._heads(x))
    rates = [10_000 ** (-2 * i / 8) for i in range(4)]
    scores = torch.empty(2, 6, 6)
    for h in range(2):
        for i in range(6):
            for j in range(6):
                waves = [f((i - j) * rate) for rate in rates for f in (math.sin, math.cos)]
                r = (module.distance.weight @ torch.tensor(waves)).view(2, 4)[h]
                content = (q[h, i] + module.content_bias[h, 0]) @ k[h, j]
                scores[h, i, j] = content + (q[h, i] + module.distance_bias[h, 0]) @ r
    expected = (scores / math.sqrt(4)).softmax(-1)
    assert torch.allclose(module.weights(x, None)[0], expected, atol=1e-5)


def test_shown_weights_are_those_that_attention_uses() -> None:
    """Plain attention goes another way through torch than the weights of the figure."""
    torch.manual_seed(0)
    module = SelfAttention(8, 2)
    x, mask = torch.randn(3, 50, 8), padded(50, 0.0)[1]
    v = module._heads(x)[2]
    by_hand = module.join((module.weights(x, mask) @ v).transpose(1, 2).flatten(2))
    assert torch.allclose(by_hand, module(x, mask), atol=1e-6)


def test_without_positions_the_order_does_not_matter_and_with_them_it_does() -> None:
    frames = padded(40, 0.0)[0][:, :23]
    shuffled = frames[:, torch.randperm(23, generator=torch.Generator().manual_seed(0))]
    changes = {
        kind: (network(kind).eval()(frames) - network(kind).eval()(shuffled)).abs().max().item()
        for kind in ("transformer", "no convolution", "conformer")
    }
    assert changes["transformer"] < 1e-5
    assert changes["no convolution"] > 1e-4
    assert changes["conformer"] > 1e-4


def test_a_convolution_reaches_half_its_kernel() -> None:
    torch.manual_seed(0)
    module = conformer.Convolution(8, 5, 0.0).eval()
    x = torch.randn(1, 21, 8)
    moved = x.clone()
    moved[0, 10, 0] += 1
    changed = (module(moved, None) - module(x, None)).abs().amax((0, 2)) > 1e-7
    assert changed.nonzero()[:, 0].tolist() == [8, 9, 10, 11, 12]


@pytest.mark.parametrize("num_frames", [1, 2, 4, 5, 22, 23])
def test_a_token_of_the_subsampling_hears_the_frames_around_its_own(num_frames: int) -> None:
    """Token k stands at frame 4 k; two convolutions of 3 with stride 2 reach 3 frames each way."""
    torch.manual_seed(0)
    module = Subsampling(40, [8, 8], 8).eval()
    frames = torch.randn(1, num_frames, 40, requires_grad=True)
    tokens, mask = module(frames, None)
    assert mask is None
    assert tokens.shape == (1, math.ceil(num_frames / 4), 8)
    for place, token in enumerate(tokens[0]):
        heard = torch.autograd.grad(token.sum(), frames, retain_graph=True)[0].abs().sum((0, 2))
        near = range(max(4 * place - 3, 0), min(4 * place + 4, num_frames))
        assert heard.nonzero()[:, 0].tolist() == list(near)


def test_pooling_is_a_weighted_mean() -> None:
    torch.manual_seed(0)
    frames, mask = padded(50, 1e3)
    mean = MeanPooling()(frames, mask)
    pooling = AttentionPooling(40)
    attended, weights = pooling(frames, mask), pooling.weights(frames, mask)
    for row, length in enumerate(LENGTHS):
        sounding = frames[row, :length]
        assert torch.allclose(mean[row], sounding.mean(0), atol=1e-5)
        scores = (sounding @ pooling.score.weight[0]).exp()
        assert torch.allclose(weights[row, :length], scores / scores.sum(), atol=1e-5)
        assert (weights[row, length:] == 0).all()
        assert torch.allclose(attended[row], (scores / scores.sum()) @ sounding, atol=1e-4)


def test_logits_are_scaled_cosines() -> None:
    torch.manual_seed(0)
    classifier = CosineClassifier(6, 4, 30.0)
    embedded = torch.randn(3, 6)
    expected = 30 * F.cosine_similarity(embedded[:, None], classifier.weight[None], dim=2)
    assert torch.allclose(classifier(embedded), expected, atol=1e-5)
    assert torch.allclose(classifier(7 * embedded), expected, atol=1e-5)
