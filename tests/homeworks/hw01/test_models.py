"""Networks and inputs of homework 1."""

import numpy as np
import pytest
import torch
from torch import nn

from mlspring.homeworks.hw01_regression import features, models
from mlspring.homeworks.hw01_regression.models import SurveyNet
from mlspring.homeworks.hw01_regression.recipe import DataKnobs, ModelKnobs

SAMPLE = ModelKnobs(hidden=[16, 8], activation="relu", linear_path=False, dropout=0.0)
COLUMNS = DataKnobs(
    states=True,
    habits=True,
    changes=False,
    select=0,
    standardise=False,
    target="value",
    split="time",
    held_out=0.2,
    folds=0,
)


def with_knobs(**changes: object) -> DataKnobs:
    return COLUMNS.model_copy(update=changes)


def num_parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def test_the_sample_network_has_the_sample_s_parameters() -> None:
    assert num_parameters(SurveyNet(117, 117, SAMPLE)) == 2033  # with id, as in the notebook
    assert num_parameters(models.build(COLUMNS, SAMPLE)) == 2017  # without


def test_columns_carry_their_name_and_day() -> None:
    names = features.column_names(COLUMNS)
    assert len(names) == 116
    assert names[0] == "AL"
    assert names[37:39] == ["cli 1", "ili 1"]
    assert names[-1] == "worried_finances 5"
    assert [i for i, n in enumerate(names) if n.startswith("tested")] == [52, 68, 84, 100]


def test_illness_and_tests_alone_are_24_columns() -> None:
    names = features.column_names(with_knobs(states=False, habits=False))
    assert len(names) == 24
    assert {name.split()[0] for name in names} == {
        "cli",
        "ili",
        "hh_cmnty_cli",
        "nohh_cmnty_cli",
        "tested_positive",
    }


@pytest.mark.parametrize("states", [True, False])
@pytest.mark.parametrize("habits", [True, False])
def test_the_table_has_the_named_columns(states: bool, habits: bool) -> None:
    knobs = with_knobs(states=states, habits=habits, changes=True)
    survey = np.random.default_rng(0).normal(size=(6, 79))
    table = features.build(np.array([0, 1, 2, 3, 36, 36]), survey, knobs)
    names = features.column_names(knobs)
    assert table.shape == (6, len(names))
    cli = {day: survey[:, 16 * (day - 1)] for day in range(1, 6)}
    np.testing.assert_array_equal(table[:, names.index("cli 3")], cli[3])
    np.testing.assert_array_equal(table[:, names.index("cli 5-4")], cli[5] - cli[4])
    assert "tested_positive 4-3" in names
    assert "tested_positive 5-4" not in names, "that would be the answer"
    if states:
        assert table[:, names.index("WA")].tolist() == [0, 0, 0, 0, 1, 1]


def test_a_change_starts_from_day_4() -> None:
    survey = np.arange(158.0).reshape(2, 79)
    assert features.starting_points(survey, with_knobs(target="change")).tolist() == [63, 142]
    assert features.starting_points(survey, COLUMNS).tolist() == [0, 0]


def test_scores_are_correlations() -> None:
    draw = np.random.default_rng(1)
    table, targets = draw.normal(size=(50, 4)), draw.normal(size=50)
    table[:, 3] = 2.0  # a constant column tells nothing
    expected = [abs(np.corrcoef(table[:, i], targets)[0, 1]) for i in range(3)]
    found = models.scores(torch.from_numpy(table), torch.from_numpy(targets))
    assert found.tolist() == pytest.approx([*expected, 0.0])


def test_scaling_keeps_the_best_columns_and_standardises_them() -> None:
    draw = np.random.default_rng(2)
    targets = draw.normal(size=200)
    table = draw.normal(size=(200, 6))
    table[:, [1, 4]] = 30 + 5 * targets[:, None] + draw.normal(size=(200, 2))
    scaling = models.Scaling(6, 2)
    scaling.fit(torch.from_numpy(table).float(), torch.from_numpy(targets).float(), True)
    assert scaling.kept.tolist() == [1, 4]
    scaled = scaling(torch.from_numpy(table).float())
    torch.testing.assert_close(scaled.mean(0), torch.zeros(2), atol=1e-4, rtol=0)
    torch.testing.assert_close(scaled.std(0, correction=0), torch.ones(2), atol=1e-4, rtol=0)


def test_scaling_leaves_a_constant_column_finite() -> None:
    scaling = models.Scaling(2, 2)
    table = torch.tensor([[1.0, 7.0], [2.0, 7.0], [3.0, 7.0]])
    scaling.fit(table, torch.tensor([1.0, 2.0, 3.0]), True)
    assert torch.isfinite(scaling(table)).all()


def test_without_standardising_columns_pass_as_they_are() -> None:
    scaling, table = models.Scaling(3, 3), torch.rand(4, 3)
    scaling.fit(table, torch.rand(4), False)
    torch.testing.assert_close(scaling(table), table)


def test_the_linear_path_starts_silent_and_adds() -> None:
    knobs = ModelKnobs(hidden=[4], activation="silu", linear_path=True, dropout=0.0)
    model, inputs = SurveyNet(5, 5, knobs), torch.rand(3, 5)
    torch.testing.assert_close(model(inputs), model.layers(inputs).squeeze(1))
    nn.init.ones_(model.linear.weight)
    torch.testing.assert_close(model(inputs), model.layers(inputs).squeeze(1) + inputs.sum(1))


def test_scaling_is_saved_with_the_weights() -> None:
    keys = set(models.build(COLUMNS, SAMPLE).state_dict())
    assert {"scaling.kept", "scaling.mean", "scaling.deviation"} <= keys
