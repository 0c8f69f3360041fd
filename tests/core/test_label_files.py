"""Label files of three programs, and each way in which one can be damaged."""

from pathlib import Path

import pytest

from mlspring.core.errors import DataError
from mlspring.core.label_files import read_labels

TEXTGRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 0.9
tiers? <exists>
size = 2
item []:
    item [1]:
        class = "IntervalTier"
        name = "{first}"
        xmin = 0
        xmax = 0.9
        intervals: size = 1
        intervals [1]:
            xmin = 0
            xmax = 0.9
            text = "day"
    item [2]:
        class = "IntervalTier"
        name = "{second}"
        xmin = 0
        xmax = 0.9
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.25
            text = ""
        intervals [2]:
            xmin = 0.25
            xmax = 0.5
            text = "D"
        intervals [3]:
            xmin = 0.5
            xmax = 0.9
            text = "EY1"
"""
LABLAUT = """signal wochenAO
type 0
separator ;
nfields 1
#
    0.080109   -1 _t
    0.119160   -1 !t\t+asp
    0.144370   -1 E6
    0.244223   -1 \t+hoe
    0.348031   -1 d+nas
    0.400000   -1 .
"""


def file(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_praat_s_tier_of_phones_is_read(tmp_path: Path) -> None:
    expected = [(0, 0.25, ""), (0.25, 0.5, "D"), (0.5, 0.9, "EY1")]
    for names in (("words", "phones"), ("words", "segments")):
        text = TEXTGRID.format(first=names[0], second=names[1])
        found = read_labels(file(tmp_path, "a.TextGrid", text))
        assert [label[:3] for label in found] == expected
    assert [label[3] for label in found] == [28, 32, 36]  # rows of the texts
    found = read_labels(file(tmp_path, "b.TextGrid", TEXTGRID.format(first="Phones", second="x")))
    assert [label[:3] for label in found] == [(0, 0.9, "day")]


@pytest.mark.parametrize("gap", ["\t", "  "])
def test_three_columns_are_read(gap: str, tmp_path: Path) -> None:
    rows = [("0.1", "0.25", "T"), ("0.25", "0.3", "IY1"), ("0.5", "0.75", "")]
    text = "\n".join(gap.join(row) for row in rows[: 3 if gap == "\t" else 2]) + "\n\n"
    text = text.replace("\n", "\n\\\t100.0\t200.0\n", 1)  # Audacity's row of frequencies
    found = read_labels(file(tmp_path, "a.txt", text))
    assert [label[:3] for label in found][:2] == [(0.1, 0.25, "T"), (0.25, 0.3, "IY1")]
    assert len(found) == (3 if gap == "\t" else 2)


def test_emodb_s_rows_say_where_a_phone_begins(tmp_path: Path) -> None:
    found = read_labels(file(tmp_path, "a.lablaut", LABLAUT))
    assert [label[:3] for label in found] == [
        (0.080109, 0.119160, "_t"),
        (0.119160, 0.144370, "!t"),
        (0.144370, 0.244223, "E6"),
        (0.244223, 0.348031, ""),
        (0.348031, 0.4, "d"),
        (0.4, 1.4, "."),
    ]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.txt", "0.0\t0.5\tS\n0.4\t0.6\tT\n", r"row 2: 'T' lasts from 0.4 to 0.6 s, after"),
        ("a.txt", "0.5\t0.2\tS\n", r"row 1: 'S' lasts from 0.5 to 0.2 s"),
        ("a.txt", "0.0\t0.5\tS\n0.5 T\n", r"row 2: 'T' is no time; expected seconds"),
        ("a.txt", "0.5\n", r"row 1: is '0.5'; expected start, end, phone"),
        ("a.txt", "0.0\tend\tS\n", r"row 1: 'end' is no time; expected seconds"),
        ("a.txt", "nan\t0.5\tS\n", r"row 1: 'nan' is no time"),
        ("a.txt", "-1\t0.5\tS\n", r"row 1: '-1' is no time"),
        ("a.txt", "\n\n", "is empty"),
        ("a.txt", "\\\t1\t2\n", "holds no phone"),
        ("a.TextGrid", '"ooTextFile"\n"TextGrid"\n0\n0.9\n', "has no tier; expected Praat's text"),
        ("a.TextGrid", 'name = "phones"\nxmin = 0\ntext = "S"\n', "row 3: '' is no time"),
        ("a.lablaut", "0.1 -1 a\n0.2 -1 b\n", r"has no row '#'"),
        ("a.lablaut", "#\n", "holds no phone"),
        ("a.lablaut", "#\n0.3 -1 a\n0.1 -1 b\n", r"row 2: 'a' lasts from 0.3 to 0.1 s"),
    ],
)
def test_a_damaged_file_is_told_with_its_row(
    name: str, text: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=rf"{name}.*{words}"):
        read_labels(file(tmp_path, name, text))
