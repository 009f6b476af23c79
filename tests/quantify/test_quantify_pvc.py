"""Partial-volume correction against a brain whose uptake is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from quantify_phantom import FWHM_MM, LEVELS, Truth, correct, labels_of, pet
from scipy import ndimage

from tracerless import quantify
from tracerless.core.atlas import Atlas, RoiTable
from tracerless.core.session import Anatomy, NativeSeries, Prepared
from tracerless.core.transform import Chain, resample
from tracerless.core.volume import Contrast, Quantity, with_array
from tracerless.io import resources
from tracerless.quantify import pvc_model
from tracerless.quantify.pvc_atoms import Atoms, atoms


def uncorrected(fdg: NativeSeries, session: Prepared, atlas: Atlas) -> pd.Series:
    pull = Chain((session.to_native, session.alignments[Contrast.FDG]))
    moved = resample(fdg.volumes[0], atlas.grid, pull, order=3)
    table = quantify.table(moved, atlas, reference="pons", fingerprint="")
    return table.means / table.references["pons"]


def errors(table: pd.Series, expected: pd.Series) -> pd.Series:
    """Percent."""
    return ((table / expected - 1) * 100).abs()


def test_true_uptake_comes_back_within_three_percent_in_every_region(
    gtm: RoiTable, expected: pd.Series
) -> None:
    apart = errors(gtm.means, expected)
    assert apart.max() < 3.0
    assert apart.mean() < 0.8


def test_without_correction_the_same_volume_is_far_off(
    fdg: NativeSeries, session: Prepared, atlas: Atlas, expected: pd.Series
) -> None:
    apart = errors(uncorrected(fdg, session, atlas), expected)
    assert apart.mean() > 15


def test_voxelwise_correction_comes_near_and_knows_a_spread(
    fdg: NativeSeries, session: Prepared, atlas: Atlas, expected: pd.Series
) -> None:
    table = correct(fdg, session, atlas, "mg")
    apart = errors(table.means, expected)
    assert apart.mean() < 3.0
    assert apart.max() < 9.0, "what neighbors spill into each other stays"
    assert table.values[["median", "sd"]].notna().all(axis=None)
    assert table.pvc == "mg"


def test_wrong_resolution_gives_wrong_levels(
    fdg: NativeSeries, session: Prepared, atlas: Atlas, expected: pd.Series
) -> None:
    wrong = replace(fdg, sidecar={"PointSpreadFWHM": 3.5})
    assert errors(correct(wrong, session, atlas, "gtm").means, expected).mean() > 5


def test_two_millimeters_of_misalignment_cost_some_percent(
    made: Truth, session: Prepared, atlas: Atlas, expected: pd.Series
) -> None:
    off = correct(pet(made, FWHM_MM, off_mm=2.0), session, atlas, "gtm")
    assert 2.0 < errors(off.means, expected).mean() < 7.0


def test_noise_of_five_percent_stays_below_three_on_average(
    made: Truth, session: Prepared, atlas: Atlas, expected: pd.Series
) -> None:
    noisy = correct(pet(made, FWHM_MM, noise=0.05), session, atlas, "gtm")
    assert errors(noisy.means, expected).mean() < 3.0


@pytest.mark.slow
def test_every_preset_recovers_its_regions(
    fdg: NativeSeries, session: Prepared, made: Truth
) -> None:
    for key in ("fdg20", "fdg52"):
        atlas = resources.atlas(key, 2.0)
        table = correct(fdg, session, atlas, "gtm")
        apart = errors(table.means, pd.Series(labels_of(atlas, made)) / made.region((16,)))
        assert apart.max() < 4.0, key
        assert apart.mean() < 1.0, key


def test_composite_and_references_are_levels_of_their_own_pieces(
    gtm: RoiTable, made: Truth
) -> None:
    pons = made.region((16,))
    labels = (1008, 1009, 1010, 1015, 1023, 2008, 2009, 2010, 2015, 2023)
    assert gtm.composites.loc["meta_AD", "mean"] == pytest.approx(
        made.region(labels) / pons, rel=0.02
    )
    assert gtm.references["pons"] == pytest.approx(1.0)
    assert gtm.references["cerebellum"] == pytest.approx(made.region((8, 47)) / pons, rel=0.02)


def test_another_reference_divides_the_same_levels(
    fdg: NativeSeries, session: Prepared, atlas: Atlas, gtm: RoiTable
) -> None:
    other = correct(fdg, session, atlas, "gtm", reference="cerebellum")
    np.testing.assert_allclose(other.means, gtm.means / gtm.references["cerebellum"], rtol=1e-9)
    assert other.reference == "cerebellum"


def test_scale_brings_the_ratio_back_to_the_true_suv(
    gtm: RoiTable, made: Truth, atlas: Atlas
) -> None:
    assert gtm.scale is not None
    assert gtm.scale.quantity is Quantity.SUV
    true_suv = pd.Series(labels_of(atlas, made)) * 20.0 * 0.25
    assert errors(gtm.means * gtm.scale.factor, true_suv).max() < 4.0


def test_volumes_are_the_persons_own_and_a_mean_is_all_that_levels_know(
    gtm: RoiTable, made: Truth
) -> None:
    voxel_ml = made.grid.voxel_ml
    size = np.bincount(made.parcel.ravel(), made.solid.ravel()) * voxel_ml
    assert gtm.values.loc["insula_left", "volume_ml"] == pytest.approx(size[1035], rel=0.05)
    assert gtm.values.loc["precuneus_left", "volume_ml"] == pytest.approx(size[1025], rel=0.05)
    assert gtm.values[["median", "sd"]].isna().all(axis=None)
    assert (gtm.values["coverage"] > 0.999).all()


def test_regions_beyond_the_field_of_view_are_nan_and_the_rest_holds(
    made: Truth, session: Prepared, atlas: Atlas, expected: pd.Series
) -> None:
    cut = correct(pet(made, FWHM_MM, cut_mm=110.0), session, atlas, "gtm")
    coverage = cut.values["coverage"]
    assert (coverage < 0.16).sum() >= 3
    assert cut.means[coverage < 0.16].isna().sum() >= 3, "never zero"
    assert (cut.values["n_voxels"] > 0).all(), "some of each was seen, too little to tell"
    whole = coverage > 0.999
    assert whole.sum() >= 10
    assert errors(cut.means, expected)[whole].max() < 3.0


def test_cut_vertex_is_told_by_coverage_and_costs_no_accuracy(
    made: Truth, session: Prepared, atlas: Atlas, expected: pd.Series
) -> None:
    cut = correct(pet(made, FWHM_MM, cut_mm=60.0), session, atlas, "gtm")
    assert cut.values.loc["sensorimotor", "coverage"] < 0.98
    assert cut.values.loc["putamen_left", "coverage"] > 0.999
    assert errors(cut.means, expected).max() < 3.0


def test_two_runs_give_the_same_bytes(
    fdg: NativeSeries, session: Prepared, atlas: Atlas, gtm: RoiTable
) -> None:
    again = correct(fdg, session, atlas, "gtm")
    assert again.values.to_numpy().tobytes() == gtm.values.to_numpy().tobytes()
    assert again.fingerprint == gtm.fingerprint


def test_fingerprint_follows_method_and_resolution(
    fdg: NativeSeries, session: Prepared, atlas: Atlas, gtm: RoiTable
) -> None:
    other = replace(fdg, sidecar={"PointSpreadFWHM": 6.5})
    marks = {
        gtm.fingerprint,
        session.fingerprint,
        correct(fdg, session, atlas, "mg").fingerprint,
        correct(other, session, atlas, "gtm").fingerprint,
    }
    assert len(marks) == 4


def test_a_volume_of_one_value_has_that_level_everywhere(pieces: Atoms) -> None:
    flat = np.full(pieces.grid.shape, 3.0, np.float32)
    found = pvc_model.levels(flat, pieces, FWHM_MM)
    np.testing.assert_allclose(found.atoms, 3.0, rtol=2e-3)
    voxels = pvc_model.voxelwise(flat, pieces, FWHM_MM, found)
    np.testing.assert_allclose(voxels[np.isfinite(voxels)], 3.0, rtol=2e-2)


def test_what_the_model_itself_blurs_comes_back_exactly(pieces: Atoms) -> None:
    level = np.linspace(0.5, 2.0, pieces.n + 1)
    level[0] = 0.0
    sharp = pieces.filled * level[pieces.of_voxel].astype(np.float32)
    levels = {**LEVELS, "unlabelled": 0.6}
    for name, share in pieces.tissues.items():
        sharp = sharp + np.float32(levels[name]) * share
    found = pvc_model.levels(
        pvc_model.blurred(sharp.astype(np.float32), pieces.grid, FWHM_MM), pieces, FWHM_MM
    )
    np.testing.assert_allclose(found.atoms, level[1:], rtol=2e-3)
    for name, expected in levels.items():
        assert found.tissues[name] == pytest.approx(expected, abs=2e-3)


def test_shares_of_every_voxel_add_up_to_one(pieces: Atoms) -> None:
    together = pieces.filled + sum(pieces.tissues.values())
    np.testing.assert_allclose(together, 1.0, atol=1e-5)


def test_grey_that_is_seen_away_from_a_nucleus_is_none_of_it(
    tissues: Anatomy, session: Prepared, atlas: Atlas, pieces: Atoms
) -> None:
    """As a T1 shows the ventricle's edge: grey matter where white meets fluid."""
    caudate = [*pieces.members["caudate_left"], *pieces.members["caudate_right"]]
    away = ndimage.distance_transform_edt(~np.isin(pieces.of_voxel, caudate), sampling=2.0)
    rim = (away > 2.5) & (away <= 8) & (tissues.white.array > 0.5)
    shown = np.where(rim, tissues.grey.array + tissues.white.array, tissues.grey.array)
    hidden = np.where(rim, 0, tissues.white.array)
    fooled = replace(
        tissues,
        grey=with_array(tissues.grey, shown.astype(np.float32)),
        white=with_array(tissues.white, hidden.astype(np.float32)),
    )
    everywhere = np.ones(pieces.grid.shape, np.float32)
    made = (pieces, atoms(atlas, fooled, session.to_template))
    before, after = (each.amounts(everywhere)[np.array(caudate) - 1].sum() for each in made)
    assert rim.sum() > 0.5 * before
    assert after == pytest.approx(before, rel=0.01)
