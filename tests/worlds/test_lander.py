"""Episodes: the same wherever they are played, never a step after the end, lists that replay."""

import subprocess
import sys

import numpy as np
import pytest

from mlspring.core.errors import MachineError
from mlspring.worlds.lander import episodes, fast_env
from mlspring.worlds.lander.environment import Landers
from tests.tiny.landings import policy

SEED = 543


def hover(observations: np.ndarray) -> np.ndarray:
    """Return the main engine while sinking: such a lander flies until it is out of view."""
    return np.where(observations[:, 3] < 0, 2, 0)


def test_playing_loads_neither_torch_nor_pygame() -> None:
    code = (
        "import sys; from mlspring.worlds.lander import episodes as e; "
        "e.play_seeded(lambda o: o[:, 0].astype(int), [0]); "
        "print(sorted({'torch', 'pygame'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_a_step_is_gymnasium_s_own_to_the_last_bit() -> None:
    """Random flights and steered ones (they land), seeded and consecutive."""
    module = sys.modules[fast_env.lander_class().__mro__[1].__module__]
    theirs, ours = module.LunarLander(), fast_env.lander_class()()
    rng, outcomes = np.random.default_rng(0), set()
    for episode in range(24):
        seed = episode if episode % 4 < 2 else None
        observed, _ = theirs.reset(seed=seed)
        assert observed.tobytes() == np.array(ours.reset(seed=seed)[0], np.float32).tobytes()
        done = False
        while not done:
            steered = episode % 2 and rng.random() < 0.95
            action = int(module.heuristic(theirs, observed)) if steered else int(rng.integers(4))
            observed, reward, done, _, _ = theirs.step(action)
            state, our_reward, our_end = ours.step(action)
            assert observed.tobytes() == np.array(state, np.float32).tobytes()
            assert (float(reward), bool(done)) == (our_reward, our_end)
        outcomes.add((float(reward), bool(episode % 2)))
    assert {(100.0, True), (-100.0, False)} <= outcomes


def test_all_at_once_is_one_by_one() -> None:
    together, single = Landers(3, max_steps=60), Landers(3, max_steps=60)
    for landers in (together, single):
        for index in range(3):
            landers.reset(index, index)
    for step in range(60):
        active = [0, 2] if step < 40 else [2]
        actions = np.array([step % 4, (step // 3) % 4][: len(active)])
        outcome = together.step_all(active, actions)
        rows = [single.step(i, a) for i, a in zip(active, actions.tolist(), strict=True)]
        assert [tuple(row) for row in zip(*outcome, strict=True)] == rows
        assert (together.observations == single.observations).all()
    assert rows[0][1:] == (False, True)


def test_consecutive_episodes_replay_to_equal_rewards() -> None:
    played = episodes.play_consecutive(policy().greedy, SEED, 5)
    replays = episodes.replay_consecutive([e.actions for e in played], SEED)
    assert [r.total for r in replays] == [e.total for e in played]
    for one, other in zip(replays, played, strict=True):
        assert (one.observations == other.observations).all()
        assert one.terminated == other.terminated


def test_only_the_first_of_consecutive_episodes_is_seeded() -> None:
    """The second one begins where the stream of random numbers stands after the first."""
    first, second = episodes.play_consecutive(policy().greedy, SEED, 2)
    (again,) = episodes.play_consecutive(policy().greedy, SEED, 1)
    assert (first.observations == again.observations).all()
    assert (first.observations[0] != second.observations[0]).any()
    longer = episodes.play_consecutive(hover, SEED, 2)
    assert len(longer[0].actions) != len(first.actions)
    assert (longer[1].observations[0] != second.observations[0]).any()


def test_a_list_that_does_not_fit_its_episode_is_named() -> None:
    lists = [e.actions for e in episodes.play_consecutive(policy().greedy, SEED, 3)]
    num = len(lists[1])
    with pytest.raises(ValueError, match=f"list 2 is over at step {num - 1}, before its episode"):
        episodes.replay_consecutive([lists[0], lists[1][:-1], lists[2]], SEED)
    with pytest.raises(ValueError, match=f"list 2 has {num + 1} actions, its episode took {num}"):
        episodes.replay_consecutive([lists[0], np.append(lists[1], 0), lists[2]], SEED)


def test_a_machine_without_gymnasium_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    monkeypatch.setattr(fast_env, "lander_class", fast_env.lander_class.__wrapped__)
    with pytest.raises(MachineError, match=r'pip install "mlspring\[lander\]"'):
        fast_env.lander_class()


def test_how_many_are_played_at_once_changes_nothing() -> None:
    seeds = list(range(7))
    rows = [episodes.play_seeded(policy().greedy, seeds, num_envs=b) for b in (1, 3, 64)]
    assert (rows[0] == rows[1]).all()
    assert (rows[0] == rows[2]).all()
    assert (episodes.play_seeded(policy().greedy, seeds[::-1])[::-1] == rows[0]).all()


def test_the_limit_truncates_and_does_not_terminate() -> None:
    (cut,) = episodes.play_consecutive(hover, SEED, 1, max_steps=20)
    assert len(cut.actions) == 20
    assert not cut.terminated
    assert not cut.landed
    landers = Landers(1, max_steps=3)
    landers.reset(0, SEED)
    assert [landers.step(0, 0)[1:] for _ in range(3)] == [(False, False)] * 2 + [(False, True)]


def test_an_environment_has_no_memory_of_earlier_episodes() -> None:
    """So an episode is told by its seed and its actions, and a stopped run can go on."""
    used, new = Landers(1), Landers(1)
    used.reset(0, 1)
    for action in (2, 2, 1, 3, 0, 2):
        used.step(0, action)
    for landers in (used, new):
        landers.reset(0, 7)
    for action in (0, 1, 2, 3, 2, 2, 1):
        assert used.step(0, action) == new.step(0, action)
        assert (used.observations == new.observations).all()


@pytest.mark.parametrize("seed", [0, 2**62])
def test_an_idle_list_falls_like_doing_nothing(seed: int) -> None:
    blind = episodes.replay_seeded([np.zeros(1, np.int64)], [seed])
    idle = episodes.play_seeded(lambda o: np.zeros(len(o), np.int64), [seed])
    assert blind[0] == idle[0, 0]
