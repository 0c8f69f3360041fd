"""A homework's data from the addresses that are shipped."""

import errno
import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mlspring import catalog
from mlspring.core.errors import DataError, MachineError
from mlspring.core.files import home
from mlspring.core.locks import locked
from mlspring.core.spec import Spec
from mlspring.verbs import fetch as module
from mlspring.verbs.fetch import fetch, load_addresses
from tests.tiny.web import BODY, FOOD, SHA, Server, island, names, packed

KAGGLE = '[[address]]\nkind = "kaggle"\nname = "ml2022spring-hw3b"\nnote = "join first"\n'


def web_address(*files: tuple[str, str], checksum: str = "") -> str:
    text = '[[address]]\nkind = "web"\nname = "a place"\n'
    for name, url in files:
        text += f'[[address.files]]\nname = "{name}"\nurl = "{url}"\nchecksum = "{checksum}"\n'
    return text


def test_an_archive_is_fetched_unpacked_and_put_in_place(tmp_path: Path, server: Server) -> None:
    server.files["food11.zip"] = packed(FOOD)
    spec = island(tmp_path / "island", web_address(("food11.zip", server.url("food11.zip"))))
    folder = fetch(spec, tmp_path / "out" / "hw03")
    assert folder == tmp_path / "out" / "hw03" / "food11"
    assert names(folder) == ["test", "training", "validation"]
    assert names(tmp_path / "out") == ["hw03"]  # no leftovers beside it
    assert fetch(spec, tmp_path / "out" / "hw03") == folder
    assert len(server.asked) == 1
    # Without a folder it goes to the cache.
    assert fetch(spec) == home() / "official" / "hw03" / "food11"


def test_plain_tables_are_fetched_one_by_one(tmp_path: Path, server: Server) -> None:
    server.files |= {"train": b"id\n1\n", "test": b"id\n2\n"}
    files = (("covid.train.csv", server.url("train")), ("covid.test.csv", server.url("test?x=1")))
    spec = island(tmp_path / "island", web_address(*files), '["covid.train.csv", "covid.test.csv"]')
    assert names(fetch(spec, tmp_path / "out")) == ["covid.test.csv", "covid.train.csv"]


def test_the_next_address_is_tried_when_one_fails(
    tmp_path: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.files |= {
        "page.zip": b"<html>quota",
        "wrong.zip": packed({"something/else.txt": b"1"}),
        "broken.zip": packed(FOOD)[:-30],
        "evil.zip": packed(FOOD | {"../evil": b"1"}),
        "good.zip": packed(FOOD),
    }
    places = ["none.zip", *server.files]
    text = "".join(web_address((name, server.url(name))) for name in places)
    assert fetch(island(tmp_path / "island", text), tmp_path / "out").name == "food11"
    assert [name for name, _ in server.asked] == places
    assert names(tmp_path) == ["island", "out"]
    assert "hw03: trying a place: http://127.0.0.1" in capsys.readouterr().err


def test_when_every_address_fails_each_is_named_with_its_reason(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    server.files |= {"wrong.zip": packed({"a.txt": b"1"}), "changed.zip": b"x"}
    dead = "http://no-such-host.invalid/food11.zip"
    text = KAGGLE + "".join(
        [
            web_address(("food11.zip", dead)),
            web_address(("food11.zip", server.url("wrong.zip"))),
            web_address(("food11.zip", server.url("changed.zip")), checksum=SHA),
        ]
    )
    with pytest.raises(MachineError) as caught:
        fetch(island(tmp_path / "island", text), tmp_path / "out")
    message = str(caught.value)
    for expected in (
        "the data of hw03 could not be fetched; tried\n",
        "\n    1. Kaggle competition ml2022spring-hw3b\n",
        '       needs an extra package; in the checkout: pip install -e ".[fetch]" -c constraints',
        "constraints.txt\n       join first\n",
        f"    2. a place: {dead}\n       no connection (",
        "       what came lacks training, test\n",
        "       wrong checksum sha256:",
        "  -> download food11.zip and unpack it; then give its folder",
        "--data DIR; the built-in world needs no network",
    ):
        assert expected in message
    assert names(tmp_path) == ["island"]


def test_an_interrupted_fetch_goes_on(tmp_path: Path, server: Server) -> None:
    body = packed(FOOD | {"food11/training/big": BODY})
    server.files["food11.zip"], server.break_after = body, [600_000, 0, 0, 0, 0]
    spec = island(tmp_path / "island", web_address(("food11.zip", server.url("food11.zip"))))
    with pytest.raises(MachineError, match="broke off 4 times"):
        fetch(spec, tmp_path / "out")
    assert names(tmp_path) == [".out.fetch", "island"]
    server.break_after, server.asked = [], []
    fetch(spec, tmp_path / "out")
    assert server.asked == [("food11.zip", "bytes=600000-")]
    assert names(tmp_path) == ["island", "out"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
def test_a_stopped_unpacking_does_not_cost_another_download(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    server.files["food11.zip"] = packed(FOOD)
    spec = island(tmp_path / "island", web_address(("food11.zip", server.url("food11.zip"))))

    def stopped(archive: Path, to: Path) -> None:
        (to / "food11").mkdir(parents=True)
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(module, "extract", stopped)
        with pytest.raises((KeyboardInterrupt, MachineError)):
            fetch(spec, tmp_path / "out")
    assert names(tmp_path) == [".out.fetch", "island"]
    assert not (tmp_path / ".out.fetch" / "files").exists()
    assert names(fetch(spec, tmp_path / "out")) == ["test", "training", "validation"]
    assert server.asked == [("food11.zip", None)]
    assert names(tmp_path) == ["island", "out"]


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path, server: Server) -> None:
    spec = island(tmp_path / "island", web_address(("a.zip", server.url("a.zip"))))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    with pytest.raises(DataError, match="holds something else; expected an empty or new folder"):
        fetch(spec, tmp_path / "out")
    assert server.asked == []
    assert names(tmp_path / "out") == ["thesis.tex"]


def test_two_at_once_do_not_mix(tmp_path: Path, server: Server) -> None:
    spec = island(tmp_path / "island", web_address(("a.zip", server.url("a.zip"))))
    sentence = pytest.raises(MachineError, match="another process is fetching this")
    with locked(tmp_path / ".out.fetch" / "lock"), sentence:
        fetch(spec, tmp_path / "out")


def test_a_homework_without_addresses_says_so(tmp_path: Path) -> None:
    spec = replace(catalog.find("hw03"), folder=tmp_path)
    with pytest.raises(DataError, match="hw03 has no official data to fetch"):
        fetch(spec, tmp_path / "out")


NOTHING_TO_FETCH = ("hw12",)  # the environment makes the data
FETCHED = [spec for spec in catalog.SPECS if spec.id not in NOTHING_TO_FETCH]


@pytest.mark.parametrize("spec", FETCHED, ids=lambda spec: spec.id)
def test_the_shipped_addresses_are_complete(spec: Spec) -> None:
    addresses = load_addresses(spec)
    assert addresses.expects and addresses.by_hand
    assert addresses.address
    for address in addresses.address:
        assert (address.kind == "web") == bool(address.files)
        for file in address.files:
            assert file.url.startswith("https://")
            if not file.checksum:  # nobody has told one
                continue
            kind, _, digits = file.checksum.partition(":")
            assert len(digits) == {"sha256": 64, "md5": 32}[kind]


def test_the_real_table_has_the_shipped_checksum(real_data: Path) -> None:
    content = (real_data / "hw01" / "covid.test.csv").read_bytes()
    files = [f for a in load_addresses(catalog.find("hw01")).address for f in a.files]
    checksums = {file.name: file.checksum for file in files}
    assert checksums["covid.test.csv"] == "md5:" + hashlib.md5(content).hexdigest()
