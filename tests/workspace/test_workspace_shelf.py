"""What is kept reads back bit for bit; simulated people are made once; damaged models are named."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tracerless.core.errors import DatasetError, ModelError
from tracerless.core.people import SessionKey
from tracerless.core.prediction import Estimate, Evaluation, Prediction
from tracerless.core.session import Native, NativeSeries, Prepared
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.domain import training_domain
from tracerless.workspace.models import find_checkpoint, load_checkpoint
from tracerless.workspace.rendered_people import write_prepared_people
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.tables import read_cohort, read_evaluation, write_evaluation
from tracerless.workspace.training import pairs


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("people") / "dataset"
    assert len(list(write_prepared_people(root, n=2, seed="shelf"))) == 2
    return root


def first(root: Path) -> tuple[Dataset, SessionKey, Prepared]:
    dataset = Dataset.open(root)
    key = dataset.sessions()[0]
    return dataset, key, SessionShelf(dataset, key).latest("prepared")


def test_simulated_people_carry_every_contrast_and_say_what_they_are(people: Path) -> None:
    dataset, key, prepared = first(people)
    assert set(prepared.volumes) == {Contrast.T1W, Contrast.T2W, Contrast.CBF, Contrast.FDG}
    assert prepared.volumes[Contrast.FDG].quantity == Quantity.SUVR
    assert training_domain(dataset) == "simulated"
    assert len(list(pairs(dataset))) == 2
    assert read_cohort(dataset).diagnosis(key.person) == "CN"


def test_people_who_are_there_are_not_made_again_and_a_new_one_joins(people: Path) -> None:
    dataset, key, _ = first(people)
    before = {p: p.stat().st_mtime_ns for p in people.rglob("*.nii.gz")}
    assert len(list(write_prepared_people(people, n=3, seed="shelf"))) == 3
    after = {p: p.stat().st_mtime_ns for p in people.rglob("*.nii.gz")}
    assert before.items() <= after.items()
    assert len(dataset.sessions()) == 3
    assert len(read_cohort(dataset).table) == 3
    assert key in dataset.sessions()


def test_another_seed_makes_another_person(people: Path, tmp_path: Path) -> None:
    list(write_prepared_people(tmp_path / "other", n=1, seed="other"))
    mine, theirs = first(people)[2], first(tmp_path / "other")[2]
    assert not np.array_equal(mine.require(Contrast.FDG).array, theirs.require(Contrast.FDG).array)


def test_a_prepared_session_reads_back_bit_for_bit(people: Path, tmp_path: Path) -> None:
    _, key, prepared = first(people)
    shelf = SessionShelf(Dataset.create_or_open(tmp_path / "d"), key)
    shelf.save("prepared", prepared, "digest")
    assert shelf.load("prepared", "another digest") is None
    back = shelf.load("prepared", "digest")
    for contrast, volume in prepared.volumes.items():
        np.testing.assert_array_equal(back.volumes[contrast].array, volume.array)
    assert (back.qc, back.verdict, back.fingerprint) == (
        prepared.qc,
        prepared.verdict,
        prepared.fingerprint,
    )


def test_repeats_of_one_contrast_become_runs(people: Path, tmp_path: Path) -> None:
    _, key, prepared = first(people)
    volume = prepared.require(Contrast.T1W)
    series = NativeSeries(Contrast.T1W, (volume,), "frame", {"EchoTime": 0.003})
    shelf = SessionShelf(Dataset.create_or_open(tmp_path / "d"), key)
    shelf.save("native", Native(key, (series, series)), "digest")
    names = sorted(p.name for p in (tmp_path / "d").rglob("*_T1w.nii.gz"))
    assert names == [f"{key}_run-1_T1w.nii.gz", f"{key}_run-2_T1w.nii.gz"]
    back = shelf.load("native", "digest")
    assert [s.contrast for s in back.series] == [Contrast.T1W] * 2
    assert back.series[0].sidecar["EchoTime"] == 0.003


def test_a_synthetic_volume_says_so_in_name_header_and_sidecar(
    people: Path, tmp_path: Path
) -> None:
    _, key, prepared = first(people)
    fdg = prepared.require(Contrast.FDG)
    volume = Volume(fdg.array, fdg.grid, Quantity.SUVR, Contrast.SYNTHETIC_FDG)
    prediction = Prediction(
        key=key,
        volume=volume,
        inputs=(Contrast.T1W,),
        model="unet:1",
        reference="pons",
        training_domain="simulated",
        fingerprint="f",
        notes=("Made without cbf.",),
        provenance={"template": prepared.template},
    )
    shelf = SessionShelf(Dataset.create_or_open(tmp_path / "d"), key)
    shelf.save("synthetic", prediction, "digest")
    (path,) = (tmp_path / "d").rglob("*_pet.nii.gz")
    assert "desc-synth" in path.name
    sidecar = path.with_name(path.name.replace(".nii.gz", ".json")).read_text()
    assert '"Synthetic": true' in sidecar
    back = shelf.latest("synthetic")
    assert (back.inputs, back.notes, back.model) == ((Contrast.T1W,), prediction.notes, "unet:1")


def test_an_evaluation_reads_back(tmp_path: Path, people: Path) -> None:
    columns = ["n", "mae", "mae_mean", "skill", "bias", "r", "slope"]
    rows = pd.DataFrame([[2, 0.1, 0.2, 0.5, 0.0, 0.9, 0.4]], index=["a"], columns=columns)
    made = Evaluation(
        skill=Estimate(0.5, 0.1, 0.7, 2),
        by_region=rows,
        by_diagnosis=rows.rename(index={"a": "AD"}),
        model="unet:1",
        atlas="fdg36",
        reference="pons",
        split="s",
        domain="simulated",
        fingerprint="f",
    )
    dataset = Dataset.create_or_open(tmp_path / "d")
    assert read_evaluation(dataset) is None
    write_evaluation(dataset, made)
    back = read_evaluation(dataset)
    assert back is not None
    assert back.headline == made.headline
    pd.testing.assert_frame_equal(back.by_region, rows, check_names=False, check_dtype=False)


def test_a_model_is_found_by_name_or_named_as_missing(tmp_path: Path) -> None:
    dataset = Dataset.create_or_open(tmp_path / "d")
    with pytest.raises(ModelError, match="holds 0 models"):
        find_checkpoint(dataset, None)
    path = dataset.models / "unet" / "checkpoint.safetensors"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"damaged")
    assert find_checkpoint(dataset, None) == path
    assert find_checkpoint(dataset, "unet") == find_checkpoint(dataset, str(path.parent)) == path
    with pytest.raises(ModelError, match="Did you mean 'unet'"):
        find_checkpoint(dataset, "unit")
    with pytest.raises(ModelError):
        load_checkpoint(path)


@pytest.mark.parametrize("content", [b'{"digest": "ab', b"\xff\xfe", b"[]", b""])
def test_a_damaged_record_is_named_and_is_no_defect(
    people: Path, tmp_path: Path, content: bytes
) -> None:
    shutil.copytree(people, tmp_path / "copy")
    dataset, key, _ = first(tmp_path / "copy")
    (record,) = (tmp_path / "copy").rglob(f"*{key.person}*_desc-prepared.json")
    record.write_bytes(content)
    with pytest.raises(DatasetError, match=f"prepared of {key} is damaged") as caught:
        SessionShelf(dataset, key).record("prepared")
    assert record.name in str(caught.value.hint)
