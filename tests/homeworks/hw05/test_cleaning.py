"""The course's rules, one row of a table each; written by hand from the notebook's description."""

import pytest

from mlspring.homeworks.hw05_translation.cleaning import (
    LONGEST,
    clean_chinese,
    clean_english,
    compared,
    is_kept,
    written_chinese,
)


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("Thank you so much, Chris.", "Thank you so much , Chris ."),
        ("(Laughter)", ""),
        ("So (Applause) it goes (on (and) on).", "So it goes (on on) ."),  # no nesting
        ("a well-known one - yes", "a wellknown one yes"),
        ('He said: "Go!"; why?', 'He said: " Go ! " ; why ?'),
        ("It costs 3.5 dollars, don't it", "It costs 3 . 5 dollars , don't it"),
        ("  two\tspaces  \u3000 here ", "two spaces here"),
        ("", ""),
    ],
)
def test_english_is_cleaned(raw: str, cleaned: str) -> None:
    expected = cleaned.replace("(on on)", "( on on )")
    assert clean_english(raw) == expected


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("非常謝謝你，克里斯。", "非常謝謝你 , 克里斯 。"),
        ("（笑聲）", ""),
        ("(掌聲)好", "好"),
        ("ＡＢＣ１２３！", "ABC123 !"),
        ("他 說　好", "他說好"),
        ("是—不是——", "是不是"),
        ("“好”_的", '" 好 " 的'),
        ("「走；停？」", "「 走 ; 停 ? 」"),
        ("好～", "好 ~"),
        ("甲：乙、丙《丁》", "甲:乙、丙《丁》"),  # the course leaves these as they are
    ],
)
def test_chinese_is_cleaned(raw: str, cleaned: str) -> None:
    assert clean_chinese(raw) == cleaned


@pytest.mark.parametrize("line", ["他 說 。", "A , b ( c ) .", '" 好 " ~ 「 是 」'])
def test_cleaning_twice_is_cleaning_once(line: str) -> None:
    assert clean_chinese(clean_chinese(line)) == clean_chinese(line)
    assert clean_english(clean_english(line)) == clean_english(line)


@pytest.mark.parametrize(
    ("words", "characters", "kept"),
    [
        (1, 1, True),
        (0, 5, False),
        (5, 0, False),
        (1, 9, True),
        (1, 10, False),
        (9, 1, True),
        (10, 1, False),
        (LONGEST, LONGEST, True),
        (LONGEST + 1, LONGEST, False),
        (LONGEST, LONGEST + 1, False),
    ],
)
def test_which_pairs_are_kept(words: int, characters: int, kept: bool) -> None:
    assert is_kept(" ".join(["a"] * words), "字" * characters) is kept


@pytest.mark.parametrize(
    "line",
    [
        "非常謝謝你，克里斯。",
        "「走；停？」",
        "共3,000本書，在12:30到！",
        "這個web page很好，而machine learning不是。",
        "甲：乙、丙《丁》（戊）",
        "他說：好。",
    ],
)
def test_cleaned_chinese_is_written_as_it_was(line: str) -> None:
    """But for what cleaning takes away: brackets, and spaces between Latin words."""
    assert written_chinese(clean_chinese(line.replace("（戊）", ""))).replace(
        " ", ""
    ) == line.replace("（戊）", "").replace(" ", "")


def test_spaces_stay_between_latin_words_alone() -> None:
    assert written_chinese("這 個 web page 很 好 , ok ?") == "這個web page很好，ok？"


def test_width_and_case_do_not_count() -> None:
    assert compared("ＴＥＤ，好！") == compared("ted,好!")
