import pytest

from mlspring.core.errors import DataError
from mlspring.core.foreign_text import shown, shown_lines


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a\x1b[31mred", r"a\x1b[31mred"),
        ("two\nlines\r", r"two\nlines\r"),
        ("a\u202egnp.exe", r"a\u202egnp.exe"),
        ("a\u2066b\u200bc\ufeff", r"a\u2066b\u200bc\ufeff"),
        ("\u3164\u2800\ufe0f", r"\u3164\u2800\ufe0f"),
        ("\udcff", r"\udcff"),
        ("\x9b2J\x7f\x00", r"\x9b2J\x7f\x00"),
        ("a\u2028b\u0085", r"a\u2028b\x85"),
        ("結果 é\u3000ü \u00a0.csv", "結果 é\u3000ü \u00a0.csv"),
    ],
)
def test_what_a_terminal_would_obey_or_hide_is_written_out(text: str, safe: str) -> None:
    assert shown(text) == safe
    assert shown(safe) == safe


def test_no_character_of_unicode_passes_that_controls_something() -> None:
    everything = "".join(map(chr, range(0x110000)))
    safe = shown(everything)
    assert not {c for c in safe if ord(c) < 32 or 0x7F <= ord(c) < 0xA0}
    assert not {c for c in "\u061c\u200e\u200f\u202a\u202e\u2066\u2069\u2028\ufeff" if c in safe}


def test_a_long_text_is_cut() -> None:
    assert shown("x" * 10, longest=10) == "x" * 10
    assert shown("x" * 11, longest=10) == "x" * 7 + "..."
    assert len(shown("\x1b" * 11, longest=10)) == 10
    assert shown("x" * 8 + "\n", longest=10) == "x" * 8 + r"\n"
    assert shown("x" * 9 + "\n", longest=10) == "x" * 7 + "...", "counted as it is shown"


def test_lines_stay_lines() -> None:
    assert shown_lines("a\x1b\nb\r") == "a\\x1b\nb\\r"
    assert shown_lines("x" * 11 + "\ny", longest=10) == "x" * 7 + "...\ny"


def test_an_error_shows_foreign_text_in_every_part_of_its_message() -> None:
    evil = "\x1b[2J\u202eevil\nscored"
    error = DataError(evil, file=f"data/{evil}", row=3, expected=evil, fix=evil)
    text = str(error)
    assert text.count("\n") == 1 and text.splitlines()[1].startswith("  -> ")
    assert "\x1b" not in text and "\u202e" not in text
    assert error.found == evil  # what code compares stays as it was
