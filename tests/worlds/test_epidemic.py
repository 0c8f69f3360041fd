"""The survey epidemic: layout, truth, and what a forecaster can and cannot know."""

import csv
from pathlib import Path

import numpy as np
import pytest

from mlspring.worlds import epidemic, survey, world
from mlspring.worlds.shards import Shard

SMALL = epidemic.Size(
    num_states=5, train_days=30, gap_days=4, test_windows=6, train_rows=110, test_rows=25
)


@pytest.fixture(scope="module")
def story() -> Shard:
    return epidemic.make(0, 0)


def days_of(rows: np.ndarray) -> np.ndarray:
    """Return (N, 5, 16) with NaN for a missing target."""
    daily = rows[:, len(survey.STATES) :]
    lacking = np.full((len(rows), 80 - daily.shape[1]), np.nan)
    return np.concatenate([daily, lacking], axis=1).reshape(len(rows), 5, 16)


def test_the_header_is_the_course_s() -> None:
    assert len(epidemic.TRAIN_HEADER) == 118
    assert len(epidemic.TEST_HEADER) == 117
    assert epidemic.TRAIN_HEADER[:4] == ("id", "AL", "AK", "AZ")
    assert epidemic.TRAIN_HEADER[37] == "WA"
    assert [i for i, n in enumerate(epidemic.TRAIN_HEADER) if n == "tested_positive"] == [
        53,
        69,
        85,
        101,
        117,
    ]


def test_sizes_are_the_course_s(story: Shard) -> None:
    assert story["train"].shape == (2699, 117)
    assert story["test"].shape == (1078, 116)
    assert (story["train"][:, :37].sum(1) == 1).all()
    assert len(np.unique(story["train"][:, :37].argmax(1))) == 37


def test_one_seed_one_story_and_another_seed_another() -> None:
    first, again, other = (epidemic.make(seed, 0, SMALL) for seed in (0, 0, 1))
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert not np.array_equal(first["answers"], other["answers"])


def test_the_bytes_do_not_depend_on_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = epidemic.epidemic_world(SMALL, name="epidemic-small")
    contents = []
    for processes in (1, 2):
        monkeypatch.setenv("MLSPRING_HOME", str(tmp_path / str(processes)))
        place = world.build(small, processes=processes)
        files = sorted(p for p in place.rglob("*.*") if p.name != "manifest.json")
        contents.append([(p.name, p.read_bytes()) for p in files])
    assert contents[0] == contents[1]


def test_answers_lie_apart_and_fit_the_test_rows(tmp_path: Path) -> None:
    place = world.build(epidemic.epidemic_world(SMALL, name="epidemic-small"), processes=1)
    with (place / "private" / "answers.csv").open() as stream:
        answers = list(csv.DictReader(stream))
    with (place / "public" / "covid.test.csv").open() as stream:
        ids = [row[0] for row in csv.reader(stream)][1:]
    assert [row["id"] for row in answers] == ids == [str(i) for i in range(25)]
    assert {row["Usage"] for row in answers} == {"Public", "Private"}
    public = sorted(p.name for p in (place / "public").iterdir())
    assert public == ["covid.test.csv", "covid.train.csv", "facts.json"]
    assert answers[0]["tested_positive"] not in (place / "public" / "covid.test.csv").read_text()


def test_train_ids_skip_one_as_in_the_course(tmp_path: Path) -> None:
    place = world.build(epidemic.epidemic_world(SMALL, name="epidemic-small"), processes=1)
    with (place / "public" / "covid.train.csv").open() as stream:
        ids = [int(row[0]) for row in csv.reader(stream) if row[0] != "id"]
    assert ids == [i for i in range(110) if i != 110 * 5 // 6]


def test_ranges_are_near_the_course_s_table(story: Shard) -> None:
    """Means of the official training file, measured; a third off is near enough."""
    official = {
        "cli": 0.94,
        "ili": 0.96,
        "hh_cmnty_cli": 15.3,
        "nohh_cmnty_cli": 11.5,
        "wearing_mask": 51.4,
        "travel_outside_state": 15.9,
        "work_outside_home": 33.0,
        "shop": 66.4,
        "restaurant": 34.8,
        "spent_time": 44.8,
        "large_event": 20.0,
        "public_transit": 4.68,
        "anxious": 11.9,
        "depressed": 9.98,
        "worried_finances": 34.8,
        "tested_positive": 9.71,
    }
    means = days_of(story["train"]).mean(axis=(0, 1))
    for name, mean in zip(survey.COLUMNS, means, strict=True):
        assert mean == pytest.approx(official[name], rel=0.34), name


def test_the_second_wave_is_higher(story: Shard) -> None:
    train, test = days_of(story["train"]), days_of(story["test"])
    assert test[:, 3, 15].mean() > 1.2 * train[:, 3, 15].mean()
    assert story["answers"].max() > train[:, 4, 15].max()


def test_test_windows_share_no_day(story: Shard) -> None:
    """No window's values stand in another, neither in the test nor in training."""
    test, train = days_of(story["test"])[:, :4], days_of(story["train"])
    values = test[..., 15].ravel()
    assert len(np.unique(values)) == len(values)
    assert not np.isin(values, train[..., 15]).any()
    assert not np.isin(story["answers"], np.concatenate([values, train[..., 15].ravel()])).any()


def test_illness_leads_and_mood_distracts(story: Shard) -> None:
    """Today's change in illness tells of the next changes in positive tests; mood does not."""
    days = days_of(story["train"])
    coming = days[:, 4, 15] - days[:, 3, 15]
    change = days[:, 3] - days[:, 2]
    tells = {
        name: abs(np.corrcoef(change[:, i], coming)[0, 1])
        for i, name in enumerate(survey.COLUMNS[:-1])
    }
    assert min(tells["cli"], tells["ili"]) > 0.35
    assert max(tells[name] for name in (*survey.BEHAVIOUR, *survey.MOOD)) < 0.2


def test_published_values_are_means_of_seven_days() -> None:
    daily = np.arange(20.0)[:, None] ** 2
    published = survey.weekly(daily)
    assert published[12, 0] == pytest.approx(daily[6:13].mean())
    assert published[0, 0] == daily[0, 0]


def noisy_survey(num_days: int, deviation: float, seed: int) -> survey.Survey:
    """Return one state's survey whose truth is flat: 10 % positive plus sampling noise."""
    draw = np.random.default_rng(seed)
    values = np.zeros((num_days, 1, 16))
    values[:, :, 15] = survey.weekly(10 + deviation * draw.normal(size=(num_days, 1)))
    return survey.Survey(
        values=values,
        expected_positive=np.full((num_days, 1), 10.0),
        positive_variance=np.full((num_days, 1), deviation**2),
    )


def test_the_floor_is_what_the_best_linear_forecast_leaves() -> None:
    """With a flat truth the floor equals the residual of least squares on days 1 to 4."""
    told = noisy_survey(40_000, 3.0, seed=1)
    days = np.arange(20, 40_000)
    left, forecast = survey.noise_floor(told, days, np.zeros_like(days)).T
    series = told.values[:, 0, 15]
    lags = np.stack([series[days - k] for k in (4, 3, 2, 1)] + [np.ones(len(days))], axis=1)
    weights = np.linalg.lstsq(lags, series[days], rcond=None)[0]
    fitted = np.mean((lags @ weights - series[days]) ** 2)
    assert left[0] == pytest.approx(fitted, rel=0.02)
    assert np.mean((forecast - series[days]) ** 2) == pytest.approx(left[0], rel=0.02)


def test_the_floor_closed_form_for_one_noise() -> None:
    """The day's own noise is a seventh of a draw; that much nobody can know."""
    told = noisy_survey(100, 7.0, seed=0)
    left = survey.noise_floor(told, np.array([50]), np.array([0]))[0, 0]
    assert 1.0 < left < 2.0  # the entering draw has variance 1, the leaving one is partly known


def test_no_reader_of_the_survey_passes_the_floor(story: Shard) -> None:
    variance, forecast = story["floor"].T
    oracle = np.mean((forecast - story["answers"]) ** 2)
    assert oracle == pytest.approx(variance.mean(), rel=0.15)
    lag = story["test"][:, -16]
    assert oracle < 0.6 * np.mean((lag - story["answers"]) ** 2)


def test_the_epidemic_neither_dies_nor_explodes() -> None:
    for seed in range(4):
        onset, prevalence = epidemic.simulate(epidemic.FULL, np.random.default_rng(seed))
        assert onset.min() > 0
        assert prevalence.min() > 1e-5
        assert prevalence.max() < 0.1
