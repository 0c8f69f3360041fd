"""The submission of homework 13: every way in which a checkpoint can be wrong has its message."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from mlspring.core.errors import SubmissionError
from mlspring.homeworks.hw13_compression import submission
from mlspring.homeworks.hw13_compression.architecture import Architecture
from tests.tiny.compression import CHANNELS, exactly, hand_in, weights

IDS = ["0000", "0001", "0002", "0003"]


def archive(tmp_path: Path, **files: str | bytes) -> Path:
    """Write an archive of files, ``_`` standing for the dot in their names."""
    path = tmp_path / "submission.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in files.items():
            packed.writestr(name.replace("_", "."), content)
    return path


def metadata(name: object = "plain", channels: object = CHANNELS) -> str:
    return json.dumps({"architecture": name, "channels": channels})


def changed(**tensors: np.ndarray | None) -> bytes:
    """Return the small student with tensors added, replaced or (None) left out."""
    kept = load(weights())
    for name, value in tensors.items():
        kept.pop(name, None)
        if value is not None:
            kept[name] = value
    return save(kept, metadata={"metadata": metadata()})


def reason(tmp_path: Path, checkpoint: bytes) -> str:
    path = hand_in(tmp_path / "submission.zip", checkpoint)
    with pytest.raises(SubmissionError) as raised:
        submission.read(path, IDS)
    assert "submission.zip" in str(raised.value)
    assert "/tmp" not in str(raised.value).replace(str(tmp_path), ""), "a path that is gone"
    return str(raised.value)


def test_what_is_written_is_read_and_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    student = tmp_path / "member-0.safetensors"
    student.write_bytes(weights())
    values = submission.Prediction(categories=np.array([3, 10, 0, 7]), weights=student)
    files = [tmp_path / "a.zip", tmp_path / "b.zip"]
    for file in files:
        submission.write(file, IDS, values)
        student.touch()
    assert files[0].read_bytes() == files[1].read_bytes()
    found = submission.read(files[0], IDS)
    assert found.architecture == Architecture(name="plain", channels=CHANNELS)
    assert found.weights == weights()
    counted = 2 * 27 + 3 * 2 * 18 + 4 * 3 * 2 + 2 * 11 + 11  # filters, bias and norm, classifier
    assert found.architecture.num_parameters == counted
    assert submission.describe(found) == f"a student (plain) of {counted} parameters"
    with zipfile.ZipFile(files[0]) as packed:
        assert packed.namelist() == ["submission.csv", "student.safetensors"]
        table = packed.read("submission.csv").decode()
    assert table == "Id,Category\n0000,3\n0001,10\n0002,0\n0003,7\n", "as the course takes it"


def test_a_hundred_thousand_parameters_are_allowed_and_one_more_is_not(tmp_path: Path) -> None:
    path = hand_in(tmp_path / "submission.zip", weights(channels=exactly(100_000)))
    assert submission.read(path, IDS).architecture.num_parameters == 100_000
    message = reason(tmp_path, weights(channels=exactly(100_001)))
    assert "has 100,001 parameters; expected at most 100,000" in message


def test_a_file_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    older = save(load(weights()), metadata={"facts": metadata()})
    path = hand_in(tmp_path / "submission.zip", older)
    assert submission.read(path, IDS).architecture.channels == CHANNELS


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_checkpoint_is_told(tmp_path: Path, share: float) -> None:
    whole = weights()
    message = reason(tmp_path, whole[: int(share * len(whole))] or b"x")
    assert "student.safetensors: cannot be read as safetensors" in message
    assert "write it again" in message


def test_metadata_of_nothing_say_nothing(tmp_path: Path) -> None:
    header = json.dumps(
        {"__metadata__": None, "w": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}}
    )
    content = len(header).to_bytes(8, "little") + header.encode()
    assert "does not say which network it is" in reason(tmp_path, content)


def test_an_empty_file_is_named_as_it_was_handed_in(tmp_path: Path) -> None:
    assert "submission.zip/student.safetensors: cannot be read" in reason(tmp_path, b"")


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    assert "cannot be read as safetensors" in reason(tmp_path, b"\x80\x04\x95pickle of something")


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"classify.bias": None}, "lacks the tensor classify.bias"),
        ({"extra": np.ones(3, np.float32)}, "has a tensor 'extra', which plain has not"),
        (
            {"classify.bias": np.ones(12, np.float32)},
            "classify.bias has shape (12,), not (11,) as plain[2, 2, 2, 2]",
        ),
        ({"classify.bias": np.ones(11)}, "classify.bias is F64; expected F16, BF16, F32"),
        ({"classify.bias": np.ones(11, np.int64)}, "classify.bias is I64"),
        (
            {"blocks.0.norm.num_batches_tracked": np.ones((), bool)},
            "blocks.0.norm.num_batches_tracked is BOOL; expected I64",
        ),
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
        (metadata(name="vgg"), "no architecture 'vgg', there are plain, separable"),
        (metadata(name=["plain"]), "no architecture"),
        (metadata(channels=[2, 2]), "plain has 4 groups of channels (c0, c1, c2, c3), 2 numbers"),
        (metadata(channels=[2, 2, 2, 0]), "0 channels, expected 1 to 4096"),
        (metadata(channels=[2, 2, 2, 10**30]), "channels, expected 1 to 4096"),
        (metadata(channels=[2, 2, 2, 2.0]), "2.0 channels, expected 1 to 4096"),
        (metadata(channels=[2, 2, 2, True]), "True channels, expected 1 to 4096"),
        (metadata(channels="2222"), "2 channels, expected 1 to 4096"),
        (metadata(name="separable", channels=[2] * 8), "has a tensor 'blocks.0.conv.bias'"),
    ],
)
def test_a_checkpoint_must_say_what_it_is(tmp_path: Path, told: str, message: str) -> None:
    assert message in reason(tmp_path, weights(told=told))


def test_a_message_repeats_no_more_than_the_start_of_a_name(tmp_path: Path) -> None:
    told = reason(tmp_path, weights(told=metadata(name="x" * 1_000_000)))
    assert f"no architecture '{'x' * 80}', there are" in told
    others = [
        changed(**{"x" * 100_000: np.ones(3, np.float32)}),
        weights(told=metadata(channels=[2, 2, 2, 10**4000])),
    ]
    header = json.dumps({"w": {"dtype": "x" * 100_000, "shape": [], "data_offsets": [0, 0]}})
    others.append(len(header).to_bytes(8, "little") + header.encode())
    assert max(len(told), *(len(reason(tmp_path, other)) for other in others)) < 1000


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"submission_csv": "Id,Category"}, "holds 0 networks; expected one, as student"),
        (
            {"a_safetensors": weights(), "b_safetensors": weights()},
            "holds 2 networks; expected one, as student.safetensors",
        ),
        ({"student_safetensors": weights(), "run_py": "x"}, "run.py: cannot be handed in"),
    ],
)
def test_an_archive_holds_one_network_and_a_table(
    tmp_path: Path, files: dict[str, str | bytes], message: str
) -> None:
    with pytest.raises(SubmissionError) as raised:
        submission.read(archive(tmp_path, **files), IDS)
    assert message in str(raised.value)


def test_the_network_alone_is_enough(tmp_path: Path) -> None:
    path = archive(tmp_path, student_safetensors=weights())
    assert submission.read(path, IDS).weights == weights()


def test_a_plain_table_is_no_submission(tmp_path: Path) -> None:
    path = tmp_path / "submission.zip"
    path.write_text("Id,Category\n0000,3\n")
    with pytest.raises(SubmissionError, match=r"is no archive; expected an archive of student"):
        submission.read(path, IDS)


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "submission.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("student.safetensors", bytes(50_000_000))
    with pytest.raises(SubmissionError, match=r"looks like a bomb|unpacks to too much"):
        submission.read(path, IDS)


def test_the_reader_needs_no_torch(tmp_path: Path) -> None:
    path = hand_in(tmp_path / "submission.zip", weights())
    program = (
        "import sys; from pathlib import Path\n"
        "from mlspring.homeworks.hw13_compression.submission import read\n"
        "read(Path(sys.argv[1]), [])\n"
        "assert 'torch' not in sys.modules"
    )
    words = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(words, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
