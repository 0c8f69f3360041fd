"""Digits: the world, MNIST's files, and files that are not what they say."""

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mlspring import catalog
from mlspring.core.errors import DataError
from mlspring.core.recipe import load_recipe
from mlspring.core.source import Source
from mlspring.homeworks.hw14_lifelong import data
from mlspring.homeworks.hw14_lifelong.recipe import Recipe
from mlspring.worlds import world
from mlspring.worlds.digits import tiny_digits_world
from tests.tiny.digits import blobs, write_mnist

SPEC = catalog.find("hw14")
RECIPE = load_recipe(Recipe, SPEC.folder / "recipes" / "world" / "all.toml")
IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


def packed(content: bytes) -> bytes:
    """Return ``content`` as gzip, without the time: two processes must name their tests alike."""
    return gzip.compress(content, mtime=0)


def load(folder: Path) -> data.Data:
    return data.load(Source(kind="official", folder=folder), RECIPE)


@pytest.mark.parametrize("place", ["", "raw", "MNIST/raw", "MNIST/MNIST/raw"])
def test_mnist_s_files_are_found_in_every_usual_place(place: str, tmp_path: Path) -> None:
    found = load(write_mnist(tmp_path / "x", place=place or "."))
    images, labels = blobs(200, 0)
    assert (found.train_images == images).all()
    assert (found.train_labels == labels).all()
    assert len(found.test_images) == 100
    assert found.test_part == "the t10k files"


def test_unpacked_files_are_read_too(tmp_path: Path) -> None:
    folder = write_mnist(tmp_path / "x", place="raw")
    for path in list((folder / "raw").iterdir()):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert len(load(folder).train_images) == 200


def test_without_a_test_part_the_last_sixth_is_held_out(tmp_path: Path) -> None:
    found = load(write_mnist(tmp_path / "x", num_test=0))
    images, _ = blobs(200, 0)
    assert (found.test_images == images[167:]).all()
    assert (found.train_images == images[:167]).all()
    assert "last sixth" in data.describe(found)["test part"]


def test_the_world_written_out_is_read_back(tmp_path: Path) -> None:
    place = world.build(tiny_digits_world())
    data.export(place, tmp_path / "out")
    there = data.load(Source(kind="world", folder=place / "public"), RECIPE)
    back = load(tmp_path / "out")
    for name in ("train_images", "train_labels", "test_images", "test_labels"):
        assert (getattr(there, name) == getattr(back, name)).all()
    assert back.train_labels.dtype == np.int64


def damaged(folder: Path, name: str, content: bytes | None) -> None:
    path = folder / "MNIST" / "raw" / name
    path.unlink() if content is None else path.write_bytes(content)


def header(*sizes: int) -> bytes:
    return bytes((0, 0, 8, len(sizes))) + np.array(sizes, ">u4").tobytes()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (IMAGES, None, "raw: lacks a file; expected train-images-idx3-ubyte"),
        (LABELS, None, "raw: lacks a file; expected train-labels-idx1-ubyte"),
        ("t10k-labels-idx1-ubyte.gz", None, "lacks a file; expected t10k-labels"),
        (IMAGES, b"not gzip", "cannot be read"),
        (IMAGES, packed(b"\x80\x04\x95pickle"), "begins with the bytes 80 04 95 70"),
        (IMAGES, packed(b""), r"begins with the bytes \(none\)"),
        (IMAGES, packed(header(200, 28, 28))[:-9], "cannot be read"),
        (
            IMAGES,
            packed(header(200, 28, 28) + bytes(10)),
            "holds 10 bytes; expected 156,800",
        ),
        (IMAGES, packed(header(1, 28, 28) + bytes(785)), "holds more bytes"),
        (IMAGES, packed(header(200, 32, 32)), "says it holds 200 x 32 x 32"),
        (IMAGES, packed(header(4_000_000_000, 28, 28)), "up to 1,000,000 of 28 x 28"),
        (LABELS, packed(header(3) + bytes(3)), "holds 3 labels; expected one for each"),
        (LABELS, packed(header(200) + bytes(199) + b"\x0b"), "label 11 of image 200"),
        (LABELS, packed(header(2, 28, 28)), "an IDX file of unsigned bytes with 1 axes"),
    ],
)
def test_a_damaged_file_is_a_sentence(
    name: str, content: bytes | None, sentence: str, tmp_path: Path
) -> None:
    folder = write_mnist(tmp_path / "x")
    damaged(folder, name, content)
    with pytest.raises(DataError, match=sentence) as told:
        load(folder)
    assert told.value.exit_code == 2


def test_a_folder_of_something_else_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "MNIST").mkdir()
    with pytest.raises(DataError, match="has no train-images-idx3-ubyte; expected MNIST's files"):
        load(tmp_path)


def test_too_few_images_to_hold_some_out(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has 5 training images and no test part"):
        load(write_mnist(tmp_path / "x", num_train=5, num_test=0))


def test_the_real_files_are_read(real_data: Path) -> None:
    found = load(real_data / "hw14")
    assert len(found.train_images) + len(found.test_images) in (60_000, 70_000)
    assert np.bincount(found.train_labels).min() > 4_000


def test_the_spec_ranks_nothing_and_says_so() -> None:
    assert not SPEC.ranked
    assert replace(SPEC, submission="table").ranked
