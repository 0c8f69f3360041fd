"""What is handed in, how it is scored, and what is rejected."""

import json
import math
from collections import Counter
from pathlib import Path

import pytest

from mlspring.core.errors import DataError, SubmissionError
from mlspring.homeworks.hw05_translation import score as scorer
from mlspring.homeworks.hw05_translation import submission
from mlspring.homeworks.hw05_translation.spec import SPEC
from tests.tiny.translation import NUM_TEST, write_answers

IDS = ["1", "2", "3"]


def test_one_line_a_sentence_with_lf_and_no_empty_one(tmp_path: Path) -> None:
    file = tmp_path / "prediction.txt"
    submission.write(file, IDS, ["好。", "", " 一\n二 "])
    assert file.read_bytes() == "好。\n<unk>\n一 二\n".encode()
    assert submission.read(file, IDS) == ["好。", "<unk>", "一 二"]
    assert submission.describe(["好", "这"]) == "2 lines, 1 with simplified characters"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("一\n二\n".encode(), "has 2 lines; expected 3, one for each line to translate"),
        ("一\n二\n三\n四\n".encode(), "has 4 lines; expected 3"),
        ("我們在這裡的人\n" * 3, "looks like Big5 text"),
        ("一\n二\n三\n".encode("utf-16"), "is UTF-16 text"),
        (b"", "is empty"),
        (("一" * 240_000).encode(), "has 720.0 kB; expected at most 700.0 kB"),
    ],
)
def test_what_is_rejected(content: bytes | str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "prediction.txt"
    file.write_bytes(content.encode("cp950") if isinstance(content, str) else content)
    with pytest.raises(SubmissionError, match=said):
        submission.read(file, IDS)


def test_windows_line_ends_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "prediction.txt"
    file.write_bytes("一\r\n二\r\n三".encode("utf-8-sig"))
    assert submission.read(file, IDS) == ["一", "二", "三"]


def bleu_by_hand(lines: list[str], references: list[str]) -> float:
    """Return BLEU of Chinese without Latin letters: characters are tokens, no smoothing needed."""
    right, total = [0] * 4, [0] * 4
    for line, reference in zip(lines, references, strict=True):
        for n in range(1, 5):
            mine, theirs = (
                Counter(side[i : i + n] for i in range(len(side) - n + 1))
                for side in (line, reference)
            )
            right[n - 1] += sum((mine & theirs).values())
            total[n - 1] += sum(mine.values())
    length, wanted = (sum(map(len, side)) for side in (lines, references))
    precision = math.exp(sum(math.log(r / t) for r, t in zip(right, total, strict=True)) / 4)
    return 100 * precision * min(1.0, math.exp(1 - wanted / length))


def test_the_score_is_bleu_over_characters() -> None:
    references = ["我們今天在公園看見三隻貓。", "他昨天買了兩本書給我。"]
    lines = ["我們今天在公園看見三隻狗。", "他昨天買兩本書。"]
    found, signature = scorer.bleu(lines, references)
    assert found.score == pytest.approx(bleu_by_hand(lines, references))
    assert "tok:zh" in signature and "nrefs:1" in signature


@pytest.fixture
def answers(tmp_path: Path) -> scorer.Answers:
    return scorer.read_answers(write_answers(tmp_path / "answers.json"))


def test_halves_count_apart_and_the_signature_is_told(answers: scorer.Answers) -> None:
    lines = list(answers.references)
    for row, public in enumerate(answers.public):
        if public:
            lines[row] = "錯"
    scored = scorer.score(lines, answers)
    assert scored.private == 100.0
    assert scored.public < 1
    (name,) = (name for name in scored.details if name.startswith("BLEU|"))
    assert "tok:zh" in name
    assert scored.details[name] == scored.public, "nothing tells of the private part but its own"
    assert scored.details["accepted"] == 0.0
    assert scored.details["private_accepted"] == 1.0


def test_width_case_spaces_and_signs(answers: scorer.Answers) -> None:
    spaced = [" ".join(line.replace("。", "．")) for line in answers.references]
    scored = scorer.score(spaced, answers)
    assert scored.details["accepted"] == 1.0, "signs and spaces make no translation wrong"
    assert scored.public < 100, "but a wrong sign costs BLEU"
    assert scorer.bleu(["ted,很好嗎!"], ["ＴＥＤ，很好嗎！"])[0].score > 99.9


def test_another_right_translation_is_accepted(answers: scorer.Answers) -> None:
    more = scorer.Answers(
        references=answers.references,
        public=answers.public,
        accepted=[[line, "另一個說法。"] for line in answers.references],
    )
    assert scorer.score(["另一個說法"] * NUM_TEST, more).details["accepted"] == 1.0


@pytest.mark.parametrize(
    "change",
    [
        {"references": ["一"]},
        {"usage": ["Public"] * NUM_TEST},
        {"usage": ["Public", "Secret"] * (NUM_TEST // 2)},
        {"accepted": [1] * NUM_TEST},
        {"references": [1] * NUM_TEST},
        {"references": "text"},
    ],
)
def test_answers_that_do_not_fit_are_told(tmp_path: Path, change: dict[str, object]) -> None:
    file = write_answers(tmp_path / "answers.json")
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | change))
    with pytest.raises(DataError, match="holds no answers of hw05"):
        scorer.read_answers(file)


@pytest.mark.parametrize("text", ["[]", "3", "{}"])
def test_other_json_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "answers.json").write_text(text)
    with pytest.raises(DataError, match="holds no answers of hw05"):
        scorer.read_answers(tmp_path / "answers.json")


def test_answers_without_accepted_sets_are_taken(tmp_path: Path) -> None:
    file = write_answers(tmp_path / "answers.json")
    told = json.loads(file.read_text(encoding="utf-8"))
    del told["accepted"]
    file.write_text(json.dumps(told))
    read = scorer.read_answers(file)
    assert "accepted" not in scorer.score(read.references, read).details
    assert SPEC.metric.name == "BLEU"
