"""The question bank: strict, in two languages, all right options or nothing."""

from pathlib import Path

import pytest

from mlspring.core.errors import RecipeError, UserError
from mlspring.core.quiz import Bank, grade, keys_of, load_bank, read_answer, read_answers

BANK = """
points = 0.5

[[question]]
id = "one"
block = "first"
kind = "single"
en = "Which is even?"
zh = "哪個是偶數？"
options = [{ en = "1", zh = "一" }, { en = "2", zh = "二" }]
key = "B"
because = { en = "two twos", zh = "二的倍數" }

[[question]]
id = "two"
block = "first"
kind = "multiple"
en = "Which are odd?"
zh = "哪些是奇數？"
options = [{ en = "1", zh = "一" }, { en = "2", zh = "二" }, { en = "3", zh = "三" }]
because = { en = "not by two", zh = "不能被二整除" }
"""


def bank(tmp_path: Path, text: str = BANK) -> Bank:
    path = tmp_path / "questions.toml"
    path.write_text(text)
    return load_bank(path)


def test_a_question_speaks_both_languages(tmp_path: Path) -> None:
    first, second = bank(tmp_path).question
    assert (first.text("en"), first.text("zh")) == ("Which is even?", "哪個是偶數？")
    assert second.options[2].text("zh") == "三"
    assert (first.letters, second.letters) == ("AB", "ABC")


def test_a_key_is_the_question_s_own_or_computed(tmp_path: Path) -> None:
    made = bank(tmp_path)
    assert keys_of(made, {}) == {"one": "B"}
    assert keys_of(made, {"two": "AC", "one": "A"}) == {"one": "B", "two": "AC"}
    for wrong in ("CA", "AD", "AA"):
        with pytest.raises(ValueError, match="key"):
            keys_of(made, {"two": wrong})


@pytest.mark.parametrize(
    ("answers", "points"),
    [
        ({"one": "B", "two": "AC"}, 1.0),
        ({"one": "B", "two": "A"}, 0.5),
        ({"one": "B", "two": "ABC"}, 0.5),
        ({"one": "A"}, 0.0),
        ({}, 0.0),
    ],
)
def test_all_right_options_or_nothing(
    answers: dict[str, str], points: float, tmp_path: Path
) -> None:
    made = bank(tmp_path)
    found = grade(made, {"one": "B", "two": "AC"}, answers)
    assert (found.points, found.out_of) == (points, 1.0)
    assert [one.is_right for one in found.graded] == [
        answers.get("one") == "B",
        answers.get("two") == "AC",
    ]


def test_what_no_run_decides_counts_neither_way(tmp_path: Path) -> None:
    made = bank(tmp_path)
    found = grade(made, keys_of(made, {}), {"one": "B"})
    assert (found.points, found.out_of) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("text", "letters"),
    [("ca", "AC"), (" C, a ", "AC"), ("", ""), ("b", "B"), ("a\tc", "AC"), ("A、C", "AC")],
)
def test_answers_are_read_as_people_write_them(text: str, letters: str, tmp_path: Path) -> None:
    assert read_answer(bank(tmp_path).question[1], text) == letters


@pytest.mark.parametrize(
    ("number", "text", "sentence"),
    [(0, "C", "'C' is no option of one"), (0, "AB", "single choice"), (1, "A?", "no option")],
)
def test_an_impossible_answer_is_a_sentence(
    number: int, text: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=sentence):
        read_answer(bank(tmp_path).question[number], text)


def test_a_file_of_answers(tmp_path: Path) -> None:
    file = tmp_path / "answers.txt"
    file.write_text("# mine\n\none: b\ntwo a, c  # sure\n")
    assert read_answers(file, bank(tmp_path).question) == {"one": "B", "two": "AC"}


@pytest.mark.parametrize(
    "line",
    [
        "two A、C",
        "two A，C",
        "two ＡＣ",
        "two ａ，ｃ",
        "two：AC",
        "two： A、C",
        "two : A C",
        "two\tAC",
        "two\u3000Ａ　Ｃ",
        "\ufefftwo AC",
        "ｔｗｏ AC",
        "two AC＃對",
        "two A；C",
    ],
)
def test_answers_are_read_as_chinese_input_methods_type_them(line: str, tmp_path: Path) -> None:
    file = tmp_path / "answers.txt"
    file.write_text(f"{line}\n", encoding="utf-8")
    assert read_answers(file, bank(tmp_path).question) == {"two": "AC"}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b": B\n", "row 1: there is no ''"),
        (b"one B\nthree A\n", "row 2: there is no 'three'; expected an id of a question, e.g. one"),
        (b"one B\none A\n", "row 2: one is answered twice"),
        (b"one Z\n", "row 1: 'Z' is no option of one; expected letters of AB"),
        (b"\xff\xfe\x00", "answers.txt"),
    ],
)
def test_a_broken_file_of_answers_names_the_row(
    content: bytes, sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "answers.txt"
    file.write_bytes(content)
    with pytest.raises(UserError, match=sentence):
        read_answers(file, bank(tmp_path).question)
    with pytest.raises(UserError, match="nowhere"):
        read_answers(tmp_path / "nowhere.txt", bank(tmp_path).question)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (('key = "B"', 'key = "AB"'), "single choice"),
        (('key = "B"', 'key = "C"'), "no ascending choice of AB"),
        (('id = "two"', 'id = "one"'), "two questions are called 'one'"),
        (('zh = "哪些是奇數？"\n', ""), "key 'question.1.zh' is missing"),
        (("points", "pointz"), "did you mean 'points'"),
    ],
)
def test_a_faulty_bank_is_refused(change: tuple[str, str], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=sentence):
        bank(tmp_path, BANK.replace(*change))


def test_points_are_plain_decimals(tmp_path: Path) -> None:
    """14 questions of 0.4 points are 5.6 and not 5.6000000000000005, also in JSON."""
    head, question, _ = BANK.split("[[question]]")
    many = "".join(
        f"[[question]]{question}".replace('"one"', f'"q-{number}"') for number in range(15)
    )
    found = bank(tmp_path, head.replace("0.5", "0.4") + many)
    keys = keys_of(found, {})
    answers = dict.fromkeys(list(keys)[:14], "B")
    graded = grade(found, keys, answers)
    assert (graded.points, graded.out_of) == (5.6, 6.0)
    assert 0.4 * 14 != 5.6, "what this test is about"


def test_a_question_may_have_points_of_its_own(tmp_path: Path) -> None:
    made = bank(tmp_path, BANK.replace('id = "two"', 'id = "two"\npoints = 0.75'))
    assert [made.worth(one) for one in made.question] == [0.5, 0.75]
    found = grade(made, {"one": "B", "two": "AC"}, {"one": "A", "two": "AC"})
    assert (found.points, found.out_of) == (0.75, 1.25)
