"""What may be handed in, what is rejected and why, and what it is worth."""

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.numpy

from mlspring.core.errors import DataError, SubmissionError
from mlspring.core.source import Source
from mlspring.homeworks.hw12_lander import data, score, submission
from mlspring.homeworks.hw12_lander.spec import SPEC
from mlspring.homeworks.hw12_lander.submission import HandedIn
from mlspring.judge.worker import score_locally
from mlspring.verbs import board
from mlspring.worlds.lander import episodes, fast_env
from tests.tiny.landings import (
    IDS,
    NUM_SECRET,
    notebook_file,
    played,
    policy,
    write_answers,
    write_played,
    write_rules,
)


@pytest.fixture(scope="module")
def lists() -> list[list[int]]:
    return played()


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    return write_answers(tmp_path / "answers.csv")


def json_file(lists: object, path: Path) -> Path:
    path.write_text(json.dumps({"actions": lists}))
    return path


def test_all_formats_say_the_same(lists: list[list[int]], tmp_path: Path, answers: Path) -> None:
    whole = write_played(answers, tmp_path / "submission.safetensors")
    files = [
        whole,
        json_file(lists, tmp_path / "a.json"),
        notebook_file(lists, tmp_path / "Action_List.npy"),
    ]
    assert len({score_locally(SPEC, file, answers).public for file in files}) == 1
    for file in files:
        assert [row.tolist() for row in submission.read(file, IDS).actions] == lists


def test_older_files_say_facts_in_place_of_metadata(tmp_path: Path) -> None:
    network = json.dumps({"architecture": "perceptron", "activation": "tanh"})
    tensors = policy().tensors()
    for key in ("metadata", "facts"):
        path = tmp_path / f"{key}.safetensors"
        path.write_bytes(safetensors.numpy.save(tensors, metadata={key: network}))
        found = submission.read(path, IDS).policy
        assert found is not None and found.activation == "tanh"
    written = tmp_path / "written.safetensors"
    submission.write(written, IDS, HandedIn(actions=None, policy=policy()))
    with safetensors.safe_open(written, "numpy") as file:
        assert list(file.metadata()) == ["metadata"]


def test_a_policy_alone_plays_what_its_lists_say(tmp_path: Path, answers: Path) -> None:
    both = score_locally(SPEC, write_played(answers, tmp_path / "both.safetensors"), answers)
    alone = tmp_path / "alone.safetensors"
    submission.write(alone, IDS, HandedIn(actions=None, policy=policy()))
    assert score_locally(SPEC, alone, answers) == both
    assert both.details["private_low"] < both.private < both.details["private_high"]


def test_lists_learnt_by_heart_are_worth_little_in_secret_episodes(
    lists: list[list[int]], tmp_path: Path, answers: Path
) -> None:
    """They are played as they stand, whatever the lander needs."""
    scored = score_locally(SPEC, json_file(lists, tmp_path / "a.json"), answers)
    seeds = [int(r.split(",")[1]) for r in answers.read_text().splitlines() if "Private" in r]
    expected = episodes.replay_seeded([np.array(row) for row in lists], seeds)
    assert scored.private == expected.mean()


def test_a_written_policy_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "policy.safetensors"
    submission.write(path, IDS, HandedIn(actions=None, policy=policy(seed=3)))
    found = submission.read(path, IDS).policy
    assert found is not None
    for ours, theirs in zip(policy(seed=3).weights, found.weights, strict=True):
        assert (ours == theirs).all()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda rows: rows[:4], "has 4 lists, expected 5"),
        (lambda rows: [*rows[:4], []], "list 5 has 0 actions"),
        (lambda rows: [*rows[:4], [0] * 1001], "list 5 has 1,001 actions, expected 1 to 1000"),
        (lambda rows: [[4, *rows[0][1:]], *rows[1:]], "list 1, action 1 is 4, expected 0, 1, 2 or"),
        (lambda rows: [[-1, *rows[0][1:]], *rows[1:]], "list 1, action 1 is -1"),
        (lambda rows: [[2.0, *rows[0][1:]], *rows[1:]], "list 1, action 1 is 2.0"),
        (lambda rows: [[True, *rows[0][1:]], *rows[1:]], "list 1, action 1 is True"),
        (lambda rows: ["0123", *rows[1:]], "list 1 is a str"),
        (lambda rows: [rows[0], rows[1][:-1], *rows[2:]], "list 2 is over at step"),
        (lambda rows: [rows[0], [*rows[1], 0], *rows[2:]], "list 2 has .* its episode took"),
        (lambda rows: None, 'has no "actions"'),
    ],
)
def test_wrong_lists_are_rejected_with_their_place(
    change: object, sentence: str, lists: list[list[int]], tmp_path: Path, answers: Path
) -> None:
    file = json_file(change([list(row) for row in lists]), tmp_path / "a.json")
    with pytest.raises(SubmissionError, match=sentence):
        score_locally(SPEC, file, answers)


def test_episodes_of_one_s_own_are_judged_by_answers_of_one_s_own(tmp_path: Path) -> None:
    """What ``--data DIR`` may say is what the judge can play: another seed, another number."""
    own = tmp_path / "own"
    own.mkdir()
    rules = {"environment": fast_env.NAME, "seed": 7, "episodes": 2, "max_steps": 1000}
    (own / "environment.json").write_text(json.dumps(rules))
    source = Source(kind="official", folder=own)
    found, ids = data.load(source, None), data.test_ids(source)
    player = policy()
    played_here = episodes.play_consecutive(player.greedy, found.seed, found.episodes)
    file, answers = tmp_path / "submission.safetensors", tmp_path / "answers.csv"
    handed_in = HandedIn(actions=tuple(e.actions for e in played_here), policy=player)
    submission.write(file, ids, handed_in)
    told = board.validate(SPEC, file, str(own))
    assert "with 2 action lists and a policy 8-8-4 (tanh); of lists only" in told
    answers.write_text("id,seed,Usage\n1,7,Public\n2,7,Public\nh1,99,Private\n")
    scored = score_locally(SPEC, file, answers)
    assert scored.public == np.mean([episode.total for episode in played_here])


def test_validate_says_what_a_file_holds(lists: list[list[int]], tmp_path: Path) -> None:
    own = write_rules(tmp_path / "rules")
    file = json_file(lists, tmp_path / "a.json")
    told = board.validate(SPEC, file, str(own))
    assert "of hw12 with 5 action lists; of lists only the format was checked" in told
    alone = tmp_path / "alone.safetensors"
    submission.write(alone, IDS, HandedIn(actions=None, policy=policy()))
    told = board.validate(SPEC, alone, str(own))
    assert told.endswith("of hw12 with a policy 8-8-4 (tanh), no action lists")


def test_public_rows_of_several_seeds_are_the_judge_s_fault(
    lists: list[list[int]], tmp_path: Path, answers: Path
) -> None:
    answers.write_text(answers.read_text().replace("2,543,", "2,544,"))
    with pytest.raises(DataError, match="several seeds"):
        score_locally(SPEC, json_file(lists, tmp_path / "a.json"), answers)


def test_an_interval_is_of_the_mean() -> None:
    low, high = score.interval(np.array([0.0, 2.0, 4.0, 6.0]))
    half = 1.96 * np.sqrt(20 / 3) / 2
    assert (low, high) == (pytest.approx(3 - half), pytest.approx(3 + half))


def test_damaged_files_are_rejected_and_never_crash(
    lists: list[list[int]], tmp_path: Path, answers: Path
) -> None:
    """A hundred files of each format with a few wrong bytes are read whole or rejected."""
    rng = np.random.default_rng(0)
    whole = write_played(answers, tmp_path / "submission.safetensors")
    files = [
        whole,
        json_file(lists, tmp_path / "a.json"),
        notebook_file(lists, tmp_path / "Action_List.npy"),
    ]
    path, num_rejected = tmp_path / "damaged", 0
    for file in files:
        content = file.read_bytes()
        for _ in range(100):
            damaged = bytearray(content)
            for place in rng.integers(0, min(len(content), 400), rng.integers(1, 4)):
                damaged[place] = rng.integers(0, 256)
            path.write_bytes(bytes(damaged))
            try:
                submission.read(path, IDS)
            except SubmissionError as told:
                num_rejected += 1
                assert len(told.found) <= submission.MOST_TOLD
    assert num_rejected > 150


def test_the_score_is_shown_with_the_private_mean_s_interval(tmp_path: Path, answers: Path) -> None:
    file = write_played(answers, tmp_path / "submission.safetensors")
    scored = board.score(SPEC, file, answers)
    low, high = scored["details"]["private_low"], scored["details"]["private_high"]
    assert low < scored["private"] < high
    assert scored["details"]["private_episodes"] == NUM_SECRET
    expected = f"private {scored['private']:.2f} (95 % interval {low:.2f} to {high:.2f})"
    assert expected in board.score_text(SPEC, scored)
