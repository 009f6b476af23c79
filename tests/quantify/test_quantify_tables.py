"""Regional numbers against a loop that anyone can read."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracerless import quantify
from tracerless.core.atlas import ROI_COLUMNS, Atlas, Region
from tracerless.core.errors import GeometryError, RecipeError
from tracerless.core.grid import Grid
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.seeds import generator
from tracerless.core.session import Prepared
from tracerless.core.transform import identity
from tracerless.core.volume import Contrast, Quantity, Scale, Volume

GRID = Grid((11, 12, 13), np.diag((2.0, 2.0, 3.0, 1.0)))
INDICES = (3, 7, 1, 12)
KEY = SessionKey(Pseudonym("P01"), "1")


def some_atlas() -> Atlas:
    labels = generator("test", "labels").choice((0, *INDICES, 40), size=GRID.shape)
    regions = tuple(Region(f"r{index}", index, "B", "frontal", "r", "區") for index in INDICES)
    reference = np.zeros(GRID.shape, bool)
    reference[:6] = True
    other = ~reference & (labels == 0)
    references = {"pons": reference, "cerebellum": reference, "other": other}
    composites = {"meta_test": np.isin(labels, (3, 12))}
    return Atlas("some", GRID, labels, regions, references, "f", composites)


ATLAS = some_atlas()


def volume_of(array: np.ndarray, contrast: Contrast = Contrast.FDG) -> Volume:
    return Volume(array.astype(np.float32), GRID, Quantity.SUVR, contrast)


def by_loop(volume: Volume, atlas: Atlas) -> pd.DataFrame:
    rows = {}
    for region in atlas.regions:
        values = volume.array[atlas.labels == region.index].astype(np.float64)
        seen = values[~np.isnan(values)]
        rows[region.key] = (
            seen.size,
            values.size * 0.012,
            seen.size / values.size,
            *((seen.mean(), np.median(seen), seen.std()) if seen.size else (np.nan,) * 3),
        )
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(ROI_COLUMNS))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), unseen=st.floats(0, 0.99), level=st.sampled_from([0, 1, 1e5]))
def test_table_equals_the_loop(seed: int, unseen: float, level: float) -> None:
    draw = generator("test", "table", seed)
    array = draw.normal(level, 1, GRID.shape)
    array[draw.random(GRID.shape) < unseen] = np.nan
    volume = volume_of(array)
    made = quantify.table(volume, ATLAS, reference="pons", fingerprint="abc").values
    expected = by_loop(volume, ATLAS)
    assert tuple(made.index) == ATLAS.keys
    np.testing.assert_allclose(made.to_numpy(), expected.to_numpy(), rtol=1e-9, atol=1e-9)


def test_cut_field_of_view_is_told_by_coverage() -> None:
    array = np.ones(GRID.shape)
    array[:, :, 6:] = np.nan
    made = quantify.table(volume_of(array), ATLAS, reference="", fingerprint="").values
    for region in ATLAS.regions:
        whole = ATLAS.labels == region.index
        assert made.loc[region.key, "coverage"] == whole[:, :, :6].sum() / whole.sum()
        assert made.loc[region.key, "volume_ml"] == pytest.approx(whole.sum() * 0.012)


def test_region_that_nobody_saw_is_nan_and_never_zero() -> None:
    array = np.ones(GRID.shape)
    array[ATLAS.labels == 7] = np.nan
    row = quantify.table(volume_of(array), ATLAS, reference="", fingerprint="").values.loc["r7"]
    assert row["n_voxels"] == 0
    assert row["coverage"] == 0
    assert row[["mean", "median", "sd"]].isna().all()


def test_measured_zero_stays_zero() -> None:
    row = quantify.table(
        volume_of(np.zeros(GRID.shape)), ATLAS, reference="", fingerprint=""
    ).values.loc["r7"]
    assert (row["mean"], row["median"], row["sd"]) == (0, 0, 0)


def test_infinite_values_count_as_unseen() -> None:
    array = np.ones(GRID.shape)
    array[tuple(np.argwhere(ATLAS.labels == 3)[0])] = np.inf
    row = quantify.table(volume_of(array), ATLAS, reference="", fingerprint="").values.loc["r3"]
    assert row["mean"] == 1
    assert row["coverage"] < 1


def test_scaling_the_volume_scales_the_numbers() -> None:
    array = generator("test", "scale").random(GRID.shape)
    one = quantify.table(volume_of(array), ATLAS, reference="", fingerprint="").values
    two = quantify.table(volume_of(array * 4), ATLAS, reference="", fingerprint="").values
    for name in ("mean", "median", "sd"):
        np.testing.assert_allclose(two[name], one[name] * 4)


def test_other_grid_is_refused() -> None:
    shifted = GRID.affine.copy()
    shifted[0, 3] += 1
    volume = Volume(np.ones(GRID.shape), Grid(GRID.shape, shifted), Quantity.SUVR, Contrast.FDG)
    with pytest.raises(GeometryError, match="different grids"):
        quantify.table(volume, ATLAS, reference="pons", fingerprint="")


def prepared_of(*volumes: Volume) -> Prepared:
    return Prepared(
        key=KEY,
        template="T",
        volumes={volume.contrast: volume for volume in volumes},
        native_grid=GRID,
        to_native=identity("T", "n"),
        to_template=identity("n", "T"),
        qc={},
        verdict="pass",
        reasons=(),
        fingerprint="made-so",
    )


def test_session_measures_every_contrast_and_names_its_reference() -> None:
    ones = np.ones(GRID.shape)
    cbf = replace(volume_of(ones, Contrast.CBF), quantity=Quantity.RELATIVE_CBF)
    t1 = replace(volume_of(ones, Contrast.T1W), quantity=Quantity.T1W)
    prepared = prepared_of(t1, cbf, volume_of(ones), volume_of(ones, Contrast.HMPAO))
    tables = quantify.session(prepared, ATLAS, PrepareRecipe())
    assert {contrast: table.reference for contrast, table in tables.items()} == {
        Contrast.T1W: "",
        Contrast.CBF: "brain",
        Contrast.FDG: "pons",
        Contrast.HMPAO: "cerebellum",
    }
    assert {table.fingerprint for table in tables.values()} == {"made-so"}
    assert {table.atlas for table in tables.values()} == {"some"}


def test_session_refuses_a_reference_that_the_atlas_lacks() -> None:
    recipe = PrepareRecipe(reference_fdg="ponds")
    with pytest.raises(RecipeError, match="Did you mean 'pons'"):
        quantify.session(prepared_of(volume_of(np.ones(GRID.shape))), ATLAS, recipe)


def test_composites_lie_across_regions_and_count_voxels_not_regions() -> None:
    array = generator("test", "composite").random(GRID.shape)
    made = quantify.table(volume_of(array), ATLAS, reference="", fingerprint="")
    both = np.isin(ATLAS.labels, (3, 12))
    row = made.composites.loc["meta_test"]
    expected = array[both].astype(np.float32).mean(dtype=np.float64)
    assert row["mean"] == pytest.approx(expected, rel=1e-6)
    assert row["n_voxels"] == both.sum()
    regions = made.values.loc[["r3", "r12"]]
    assert row["mean"] == pytest.approx(np.average(regions["mean"], weights=regions["n_voxels"]))


def test_every_reference_is_measured_and_one_ratio_turns_into_another() -> None:
    array = generator("test", "references").random(GRID.shape) + 0.5
    made = quantify.table(volume_of(array), ATLAS, reference="pons", fingerprint="")
    assert list(made.references) == ["pons", "cerebellum", "other"]
    again = quantify.table(
        volume_of(array / made.references["other"]), ATLAS, reference="other", fingerprint=""
    )
    np.testing.assert_allclose(again.means, made.means / made.references["other"], rtol=1e-6)


def test_unseen_reference_is_nan() -> None:
    array = np.ones(GRID.shape)
    array[ATLAS.references["other"]] = np.nan
    made = quantify.table(volume_of(array), ATLAS, reference="", fingerprint="")
    assert np.isnan(made.references["other"])
    assert made.references["pons"] == 1


def test_session_hands_on_the_scale_of_each_contrast() -> None:
    ones = np.ones(GRID.shape)
    cbf = replace(volume_of(ones, Contrast.CBF), quantity=Quantity.RELATIVE_CBF)
    scales = {Contrast.CBF: Scale(Quantity.CBF, 47.0)}
    prepared = replace(prepared_of(cbf, volume_of(ones)), scales=scales)
    tables = quantify.session(prepared, ATLAS, PrepareRecipe())
    assert tables[Contrast.CBF].scale == scales[Contrast.CBF]
    assert tables[Contrast.FDG].scale is None


def test_labels_that_are_no_region_are_left_out() -> None:
    array = np.where(ATLAS.labels == 40, 1e6, 1.0)
    made = quantify.table(volume_of(array), ATLAS, reference="", fingerprint="").values
    assert (made["mean"] == 1).all()
