"""The convolution below BERT, against its formula; what padding and the blocks above it see."""

import pytest
import torch
from torch.nn import functional as F

from mlspring.core.errors import RecipeError
from mlspring.homeworks.hw07_reading.models import MaskedNet, ReadingNet, config_of
from mlspring.kit.bert import Embeddings
from tests.homeworks.hw07.tools import load

KNOBS = ["encoder.width=16", "encoder.heads=2", "encoder.feed_forward=16", "encoder.layers=1"]


def config(*overrides: str) -> dict[str, object]:
    recipe = load(*KNOBS, *overrides)
    return config_of(recipe.encoder, recipe.window, 50)


@pytest.mark.parametrize("span", [1, 5])
def test_neighbours_are_added_as_the_formula_says(span: int) -> None:
    torch.manual_seed(0)
    bert = ReadingNet(config(f"encoder.convolution={span}")).bert.eval()
    own = bert.embeddings
    assert isinstance(own, Embeddings)
    ids, segments = torch.randint(1, 50, (2, 9)), torch.zeros(2, 9, dtype=torch.int64)
    plain = super(Embeddings, own).forward(ids, token_type_ids=segments)
    weight = own.neighbours.weight
    around = F.pad(plain, (0, 0, span // 2, span // 2))
    near = own.neighbours.bias + sum(around[:, k : k + 9] @ weight[:, :, k].T for k in range(span))
    expected = F.layer_norm(plain + F.gelu(near), (16,))
    torch.testing.assert_close(own(ids, token_type_ids=segments), expected, rtol=1e-4, atol=1e-5)


def test_padding_changes_no_logit_of_a_token() -> None:
    network = ReadingNet(config("encoder.convolution=5")).eval()
    ids, segments = torch.randint(1, 50, (1, 7)), torch.ones(1, 7, dtype=torch.int64)
    alone = network(ids, segments)
    padded = network(F.pad(ids, (0, 4)), F.pad(segments, (0, 4)))
    torch.testing.assert_close(padded[:, :, :7], alone, rtol=1e-4, atol=1e-5)


def test_the_convolution_keeps_the_first_weights_of_bert() -> None:
    torch.manual_seed(0)
    plain = MaskedNet(config("encoder.convolution=0")).bert.embeddings
    torch.manual_seed(0)
    other = MaskedNet(config("encoder.convolution=5")).bert.embeddings
    assert torch.equal(plain.word_embeddings.weight, other.word_embeddings.weight)
    assert torch.equal(plain.position_embeddings.weight, other.position_embeddings.weight)


def test_a_convolution_of_an_even_width_is_refused() -> None:
    with pytest.raises(RecipeError, match="must be odd"):
        load("encoder.convolution=4")
