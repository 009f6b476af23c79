"""Synthetic volumes on disk: whole again when read, their doubts in every sidecar."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tracerless.core.cohort import Cohort
from tracerless.core.grid import Grid
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.prediction import Prediction, Reach
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io import nifti
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.shelf import SessionShelf

KEY = SessionKey(Pseudonym("p01"), "01")


def volume(seed: int) -> Volume:
    array = np.random.default_rng(seed).random((5, 6, 7), dtype=np.float32)
    grid = Grid((5, 6, 7), np.diag([4.0, 4.0, 4.0, 1.0]))
    return Volume(array, grid, Quantity.SUVR, Contrast.SYNTHETIC_FDG)


def prediction(**changes) -> Prediction:
    made = Prediction(
        key=KEY,
        volume=volume(1),
        inputs=(Contrast.T1W, Contrast.CBF),
        model="unet-small.flow.cognition:1f2e3d4c5b6a",
        reference="pons",
        training_domain="simulated",
        fingerprint="f",
        notes=("OUTSIDE: …", "The T1w is darker …", "Made without T2w."),
        provenance={"template": "MNI152NLin2009aSym"},
        half_widths={"a": 0.1},
        half_width=volume(2),
        reach=Reach("outside", 0.01, ("The T1w is darker …",)),
        covariates=("age", "MMSE"),
        samples=(volume(3), volume(4)),
    )
    return replace(made, **changes)


@pytest.fixture
def shelf(tmp_path) -> SessionShelf:
    return SessionShelf(Dataset.create_or_open(tmp_path / "d"), KEY)


def sidecar(shelf: SessionShelf, name: str):
    return nifti.read_sidecar(shelf.dataset.derivatives / name)


@pytest.mark.parametrize("has_width", [True, False])
@pytest.mark.parametrize("n_samples", [0, 2])
def test_a_prediction_reads_back_whole(shelf, has_width: bool, n_samples: int) -> None:
    made = prediction()
    made = replace(
        made, half_width=made.half_width if has_width else None, samples=made.samples[:n_samples]
    )
    shelf.save("synthetic", made, "d")
    back = shelf.load("synthetic", "d")
    for name in ("inputs", "model", "notes", "reach", "covariates", "half_widths", "level"):
        assert getattr(back, name) == getattr(made, name), name
    assert (back.half_width is None) == (not has_width)
    pairs = [(back.volume, made.volume), *zip(back.samples, made.samples, strict=True)]
    if has_width:
        pairs.append((back.half_width, made.half_width))
    for one, two in pairs:
        np.testing.assert_array_equal(one.array, two.array)


def test_the_map_on_the_own_grid_says_what_the_one_in_template_space_says(shelf) -> None:
    made = prediction(provenance={
        "template": "MNI152NLin2009aSym", "backend": "onnx", "learned_from": "CN",
        "backend_parity": {"largest_suvr": 1e-6, "holds": True},
    })  # fmt: skip
    shelf.save("synthetic", made, "d")
    shelf.save("synthetic_native", volume(5), "n")
    (name,) = shelf.record("synthetic_native")["files"]
    told, own = sidecar(shelf, shelf.record("synthetic")["files"][0]), sidecar(shelf, name)
    for key in ("Reach", "Notes", "Model", "ReferenceRegion", "CognitionUsed", "LearnedFrom"):
        assert own[key] == told[key] != []
    assert own["Reach"]["Verdict"] == "outside"
    assert (own["Backend"], own["BackendParity"]["holds"]) == ("onnx", True)
    assert (own["Synthetic"], own["LearnedFrom"]) == (True, "CN")


def test_every_file_says_that_it_is_synthetic_doubtful_and_what_was_looked_at(shelf) -> None:
    shelf.save("synthetic", prediction(), "d")
    files = shelf.record("synthetic")["files"]
    assert len(files) == 4
    assert all("desc-synth" in name for name in files)
    for name in files:
        said = sidecar(shelf, name)
        assert said["Synthetic"] is True
        assert said["Reach"] == {
            "Verdict": "outside", "P": 0.01, "Reasons": ["The T1w is darker …"]
        }  # fmt: skip
        assert said["CovariatesUsed"] == ["age", "MMSE"]
        assert said["CognitionUsed"] is True
        assert said["Notes"][0].startswith("OUTSIDE")


def test_images_alone_are_not_marked_for_cognition(shelf) -> None:
    shelf.save("synthetic", prediction(covariates=("age",), reach=None), "d")
    said = sidecar(shelf, shelf.record("synthetic")["files"][0])
    assert said["CognitionUsed"] is False
    assert said["Reach"] is None


def test_samples_give_way_with_the_prediction_they_belong_to(shelf) -> None:
    shelf.save("synthetic", prediction(), "d")
    folder = shelf.dataset.derivatives
    assert len(list(folder.rglob("*desc-synthsample*.nii.gz"))) == 2
    shelf.save("synthetic", prediction(samples=()), "e")
    assert not list(folder.rglob("*desc-synthsample*"))
    assert shelf.load("synthetic", "e").samples == ()


def test_a_record_of_an_older_version_still_reads(shelf) -> None:
    shelf.save("synthetic", prediction(samples=()), "d")
    record = shelf.record("synthetic")
    path = next(shelf.dataset.derivatives.rglob("*_desc-synthetic.json"))
    old = {k: v for k, v in record.items() if k not in {"reach", "covariates", "samples", "width"}}
    path.write_text(json.dumps(old), encoding="utf-8")
    back = shelf.load("synthetic", "d")
    assert back.reach is None
    assert back.covariates == ()
    assert back.half_width is not None


def test_facts_of_people_come_from_their_table_and_the_missing_stay_unknown() -> None:
    table = pd.DataFrame(
        {"age": [70.0, np.nan], "sex": ["F", ""], "MMSE": [21.0, np.nan], "diagnosis": ["AD", ""]},
        index=["p01", "p02"],
    )
    facts = Cohort(table).facts
    first, second = facts[Pseudonym("p01")], facts[Pseudonym("p02")]
    assert (first.diagnosis, first.age, first.sex, first.mmse) == ("AD", 70.0, "F", 21.0)
    assert (second.diagnosis, second.sex) == ("", "")
    assert np.isnan(second.age)
    assert np.isnan(second.mmse)
    assert Cohort(pd.DataFrame(columns=["sex", "diagnosis"])).facts == {}
