import pytest

from mlspring.core.errors import UserError
from mlspring.judge.names import learner_name, look, looks_like, name_key

USABLE = (
    *("ann", "Ann Lee", "O'Brien", "Jean-Luc", "Zoë", "Nguyễn Văn Ánh", "Əli", "student 12", "1"),
    *("李Bob", "김철수", "ジョン", "あきら", "Иван", "Γιώργος", "محمد", "משה", "ณัฐวุฒิ", "अनिता"),
    *("[red]bob[/red]", "B07901234", "C++", "ann🍜"),
)


@pytest.mark.parametrize("name", USABLE)
def test_names_of_many_languages_can_be_used(name: str) -> None:
    assert learner_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("ann\u200b", "ann\u2060", "\ufeffann", "a\u00adnn", "\u2067ann", "a\x1b[31m", "a\u202eb"),
        *("\u3164", "\u2800", "\u115f", "\u1160x", "\uffa0", "a\ufe0f", "a\u034fb"),
        *("\U000e0061nn", "\U000e0100a", "a\u180bb", "\ud800", "a\nb\x00"),
        *("", "  ", "...", "-", "\u0301a", "a\u0301\u0302\u0303\u0304"),
    ],
)
def test_a_name_that_shows_as_nothing_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="another name") as caught:
        learner_name(name)
    assert str(caught.value).isprintable() or "\n  -> " in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["\u0430nn", "\u03b1nn", "ann\u0456", "\u13aann", "\u1d00\u0274\u0274", "\u0251nn", "a\u0561"],
)
def test_letters_that_imitate_others_are_not_mixed_in(name: str) -> None:
    with pytest.raises(UserError, match=r"several scripts|look like others"):
        learner_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("baseline", "Baseline: boss", "BASELINE", "BASELlNE: x", "base1ine", "\uff42aseline"),
        *("𝐛𝐚𝐬𝐞𝐥𝐢𝐧𝐞: boss", "\u042c\u0430\u0455\u0435\u04cf\u0456\u043f\u0435"),
    ],
)
def test_nobody_poses_as_a_baseline(name: str) -> None:
    with pytest.raises(UserError, match=r"look like a baseline"):
        learner_name(name)


def test_case_width_and_composition_make_no_other_learner() -> None:
    assert name_key("\uff21\uff4e\uff4e") == name_key("ann") == name_key("ANN")
    assert name_key("ZOE\u0308") == name_key("zoë")
    assert name_key("Straße") == name_key("STRASSE")
    assert name_key("ann") != name_key("anne")
    assert learner_name("  Ann \t Lee ") == "Ann Lee"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("lan", "Ian"), ("Bob", "B0b"), ("bernard", "bemard"), ("ann1", "annl"), ("vvim", "wim")),
        ("\u0441\u043e\u0441\u0430", "coca"),  # all letters of the first are Cyrillic
        ("\u03bf\u03bf", "oo"),
        ("a‐b", "a-b"),
        ("٣", "3"),
    ],
)
def test_names_that_look_alike_are_found(one: str, other: str) -> None:
    assert looks_like(one, ["zoe", other]) == other
    assert looks_like(other, [one]) == one


def test_names_that_differ_to_the_eye_do_not_look_alike() -> None:
    assert len({look(name) for name in USABLE}) == len(USABLE)
    assert looks_like("Lan", ["Ian", "lan"]) is None  # the second is the same learner
    assert looks_like("student 1-1", ["student 11", "student 1 1"]) is None


def test_the_length_is_that_of_what_is_shown() -> None:
    assert learner_name("蔡" * 64) == "蔡" * 64
    for name in ("x" * 65, "\ufdfa" * 20, "x" * 10**6):  # one of the second becomes 18 letters
        with pytest.raises(UserError, match=r"characters|too long"):
            learner_name(name)
