"""Networks of homework 11 against the notebook's numbers, and who learns from which loss."""

import pytest
import torch
from torch import Tensor, nn

from mlspring.core.errors import RecipeError
from mlspring.core.recipe import load_recipe
from mlspring.homeworks.hw11_adaptation import adapt, losses, models
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.homeworks.hw11_adaptation.spec import SPEC


def recipe(*overrides: str) -> Recipe:
    path = SPEC.folder / "recipes" / "world" / "simple.toml"
    return load_recipe(Recipe, path, ["model.width=4", *overrides])


def asking(knobs: Recipe, *, asked: bool = True, refined: bool = False) -> adapt.Phase:
    return adapt.Phase(weight=knobs.adapt.weight, asked=asked, refined=refined, taught=False)


def num_parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_the_sample_networks_have_the_sample_s_parameters() -> None:
    with torch.device("meta"):
        assert num_parameters(models.PlainExtractor(64)) == 2_142_336
        assert num_parameters(models.LabelPredictor(512, 10)) == 530_442
        assert num_parameters(models.DomainClassifier(512)) == 1_055_233


@pytest.mark.parametrize("side", [32, 64])
@pytest.mark.parametrize("name", ["plain", "residual", "deep"])
def test_features_have_eight_times_the_width(name: str, side: int) -> None:
    model = models.build(recipe(f"model.name={name}"), num_classes=7)
    assert model.extract(torch.rand(2, 1, side, side)).shape == (2, 32)
    assert model(torch.rand(2, 1, side, side))[0].shape == (2, 7)


def test_the_deep_network_halves_once_more_and_ends_in_one_layer() -> None:
    sides = []
    for name in ("residual", "deep"):
        model = models.build(recipe(f"model.name={name}"), num_classes=7)
        maps = nn.Sequential(*list(model.extract)[:-2])(torch.rand(2, 1, 64, 64))
        sides.append(maps.shape[-1])
    assert sides == [8, 4]
    assert num_parameters(model.classify) == 7 * (32 + 1)


def test_codes_come_last_and_only_in_training() -> None:
    for method in ("source_only", "dann", "mcd"):
        knobs = recipe(f"adapt.method={method}", "adapt.twins=0.5")
        model = models.build(knobs, num_classes=3).train()
        images = torch.rand(8, 1, 32, 32)
        *_, codes = model(images, 0.5, 4)
        assert codes.shape == (8, models.CODE)
        assert models.CODE not in [output.shape[1] for output in model.eval()(images, 0.5, 4)]


def test_twins_are_asked_from_the_first_step_and_of_their_own_domain() -> None:
    knobs = recipe("adapt.twins=2.0", "adapt.photo_twins=0.5", "adapt.entropy=0.1")
    codes = torch.randn(16, 5, requires_grad=True)
    outputs = (torch.zeros(16, 3), torch.zeros(16, 1), codes)
    labels = torch.tensor([0, 1, 2, 0] * 2)  # 4 photos, 4 twins
    found = adapt.terms(knobs, outputs, labels, None, asking(knobs, asked=False))
    assert set(found) == {"class", "domain", "twins", "photo_twins"}
    torch.testing.assert_close(found["twins"], 2 * losses.instance_loss(codes[8:]))
    torch.testing.assert_close(found["photo_twins"], 0.5 * losses.instance_loss(codes[:8]))


def test_each_domain_has_its_own_statistics() -> None:
    """Photos a hundred times as bright change nothing for drawings, as they do in one batch."""
    photos, drawings = torch.rand(6, 1, 32, 32), torch.rand(6, 1, 32, 32)
    for norm in ("own", "shared"):
        torch.manual_seed(0)
        model = models.build(recipe(f"model.norm={norm}"), num_classes=3).train()
        answers = [
            model(torch.cat((factor * photos, drawings)), 0.0, 6)[0][6:] for factor in (1, 100)
        ]
        assert torch.allclose(*answers, atol=1e-5) == (norm == "own")


def test_own_statistics_are_learnt_apart_and_used_apart() -> None:
    norm = models.OwnNorm(2).train()
    norm.num_photos = 400
    x = torch.cat((5 + 2 * torch.randn(400, 2, 3, 3), torch.randn(400, 2, 3, 3) - 1))
    for _ in range(100):
        found = norm(x)
    for part in (found[:400], found[400:]):
        assert part.mean().item() == pytest.approx(0, abs=1e-5)
        assert part.std().item() == pytest.approx(1, abs=1e-3)
    assert norm.photo_mean.tolist() == pytest.approx([5, 5], abs=0.2)
    assert norm.photo_var.tolist() == pytest.approx([4, 4], abs=0.4)
    assert norm.running_mean.tolist() == pytest.approx([-1, -1], abs=0.1)
    norm.eval()
    torch.testing.assert_close(norm(x), found, atol=0.02, rtol=0.01)
    norm.num_photos = 0  # drawings alone
    torch.testing.assert_close(norm(x[400:]), found[400:], atol=0.02, rtol=0.01)
    norm.num_photos = 400  # photos alone
    torch.testing.assert_close(norm(x[:400]), found[:400], atol=0.02, rtol=0.01)


def test_own_statistics_need_drawings_in_the_batch() -> None:
    assert not recipe("adapt.method=source_only").sees_drawings
    assert recipe("adapt.method=source_only", "model.norm=own").sees_drawings
    assert recipe("adapt.method=source_only", "adapt.entropy=0.1").sees_drawings
    assert recipe("adapt.method=source_only", "adapt.twins=0.1").sees_drawings


@pytest.mark.parametrize(
    ("method", "shapes"),
    [
        ("source_only", [(4, 3)]),
        ("dann", [(4, 3), (4, 1)]),
        ("mcd", [(4, 3)] * 4),
    ],
)
def test_each_method_gets_the_outputs_it_needs(method: str, shapes: list[tuple[int, ...]]) -> None:
    model = models.build(recipe(f"adapt.method={method}"), num_classes=3)
    assert [tuple(output.shape) for output in model(torch.rand(4, 1, 32, 32), 0.5)] == shapes


def gradients(method: str, term: str, weight: float) -> dict[str, list[Tensor]]:
    """Gradients of one term of the loss, by part of the network."""
    torch.manual_seed(0)
    knobs = recipe(f"adapt.method={method}", "adapt.balance=1.0")
    model = models.build(knobs, num_classes=3).double().train()
    outputs = model(torch.rand(8, 1, 32, 32, dtype=torch.float64), weight)
    labels = torch.tensor([0, 1, 2, 0])
    found = adapt.terms(knobs, outputs, labels, None, asking(knobs))[term]
    found.backward()
    parts = {"extract": model.extract, "classify": model.classify, "opponent": model.opponent}
    return {
        name: [p.grad.clone() for p in part.parameters() if p.grad is not None]
        for name, part in parts.items()
    }


def test_dann_s_extractor_learns_against_the_domain_classifier() -> None:
    against, along = gradients("dann", "domain", 1.0), gradients("dann", "domain", -1.0)
    for one, other in zip(against["extract"], along["extract"], strict=True):
        torch.testing.assert_close(one, -other)
    for one, other in zip(against["opponent"], along["opponent"], strict=True):
        torch.testing.assert_close(one, other)
    assert against["classify"] == []
    assert all(g.abs().max() == 0 for g in gradients("dann", "domain", 0.0)["extract"])


def test_mcd_s_predictors_part_where_its_extractor_joins_them() -> None:
    found = gradients("mcd", "discrepancy", 1.0)
    plain = gradients("mcd", "discrepancy", -1.0)  # without reversal: all raise the discrepancy
    for part in ("classify", "opponent"):
        for one, other in zip(found[part], plain[part], strict=True):
            torch.testing.assert_close(one, other)
    for one, other in zip(found["extract"], plain["extract"], strict=True):
        torch.testing.assert_close(one, -other)


def test_a_step_along_mcd_s_gradients_does_what_its_names_say() -> None:
    torch.manual_seed(1)
    knobs = recipe("adapt.method=mcd")
    model = models.build(knobs, num_classes=3).double().train()
    images = torch.rand(12, 1, 32, 32, dtype=torch.float64)
    labels = torch.tensor([0, 1, 2, 0, 1, 2])
    quiet = asking(knobs, asked=False)

    def gap() -> float:
        with torch.no_grad():
            return -adapt.terms(knobs, model(images, 1.0), labels, None, quiet)[
                "discrepancy"
            ].item()

    def gap_after(*moving: nn.Module) -> float:
        model.zero_grad()
        adapt.terms(knobs, model(images, 1.0), labels, None, quiet)["discrepancy"].backward()
        kept = {name: value.clone() for name, value in model.state_dict().items()}
        torch.optim.SGD([p for part in moving for p in part.parameters()], 1e-3).step()
        found = gap()
        model.load_state_dict(kept)
        return found

    assert gap_after(model.classify, model.opponent) > gap() > gap_after(model.extract)


def test_terms_wait_until_they_are_asked() -> None:
    knobs = recipe("adapt.entropy=0.1", "adapt.balance=0.2")
    model = models.build(knobs, num_classes=3)
    outputs = model(torch.rand(8, 1, 32, 32), 0.0)
    labels = torch.tensor([0, 1, 2, 0])
    quiet = asking(knobs, asked=False)
    assert set(adapt.terms(knobs, outputs, labels, None, quiet)) == {"class", "domain"}
    assert set(adapt.terms(knobs, outputs, labels, None, asking(knobs))) == {
        "class", "domain", "entropy", "balance",
    }  # fmt: skip


def test_the_reversed_weight_rises_or_stays() -> None:
    steady = recipe("adapt.weight=0.5", "adapt.schedule=constant").adapt
    rising = recipe("adapt.weight=0.5", "adapt.schedule=rising").adapt
    assert [adapt.phase(steady, p).weight for p in (0.0, 1.0)] == [0.5, 0.5]
    assert adapt.phase(rising, 0.0).weight == 0
    assert adapt.phase(rising, 1.0).weight == pytest.approx(0.5, abs=1e-4)


def test_a_step_asks_what_its_share_of_the_steps_says() -> None:
    teacher = ("adapt.pseudo=1.0", "adapt.stay=1.0", "train.ema_decay=0.9")
    knobs = recipe("adapt.start=0.25", "adapt.refine=0.5", *teacher).adapt
    found = [adapt.phase(knobs, done) for done in (0.0, 0.24, 0.25, 0.49, 0.5, 0.99)]
    assert [now.asked for now in found] == [False, False, True, True, True, True]
    assert [now.refined for now in found] == [False] * 4 + [True] * 2
    assert [now.taught for now in found] == [now.asked for now in found]
    assert not adapt.phase(recipe().adapt, 0.999).refined


def test_refinement_learns_from_drawings_alone_and_stays_near_its_teacher() -> None:
    torch.manual_seed(0)
    knobs = recipe("adapt.stay=2.0", "adapt.entropy=0.1", "train.ema_decay=0.9")
    model = models.build(knobs, num_classes=3)
    outputs = model(torch.rand(8, 1, 32, 32), 1.0)
    outputs[0].retain_grad()
    teacher = torch.rand(4, 3)
    labels = torch.tensor([0, 1, 2, 0])
    before = adapt.terms(knobs, outputs, labels, None, asking(knobs))
    found = adapt.terms(knobs, outputs, labels, teacher, asking(knobs, refined=True))
    assert set(found) == {"class", "domain", "entropy", "stay"}
    assert found["class"].item() == before["class"].item()  # told, as before
    guessed, target = outputs[0][4:].log_softmax(1), teacher.softmax(1)
    expected = 2 * (target * (target.log() - guessed)).sum(1).mean()
    torch.testing.assert_close(found["stay"], expected)
    sum(found.values()).backward()
    assert outputs[0].grad[:4].abs().max() == 0
    assert outputs[0].grad[4:].abs().max() > 0
    assert all(p.grad.abs().max() == 0 for p in model.opponent.parameters())


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("adapt.stay=1.0",), "needs? a teacher"),
        (("adapt.refine=0.1", "adapt.method=source_only"), "nothing to learn from"),
    ],
)
def test_what_refinement_needs_is_demanded(overrides: tuple[str, ...], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe(*overrides)
