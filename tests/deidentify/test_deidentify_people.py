"""What is known of people crosses by pseudonym; names and surprises stay behind."""

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tracerless.core.errors import DatasetError
from tracerless.core.people import Pseudonym
from tracerless.io.vault import Vault
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.ingest_people import Crossed, notes, read_phenotype, write_people

ONE, TWO = Pseudonym("WC69X8PPNQ"), Pseudonym("ZC69X8PPNQ")
EVERYONE = {"0012345|TPE": ONE, "777": TWO, "888": Pseudonym("ELSEWHERE")}

TABLE = """\
chart_number,name,sex,age,education_years,diagnosis,MMSE,phone
0012345,陳大文,女,93,16,ad,21,0912345678
777,Wang,M,61.5,,CN,31,
999,Nobody,F,50,9,CN,30,
"""


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    made = Dataset.create_or_open(tmp_path / "data")
    for person in (ONE, TWO):
        (made.root / "sourcedata" / f"sub-{person}" / "ses-01").mkdir(parents=True)
    return made


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    Vault.create(tmp_path / "vault", dataset=None)
    with Vault.open(tmp_path / "vault", dataset=None) as opened:
        opened.identify(EVERYONE)
        for person, name in EVERYONE.items():
            opened.admit(person, name, "1", "")
        yield opened


def write(path: Path, text: str = TABLE, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


def people(dataset: Dataset) -> pd.DataFrame:
    path = dataset.root / "participants.tsv"
    return pd.read_csv(path, sep="\t", index_col="participant_id")


def test_rows_cross_by_pseudonym_and_only_declared_columns(
    tmp_path: Path, dataset: Dataset, vault: Vault
) -> None:
    table = read_phenotype(write(tmp_path / "p.csv"))
    assert write_people(dataset, vault, table) == Crossed(2, 0)
    made = people(dataset)
    assert list(made.index) == [f"sub-{ONE}", f"sub-{TWO}"]
    assert made.loc[f"sub-{ONE}", ["sex", "age", "diagnosis", "MMSE"]].tolist() == [
        "F",
        90,
        "AD",
        21,
    ]
    assert made.loc[f"sub-{TWO}", "age"] == 61.5
    assert pd.isna(made.loc[f"sub-{TWO}", "MMSE"])
    content = (dataset.root / "participants.tsv").read_text()
    for secret in ("陳大文", "Wang", "0012345", "777", "0912345678", "ELSEWHERE"):
        assert secret not in content
    described = json.loads((dataset.root / "participants.json").read_text())
    assert described["MMSE"]["Units"] == "points"


def test_what_was_left_out_is_said_without_a_value(tmp_path: Path, dataset: Dataset) -> None:
    table = read_phenotype(write(tmp_path / "p.csv"))
    said = " ".join(notes(table, Crossed(2)))
    assert "name, phone" in said
    assert "MMSE: 1 values" in said
    assert "Wang" not in said
    assert "No row" in " ".join(notes(table, Crossed()))
    assert "Wang" not in repr(table)


def test_a_number_that_two_issuers_use_needs_its_issuer(
    tmp_path: Path, dataset: Dataset, vault: Vault
) -> None:
    other = Pseudonym("OTHER")
    (dataset.root / "sourcedata" / f"sub-{other}" / "ses-01").mkdir(parents=True)
    vault.identify(["0012345|TNN"])
    vault.admit("0012345|TNN", other, "1", "")
    table = read_phenotype(write(tmp_path / "p.csv"))
    crossed = write_people(dataset, vault, table)
    assert crossed == Crossed(1, 1)
    assert "two issuers use their chart numbers" in " ".join(notes(table, crossed))
    text = "chart_number,age\n0012345|TNN,70\n0012345|TPE,60\n"
    assert write_people(dataset, vault, read_phenotype(write(tmp_path / "q.csv", text))).rows == 2
    assert people(dataset).loc[[f"sub-{other}", f"sub-{ONE}"], "age"].tolist() == [70, 60]


def test_a_later_table_adds_and_does_not_forget(
    tmp_path: Path, dataset: Dataset, vault: Vault
) -> None:
    write_people(dataset, vault, read_phenotype(write(tmp_path / "p.csv")))
    later = read_phenotype(write(tmp_path / "q.csv", "PatientID,CASI\n777,88\n"))
    write_people(dataset, vault, later)
    made = people(dataset)
    assert made.loc[f"sub-{TWO}", ["age", "CASI"]].tolist() == [61.5, 88]
    assert made.loc[f"sub-{ONE}", "age"] == 90
    before = (dataset.root / "participants.tsv").read_bytes()
    write_people(dataset, vault, None)
    assert (dataset.root / "participants.tsv").read_bytes() == before


def test_everybody_is_listed_without_a_table(dataset: Dataset, vault: Vault) -> None:
    assert write_people(dataset, vault, None) == Crossed()
    assert list(people(dataset).index) == [f"sub-{ONE}", f"sub-{TWO}"]


def test_a_table_in_big5_is_read(tmp_path: Path) -> None:
    table = read_phenotype(write(tmp_path / "p.csv", "病歷號,sex\n777,男\n", "cp950"))
    assert table.rows == {"777": {"sex": "M"}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,age\nWang,50\n", "no column of chart numbers among 2 columns"),
        ("chart_number,age\n777,50\n777,51\n", "Line 3 of the phenotype table repeats"),
        ("", "no column of chart numbers among 0 columns"),
    ],
)
def test_a_table_that_cannot_be_joined_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DatasetError, match=message) as caught:
        read_phenotype(write(tmp_path / "p.csv", text))
    assert "Wang" not in str(caught.value)
    assert "777" not in str(caught.value)


def test_an_absent_or_binary_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is not a file"):
        read_phenotype(tmp_path / "none.csv")
    (tmp_path / "x.csv").write_bytes(b"\x81\xff\xfe\x00")
    with pytest.raises(DatasetError, match="neither UTF-8 nor Big5"):
        read_phenotype(tmp_path / "x.csv")
