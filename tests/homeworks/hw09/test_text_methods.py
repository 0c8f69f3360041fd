"""Attention's aims and the geometry of vectors, against closed forms."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA

from mlspring.homeworks.hw09_explain.text import attention, embeddings
from mlspring.homeworks.hw09_explain.text.encoder import encode, own_tokenizer

TEXT, QUESTION = "小明在夜市買了兩斤蘋果。", "誰買了蘋果？"
ONE = encode(own_tokenizer(), TEXT, QUESTION)
ANSWER = ONE.inside(0, 2)
LENGTH = len(ONE.ids)


def looking(where: torch.Tensor) -> torch.Tensor:
    """Return attention of one head that looks at one place from each token: (1, 1, L, L)."""
    return torch.nn.functional.one_hot(where, LENGTH).float()[None, None]


def test_a_head_that_looks_at_its_aim_has_all_of_it() -> None:
    aims = attention.aims_of(ONE, ANSWER)
    assert set(aims) == set(attention.AIMS)
    place = torch.arange(LENGTH)
    for aim, where in (
        ("previous", (place - 1).clamp(min=0)),
        ("next", (place + 1).clamp(max=LENGTH - 1)),
        ("itself", place),
        ("[CLS]", torch.zeros_like(place)),
        ("[SEP]", torch.full_like(place, LENGTH - 1)),
        ("answer", torch.full_like(place, 8)),
    ):
        assert attention.shares(looking(where), aims[aim]).item() == pytest.approx(1), aim
    back = attention.shares(looking((place - 1).clamp(min=0)), aims["next"]).item()
    assert back == 0


def test_the_same_token_is_looked_for_elsewhere_only() -> None:
    aim = attention.aims_of(ONE, ANSWER)["same token"]
    pairs = {(ONE.names[a], ONE.names[b]) for a, b in aim.nonzero().tolist()}
    assert pairs == {(c, c) for c in "買了蘋果"}
    assert not aim.diagonal().any()
    assert not attention.aims_of(ONE, ANSWER)["answer"][8:].any(), "only the question asks"


def test_a_head_that_looks_everywhere_has_the_even_share() -> None:
    even = torch.full((2, 3, LENGTH, LENGTH), 1 / LENGTH)
    for aim, mask in attention.aims_of(ONE, ANSWER).items():
        found = attention.shares(even, mask)
        assert found.shape == (2, 3)
        assert found[0, 0].item() == pytest.approx(attention.even_share(mask), rel=1e-4), aim
    nothing = torch.zeros(LENGTH, LENGTH, dtype=torch.bool)
    assert attention.shares(even, nothing).isnan().all()


def test_principal_components_are_those_of_scikit_learn_and_of_numpy() -> None:
    vectors = torch.randn(20, 6, generator=torch.Generator().manual_seed(0)).double()
    places, shares = embeddings.principal(vectors)
    other = PCA(2).fit(vectors.numpy())
    assert np.allclose(places.abs(), np.abs(other.transform(vectors.numpy())), atol=1e-8)
    assert np.allclose(shares, other.explained_variance_ratio_)
    _, sizes, _ = np.linalg.svd(vectors.numpy() - vectors.numpy().mean(0))
    assert np.allclose(shares, sizes[:2] ** 2 / (sizes**2).sum())
    turned, _ = embeddings.principal(-vectors + 3)
    largest = places.gather(0, places.abs().argmax(0, keepdim=True))
    assert (largest > 0).all()
    assert torch.allclose(turned.abs(), places.abs())


def test_vectors_that_are_all_the_same_explain_nothing() -> None:
    places, shares = embeddings.principal(torch.ones(5, 4))
    assert places.abs().max() == 0
    assert shares.tolist() == [0, 0]


@pytest.mark.parametrize("name", ["Euclidean", "cosine"])
def test_distances_are_those_of_scipy(name: str) -> None:
    a, b = (torch.randn(5, 7, generator=torch.Generator().manual_seed(k)) for k in (1, 2))
    found = embeddings.DISTANCES[name](a, b)
    assert np.allclose(found, cdist(a.numpy(), b.numpy(), name.lower()), atol=1e-6)
    assert embeddings.DISTANCES[name](a, a).diagonal().abs().max() < 1e-6


def test_a_known_embedding_has_known_distances() -> None:
    vectors = torch.tensor([[3.0, 0.0], [0.0, 4.0], [-6.0, 0.0]])
    assert embeddings.euclidean(vectors, vectors)[0].tolist() == [0, 5, 9]
    assert embeddings.cosine(vectors, vectors)[0].tolist() == pytest.approx([0, 1, 2])


def test_senses_that_lie_apart_have_a_ratio_above_one() -> None:
    first = torch.tensor([True, True, False, False])
    table = torch.tensor([[0.0, 1, 4, 4], [1, 0, 4, 4], [4, 4, 0, 3], [4, 4, 3, 0]])
    assert embeddings.senses_apart(table, first) == pytest.approx(4 / 2)
    alike = 1 - torch.eye(4)
    assert embeddings.senses_apart(alike, first) == pytest.approx(1)
    assert embeddings.mean_distance(table, first, first) == 1


def test_the_best_head_is_counted_from_one() -> None:
    assert attention.best_head([[0.1, 0.2], [0.3, 0.9], [0.4, 0.4]]) == (2, 2)
