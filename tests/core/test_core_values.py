"""Values that exist are valid, and hand out nothing that can be changed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tracerless.core.atlas import ROI_COLUMNS, RoiTable
from tracerless.core.errors import (
    ContrastError,
    DicomError,
    GeometryError,
    ModelError,
    QuantityError,
    RecipeError,
)
from tracerless.core.grid import Grid
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.prediction import Estimate, Evaluation, Prediction
from tracerless.core.session import Native, NativeSeries, Prepared, Template
from tracerless.core.source import Problem, SourceSeries
from tracerless.core.transform import identity
from tracerless.core.volume import Contrast, Quantity, Volume, require_same_grid, with_array

KEY = SessionKey(Pseudonym("A1"), "01")
GRID = Grid((2, 3, 4), np.diag([2.0, 2.0, 2.0, 1.0]))
OTHER = Grid((2, 3, 4), np.diag([2.5, 2.0, 2.0, 1.0]))


def volume(
    contrast: Contrast = Contrast.T1W, quantity: Quantity = Quantity.T1W, grid: Grid = GRID
) -> Volume:
    return Volume(np.arange(24, dtype=np.float32).reshape(grid.shape), grid, quantity, contrast)


def prepared(**changes: object) -> Prepared:
    fields: dict[str, object] = {
        "key": KEY,
        "template": "MNI",
        "volumes": {Contrast.T1W: volume()},
        "native_grid": GRID,
        "to_native": identity("MNI", "native"),
        "to_template": identity("native", "MNI"),
        "qc": {"dice": 0.97},
        "verdict": "pass",
        "reasons": (),
        "fingerprint": "f",
    }
    return Prepared(**{**fields, **changes})  # type: ignore[arg-type]


def prediction(**changes: object) -> Prediction:
    fields: dict[str, object] = {
        "key": KEY,
        "volume": volume(Contrast.SYNTHETIC_FDG, Quantity.SUVR),
        "inputs": (Contrast.T1W,),
        "model": "unet:1",
        "reference": "pons",
        "training_domain": "simulated",
        "fingerprint": "f",
    }
    return Prediction(**{**fields, **changes})  # type: ignore[arg-type]


def test_a_volume_copies_and_locks_its_array() -> None:
    array = np.ones(GRID.shape, np.float32)
    held = Volume(array, GRID, Quantity.T1W, Contrast.T1W)
    array[:] = 0
    assert held.array.all()
    with pytest.raises(ValueError, match="read-only"):
        held.array[0, 0, 0] = 1


def test_a_volume_refuses_a_wrong_shape_or_no_number_at_all() -> None:
    with pytest.raises(GeometryError, match="shape"):
        Volume(np.ones((1, 1, 1), np.float32), GRID, Quantity.T1W, Contrast.T1W)
    with pytest.raises(QuantityError, match="no finite"):
        Volume(np.full(GRID.shape, np.nan, np.float32), GRID, Quantity.T1W, Contrast.T1W)


def test_volumes_combine_only_on_equal_grids() -> None:
    assert require_same_grid(volume(), volume()) == GRID
    with pytest.raises(GeometryError, match="different grids"):
        require_same_grid(volume(), volume(grid=OTHER))


def test_with_array_changes_numbers_and_quantity_only() -> None:
    changed = with_array(volume(), np.zeros(GRID.shape, np.float32), Quantity.Z)
    assert (changed.quantity, changed.contrast, changed.grid) == (Quantity.Z, Contrast.T1W, GRID)


def test_a_native_session_finds_series_by_contrast() -> None:
    series = NativeSeries(Contrast.T1W, (volume(),), "frame")
    native = Native(KEY, (series,))
    assert native.of(Contrast.T1W) is series
    assert native.of(Contrast.FDG) is None
    assert series.grid == GRID


def test_a_series_needs_volumes_on_one_grid() -> None:
    with pytest.raises(GeometryError, match="without a volume"):
        NativeSeries(Contrast.T1W, (), "")
    with pytest.raises(GeometryError, match="different grids"):
        NativeSeries(Contrast.ASL, (volume(), volume(grid=OTHER)), "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"volumes": {}}, "without a volume"),
        ({"verdict": "fine"}, "verdict 'fine'"),
        ({"to_native": identity("native", "MNI")}, "maps end in"),
        ({"volumes": {Contrast.T1W: volume(), Contrast.FDG: volume(grid=OTHER)}}, "different"),
    ],
)
def test_a_prepared_session_that_exists_is_whole(changes: dict[str, object], said: str) -> None:
    with pytest.raises(GeometryError, match=said):
        prepared(**changes)


def test_a_prepared_session_says_which_contrast_it_lacks() -> None:
    whole = prepared()
    assert whole.require(Contrast.T1W) is whole.volumes[Contrast.T1W]
    assert whole.grid == GRID
    with pytest.raises(ContrastError, match="no FDG, only T1w"):
        whole.require(Contrast.FDG)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"volume": volume(Contrast.FDG, Quantity.SUVR)}, QuantityError),
        ({"volume": volume(Contrast.SYNTHETIC_FDG, Quantity.COUNTS)}, QuantityError),
        ({"inputs": ()}, ModelError),
        ({"inputs": (Contrast.FDG,)}, ModelError),
        ({"training_domain": "patients"}, ModelError),
    ],
)
def test_a_prediction_cannot_pass_for_an_acquired_volume(
    changes: dict[str, object], error: type[Exception]
) -> None:
    assert prediction().inputs == (Contrast.T1W,)
    with pytest.raises(error):
        prediction(**changes)


def test_the_headline_gives_skill_interval_people_and_domain() -> None:
    evaluation = Evaluation(
        skill=Estimate(0.412, 0.2, 0.6, 12),
        by_region=pd.DataFrame(index=["a", "b"]),
        by_diagnosis=pd.DataFrame(),
        model="unet:1",
        atlas="fdg36",
        reference="pons",
        split="s",
        domain="simulated",
        fingerprint="f",
    )
    assert evaluation.headline == (
        "Skill against the training mean: +0.41 (95 % interval +0.20 to +0.60, n = 12 simulated "
        "people, 2 regions, reference pons)."
    )


def test_a_region_table_has_its_columns_and_each_region_once() -> None:
    good = pd.DataFrame([[1, 1.0, 1.0, 2.0, 2.0, 0.0]], index=["a"], columns=list(ROI_COLUMNS))
    table = RoiTable(Contrast.FDG, Quantity.SUVR, "fdg36", "pons", "f", good)
    assert table.means["a"] == 2.0
    with pytest.raises(RecipeError, match="columns"):
        RoiTable(Contrast.FDG, Quantity.SUVR, "fdg36", "pons", "f", good[["mean"]])
    with pytest.raises(RecipeError, match="twice"):
        RoiTable(Contrast.FDG, Quantity.SUVR, "fdg36", "pons", "f", pd.concat([good, good]))


def test_a_template_lies_on_one_grid() -> None:
    assert Template("t", volume(), volume(), volume(), volume()).grid == GRID
    with pytest.raises(GeometryError):
        Template("t", volume(), volume(), volume(), volume(grid=OTHER))


def test_the_repr_of_a_source_series_shows_no_identifier() -> None:
    series = SourceSeries(
        files=(Path("王小明/IM1"),),
        contrast=Contrast.T1W,
        reason="MPRAGE",
        modality="MR",
        sop_class="1.2",
        series_number=3,
        n_frames=1,
        person="A123456789",
        study="1.2.3.20180503",
        study_date="20180503",
        problems=(Problem("gap", "One slice is missing."),),
    )
    assert not series.is_blocked
    for secret in ("王小明", "A123456789", "20180503"):
        assert secret not in repr(series)
    with pytest.raises(DicomError):
        SourceSeries((), Contrast.T1W, "", "MR", "", 1, 0, "", "", "")
