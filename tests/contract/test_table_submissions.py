"""One contract over all homeworks whose submission is a table: what the spec declares is enough."""

from pathlib import Path

import numpy as np
import pytest

from mlspring import catalog
from mlspring.catalog import SPECS
from mlspring.core.errors import DataError, SubmissionError
from mlspring.core.spec import Classes, Names, Spec, TableFormat, Texts
from mlspring.judge.worker import score_locally

TABLES = [spec for spec in SPECS if spec.table is not None]
IDS = ["0007", "0008", "0009", "0010"]  # ids are text: leading zeros stay
PUBLIC, PRIVATE = (0, 2), (1, 3)  # rows of each part
each_table = pytest.mark.parametrize("spec", TABLES, ids=lambda spec: spec.id)


def table_of(spec: Spec) -> TableFormat:
    assert spec.table is not None
    return spec.table


def metric_of(spec: Spec) -> str:
    return table_of(spec).metric


def is_named(spec: Spec) -> bool:
    return isinstance(table_of(spec).values, Names)


def is_text(spec: Spec) -> bool:
    return isinstance(table_of(spec).values, Texts)


each_unnamed = pytest.mark.parametrize(
    "spec",
    [spec for spec in TABLES if not is_named(spec) and not is_text(spec)],
    ids=lambda spec: spec.id,
)
each_text = pytest.mark.parametrize(
    "spec", [spec for spec in TABLES if is_text(spec)], ids=lambda spec: spec.id
)
each_named = pytest.mark.parametrize(
    "spec", [spec for spec in TABLES if is_named(spec)], ids=lambda spec: spec.id
)


def right(spec: Spec) -> list[str]:
    """Return the value of each row in the answers."""
    if isinstance(table_of(spec).values, Classes):
        return ["3", "4", "0", "1"]
    if isinstance(table_of(spec).values, Names):
        return ["id03074", "王小明", "Ann Lee", "id00464"]
    if isinstance(table_of(spec).values, Texts):
        return ["天神地區", "1874年", "《魯冰花》 Op. 5", "64所"]
    return ["3.25", "4.5", "0.125", "-7.0"]


def answers(spec: Spec, folder: Path, usage: str = "Private") -> Path:
    path, usages = folder / "answers.csv", ("Public", usage, "Public", "Private")
    rows = [f"{i},{v},{u}" for i, v, u in zip(IDS, right(spec), usages, strict=True)]
    path.write_text("\n".join([",".join((*table_of(spec).header, "Usage")), *rows]) + "\n")
    return path


def hand_in(spec: Spec, folder: Path, rows: list[str], end: str = "\n", mark: str = "") -> Path:
    path = folder / "submission.csv"
    text = mark + end.join([",".join(table_of(spec).header), *rows]) + end
    path.write_bytes(text.encode())
    return path


def rows_of(spec: Spec, **other: str) -> list[str]:
    """Return the right rows; ``row1="9"`` puts another value into one."""
    values = [other.get(f"row{k}", value) for k, value in enumerate(right(spec))]
    return [f"{name},{value}" for name, value in zip(IDS, values, strict=True)]


@each_table
def test_what_is_written_is_read(spec: Spec, tmp_path: Path) -> None:
    part, path = catalog.part(spec, "submission"), tmp_path / "submission.csv"
    values = np.array([0.1, 1 / 3, 2e-17, -7.5])
    if metric_of(spec) == "accuracy":
        by_words = is_named(spec) or is_text(spec)
        values = np.array(right(spec)) if by_words else np.array([3, 4, 0, 1])
    part.write(path, IDS, values)
    assert path.read_text().splitlines()[0] == ",".join(table_of(spec).header)
    assert path.read_text().splitlines()[1].startswith("0007,")
    assert part.read(path, IDS).tolist() == values.tolist()


@each_table
def test_public_and_private_are_scored_apart(spec: Spec, tmp_path: Path) -> None:
    exact = metric_of(spec) == "accuracy"
    wrong = {"row2": right(spec)[3]} if exact else {"row2": "2.125", "row3": "-6.0"}
    scored = score_locally(
        spec, hand_in(spec, tmp_path, rows_of(spec, **wrong)), answers(spec, tmp_path)
    )
    expected = (0.5, 1.0) if exact else ((0.0 + 2.0**2) / 2, (0.0 + 1.0**2) / 2)
    assert (scored.public, scored.private) == expected


@each_table
@pytest.mark.parametrize(("end", "mark"), [("\r\n", "\ufeff"), ("\r\n\r\n", ""), ("\r", "")])
def test_row_order_line_ends_blank_lines_and_a_byte_order_mark_do_not_matter(
    spec: Spec, end: str, mark: str, tmp_path: Path
) -> None:
    path = hand_in(spec, tmp_path, rows_of(spec)[::-1], end, mark)
    scored = score_locally(spec, path, answers(spec, tmp_path))
    best = 0.0 if not spec.metric.higher_is_better else 1.0
    assert (scored.public, scored.private) == (best, best)


@each_unnamed
@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("bread", "'bread'"),
        ("", "empty"),
        ("nan", "'nan'"),
        ("1e400", "'1e400'"),
        ("\uff11", "'\uff11'"),
        ("1_0", "'1_0'"),
        ("9" * 5000, "999"),
    ],
)
def test_a_bad_value_is_rejected_with_its_row(
    spec: Spec, cell: str, words: str, tmp_path: Path
) -> None:
    path = hand_in(spec, tmp_path, rows_of(spec, row1=cell))
    with pytest.raises(SubmissionError, match=rf"(?s)row 3.*{words}") as told:
        score_locally(spec, path, answers(spec, tmp_path))
    assert len(str(told.value)) < 1000


@each_unnamed
def test_a_value_of_no_class_or_beyond_the_largest_number_is_rejected(
    spec: Spec, tmp_path: Path
) -> None:
    values = table_of(spec).values
    if isinstance(values, Classes):
        bad = ["-1", "1.0", str(values.num or 5)]  # where the data say, the answers know 0 to 4
    else:
        bad = [f"{values.largest * 1.01}", f"-{values.largest * 1.01}"]
        for sign in ("", "-"):
            largest = hand_in(spec, tmp_path, rows_of(spec, row1=f"{sign}{values.largest}"))
            score_locally(spec, largest, answers(spec, tmp_path))  # is taken
    for cell in bad:
        path = hand_in(spec, tmp_path, rows_of(spec, row1=cell))
        with pytest.raises(SubmissionError, match=r"row 3|'0008'"):
            score_locally(spec, path, answers(spec, tmp_path))


@pytest.mark.parametrize(
    "spec", [s for s in TABLES if table_of(s).values == Classes(None)], ids=lambda spec: spec.id
)
def test_where_the_data_say_how_many_classes_are_a_class_beyond_is_rejected(
    spec: Spec, tmp_path: Path
) -> None:
    part = catalog.part(spec, "submission")
    path = hand_in(spec, tmp_path, rows_of(spec, row1="7"))
    assert part.read(path, IDS).tolist() == [3, 7, 0, 1]
    assert part.read(path, IDS, 8).tolist() == [3, 7, 0, 1]
    with pytest.raises(SubmissionError, match="row 3"):
        part.read(path, IDS, 7)


@each_named
@pytest.mark.parametrize(("cell", "words"), [("", "empty"), ('" "', "' '"), ("9" * 5000, "999")])
def test_what_is_no_name_is_rejected_with_its_row(
    spec: Spec, cell: str, words: str, tmp_path: Path
) -> None:
    path = hand_in(spec, tmp_path, rows_of(spec, row1=cell))
    with pytest.raises(SubmissionError, match=rf"(?s)row 3.*{words}") as told:
        score_locally(spec, path, answers(spec, tmp_path))
    assert len(str(told.value)) < 1000


@each_named
def test_a_name_that_no_answer_has_is_wrong_and_numbers_alone_are_told(
    spec: Spec, tmp_path: Path
) -> None:
    """The answers need not hold every name of the training, so one alone is only wrong."""
    path = hand_in(spec, tmp_path, rows_of(spec, row1="id07777", row2=" Ann Lee "))
    scored = score_locally(spec, path, answers(spec, tmp_path))
    assert (scored.public, scored.private) == (1.0, 0.5)
    path = hand_in(spec, tmp_path, [f"{name},{number}" for number, name in enumerate(IDS)])
    with pytest.raises(SubmissionError, match=r"no Category is known; the first is '0'; expected"):
        score_locally(spec, path, answers(spec, tmp_path))


@each_named
def test_where_the_data_know_the_names_another_is_rejected_with_a_hint(
    spec: Spec, tmp_path: Path
) -> None:
    part, known = catalog.part(spec, "submission"), sorted(right(spec))
    path = hand_in(spec, tmp_path, rows_of(spec))
    assert part.read(path, IDS, known).tolist() == right(spec)
    path = hand_in(spec, tmp_path, rows_of(spec, row3="id0464"))
    with pytest.raises(SubmissionError, match=r"(?s)row 5.*'id0464'.*did you mean 'id00464'"):
        part.read(path, IDS, known)


@each_text
def test_commas_quotes_and_line_breaks_in_a_text_come_back_as_one_cell(
    spec: Spec, tmp_path: Path
) -> None:
    """ASCII commas are removed on both sides, as the course does; others are the text's own."""
    part, path = catalog.part(spec, "submission"), tmp_path / "submission.csv"
    texts = ["1,234人", '他說"好"', "第一行\n第二行", "甲，乙"]
    part.write(path, IDS, np.array(texts))
    assert part.read(path, IDS).tolist() == ["1234人", texts[1], texts[2], texts[3]]
    cells = ['"1,234人"', '"他說""好"""', '"第一行\r\n第二行"', " 甲，乙 "]
    rows = [f"{name},{cell}" for name, cell in zip(IDS, cells, strict=True)]
    answers_file = tmp_path / "answers.csv"
    usages = ("Public", "Private", "Public", "Private")
    told = [f"{row},{usage}" for row, usage in zip(rows, usages, strict=True)]
    answers_file.write_bytes(
        "\n".join([f"{','.join(table_of(spec).header)},Usage", *told]).encode()
    )
    scored = score_locally(spec, path, answers_file)
    assert (scored.public, scored.private) == (1.0, 1.0)
    scored = score_locally(spec, hand_in(spec, tmp_path, rows), answers_file)
    assert (scored.public, scored.private) == (1.0, 1.0)


@each_text
def test_a_text_may_be_empty_or_unknown_but_not_endless(spec: Spec, tmp_path: Path) -> None:
    path = hand_in(spec, tmp_path, rows_of(spec, row1="", row2="博多"))
    scored = score_locally(spec, path, answers(spec, tmp_path))
    assert (scored.public, scored.private) == (0.5, 0.5)
    path = hand_in(spec, tmp_path, rows_of(spec, row1="長" * 5000))
    with pytest.raises(SubmissionError, match=r"(?s)row 3.*at most 1,000 characters") as told:
        score_locally(spec, path, answers(spec, tmp_path))
    assert len(str(told.value)) < 1000
    path = hand_in(spec, tmp_path, rows_of(spec, row1="1,874年"))
    with pytest.raises(SubmissionError, match="row 3: has 3 cells"):
        score_locally(spec, path, answers(spec, tmp_path))


@each_table
def test_wrong_ids_and_headers_are_rejected_with_a_hint(spec: Spec, tmp_path: Path) -> None:
    good = rows_of(spec)
    cases = {
        r"row 3.*stands in row 2 already": [good[0], good[0], *good[2:]],
        r"(?s)row 2.*did you mean '0007'": [good[0].removeprefix("000"), *good[1:]],
        r"lacks 2 rows, the first is \w+ '0009'": good[:2],
        r"row 6.*unknown \w+ '0011'": [*good, good[0].replace("0007", "0011")],
    }
    for words, rows in cases.items():
        with pytest.raises(SubmissionError, match=words):
            score_locally(spec, hand_in(spec, tmp_path, rows), answers(spec, tmp_path))
    for text in ("", "nothing,here\n0007,3\n", f"{','.join(table_of(spec).header)},Usage\n"):
        path = tmp_path / "submission.csv"
        path.write_text(text)
        with pytest.raises(SubmissionError, match=r"row 1|empty|bytes"):
            score_locally(spec, path, answers(spec, tmp_path))


@each_table
def test_bad_answers_are_not_the_learner_s_fault(spec: Spec, tmp_path: Path) -> None:
    path = hand_in(spec, tmp_path, rows_of(spec))
    with pytest.raises(DataError, match="Usage is 'Secret'"):
        score_locally(spec, path, answers(spec, tmp_path, usage="Secret"))
