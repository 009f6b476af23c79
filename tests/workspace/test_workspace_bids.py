"""The dataset and its derivatives are valid BIDS, and the validator is seen to complain."""

import json
from pathlib import Path

import numpy as np
import pytest
from derivative_cases import (
    ASL_FACTS,
    KEY,
    bids_errors,
    files,
    native_session,
    new_dataset,
)

from tracerless.core.session import Prepared
from tracerless.io.atomic import write_json
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.derivatives import describe
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.verify_files import is_known


def test_raw_and_derived_files_are_valid_bids(dataset: Dataset) -> None:
    assert bids_errors(dataset.root) == []
    assert bids_errors(dataset.derivatives) == []


@pytest.mark.parametrize(
    ("place", "field", "code"),
    [
        (f"derivatives/tracerless/sub-P7Q3/ses-01/anat/{KEY}_space-MNI152NLin2009aSym_res-4_"
         "desc-preproc_T1w.json", "SkullStripped", "SIDECAR_KEY_REQUIRED"),
        (f"sub-P7Q3/ses-01/perf/{KEY}_asl.json", "PostLabelingDelay", "SIDECAR_KEY_REQUIRED"),
        (f"derivatives/tracerless/sub-P7Q3/ses-01/anat/{KEY}_space-T1w_label-GM_probseg.json",
         "SpatialReference", "SIDECAR_KEY_REQUIRED"),
    ],
)  # fmt: skip
def test_the_validator_sees_a_field_that_is_taken_away(
    dataset: Dataset, place: str, field: str, code: str
) -> None:
    path = dataset.root / place
    kept = path.read_bytes()
    record = json.loads(kept)
    del record[field]
    try:
        write_json(path, record)
        folder = dataset.derivatives if place.startswith("derivatives") else dataset.root
        found = bids_errors(folder)
        assert any(each.startswith(f"{code}/{field}") for each in found), found
    finally:
        path.write_bytes(kept)


def test_the_validator_sees_a_stray_volume(dataset: Dataset) -> None:
    stray = dataset.derivatives / "sub-P7Q3" / "ses-01" / "anat" / f"{KEY}_guess.nii.gz"
    stray.write_bytes(b"x")
    try:
        assert any("guess" in each for each in bids_errors(dataset.derivatives))
    finally:
        stray.unlink()


@pytest.mark.parametrize("lost", ["PostLabelingDelay", "AslContext", "RepetitionTimePreparation"])
def test_blood_flow_without_its_timing_says_so_in_its_name_and_stays_valid(
    tmp_path: Path, lost: str
) -> None:
    dataset = new_dataset(tmp_path / "d")
    shelf = SessionShelf(dataset, KEY)
    facts = {name: value for name, value in ASL_FACTS.items() if name != lost}
    shelf.save("native", native_session(asl=facts), "n")
    names = {p.name for p in dataset.root.rglob("*.nii.gz")}
    assert {f"{KEY}_acq-undeclared_asl.nii.gz", f"{KEY}_acq-undeclared_m0scan.nii.gz"} <= names
    assert bids_errors(dataset.root) == []
    shelf.save("native", native_session(), "declared since")
    names = {p.name for p in dataset.root.rglob("*") if p.is_file()}
    assert f"{KEY}_aslcontext.tsv" in names
    assert not [name for name in names if "undeclared" in name], "the older files gave way"
    assert bids_errors(dataset.root) == []


def test_a_native_series_reads_back_without_what_bids_wanted_beside_it(dataset: Dataset) -> None:
    back = SessionShelf(dataset, KEY).load("native", "n")
    for read, made in zip(back.series, native_session().series, strict=True):
        kept = {k: v for k, v in read.sidecar.items() if k not in {"Contrast", "Units"}}
        assert kept == dict(made.sidecar)
        np.testing.assert_array_equal(read.volumes[-1].array, made.volumes[-1].array)


def test_every_file_is_one_that_verify_expects(dataset: Dataset) -> None:
    ours = [name for name in files(dataset.root) if not name.startswith("verification/")]
    odd = [name for name in ours if not is_known(name)]
    assert odd == []


def test_a_dataset_of_an_older_version_learns_what_bids_does_not_know(
    session: Prepared, tmp_path: Path
) -> None:
    dataset = new_dataset(tmp_path / "d")
    SessionShelf(dataset, KEY).save("native", native_session(), "n")
    SessionShelf(dataset, KEY).save("prepared", session, "p")
    path = dataset.root / ".bidsignore"
    path.write_text("sourcedata/\nnotes.txt\n")
    (dataset.root / "notes.txt").write_text("Somebody's own.")
    assert bids_errors(dataset.root), "raw PET cannot be valid"
    describe(dataset)
    assert path.read_text().splitlines()[:2] == ["sourcedata/", "notes.txt"]
    assert bids_errors(dataset.root) == []
    kept = path.read_text()
    describe(dataset)
    assert path.read_text() == kept
