"""What a daily symptom survey reports about an epidemic: sixteen columns, seven-day means.

Modelled on the survey of the Delphi group (Salomon et al. 2021, PNAS 118:e2111454118): every
published value is the mean of the last seven days, so that two neighbouring days share six. The
step from one day to the next is a seventh of what enters minus a seventh of what leaves, and the
noise in both is why no model can do better than the floor that ``noise_floor`` computes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STATES = tuple(
    """AL AK AZ AR CA CO CT FL GA ID IL IN IA KS KY LA MD MA MI MN MS MO NE NV NJ NM NY NC OH OK OR
    RI SC TX UT VA WA""".split()  # noqa: SIM905 (a list of words reads best as words)
)
ILLNESS = ("cli", "ili", "hh_cmnty_cli", "nohh_cmnty_cli")
BEHAVIOUR = (
    "wearing_mask",
    "travel_outside_state",
    "work_outside_home",
    "shop",
    "restaurant",
    "spent_time",
    "large_event",
    "public_transit",
)
MOOD = ("anxious", "depressed", "worried_finances")
COLUMNS = (*ILLNESS, *BEHAVIOUR, *MOOD, "tested_positive")
SMOOTHING = 7  # days in a published value


@dataclass(frozen=True, kw_only=True)
class Habit:
    """How one behaviour or mood column moves; percentages of respondents.

    Args:
        mean: typical value; ``spread`` its standard deviation over states.
        awareness: change when the epidemic is as high as in a bad week of the first wave.
        drift: change over the whole story: policies end, people tire.
        wander: standard deviation of a slow walk of each state's own.
        noise: standard deviation of one day's sample.
    """

    mean: float
    spread: float
    awareness: float
    drift: float
    wander: float
    noise: float


HABITS = {
    "wearing_mask": Habit(mean=49, spread=12, awareness=7, drift=16, wander=6, noise=1.6),
    "travel_outside_state": Habit(mean=16, spread=4, awareness=-2, drift=-3, wander=2, noise=1.5),
    "work_outside_home": Habit(mean=32, spread=3, awareness=2.5, drift=2, wander=1.5, noise=1.9),
    "shop": Habit(mean=67, spread=1.5, awareness=-2, drift=-2, wander=1.2, noise=1.9),
    "restaurant": Habit(mean=36, spread=3, awareness=-2.5, drift=-4, wander=2, noise=1.9),
    "spent_time": Habit(mean=45, spread=2.5, awareness=-2, drift=-2.5, wander=1.5, noise=2.0),
    "large_event": Habit(mean=20, spread=2.5, awareness=2, drift=3, wander=2, noise=1.6),
    "public_transit": Habit(
        mean=4.7, spread=1.9, awareness=-0.8, drift=0.3, wander=0.4, noise=0.85
    ),
    "anxious": Habit(mean=11, spread=1.1, awareness=2.2, drift=1.5, wander=0.9, noise=1.7),
    "depressed": Habit(mean=9.5, spread=0.9, awareness=1.4, drift=1, wander=0.7, noise=1.6),
    "worried_finances": Habit(mean=34, spread=2.5, awareness=2.5, drift=2, wander=1.5, noise=2.5),
}


@dataclass(frozen=True, kw_only=True)
class Survey:
    """Published values of every day and state, and the noise in the positive tests.

    Args:
        values: percentages, shape (days, states, 16), columns as in ``COLUMNS``.
        expected_positive: the last column without its sampling noise; (days, states).
        positive_variance: variance of one day's sampling noise in it; (days, states).
    """

    values: Floats
    expected_positive: Floats
    positive_variance: Floats


def observe(onset: Floats, prevalence: Floats, rng: np.random.Generator) -> Survey:
    """Return the survey of an epidemic.

    Illness is asked about on the day itself; tests follow the onset by about four days, so that
    the illness columns lead. Positive tests saturate: where many are ill, everybody is tested.

    Args:
        onset: people who fall ill that day, share of the population; (days, states).
        prevalence: people who are ill that day, likewise.
        rng: the source of every random draw.
    """
    num_states = onset.shape[1]
    illness = _illness(prevalence, rng)
    awareness = trailing(prevalence, 10.0) / 0.005
    habits = np.stack([_habit(HABITS[name], awareness, rng) for name in BEHAVIOUR + MOOD], axis=2)
    tested = delayed(onset) * 5.0
    half = 0.030 * np.exp(rng.normal(0, 0.35, num_states))  # onsets at which half are positive
    positive = 100 * tested / (tested + half)
    deviation = 0.6 * positive / (1 + positive / 9.0) * np.exp(rng.normal(0, 0.15, num_states))
    daily = positive + deviation * rng.normal(size=positive.shape)
    values = np.concatenate([illness, habits, daily[:, :, None]], axis=2)
    return Survey(
        values=np.clip(weekly(values), 0.05, 99.0),
        expected_positive=weekly(positive),
        positive_variance=deviation**2,
    )


def noise_floor(survey: Survey, days: NDArray[np.int64], states: NDArray[np.int64]) -> Floats:
    """Return what an all-knowing forecaster cannot know: variance and forecast, shape (N, 2).

    The forecaster sees the true epidemic of every day and the published positive tests of days 1
    to 4. What is left of day 5 is noise of a known covariance, since neighbouring weekly means
    share days: a conditional Gaussian. No predictor that reads the survey alone can have a smaller
    expected squared error.

    Args:
        survey: the whole survey.
        days: index of each window's fifth day.
        states: index of each window's state.
    """
    share = np.zeros((5, SMOOTHING + 4))  # which daily noises make up each of the five means
    for day in range(5):
        share[day, day : day + SMOOTHING] = 1 / SMOOTHING
    reach = days[:, None] + np.arange(-SMOOTHING - 3, 1)  # (N, 11)
    variance = survey.positive_variance[reach, states[:, None]]  # (N, 11)
    covariance = np.einsum("ik,nk,jk->nij", share, variance, share)  # (N, 5, 5)
    weights = np.linalg.solve(covariance[:, :4, :4], covariance[:, :4, 4:])[:, :, 0]  # (N, 4)
    left = covariance[:, 4, 4] - (weights * covariance[:, :4, 4]).sum(1)
    window = days[:, None] + np.arange(-4, 1)
    expected = survey.expected_positive[window, states[:, None]]  # (N, 5)
    noise = survey.values[window, states[:, None], -1] - expected
    forecast = expected[:, 4] + (weights * noise[:, :4]).sum(1)
    return np.stack([left, forecast], axis=1)


def weekly(daily: Floats) -> Floats:
    """Return the mean of each day and the six before it along the first axis."""
    padded = np.concatenate([np.repeat(daily[:1], SMOOTHING - 1, axis=0), daily])
    total = np.cumsum(np.concatenate([np.zeros_like(daily[:1]), padded]), axis=0)
    means: Floats = (total[SMOOTHING:] - total[:-SMOOTHING]) / SMOOTHING
    return means


def trailing(daily: Floats, days: float) -> Floats:
    """Return the exponential mean of the past with a memory of ``days`` days."""
    keep, means = np.exp(-1 / days), np.empty_like(daily)
    means[0] = daily[0]
    for day in range(1, len(daily)):
        means[day] = keep * means[day - 1] + (1 - keep) * daily[day]
    return means


def delayed(daily: Floats) -> Floats:
    """Return ``daily`` spread over the days after it: 2 to 6 days later, mostly 4."""
    weights = {3: 0.1, 4: 0.25, 5: 0.3, 6: 0.25, 7: 0.1}
    out = np.zeros_like(daily)
    for days, weight in weights.items():
        out += weight * np.concatenate([np.repeat(daily[:1], days, axis=0), daily[:-days]])
    return out


def walk(shape: tuple[int, int], days: float, deviation: float, rng: np.random.Generator) -> Floats:
    """Return Ornstein-Uhlenbeck walks around zero, (days, states), started in equilibrium."""
    keep = np.exp(-1 / days)
    steps = rng.normal(size=shape) * deviation
    steps[1:] *= np.sqrt(1 - keep**2)
    for day in range(1, shape[0]):
        steps[day] += keep * steps[day - 1]
    return steps


def _illness(prevalence: Floats, rng: np.random.Generator) -> Floats:
    """Return the four illness columns, percentages, (days, states, 4), one value a day."""
    shape = (prevalence.shape[0], prevalence.shape[1])
    honesty = np.exp(rng.normal(0, 0.35, shape[1]))  # how readily a state's people say they are ill
    flu = 0.25 * np.exp(walk(shape, 40.0, 0.35, rng))  # other illness with the same signs
    ill = 100 * prevalence * 2.2 * honesty
    cli, ili = ill + 0.7 * flu, ill + flu
    known = trailing(prevalence, 8.0)  # friends' illness is remembered for a week
    circle = np.exp(rng.normal(0, 0.30, shape[1]))  # how many people one knows about
    household = 100 * (1 - np.exp(-(0.05 + 26 * circle * known + 0.02 * flu)))
    community = 100 * (1 - np.exp(-(0.025 + 23 * circle * known + 0.01 * flu)))
    respondents = rng.uniform(6000, 14000, size=shape[1:])
    shared, own = rng.normal(size=(*shape, 2)), rng.normal(size=(*shape, 2))
    noise = np.stack([shared[..., 0], 0.95 * shared[..., 0] + 0.31 * own[..., 0]], axis=2)
    near = np.stack([shared[..., 1], 0.95 * shared[..., 1] + 0.31 * own[..., 1]], axis=2)
    values = np.stack([cli, ili, household, community], axis=2)
    deviation = np.sqrt(values * (100 - values) / respondents[:, None])
    answers: Floats = values + deviation * np.concatenate([noise, near], axis=2)
    return answers


def _habit(habit: Habit, awareness: Floats, rng: np.random.Generator) -> Floats:
    """Return one behaviour or mood column, percentages, (days, states), one value a day."""
    shape = (awareness.shape[0], awareness.shape[1])
    level = habit.mean + habit.spread * rng.normal(size=shape[1])
    responds = habit.awareness * np.exp(rng.normal(0, 0.4, shape[1]))
    tiring = np.linspace(-0.5, 0.5, shape[0])[:, None]
    tired = 1 / (1 + np.exp(-12 * tiring))  # from 0 to 1 between the waves
    values = level + responds * (1 - 0.8 * tired) * (awareness - 1) + habit.drift * tiring
    slow = walk(shape, 30.0, habit.wander, rng)
    answers: Floats = values + slow + habit.noise * rng.normal(size=shape)
    return answers
