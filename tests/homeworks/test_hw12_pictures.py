"""The animated landing: the episode that was handed in, drawn from the environment's shapes."""

import numpy as np

from mlspring.homeworks.hw12_lander import environment, pictures
from tests.tiny.landings import policy

SEED = 543


def lists() -> list[np.ndarray]:
    return [e.actions for e in environment.play_consecutive(policy().greedy, SEED, 2)]


def test_every_fourth_step_and_the_last_are_shown() -> None:
    played = lists()
    shown = pictures.frames(played, SEED, 0)
    num = len(played[0])
    assert len(shown) == len([t for t in range(num) if t % 4 == 0 or t == num - 1])
    assert {picture.size for picture in shown} == {(pictures.WIDTH, pictures.HEIGHT)}
    assert (np.asarray(shown[0]) != np.asarray(shown[-1])).any()


def test_a_later_episode_is_the_one_that_was_played() -> None:
    """Its ground is another one: the environment's stream went on."""
    played = lists()
    first, second = (pictures.frames(played, SEED, number) for number in (0, 1))
    ground = [np.asarray(shown[0])[150:].tobytes() for shown in (first, second)]
    assert ground[0] != ground[1]
    again = pictures.frames(played, SEED, 1)
    assert [p.tobytes() for p in again] == [p.tobytes() for p in second]


def test_the_engine_that_fires_shows_its_flame() -> None:
    landers = environment.Landers(1)
    landers.begin(0, SEED)
    for _ in range(30):  # down into the picture
        landers.act(0, 0)
    made = landers.environments[0]
    flames = [
        (np.asarray(pictures.frame(made, action)) == pictures.FLAME).all(2).sum()
        for action in range(4)
    ]
    assert flames[0] == 0
    assert min(flames[1:]) > 0
    assert flames[2] > max(flames[1], flames[3])


def test_a_side_engine_fires_away_from_where_it_pushes() -> None:
    """Action 1 pushes to the left, so its flame is on the right."""
    moved, shown = [], []
    for action in (1, 3):
        landers = environment.Landers(1)
        landers.begin(0, SEED)
        for _ in range(30):
            landers.act(0, 0)
        before = landers.observations[0, 2]
        landers.act(0, action)
        moved.append(landers.observations[0, 2] - before)
        made = landers.environments[0]
        flame = (np.asarray(pictures.frame(made, action)) == pictures.FLAME).all(2)
        middle = made.lander.position[0] / pictures.METRES[0] * pictures.WIDTH
        shown.append(flame.nonzero()[1].mean() - middle)
    assert moved[0] < 0 < moved[1]
    assert shown[1] < 0 < shown[0]
