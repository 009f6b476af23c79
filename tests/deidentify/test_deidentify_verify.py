"""A clean dataset passes; whatever is planted in one is found, and only its name is told."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np
import pytest
from pydicom import DataElement, Dataset
from verify_cases import (  # noqa: F401
    ADDRESS,
    BIRTH,
    CHART,
    House,
    copy,
    edit,
    house,
    kinds,
    proven,
    whole,
)

from tracerless.workspace.verify_report import standing

FOUND = ("values", "value-found")


def test_a_clean_dataset_passes_and_every_check_looked_at_something(
    copy: House,  # noqa: F811
) -> None:
    verdict = proven(copy)
    assert verdict.report["findings"] == []
    examined = {each["check"]: each["examined"] for each in verdict.report["checks"]}
    assert all(examined[name] for name in ("values", "border", "references", "measures", "iod"))
    assert examined["border"] == examined["measures"] == 6
    assert verdict.report["values"]["n"] > 20
    assert standing(copy.root, copy.vault).holds


@pytest.mark.parametrize("profile", ["seed", "seed-strict", "ps315-basic", "safe-harbor"])
def test_every_profile_makes_a_dataset_that_passes(
    profile: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    verdict = proven(house(tmp_path, profile, n_files=1))
    assert verdict.report["findings"] == []


class Planted(NamedTuple):
    """What somebody left behind, and what must be found."""

    name: str
    plant: Callable[[House], None]
    found: tuple[str, str]


def header(keyword: str, value: object) -> Callable[[House], None]:
    return lambda made: edit(made.first, lambda dataset: setattr(dataset, keyword, value))


def element(tag: int, vr: str, value: object) -> Callable[[House], None]:
    def put(dataset: Dataset) -> None:
        dataset.add(DataElement(tag, vr, value))

    return lambda made: edit(made.first, put)


def nested(made: House) -> None:
    def put(dataset: Dataset) -> None:
        dataset.RadiopharmaceuticalInformationSequence[0].Radiopharmaceutical = CHART

    edit(made.first, put)


def private(made: House) -> None:
    def put(dataset: Dataset) -> None:
        dataset.private_block(0x0009, "SOME PACS", create=True).add_new(1, "LO", ADDRESS)

    edit(made.first, put)


def raw_bytes(made: House, old: bytes, new: bytes) -> None:
    content = made.first.read_bytes()
    assert old in content
    assert len(old) == len(new)
    made.first.write_bytes(content.replace(old, new, 1))


def preamble(made: House) -> None:
    content = made.first.read_bytes()
    made.first.write_bytes(CHART.encode().ljust(128, b"\0") + content[128:])


def trailing(made: House) -> None:
    made.first.write_bytes(
        made.first.read_bytes() + b"\xfc\xff\xfc\xffOB\0\0\x0a\0\0\0" + CHART.encode()
    )


def behind_pixels(made: House) -> None:
    def put(dataset: Dataset) -> None:
        dataset["PixelData"].value += CHART.encode()

    edit(made.first, put)


def bytes_of(keyword: str, content: bytes) -> Callable[[House], None]:
    """A text whose bytes are of another code than the label says."""

    def plant(made: House) -> None:
        mark = b"@" * (len(content) + len(content) % 2)
        edit(made.first, lambda dataset: setattr(dataset, keyword, mark.decode()))
        raw_bytes(made, mark, content + b" " * (len(content) % 2))

    return plant


def file_name(made: House) -> None:
    (made.folder / "0002.dcm").rename(made.folder / f"{CHART}.dcm")


def folder_name(made: House) -> None:
    made.folder.rename(made.folder.with_name(f"FDG_{CHART}"))


def creator(made: House) -> None:
    """A block that is named after somebody; the vault knows one of the same name."""

    def put(dataset: Dataset) -> None:
        dataset.private_block(0x0011, "DRWANG", create=True).add_new(1, "LO", "DRWANG")

    edit(made.first, put)


def write(name: str, content: str | bytes) -> Callable[[House], None]:
    def plant(made: House) -> None:
        path = made.root / name.replace("PERSON", f"sub-{made.person}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return plant


def nifti(made: House) -> None:
    volume = nib.Nifti1Image(np.zeros((2, 2, 2), np.float32), np.eye(4))
    volume.header["descrip"] = b"scan of Dawenlong Chen"
    path = made.root / f"sub-{made.person}/ses-01/anat/sub-{made.person}_ses-01_T1w.nii.gz"
    path.parent.mkdir(parents=True)
    nib.save(volume, path)


def gzip_name(made: House) -> None:
    path = made.root / f"sub-{made.person}/ses-01/anat/sub-{made.person}_ses-01_T1w.nii.gz"
    path.parent.mkdir(parents=True)
    volume = nib.Nifti1Image(np.zeros((2, 2, 2), np.float32), np.eye(4)).to_bytes()
    with path.open("wb") as stream, gzip.GzipFile(f"{CHART}.nii", "wb", fileobj=stream) as packed:
        packed.write(volume)


LEAKS = (
    Planted("a header", header("SeriesDescription", f"FDG {CHART}"), FOUND),
    Planted(
        "lower case and full width", header("SeriesDescription", "fdg ａ１２３-456-789"), FOUND
    ),
    Planted("a sequence", nested, FOUND),
    Planted("a vendor's field", private, FOUND),
    Planted("the preamble", preamble, FOUND),
    Planted("behind the last attribute", trailing, FOUND),
    Planted("behind the pixels", behind_pixels, ("border", "trailing-bytes")),
    Planted("a name turned round", header("Manufacturer", "DAWENLONG CHEN"), FOUND),
    Planted("one part of a name", header("Manufacturer", "for Dawenlong"), ("values", "name-part")),
    Planted("a name in Big5", bytes_of("Manufacturer", "陳大文".encode("big5")), FOUND),
    Planted("a name in GB18030", bytes_of("Manufacturer", "陳大文".encode("gb18030")), FOUND),
    Planted("a name in UTF-16", element(0x00280303, "OB", "陳大文".encode("utf-16-le")), FOUND),
    Planted("a Chinese name in UTF-8", header("Manufacturer", "大文 陳"), FOUND),
    Planted("a birth date by the ROC calendar", header("Manufacturer", "民國51年7月13日"), FOUND),
    Planted("a birth date in seven digits", header("Manufacturer", "V 0510713"), FOUND),
    Planted("a birth date in ISO form", header("Manufacturer", "1962-07-13"), FOUND),
    Planted("an old UID", header("StudyInstanceUID", "1.3.12.2.1107.5.2.32.35235.2"), FOUND),
    Planted("a file name", file_name, FOUND),
    Planted("a folder's name", folder_name, FOUND),
    Planted("a report's name", write(f"reports/{CHART}.html", "x"), FOUND),
    Planted("a vendor's name", creator, ("border", "private-creator")),
    Planted("a table", write("derivatives/tracerless/cohort.tsv", f"id\tx\n1\t{BIRTH}\n"), FOUND),
    Planted("a page", write("reports/PERSON.html", "<p>Dawenlong &nbsp; Chen</p>"), FOUND),
    Planted("everybody's table", write("participants.tsv", f"id\n{CHART}\n"), FOUND),
    Planted("a model's card", write("models/one/README.md", f"trained on {CHART}"), FOUND),
    Planted("a NIfTI header", nifti, FOUND),
    Planted("a gzip header", gzip_name, FOUND),
    Planted("escapes in JSON", write("quarantine.json", json.dumps({"a": "陳大文"})), FOUND),
    Planted("Chinese in a table", write("quarantine.json", '{"reason": "陳大文"}'), FOUND),
)


@pytest.mark.parametrize("planted", LEAKS, ids=lambda planted: planted.name)
def test_a_value_that_comes_back_is_found_and_never_told(
    planted: Planted,
    copy: House,  # noqa: F811
) -> None:
    planted.plant(copy)
    verdict = proven(copy)
    assert planted.found in kinds(verdict)
    page = (verdict.folder / "verification.html").read_text()
    for text in (json.dumps(verdict.report, ensure_ascii=False), page):
        assert not any(
            secret in text for secret in ("Dawenlong", "大文", BIRTH, ADDRESS, CHART, "DRWANG")
        )
