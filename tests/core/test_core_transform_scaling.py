"""Ratios and the values that carry regions."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracerless.core.atlas import ROI_COLUMNS, Atlas, Region, RoiTable
from tracerless.core.errors import GeometryError, QuantityError, RecipeError
from tracerless.core.grid import Grid
from tracerless.core.scaling import relative, suvr
from tracerless.core.seeds import generator
from tracerless.core.volume import Contrast, Quantity, Volume

GRID = Grid((12, 12, 12), np.diag((2.0, 2.0, 2.0, 1.0)))
REFERENCE = np.zeros(GRID.shape, bool)
REFERENCE[:5] = True


def uptake() -> np.ndarray:
    return generator("test", "uptake").uniform(1, 9, GRID.shape).astype(np.float32)


def volume_of(array: np.ndarray) -> Volume:
    return Volume(array, GRID, Quantity.ACTIVITY, Contrast.FDG)


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(1e-3, 1e6))
def test_ratio_does_not_know_the_unit(scale: float) -> None:
    one = suvr(volume_of(uptake()), REFERENCE)
    two = suvr(volume_of(uptake() * np.float32(scale)), REFERENCE)
    assert np.allclose(one.array, two.array, rtol=1e-4)
    assert one.array[REFERENCE].mean() == pytest.approx(1.0, abs=1e-5)
    assert one.quantity is Quantity.SUVR


def test_what_lies_outside_the_view_is_left_out_of_the_reference() -> None:
    cut = uptake()
    cut[:3] = np.nan
    made = suvr(volume_of(cut), REFERENCE).array
    assert np.isnan(made[:3]).all()
    assert np.nanmean(made[3:5]) == pytest.approx(1.0, abs=1e-5)


def test_relative_flow_is_one_over_the_brain() -> None:
    made = relative(volume_of(uptake()), REFERENCE)
    assert made.quantity is Quantity.RELATIVE_CBF
    assert made.array[REFERENCE].mean() == pytest.approx(1.0, abs=1e-5)


def test_reference_that_is_barely_seen_is_refused() -> None:
    few = np.zeros(GRID.shape, bool)
    few[:4, :4, :4] = True
    with pytest.raises(GeometryError, match=r"Only 0\.51 ml"):
        suvr(volume_of(uptake()), few)


@pytest.mark.parametrize("level", [0.0, -2.0])
def test_reference_without_uptake_is_refused(level: float) -> None:
    with pytest.raises(QuantityError, match="not positive"):
        suvr(volume_of(np.full(GRID.shape, level, np.float32)), REFERENCE)


def test_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(GeometryError, match="shape"):
        suvr(volume_of(uptake()), REFERENCE[:-1])


def an_atlas(**changes: object) -> Atlas:
    labels = np.zeros(GRID.shape, np.int16)
    labels[6:9], labels[9:] = 1, 2
    regions = (
        Region("front", 1, "B", "frontal", "front", "前"),
        Region("back", 2, "B", "occipital", "back", "後"),
    )
    fields = {
        "key": "two",
        "grid": GRID,
        "labels": labels,
        "regions": regions,
        "references": {"pons": REFERENCE},
        "fingerprint": "f",
    }
    return Atlas(**{**fields, **changes})


def test_atlas_keeps_its_own_copy_and_locks_it() -> None:
    labels = np.array(an_atlas().labels)
    atlas = an_atlas(labels=labels)
    labels[:] = 0
    assert atlas.keys == ("front", "back")
    assert (atlas.labels == 1).any()
    with pytest.raises(ValueError, match="read-only"):
        atlas.labels[0, 0, 0] = 5
    with pytest.raises(TypeError):
        atlas.references["pons"] = REFERENCE


def test_atlas_without_a_voxel_for_a_region_is_refused() -> None:
    with pytest.raises(GeometryError, match="no voxel for front, back"):
        an_atlas(labels=np.zeros(GRID.shape))


def test_atlas_with_a_name_or_index_twice_is_refused() -> None:
    front, back = an_atlas().regions
    for twin in (replace(back, key="front"), replace(back, index=1)):
        with pytest.raises(RecipeError, match="two regions share one"):
            an_atlas(regions=(front, twin))


def test_unknown_reference_gets_a_suggestion() -> None:
    with pytest.raises(RecipeError, match="Did you mean 'pons'"):
        an_atlas().reference("pond")


def test_region_table_with_other_columns_is_refused() -> None:
    with pytest.raises(RecipeError, match="columns"):
        RoiTable(Contrast.FDG, Quantity.SUVR, "two", "pons", "f", pd.DataFrame({"mean": [1.0]}))
    twice = pd.DataFrame(0.0, index=["a", "a"], columns=list(ROI_COLUMNS))
    with pytest.raises(RecipeError, match="stands twice"):
        RoiTable(Contrast.FDG, Quantity.SUVR, "two", "pons", "f", twice)
