"""Tables as hospitals keep them are read as they are meant, or refused in one sentence."""

import contextlib
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracerless.core.errors import DatasetError
from tracerless.io.cognition_redcap import read_redcap
from tracerless.io.cognition_tables import read_table

ROWS = [["participant_id", "測驗", "MMSE"], ["A1", "簡易智能量表", "29"], ["A2", "", "n/a"]]


def text(mark: str = ",", end: str = "\n") -> str:
    return end.join(mark.join(row) for row in ROWS) + end


def write(folder: Path, content: bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def book(folder: Path, *sheets: list[list[object]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for n, rows in enumerate(sheets):
        sheet = made.create_sheet(str(n))
        for row in rows:
            sheet.append(row)
    path = folder / "t.xlsx"
    made.save(path)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp950", "utf-16"])
@pytest.mark.parametrize("mark", [",", "\t", ";", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_usual_text_table_is_the_same_table(
    tmp_path: Path, encoding: str, mark: str, end: str
) -> None:
    table = read_table(write(tmp_path, text(mark, end).encode(encoding)))
    assert [list(table.columns), *table.to_numpy().tolist()] == ROWS
    assert table.index.tolist() == [2, 3]


def test_a_workbook_is_read_as_a_person_reads_it(tmp_path: Path) -> None:
    day = datetime(2026, 1, 31, 9, 30)
    rows: list[list[object]] = [["id", "day", "MMSE", "s"], ["A1", day, 29.0, 41.5], [None] * 4]
    table = read_table(book(tmp_path, [], rows))
    assert table.to_numpy().tolist() == [["A1", "2026-01-31", "29", "41.5"]]


def test_a_workbook_with_two_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="has 2 sheets with cells"):
        read_table(book(tmp_path, [["a"], [1]], [["b"], [2]]))


def test_a_locked_or_broken_workbook_is_refused(tmp_path: Path) -> None:
    for content in (b"\xd0\xcf\x11\xe0locked", b""):
        with pytest.raises(DatasetError, match="damaged, or locked by a password"):
            read_table(write(tmp_path, content, "t.xlsx"))
    with pytest.raises(DatasetError, match=r"Old Excel files \(\.xls\)"):
        read_table(write(tmp_path, b"", "t.xls"))


def test_a_formula_that_nobody_computed_is_no_blank(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="has 1 formulas without a value"):
        read_table(book(tmp_path, [["id", "MMSE"], ["A1", "=20+5"]]))


def test_a_quoted_cell_keeps_its_commas_and_lines(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, b'id,note,MMSE\n1,"a, b\nc",28\n\n2,d,27\n'))
    assert table["note"].tolist() == ["a, b\nc", "d"]
    assert table["MMSE"].tolist() == ["28", "27"]


def test_short_rows_are_filled_and_empty_columns_dropped(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, b"id,MMSE,CASI,,\n1,28\n"))
    assert table.to_dict("records") == [{"id": "1", "MMSE": "28", "CASI": ""}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"id,MMSE\n1,28,27\n", "Line 2 of the table has 3 cells, the headings are 2"),
        (b"id,MMSE,MMSE\n1,28,27\n", "1 headings stand twice"),
        (b'id,MMSE\n1,"28\n', "quotation mark that does not end"),
        (b"\x81\xff\xfe\x00", "neither UTF-8 nor Big5"),
    ],
)
def test_a_torn_table_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_table(write(tmp_path, content))


def test_an_absent_table_is_refused_without_its_name(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is not a file") as caught:
        read_table(tmp_path / "wang.csv")
    assert "wang" not in str(caught.value)


def test_an_empty_file_has_no_column(tmp_path: Path) -> None:
    assert read_table(write(tmp_path, b"")).empty


@settings(deadline=None)
@given(content=st.binary(max_size=200))
def test_no_bytes_bring_anything_but_a_table_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = write(tmp_path_factory.getbasetemp(), content)
    with contextlib.suppress(DatasetError):
        assert all(isinstance(cell, str) for cell in read_table(path).to_numpy().ravel())


REDCAP = (
    '"Variable / Field Name","Form Name","Field Type","Field Label",'
    '"Choices, Calculations, OR Slider Labels","Text Validation Min","Text Validation Max",'
    "Identifier?\n"
    'pt_name,demo,text,"<b>Name</b>",,,,y\n'
    'cdr,cdr,radio,CDR,"1, 0 | 2, 0.5 | 3, 1",,,\n'
    "mmse,mmse,text,MMSE total,,0,30,\n"
)


def test_a_redcap_dictionary_says_what_identifies_and_what_codes_mean(tmp_path: Path) -> None:
    fields = read_redcap(write(tmp_path, REDCAP.encode()))
    assert fields["pt_name"].is_identifier
    assert fields["pt_name"].label == "Name"
    assert dict(fields["cdr"].choices) == {"1": "0", "2": "0.5", "3": "1"}
    assert (fields["mmse"].low, fields["mmse"].high) == (0, 30)
    assert not fields["mmse"].choices


def test_the_api_form_of_a_redcap_dictionary_is_the_same(tmp_path: Path) -> None:
    api = (
        "field_name,field_label,select_choices_or_calculations,text_validation_max,identifier\n"
        'pt_name,Name,,,y\ncdr,CDR,"1, 0 | 2, 0.5 | 3, 1",,\nmmse,MMSE total,,30,\n'
    )
    mine = read_redcap(write(tmp_path, api.encode()))
    theirs = read_redcap(write(tmp_path, REDCAP.encode(), "r.csv"))
    for name, field in theirs.items():
        assert mine[name].is_identifier == field.is_identifier
        assert mine[name].choices == field.choices


def test_another_table_is_no_redcap_dictionary(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no REDCap data dictionary"):
        read_redcap(write(tmp_path, text().encode()))
