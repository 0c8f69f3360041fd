"""The rules: read from a folder, refused where they cannot be played; secret seeds stay secret."""

import json
from pathlib import Path

import numpy as np
import pytest

from mlspring.core.errors import DataError
from mlspring.core.source import Source
from mlspring.homeworks.hw12_lander import data
from mlspring.worlds import landings
from mlspring.worlds.lander import environment, fast_env
from tests.tiny.landings import write_rules


def source(folder: Path) -> Source:
    return Source(kind="official", folder=folder)


def test_rules_are_read(tmp_path: Path) -> None:
    folder = write_rules(tmp_path / "rules")
    found = data.load(source(folder), None)
    assert (found.seed, found.episodes, found.max_steps) == (543, 5, 1000)
    assert data.test_ids(source(folder)) == ["1", "2", "3", "4", "5"]
    assert "LunarLander-v3" in data.describe(found)["environment"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"environment": "LunarLander-v2"}, "should be 'LunarLander-v3', found 'LunarLander-v2'"),
        ({"episodes": 0}, "episodes: "),
        ({"seed": -1}, "seed: "),
        ({"seed": "543"}, "seed: "),
        ({"max_steps": 10**9}, "max_steps: Input should be 1000, found 1000000000"),
        ({"max_steps": 60}, "max_steps: Input should be 1000, found 60"),
        ({"max_steps": "60"}, "max_steps: "),
        ({"episodes": 101}, "episodes: "),
        ({"wind": 3}, "wind: "),
    ],
)
def test_impossible_rules_are_sentences(change: dict, sentence: str, tmp_path: Path) -> None:
    folder = write_rules(tmp_path / "rules")
    path = folder / landings.FILE
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DataError, match=sentence) as told:
        data.load(source(folder), None)
    assert landings.FILE in str(told.value)


def test_missing_and_damaged_rules_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"environment\.json: is missing"):
        data.test_ids(source(tmp_path))
    (tmp_path / landings.FILE).write_text("{")
    with pytest.raises(DataError, match=r"environment\.json"):
        data.test_ids(source(tmp_path))


def test_secret_seeds_stay_with_the_judge(tmp_path: Path) -> None:
    world, out = tmp_path / "world", tmp_path / "out"
    for part in ("public", "private"):
        (world / part).mkdir(parents=True)
    shard = landings.make(0, 0)
    landings.write([shard], world / "public", world / "private")
    data.export(world, out)
    assert [path.name for path in out.iterdir()] == [landings.FILE]
    assert data.load(source(out), None).episodes == landings.NUM_EPISODES
    assert len(set(shard["seeds"].tolist())) == landings.NUM_HIDDEN
    assert landings.SEED not in shard["seeds"]
    assert (landings.make(0, 0)["seeds"] == shard["seeds"]).all()
    assert (landings.make(1, 0)["seeds"] != shard["seeds"]).any()


def test_the_world_s_numbers_are_the_environment_s() -> None:
    assert (landings.NAME, landings.MAX_STEPS) == (fast_env.NAME, environment.MAX_STEPS)
    assert (landings.SEED, landings.NUM_EPISODES) == (543, 5), "the course's"


def test_the_contact_sheet_shows_each_engine_in_the_first_test_episode(tmp_path: Path) -> None:
    sheet = data.contact_sheet(data.load(source(write_rules(tmp_path / "rules")), None))
    assert len(sheet) == environment.NUM_ACTIONS
    starts = [rows[0] for rows in sheet.values()]
    assert all((start == starts[0]).mean() > 0.98 for start in starts), "one beginning"
    for rows in sheet.values():
        assert rows.dtype == np.uint8 and rows.shape[1:] == (200, 300, 3)
        assert 8 <= len(rows) <= 12
        assert (rows[0] != rows[-1]).any()
