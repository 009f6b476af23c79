"""Kept values: read back to the bit, described in full, and no way past a failed check."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from derivative_cases import (
    KEY,
    World,
    bids_errors,
    files,
    fill,
    new_dataset,
    predicted,
    tables,
    whole_session,
)

from tracerless.core.errors import DatasetError, ModelError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.session import Prepared
from tracerless.core.volume import Contrast
from tracerless.io.atomic import write_json
from tracerless.workspace import withdraw_files
from tracerless.workspace.comparison import with_fdg
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.derivatives import describe, failed
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.training import pairs


def test_everything_a_prepared_session_holds_reads_back_to_the_bit(
    dataset: Dataset, session: Prepared
) -> None:
    back: Prepared = SessionShelf(dataset, KEY).load("prepared", "p")
    assert list(back.volumes) == list(session.volumes)
    assert session.anatomy is not None
    assert back.anatomy is not None
    both = [(back.volumes[c], session.volumes[c]) for c in session.volumes]
    both += [
        (getattr(back.anatomy, part), getattr(session.anatomy, part))
        for part in ("brain", "grey", "white", "csf")
    ]
    for read, made in both:
        np.testing.assert_array_equal(read.array, made.array)
        assert read.grid == made.grid
        assert read.quantity == made.quantity
    assert back.anatomy.space == session.anatomy.space
    points = np.array([[1.5, -20.0, 33.0], [40.0, 5.0, -11.0]], np.float32)
    for name in ("to_native", "to_template"):
        mine, theirs = getattr(back, name), getattr(session, name)
        np.testing.assert_array_equal(mine(points), theirs(points))
        assert (mine.source, mine.target) == (theirs.source, theirs.target)
    assert set(back.alignments) == set(session.alignments)
    for contrast, affine in session.alignments.items():
        np.testing.assert_array_equal(back.alignments[contrast].matrix, affine.matrix)
    assert dict(back.scales) == dict(session.scales)
    assert dict(back.qc) == dict(session.qc)


def test_region_tables_read_back_to_the_bit_with_all_that_goes_with_them(
    dataset: Dataset, session: Prepared, where: World
) -> None:
    made = tables(session, where)
    back = SessionShelf(dataset, KEY).load("uptake", "u")
    assert list(back) == list(made)
    for contrast, table in made.items():
        read = back[contrast]
        pd.testing.assert_frame_equal(read.values, table.values, check_names=False)
        assert (read.values.dtypes == table.values.dtypes).all()
        assert len(read.composites) == len(table.composites)
        if len(table.composites):
            pd.testing.assert_frame_equal(read.composites, table.composites, check_names=False)
        assert dict(read.references) == pytest.approx(dict(table.references), abs=0, nan_ok=True)
        assert (read.pvc, read.scale, read.reference) == (table.pvc, table.scale, table.reference)
    corrected = SessionShelf(dataset, KEY).load("corrected", "c")[Contrast.FDG]
    assert corrected.pvc == "gtm"
    prediction = SessionShelf(dataset, KEY).load("synthetic", "s")
    assert dict(prediction.provenance) == dict(predicted(where).provenance)
    np.testing.assert_array_equal(prediction.volume.array, predicted(where).volume.array)


def test_equal_sessions_give_equal_bytes(
    dataset: Dataset, session: Prepared, where: World, tmp_path: Path
) -> None:
    assert files(fill(tmp_path / "again", session, where).root) == files(dataset.root)


def test_records_tell_versions_settings_seed_and_digests_and_no_place_or_time(
    dataset: Dataset,
) -> None:
    record = SessionShelf(dataset, KEY).record("prepared")
    assert record is not None
    made = record["made_by"]
    assert made["seed"] == 1
    assert made["threads"] == 1
    assert len(made["template"]["sha256"]) == 64
    assert made["atlas"]["key"] == "fdg36"
    assert made["settings"]["prepare"]["voxel_mm"] == 4.0
    assert {"tracerless", "antspyx", "numpy"} <= set(made["software"])
    told = b"".join(c for n, c in files(dataset.root).items() if n.endswith((".json", ".tsv")))
    assert str(dataset.root).encode() not in told
    description = json.loads((dataset.derivatives / "dataset_description.json").read_text())
    assert description["PipelineHash"] == ["a1b2c3d4e5f6"]
    assert description["DatasetLinks"] == {"raw": "../.."}


def test_quality_table_holds_every_session_even_one_that_could_not_be_prepared(
    session: Prepared, tmp_path: Path
) -> None:
    dataset = new_dataset(tmp_path / "d")
    SessionShelf(dataset, KEY).save("prepared", session, "p")
    lost = SessionKey(Pseudonym("Z9"), "02")
    (dataset.root / "sourcedata" / "sub-Z9" / "ses-02").mkdir(parents=True)
    write_json(
        dataset.derivatives / "problems" / f"{lost}_desc-prepare.json",
        {"session": str(lost), "step": "prepare", "problem": "No brain was found."},
    )
    describe(dataset)
    assert bids_errors(dataset.derivatives) == [], "nor does what is told of it disturb BIDS"
    table = pd.read_csv(dataset.derivatives / "desc-qc_summary.tsv", sep="\t")
    assert table["verdict"].tolist() == ["pass", "none"]
    assert table["reasons"].tolist()[1] == "No brain was found."
    assert table["offset_FDG"].tolist()[0] == 0.1 + 0.2
    meaning = json.loads((dataset.derivatives / "desc-qc_summary.json").read_text())
    assert set(meaning) >= set(table.columns) - {"participant_id", "session_id"}


def test_a_withdrawn_person_is_in_no_derived_file(
    session: Prepared, where: World, tmp_path: Path
) -> None:
    dataset = fill(tmp_path / "d", session, where)
    withdraw_files.remove(dataset.root, KEY.person)
    left = files(dataset.root)
    assert "derivatives/tracerless/desc-qc_summary.tsv" in left
    assert not [name for name, content in left.items() if b"P7Q3" in name.encode() + content]


@pytest.mark.parametrize(("verdict", "n_used"), [("pass", 1), ("review", 1), ("fail", 0)])
def test_a_failed_session_reaches_no_training_and_no_evaluation(
    where: World, tmp_path: Path, verdict: str, n_used: int
) -> None:
    dataset = new_dataset(tmp_path / "d")
    SessionShelf(dataset, KEY).save("prepared", whole_session(where, verdict=verdict), "p")
    assert len(list(pairs(dataset))) == n_used
    assert failed(dataset) == (() if n_used else (KEY,))
    if n_used:
        assert with_fdg(dataset) == (KEY,)
    else:
        with pytest.raises(ModelError, match="no prepared session"):
            with_fdg(dataset)


def test_a_save_that_was_stopped_leaves_no_value_and_no_file_of_the_older_one(
    session: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = new_dataset(tmp_path / "d")
    shelf = SessionShelf(dataset, KEY)
    shelf.save("prepared", session, "old")
    without = {c: v for c, v in session.volumes.items() if c is not Contrast.T2W}
    alignments = {c: a for c, a in session.alignments.items() if c is not Contrast.T2W}
    less = replace(session, volumes=without, alignments=alignments)
    with monkeypatch.context() as patch:
        patch.setattr("tracerless.io.maps.write_map", _stop)
        with pytest.raises(KeyboardInterrupt):
            shelf.save("prepared", less, "new")
    assert shelf.record("prepared") is None
    assert shelf.latest("prepared") is None
    assert shelf.load("prepared", "old") is None
    shelf.save("prepared", less, "new")
    assert Contrast.T2W not in shelf.latest("prepared").volumes
    assert not list(dataset.derivatives.rglob("*T2w*")), "the stopped save forgot nothing"


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_another_version_kept_is_made_anew_and_named_where_it_is_asked_for(
    session: Prepared, tmp_path: Path
) -> None:
    dataset = new_dataset(tmp_path / "d")
    shelf = SessionShelf(dataset, KEY)
    shelf.save("prepared", session, "p")
    (path,) = dataset.derivatives.rglob("*_desc-prepared.json")
    record = json.loads(path.read_text())
    del record["form"]
    write_json(path, record)
    assert shelf.load("prepared", "p") is None
    with pytest.raises(DatasetError, match="another version"):
        shelf.latest("prepared")
