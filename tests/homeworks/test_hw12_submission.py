"""What may be handed in, what is rejected and why, and that nothing in a file is executed."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from mlspring.core.errors import DataError, SubmissionError
from mlspring.homeworks.hw12_lander import environment, pickled, score, submission
from mlspring.homeworks.hw12_lander.policy import Policy, from_tensors
from mlspring.homeworks.hw12_lander.spec import SPEC
from mlspring.homeworks.hw12_lander.submission import HandedIn
from mlspring.verbs import board
from tests.tiny.landings import NUM_SECRET, policy, write_answers, write_played

IDS = ["1", "2", "3", "4", "5"]


@pytest.fixture(scope="module")
def lists() -> list[list[int]]:
    played = environment.play_consecutive(policy().greedy, 543, 5)
    return [episode.actions.tolist() for episode in played]


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    return write_answers(tmp_path / "answers.csv")


def notebook_file(lists: list[list[object]], path: Path) -> Path:
    """Write lists as the course's notebook does."""
    array = np.empty(len(lists), dtype=object)
    array[:] = lists
    np.save(path, array, allow_pickle=True)
    return path


def json_file(lists: object, path: Path) -> Path:
    path.write_text(json.dumps({"actions": lists}))
    return path


def test_all_formats_say_the_same(lists: list[list[int]], tmp_path: Path, answers: Path) -> None:
    whole = write_played(answers, tmp_path / "submission.safetensors")
    files = [
        whole,
        json_file(lists, tmp_path / "a.json"),
        notebook_file(lists, tmp_path / "Action_List.npy"),
        notebook_file([[np.int64(a) for a in row] for row in lists], tmp_path / "scalars.npy"),
    ]
    assert len({score.score(file, answers).public for file in files}) == 1
    for file in files:
        assert [row.tolist() for row in submission.read(file, IDS).actions] == lists


def test_a_policy_alone_plays_what_its_lists_say(tmp_path: Path, answers: Path) -> None:
    both = score.score(write_played(answers, tmp_path / "both.safetensors"), answers)
    alone = tmp_path / "alone.safetensors"
    submission.write(alone, IDS, HandedIn(actions=None, policy=policy()))
    assert score.score(alone, answers) == both
    assert both.details["private_low"] < both.private < both.details["private_high"]


def test_lists_learnt_by_heart_are_worth_little_in_secret_episodes(
    lists: list[list[int]], tmp_path: Path, answers: Path
) -> None:
    """They are played as they stand, whatever the lander needs."""
    scored = score.score(json_file(lists, tmp_path / "a.json"), answers)
    seeds = [int(r.split(",")[1]) for r in answers.read_text().splitlines() if "Private" in r]
    expected = environment.replay_seeded([np.array(row) for row in lists], seeds)
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
        (lambda rows: ["0123", *rows[1:]], "list 1 is str"),
        (lambda rows: [rows[0], rows[1][:-1], *rows[2:]], "list 2 is over at step"),
        (lambda rows: [rows[0], [*rows[1], 0], *rows[2:]], "list 2 has .* its episode took"),
        (lambda rows: None, 'has no "actions"'),
    ],
)
def test_wrong_lists_are_rejected_with_their_place(
    change: object, sentence: str, lists: list[list[int]], tmp_path: Path, answers: Path
) -> None:
    file = json_file(change([list(row) for row in lists]), tmp_path / "a.json")
    with pytest.raises(SubmissionError, match=sentence) as told:
        score.score(file, answers)
    assert "a.json" in str(told.value)


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.path),)


def test_a_pickle_bomb_does_not_go_off(tmp_path: Path, answers: Path) -> None:
    crater = tmp_path / "crater"
    array = np.empty(5, dtype=object)
    array[:] = [[0], [Bomb(crater)], [0], [0], [0]]
    np.save(tmp_path / "Action_List.npy", array, allow_pickle=True)
    with pytest.raises(SubmissionError, match=r"names '(posix|nt).mkdir'"):
        score.score(tmp_path / "Action_List.npy", answers)
    assert not crater.exists()
    np.load(tmp_path / "Action_List.npy", allow_pickle=True)
    assert crater.exists(), "it would have gone off"


@pytest.mark.parametrize("thing", [[1, [2]], {"a": 1}, [[1.5]], "text", [["a"]], [b"1"]], ids=str)
def test_other_pickles_are_no_lists(thing: object) -> None:
    array = np.empty(1, dtype=object)
    array[0] = thing
    header = b"\x93NUMPY\x01\x00v\x00" + b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    header = header.ljust(127) + b"\n"
    assert pickled.lists_in(header + pickle.dumps(_of_one([1, 2]), protocol=4)) == [[1, 2]]
    with pytest.raises(ValueError):
        pickled.lists_in(header + pickle.dumps(array, protocol=4))


def _of_one(item: object) -> np.ndarray:
    array = np.empty(1, dtype=object)
    array[0] = item
    return array


def test_a_cut_pickle_is_damaged(lists: list[list[int]], tmp_path: Path) -> None:
    content = notebook_file(lists, tmp_path / "a.npy").read_bytes()
    for end in range(0, len(content) - 1, 37):
        with pytest.raises(ValueError):
            pickled.lists_in(content[:end])


def test_lists_of_one_length_are_a_table(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[0, 1], [2, 3]]))
    assert pickled.lists_in((tmp_path / "a.npy").read_bytes()) == [[0, 1], [2, 3]]
    np.save(tmp_path / "b.npy", np.array([[0, 1], [2, 3], [1, 0]]).T)
    assert pickled.lists_in((tmp_path / "b.npy").read_bytes()) == [[0, 2, 1], [1, 3, 0]]


def test_a_table_that_says_it_is_huge_is_not_believed() -> None:
    shape = b"'fortran_order': False, 'shape': (5, 99999999999999), }"
    header = b"\x93NUMPY\x01\x00v\x00{'descr': '<i8', " + shape
    with pytest.raises(ValueError, match="which are not"):
        pickled.lists_in(header.ljust(127) + b"\n" + bytes(80))


def broken(**changes: object) -> dict[str, np.ndarray]:
    return {**policy().tensors(), **changes}


@pytest.mark.parametrize(
    ("tensors", "sentence"),
    [
        (broken(more=np.zeros(1, np.float32)), "has a tensor 'more'"),
        ({"layers.0.weight": np.zeros((4, 8), np.float32)}, "lacks the tensor layers.0.bias"),
        (broken(**{"layers.1.bias": np.full(4, np.nan, np.float32)}), "NaN or infinite"),
        (broken(**{"layers.1.bias": np.zeros(3, np.float32)}), "layer 1 has shapes"),
        (broken(**{"layers.0.weight": np.zeros((8, 7), np.float32)}), r"expected \(n, 8\)"),
        (broken(**{"layers.1.bias": np.zeros(4, np.int64)}), "expected floats"),
    ],
)
def test_wrong_policies_are_rejected(
    tensors: dict[str, np.ndarray], sentence: str, tmp_path: Path
) -> None:
    facts = json.dumps({"architecture": "perceptron", "activation": "tanh"})
    path = tmp_path / "p.safetensors"
    path.write_bytes(safetensors.numpy.save(tensors, metadata={"facts": facts}))
    with pytest.raises(SubmissionError, match=sentence):
        submission.read(path, IDS)


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ("", "does not say which network"),
        ('{"architecture": "transformer", "activation": "tanh"}', "'transformer'"),
        ('{"architecture": "perceptron", "activation": "exec"}', "'exec' is not one of"),
    ],
)
def test_unknown_networks_are_rejected(facts: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "p.safetensors"
    path.write_bytes(safetensors.numpy.save(policy().tensors(), metadata={"facts": facts}))
    with pytest.raises(SubmissionError, match=sentence):
        submission.read(path, IDS)


def test_a_policy_computes_its_layers() -> None:
    """One hidden unit that sees only the speed downwards decides between two engines."""
    first = np.zeros((1, 8), np.float32)
    first[0, 3] = 1.0
    made = from_tensors(
        {
            "layers.0.weight": first,
            "layers.0.bias": np.array([0.5], np.float32),
            "layers.1.weight": np.array([[0.0], [0.0], [2.0], [0.0]], np.float32),
            "layers.1.bias": np.array([1.0, 0.0, 0.0, 0.0], np.float32),
        },
        "relu",
    )
    seen = np.zeros((3, 8), np.float32)
    seen[:, 3] = (-1.0, 0.5, 0.0)
    assert made.preferences(seen)[:, 2].tolist() == [0.0, 2.0, 1.0]
    assert made.greedy(seen).tolist() == [0, 2, 0]
    tanh = Policy(weights=made.weights, biases=made.biases, activation="tanh")
    assert tanh.preferences(seen)[1, 2] == pytest.approx(2 * np.tanh(1.0))


def test_public_rows_of_several_seeds_are_the_judge_s_fault(
    lists: list[list[int]], tmp_path: Path, answers: Path
) -> None:
    answers.write_text(answers.read_text().replace("2,543,", "2,544,"))
    with pytest.raises(DataError, match="several seeds"):
        score.score(json_file(lists, tmp_path / "a.json"), answers)


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
            except SubmissionError:
                num_rejected += 1
    assert num_rejected > 200


def test_the_score_is_shown_with_the_private_mean_s_interval(tmp_path: Path, answers: Path) -> None:
    file = write_played(answers, tmp_path / "submission.safetensors")
    scored = board.score(SPEC, file, answers)
    low, high = scored["details"]["private_low"], scored["details"]["private_high"]
    assert low < scored["private"] < high
    assert scored["details"]["private_episodes"] == NUM_SECRET
    expected = f"private {scored['private']:.2f} (95 % interval {low:.2f} to {high:.2f})"
    assert expected in board.score_text(SPEC, scored)
