"""Back-translation: which pairs are kept, tagged and mixed, made once, refused when changed."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mlspring.core.errors import DataError, RunError
from mlspring.core.runs import Request, Run
from mlspring.homeworks.hw05_translation import back, data, train, vocabulary
from mlspring.homeworks.hw05_translation.batches import Batch, Corpus
from mlspring.homeworks.hw05_translation.layout import Pairs
from mlspring.homeworks.hw05_translation.search import Found
from mlspring.homeworks.hw05_translation.tasks import backward_task, forward_task
from mlspring.homeworks.hw05_translation.vocabulary import BACK
from mlspring.kit.device import choose
from mlspring.kit.distributed import ALONE, Ranks
from tests.homeworks.hw05.tools import folder_of, recipe
from tests.tiny.translation import write_ted

CPU = choose("cpu", "fp32", work="wide")


@pytest.fixture
def loaded(tmp_path: Path) -> data.Data:
    return data.load(folder_of(write_ted(tmp_path / "ted")), recipe())


def test_the_surest_usable_pairs_are_kept_in_order() -> None:
    english = ["a b", "", "c d", "e f", "g " * 90, "h i"]
    chinese = ["一二", "三四", "五六", "七八", "九", "十一"]
    scores = [-0.5, -0.1, -2.0, -0.3, -0.1, -0.4]
    found = [Found([5], score) for score in scores]
    kept = back.surest(chinese, english, found, recipe("boss", "back.keep=0.5").back)
    assert kept == Pairs(english=["e f", "h i"], chinese=["七八", "十一"])
    every = back.surest(chinese, english, found, recipe("boss", "back.keep=1.0").back)
    assert every.english == ["a b", "c d", "e f", "h i"]


def test_synthetic_pairs_are_tagged_and_the_last_steps_do_without(
    loaded: data.Data, isolated_home: Path
) -> None:
    knobs = recipe("boss", "train.steps=24", "back.last_real=0.25")
    words = vocabulary.open_vocabulary(knobs, loaded)
    synthetic = Pairs(english=["Tom sees two cats ."], chinese=["湯姆看見兩隻貓 。"])
    task = forward_task(knobs, loaded, words, synthetic)
    num = len(loaded.train)
    assert len(task.train) == num + 1
    first = task.train.source.tokens[task.train.source.starts]
    assert (first == BACK).nonzero().tolist() == [[num]]
    assert task.num_mixed == 18 and len(task.real) == num
    assert BACK not in task.real.source.tokens
    alone = forward_task(knobs, loaded, words, None)
    assert len(alone.train) == num and alone.num_mixed == 24


def test_the_last_steps_learn_from_real_pairs(
    tmp_path: Path, loaded: data.Data, isolated_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The corpus of every step's batch, told by its size."""
    knobs, sizes = recipe("boss", "train.steps=8", "back.last_real=0.5"), list[int]()
    words = vocabulary.open_vocabulary(knobs, loaded)
    synthetic = Pairs(english=loaded.train.english[:5], chinese=loaded.train.chinese[:5])
    task = forward_task(knobs, loaded, words, synthetic)
    take = Corpus.batch

    def counted(self: Corpus, rows: torch.Tensor, ranks: Ranks = ALONE) -> Batch:
        sizes.append(len(self))
        return take(self, rows, ranks)

    monkeypatch.setattr(Corpus, "batch", counted)
    monkeypatch.setattr(train, "measure", lambda *_: {"valid__loss": 0.0, "valid__bleu": 0.0})
    with Run.create(tmp_path, Request(homework="hw05", recipe="world/boss"), "") as run:
        train.train_network(task, knobs, run, CPU)
    num = len(loaded.train)
    assert sizes == [num + 5] * 4 + [num] * 4


def test_the_backward_task_is_the_forward_one_turned_round(
    loaded: data.Data, isolated_home: Path
) -> None:
    knobs = recipe("boss")
    words = vocabulary.open_vocabulary(knobs, loaded)
    there, back_again = (
        forward_task(knobs, loaded, words, None),
        backward_task(knobs, loaded, words),
    )
    rows = torch.arange(5)
    for one, other in (("source", "target"), ("target", "source")):
        expected = getattr(there.train, one).padded(rows)
        assert torch.equal(getattr(back_again.train, other).padded(rows), expected)
    assert back_again.knobs.steps == knobs.back.steps
    assert back_again.bleu(words.encode(loaded.held.english)) == pytest.approx(100.0)


def synthetic_of(loaded: data.Data, run: Run, *overrides: str) -> Pairs | None:
    knobs = recipe("boss", "back.keep=1.0", *overrides)
    words = vocabulary.open_vocabulary(knobs, loaded)
    return back.open_synthetic(knobs, loaded, words, run, CPU, ALONE, train.train_network)


def test_they_are_made_once_and_a_run_notes_them(
    tmp_path: Path, loaded: data.Data, isolated_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Run.create(tmp_path, Request(homework="hw05", recipe="world/boss"), "") as run:
        first = synthetic_of(loaded, run)
        (folder,) = (isolated_home / "back-translations").iterdir()
        assert first is not None
        assert set(first.chinese) <= set(loaded.mono), "the Chinese is real"
        assert run.state["back_translation"]["kept"] == len(first)

        monkeypatch.setattr(back, "make", None)  # is not called again
        assert synthetic_of(loaded, run, "back.last_real=0.7") == first

        (folder / "synthetic.en").write_text("other\n" * len(first))
        with pytest.raises(RunError, match="the synthetic pairs have changed"):
            synthetic_of(loaded, run)


def test_other_text_and_other_numbers_have_another_folder(loaded: data.Data) -> None:
    folders = {
        back.folder_of(recipe("boss", *changes), text)
        for changes, text in (
            ((), loaded),
            (("back.beam=3",), loaded),
            (("back.steps=7",), loaded),
            (("model.layers=2",), loaded),
            (("train.learning_rate=0.02",), loaded),
            ((), replace(loaded, mono=loaded.mono[1:])),
        )
    }
    assert len(folders) == 6
    same = back.folder_of(recipe("boss", "train.steps=99", "back.last_real=0.5"), loaded)
    assert same in folders, "the forward model's own numbers make no other pairs"


def test_without_chinese_text_it_is_told(
    tmp_path: Path, loaded: data.Data, isolated_home: Path
) -> None:
    alone = replace(loaded, mono=[])
    with (
        Run.create(tmp_path, Request(homework="hw05", recipe="world/boss"), "") as run,
        pytest.raises(DataError, match=r"expected mono\.zh .*\n  -> .*back\.sentences=0"),
    ):
        synthetic_of(alone, run)
