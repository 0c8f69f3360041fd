"""The zoo: sizes, families, pixels in and logits out; the judge's networks are others."""

import ast
from pathlib import Path
from typing import get_args

import pytest
import torch
from torch import nn

from mlspring.homeworks.hw10_attack import models, sealed
from mlspring.homeworks.hw10_attack.cifar_resnet import ResNet
from mlspring.homeworks.hw10_attack.recipe import GIVEN, NetworkName
from mlspring.kit.image_augment import to_input

BUILDS = {
    **dict.fromkeys(models.PROXIES, models.build),
    **dict.fromkeys(sealed.SEALED, sealed.build),
}


def num_weights(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("name", BUILDS)
def test_a_network_is_small_and_takes_pixels(name: str) -> None:
    network = BUILDS[name](name).eval()
    assert 50_000 <= num_weights(network) <= 400_000
    pixels = torch.randint(0, 256, (3, 32, 32, 3), dtype=torch.uint8)
    logits = network(pixels.permute(0, 3, 1, 2).float())
    assert logits.shape == (3, 10)
    # the same as what its body was trained on
    torch.testing.assert_close(logits, network.body(to_input(pixels)), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(network(pixels[1:2].permute(0, 3, 1, 2).float())[0], logits[1],
                               rtol=1e-4, atol=1e-4)  # fmt: skip


def test_recipes_know_the_names() -> None:
    assert set(get_args(NetworkName)) == set(models.PROXIES) | set(GIVEN)
    assert len(models.PROXIES) >= 8


def test_both_norms_and_the_families_are_there() -> None:
    kinds = {name: {type(m) for m in models.build(name).modules()} for name in models.PROXIES}
    for name, found in kinds.items():
        wanted, other = (nn.BatchNorm2d, nn.GroupNorm)[:: 1 if name.endswith("_bn") else -1]
        assert wanted in found and other not in found
    for block in (models.Residual, models.PreActivation, models.Dense, models.Gate):
        assert any(block in found for found in kinds.values())


def test_all_shipped_weights_fit_into_eight_megabytes() -> None:
    halves = 2 * sum(num_weights(build(name)) for name, build in BUILDS.items())
    assert halves < 7_500_000


def test_no_proxy_is_of_the_judge_s_families() -> None:
    own = {type(m) for n in models.PROXIES for m in models.build(n).modules()}
    for name in sealed.SEALED:
        assert {type(m) for m in sealed.build(name).modules()} - own, f"{name} has nothing new"
    assert {m.network for m in sealed.MEMBERS} == set(sealed.SEALED)
    assert {m.defence for m in sealed.MEMBERS} == {"none", "jpeg", "median", "bits"}


def test_only_the_judge_reads_the_judge_s_networks() -> None:
    folder = Path(models.__file__).parent
    for file in folder.glob("*.py"):
        names = {
            name
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom)
            for name in (node.module or "", *(alias.name for alias in node.names))
        }
        assert any("sealed" in name for name in names) == (file.name == "score.py"), file.name


def test_the_published_residual_networks_have_the_paper_s_size() -> None:
    assert num_weights(ResNet(3)) == 269_722  # 0.27 million, as published
    assert num_weights(ResNet(5)) == 464_154
    assert ResNet(3).eval()(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
