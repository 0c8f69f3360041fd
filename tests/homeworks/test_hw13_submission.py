"""The submission of homework 13: every way in which a checkpoint can be wrong has its message."""

import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from mlspring.core.errors import DataError, SubmissionError
from mlspring.homeworks.hw13_compression import score as scorer
from mlspring.homeworks.hw13_compression import submission
from mlspring.homeworks.hw13_compression.architecture import Architecture
from tests.tiny.compression import CHANNELS, exactly, weights

IDS = ["0000", "0001", "0002", "0003"]
TABLE = "Id,Category\n0000,3\n0001,10\n0002,0\n0003,7\n"
SMALL = Architecture(name="plain", channels=CHANNELS).num_parameters


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    path = tmp_path / "answers.csv"
    path.write_text(
        "Id,Category,Usage\n0000,3,Public\n0001,10,Private\n0002,1,Public\n0003,7,Private\n"
    )
    return path


def archive(tmp_path: Path, **files: str | bytes) -> Path:
    """Write an archive of files, ``_`` standing for the dot in their names."""
    path = tmp_path / "submission.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in files.items():
            packed.writestr(name.replace("_", "."), content)
    return path


def changed(**tensors: np.ndarray | None) -> bytes:
    """Return the small student with tensors added, replaced or (None) left out."""
    kept = load(weights())
    for name, value in tensors.items():
        kept.pop(name, None)
        if value is not None:
            kept[name] = value
    return save(kept, metadata={"metadata": facts()})


def facts(name: object = "plain", channels: object = CHANNELS) -> str:
    return json.dumps({"architecture": name, "channels": channels})


def reason(tmp_path: Path, checkpoint: bytes) -> str:
    path = archive(tmp_path, submission_csv=TABLE, student_safetensors=checkpoint)
    with pytest.raises(SubmissionError) as raised:
        submission.read(path, IDS)
    assert "submission.zip" in str(raised.value)
    assert "/tmp" not in str(raised.value).replace(str(tmp_path), ""), "a path that is gone"
    return str(raised.value)


def test_what_is_written_is_read_and_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    student = tmp_path / "student.safetensors"
    student.write_bytes(weights())
    values = submission.Prediction(categories=np.array([3, 10, 0, 7]), weights=(student,))
    files = [tmp_path / "a.zip", tmp_path / "b.zip"]
    for file in files:
        submission.write(file, IDS, values)
        student.touch()
    assert files[0].read_bytes() == files[1].read_bytes()
    found = submission.read(files[0], IDS)
    assert found.categories.tolist() == [3, 10, 0, 7]
    assert found.num_parameters == SMALL


def test_public_and_private_are_counted_apart_and_parameters_told(
    tmp_path: Path, answers: Path
) -> None:
    path = archive(tmp_path, submission_csv=TABLE, student_safetensors=weights())
    scored = scorer.score(path, answers)
    assert (scored.public, scored.private) == (0.5, 1.0)
    assert scored.details == {"parameters": SMALL}


def test_a_hundred_thousand_parameters_are_allowed_and_one_more_is_not(tmp_path: Path) -> None:
    path = archive(tmp_path, submission_csv=TABLE, a_safetensors=weights(channels=exactly(100_000)))
    assert submission.read(path, IDS).num_parameters == 100_000
    message = reason(tmp_path, weights(channels=exactly(100_001)))
    assert "has 100,001 parameters in 1 network; expected at most 100,000" in message


def test_an_ensemble_s_parameters_are_added_up(tmp_path: Path) -> None:
    half, other = weights(channels=exactly(50_000)), weights(channels=exactly(50_001))
    path = archive(tmp_path, submission_csv=TABLE, a_safetensors=half, b_safetensors=half)
    assert submission.read(path, IDS).num_parameters == 100_000
    path = archive(tmp_path, submission_csv=TABLE, a_safetensors=half, b_safetensors=other)
    with pytest.raises(SubmissionError, match=r"100,001 parameters in 2 networks"):
        submission.read(path, IDS)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("kind", [np.float32, np.float16])
def test_weights_must_be_finite(tmp_path: Path, value: float, kind: type) -> None:
    bad = np.array([1, value], kind)
    message = reason(tmp_path, changed(**{"blocks.1.norm.weight": bad}))
    assert "blocks.1.norm.weight holds 1 value that are NaN or infinite" in message


def test_the_largest_finite_numbers_are_finite(tmp_path: Path) -> None:
    largest = np.array([np.finfo(np.float32).max, np.finfo(np.float32).tiny], np.float32)
    checkpoint = changed(**{"blocks.1.norm.weight": largest})
    path = archive(tmp_path, submission_csv=TABLE, student_safetensors=checkpoint)
    assert submission.read(path, IDS).num_parameters == SMALL


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_checkpoint_is_told(tmp_path: Path, share: float) -> None:
    whole = weights()
    message = reason(tmp_path, whole[: int(share * len(whole))] or b"x")
    assert "student.safetensors: cannot be read as safetensors" in message
    assert "write it again" in message


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    assert "cannot be read as safetensors" in reason(tmp_path, b"\x80\x04\x95pickle of something")


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"classify.bias": None}, "lacks the tensor classify.bias"),
        ({"extra": np.ones(3, np.float32)}, "has a tensor 'extra'"),
        ({"classify.bias": np.ones(12, np.float32)}, "classify.bias has shape (12,); expected (11"),
        ({"classify.bias": np.ones(11)}, "classify.bias is F64; expected F16, BF16, F32"),
        ({"classify.bias": np.ones(11, np.int64)}, "classify.bias is I64"),
    ],
)
def test_a_checkpoint_must_fit_its_network(
    tmp_path: Path, tensors: dict[str, np.ndarray | None], message: str
) -> None:
    assert message in reason(tmp_path, changed(**tensors))


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ("", "does not say which network it is"),
        ("no json", "does not say which network it is"),
        ("[1]", "does not say which network it is"),
        ("[" * 100_000, "does not say which network it is"),
        (facts(name="vgg"), "no architecture 'vgg', there are plain, separable"),
        (facts(name=["plain"]), "no architecture"),
        (facts(channels=[2, 2]), "plain has 4 groups of channels (c0, c1, c2, c3), 2 numbers"),
        (facts(channels=[2, 2, 2, 0]), "0 channels, expected 1 to 4096"),
        (facts(channels=[2, 2, 2, 10**30]), "channels, expected 1 to 4096"),
        (facts(channels=[2, 2, 2, 2.0]), "channels are no whole numbers"),
        (facts(channels=[2, 2, 2, True]), "channels are no whole numbers"),
        (facts(channels="2222"), "channels are no whole numbers"),
        (facts(name="separable", channels=[2] * 8), "lacks the tensor stem.conv.weight"),
    ],
)
def test_a_checkpoint_must_say_what_it_is(tmp_path: Path, told: str, message: str) -> None:
    assert message in reason(tmp_path, weights(told=told))


def test_a_message_repeats_no_more_than_the_start_of_a_name(tmp_path: Path) -> None:
    told = reason(tmp_path, weights(told=facts(name="x" * 1_000_000)))
    assert f"no architecture '{'x' * 80}', there are" in told
    others = [
        changed(**{"x" * 100_000: np.ones(3, np.float32)}),
        weights(told=facts(channels=[2, 2, 2, 10**4000])),
    ]
    header = json.dumps({"w": {"dtype": "x" * 100_000, "shape": [], "data_offsets": [0, 0]}})
    others.append(len(header).to_bytes(8, "little") + header.encode())
    assert max(len(told), *(len(reason(tmp_path, other)) for other in others)) < 1000


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"student_safetensors": weights()}, "holds 0 submission.csvs; expected one"),
        ({"submission_csv": TABLE}, "holds no weights"),
        (
            {"submission_csv": TABLE, "student_safetensors": weights(), "run_py": "x"},
            "run.py: has no place here",
        ),
    ],
)
def test_an_archive_holds_the_table_and_weights_only(
    tmp_path: Path, files: dict[str, str | bytes], message: str
) -> None:
    with pytest.raises(SubmissionError) as raised:
        submission.read(archive(tmp_path, **files), IDS)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("Id,Category\n0000,3\n0001,11\n0002,0\n0003,7\n", "submission.csv, row 3: column 2"),
        ("Id,Category\n0000,3\n", "lacks 3 rows, the first is Id '0001'"),
        ("Id,Category\n0,3\n", "did you mean '0000'?"),
        ("id,category\n", "row 1"),
    ],
)
def test_a_bad_row_is_named_inside_the_archive(tmp_path: Path, table: str, message: str) -> None:
    path = archive(tmp_path, submission_csv=table, student_safetensors=weights())
    with pytest.raises(SubmissionError) as raised:
        submission.read(path, IDS)
    assert message in str(raised.value)
    assert str(path) in str(raised.value)


def test_a_plain_table_is_no_submission(tmp_path: Path) -> None:
    path = tmp_path / "submission.zip"
    path.write_text(TABLE)
    with pytest.raises(SubmissionError, match=r"is no archive; expected an archive of submission"):
        submission.read(path, IDS)


def test_a_large_file_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = archive(tmp_path, submission_csv=TABLE, student_safetensors=bytes(4_000_001))
    with pytest.raises(SubmissionError, match=r"has 4\.0 MB; expected at most 4\.0 MB"):
        submission.read(path, IDS)


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "submission.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("student.safetensors", bytes(50_000_000))
    with pytest.raises(SubmissionError, match=r"looks like a bomb|unpacks to too much"):
        submission.read(path, IDS)


def test_bad_answers_are_not_the_learner_s_fault(tmp_path: Path) -> None:
    path = archive(tmp_path, submission_csv=TABLE, student_safetensors=weights())
    answers = tmp_path / "answers.csv"
    answers.write_text("Id,Category,Usage\n0000,3,Secret\n")
    with pytest.raises(DataError, match="Usage is 'Secret'"):
        scorer.score(path, answers)


def test_the_judge_needs_no_torch(tmp_path: Path, answers: Path) -> None:
    import subprocess

    path = archive(tmp_path, submission_csv=TABLE, student_safetensors=weights())
    program = (
        "import sys; from pathlib import Path\n"
        "from mlspring.homeworks.hw13_compression.score import score\n"
        "score(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path), str(answers)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
