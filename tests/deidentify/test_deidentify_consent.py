"""Consent classes: read from the table, kept out of what is published, enforced at export."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tracerless.cli.export import command as export
from tracerless.core.errors import ContrastError, DatasetError, VaultError
from tracerless.core.people import Pseudonym, SessionKey, person_digest
from tracerless.io.vault import Vault
from tracerless.workspace import consent, withdrawn
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.ingest_people import notes, read_phenotype, write_people

PEOPLE = {f"10{n}": Pseudonym(f"P{n}") for n in range(4)}
TABLE = "chart_number,sex,同意類別\n100,F,甲\n101,M,乙類\n102,F,丙\n103,M,maybe\n"


def key(chart: str) -> SessionKey:
    return SessionKey(PEOPLE[chart], "01")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    Vault.create(tmp_path / "vault", dataset=None)
    return tmp_path


@pytest.fixture
def dataset(place: Path) -> Dataset:
    """Four people with a series each; their classes from a table."""
    made = Dataset.create_or_open(place / "data")
    for n, person in enumerate(PEOPLE.values()):
        contrasts = ("T1w", "FDG") if n < 3 else ("ECD",)
        for contrast in contrasts:
            folder = made.root / "sourcedata" / f"sub-{person}" / "ses-01" / contrast
            folder.mkdir(parents=True)
            (folder / "series.json").write_text(
                json.dumps({"contrast": contrast, "fingerprint": "f"})
            )
    return made


def take(dataset: Dataset, text: str = TABLE) -> str:
    path = dataset.root.parent / "phenotype.csv"
    path.write_text(text)
    table = read_phenotype(path)
    with Vault.open(dataset.root.parent / "vault", dataset=dataset.root) as vault:
        for chart, person in PEOPLE.items():
            vault.admit(chart, person, "1", "")
        crossed = write_people(dataset, vault, table)
        vault.save("crossed", {})
    return " ".join(notes(table, crossed))


@pytest.mark.parametrize(
    ("text", "meant"),
    [("甲", "A"), ("乙類", "B"), (" 丙 ", "C"), ("a", "A"), ("B", "B"), ("", None), ("D", None)],
)
def test_a_class_is_read_in_chinese_and_in_letters(text: str, meant: str | None) -> None:
    assert consent.parse(text) == meant


def test_classes_come_from_the_table_and_stay_out_of_what_is_published(dataset: Dataset) -> None:
    said = take(dataset)
    assert consent.read(dataset) == {"P0": "A", "P1": "B", "P2": "C"}
    assert "consent: 1 values" in said
    participants = (dataset.root / "participants.tsv").read_text()
    described = (dataset.root / "participants.json").read_text()
    assert "consent" not in participants + described
    assert not set("甲乙丙") & set(participants)
    assert "consent.json" in (dataset.root / ".bidsignore").read_text().splitlines()


def test_class_c_and_an_unknown_class_do_not_leave(dataset: Dataset) -> None:
    take(dataset)
    consent.require(dataset, key("100"))
    consent.require(dataset, key("101"))
    with pytest.raises(VaultError, match="consent of class C; only A and B may leave"):
        consent.require(dataset, key("102"))
    with pytest.raises(VaultError, match="consent of no recorded class"):
        consent.require(dataset, key("103"))
    with pytest.raises(VaultError, match="class B; only A may leave"):
        consent.require(dataset, key("101"), ("A",))
    free, said = consent.permitted(dataset, map(key, PEOPLE))
    assert free == (key("100"), key("101"))
    assert len(said) == 2
    with pytest.raises(VaultError, match="class C"):
        consent.permitted(dataset, [key("102")])


def test_without_any_class_all_may_leave_and_it_is_said(dataset: Dataset) -> None:
    take(dataset, "chart_number,sex\n100,F\n")
    assert not (dataset.root / "consent.json").exists()
    free, said = consent.permitted(dataset, map(key, PEOPLE))
    assert len(free) == 4
    assert said == [consent.UNCHECKED]
    consent.require(dataset, key("102"))


def test_a_later_table_changes_a_class_and_keeps_the_policy(dataset: Dataset) -> None:
    take(dataset)
    path = dataset.root / "consent.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "allowed": ["A"]}))
    take(dataset, "PatientID,Consent\n102,A\n")
    assert consent.read(dataset) == {"P0": "A", "P1": "B", "P2": "A"}
    consent.require(dataset, key("102"))
    with pytest.raises(VaultError, match="only A may leave"):
        consent.require(dataset, key("101"))


def test_who_withdrew_does_not_leave_even_before_all_is_removed(dataset: Dataset) -> None:
    withdrawn.write(dataset, {person_digest(PEOPLE["100"]): {"state": "removing"}})
    free, said = consent.permitted(dataset, map(key, PEOPLE))
    assert key("100") not in free
    assert len(free) == 3
    assert "withdrew" in said[1]


@pytest.mark.parametrize("text", ["{", "[]", '{"people": {"P0": "Z"}, "allowed": ["A"]}'])
def test_a_damaged_record_lets_nobody_out(dataset: Dataset, text: str) -> None:
    (dataset.root / "consent.json").write_text(text)
    with pytest.raises(DatasetError, match="nothing may leave"):
        consent.permitted(dataset, [key("100")])


def test_people_are_counted_by_class_and_modality(dataset: Dataset) -> None:
    take(dataset)
    none = {"A": 0, "B": 0, "C": 0, "unknown": 0}
    each = {"A": 1, "B": 1, "C": 1, "unknown": 0}
    assert consent.counts(dataset) == {
        "SPECT": {**none, "unknown": 1},
        "FDG-PET": each,
        "MR": each,
    }


def test_the_export_command_keeps_class_c_in_the_house(dataset: Dataset, tmp_path: Path) -> None:
    take(dataset)
    arguments = [str(dataset.root), str(tmp_path / "out"), "--session", str(key("102"))]
    with pytest.raises(VaultError, match="class C"):
        CliRunner().invoke(export, arguments, catch_exceptions=False)
    assert not (tmp_path / "out").exists()
    arguments[-1] = str(key("100"))
    with pytest.raises(ContrastError, match="holds synthetic FDG"):
        CliRunner().invoke(export, arguments, catch_exceptions=False)
