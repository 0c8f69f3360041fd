"""The animated landing: the episode that was handed in, by Gymnasium's own renderer."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mlspring.core.errors import MachineError
from mlspring.worlds.lander import episodes, fast_env, pictures
from tests.tiny.landings import policy

SEED = 543
SKY, GROUND = (0, 0, 0), (255, 255, 255)


def lists() -> list[np.ndarray]:
    return [e.actions for e in episodes.play_consecutive(policy().greedy, SEED, 2)]


def test_every_fourth_step_and_the_last_are_shown() -> None:
    played = lists()
    shown = pictures.frames(played, SEED, 0)
    num = len(played[0])
    assert len(shown) == len([t for t in range(num) if t % 4 == 0 or t == num - 1])
    assert {picture.size for picture in shown} == {(pictures.WIDTH, pictures.HEIGHT)}
    assert (np.asarray(shown[0]) != np.asarray(shown[-1])).any()
    pixels = np.asarray(shown[0])
    assert (pixels[60, 5] == SKY).all() and (pixels[-1, 150] == GROUND).all()


def test_an_animation_takes_as_long_as_the_episode(tmp_path: Path) -> None:
    played = lists()
    pictures.save_gif(tmp_path / "a.gif", played, SEED, 0)
    with Image.open(tmp_path / "a.gif") as gif:
        durations = []
        for frame in range(gif.n_frames):
            gif.seek(frame)
            durations.append(gif.info["duration"])
    assert sum(durations) / 1000 == pytest.approx(len(played[0]) / 50, abs=0.16)  # frames of 0.08 s


def test_a_later_episode_is_the_one_that_was_played() -> None:
    """Its ground is another one: the environment's stream went on."""
    played = lists()
    first, second = (pictures.frames(played, SEED, number) for number in (0, 1))
    ground = [np.asarray(shown[0])[110:].tobytes() for shown in (first, second)]
    assert ground[0] != ground[1]
    again = pictures.frames(played, SEED, 1)
    assert [p.tobytes() for p in again] == [p.tobytes() for p in second]


def test_sparks_change_nothing_of_the_flight() -> None:
    """With a renderer an engine leaves sparks in the same world; the rewards stay the same."""
    first, second = episodes.play_consecutive(policy().greedy, SEED, 2)
    assert set(second.actions.tolist()) & {1, 2, 3}
    pictures.load_renderer()
    made = fast_env.lander_class()()
    made.reset(seed=SEED)
    for action in first.actions.tolist():
        made.step(action)
    made.render_mode = "rgb_array"
    made.reset()
    assert [
        float(made.step_with_particles(a)[1]) for a in second.actions.tolist()
    ] == second.rewards.tolist()
    assert made.particles


def test_without_pygame_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygame", None)
    monkeypatch.setitem(sys.modules, "pygame.gfxdraw", None)
    with pytest.raises(MachineError, match=r'pip install "mlspring\[lander\]"'):
        pictures.load_renderer()
