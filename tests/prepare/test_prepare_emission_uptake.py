"""What an emission series measured, before it goes anywhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prepare_phantom import KEY

from tracerless.core.atlas import Atlas, Region
from tracerless.core.errors import ContrastError, QuantityError
from tracerless.core.grid import Grid
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.session import Native, NativeSeries
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.prepare.uptake import harmonizing_fwhm_mm, mean, ratio, uptake

GRID = Grid((24, 24, 24), np.diag((2.0, 2.0, 2.0, 1.0)))
RAMP = np.arange(24.0**3).reshape(GRID.shape).astype(np.float32) / 1000 + 1
PLAIN = PrepareRecipe()


def pet(*frames: np.ndarray, quantity: Quantity = Quantity.ACTIVITY, **sidecar) -> NativeSeries:
    volumes = tuple(
        Volume(np.asarray(f, np.float32), GRID, quantity, Contrast.FDG) for f in frames or (RAMP,)
    )
    return NativeSeries(Contrast.FDG, volumes, "", {"Modality": "PT", **sidecar})


def held(*series: NativeSeries) -> Native:
    return Native(KEY, series)


@pytest.fixture(scope="module")
def atlas() -> Atlas:
    labels = np.zeros(GRID.shape, np.int16)
    labels[:4] = 1
    pons = np.zeros(GRID.shape, bool)
    pons[8:20, 8:20, 8:20] = True
    region = Region("front", 1, "B", "frontal", "front", "前")
    return Atlas("tiny", GRID, labels, (region,), {"pons": pons}, "digest")


@pytest.mark.parametrize("words", [["NORM", "DECY"], ["DECY"], "DECY"])
def test_a_pet_without_attenuation_correction_is_refused_by_name(words: object) -> None:
    with pytest.raises(QuantityError, match="not corrected for attenuation") as caught:
        uptake(held(pet(CorrectedImage=words)), Contrast.FDG, PLAIN)
    assert "holds NORM, DECY;" in str(caught.value) or "holds DECY;" in str(caught.value)
    assert "attenuation-corrected" in caught.value.hint


def test_the_corrected_series_takes_the_place_of_an_uncorrected_one() -> None:
    raw = pet(RAMP * 9, CorrectedImage=["DECY"])
    good = pet(CorrectedImage=["ATTN", "DECY"])
    found = uptake(held(raw, good), Contrast.FDG, PLAIN)
    assert found.series is good
    assert found.source["n_uncorrected_left_out"] == 1
    assert found.source["attenuation"] == "corrected"
    assert np.array_equal(found.volume.array, RAMP)


def test_a_camera_or_a_header_that_says_nothing_is_not_refused_and_told() -> None:
    spect = NativeSeries(
        Contrast.ECD,
        (Volume(RAMP, GRID, Quantity.COUNTS, Contrast.ECD),),
        "",
        {"Modality": "SPECT", "CorrectedImage": ["DECY"]},
    )
    found = uptake(held(spect), Contrast.ECD, PLAIN)
    assert found.source["attenuation"] == "stated, without attenuation"
    assert uptake(held(pet()), Contrast.FDG, PLAIN).source["attenuation"] == "not stated"


def test_a_contrast_that_is_not_held_is_said() -> None:
    with pytest.raises(ContrastError, match="has no ECD"):
        uptake(held(pet()), Contrast.ECD, PLAIN)


@pytest.mark.parametrize("level", [0.0, 7.0])
def test_a_volume_of_one_value_is_refused(level: float) -> None:
    with pytest.raises(QuantityError, match=f"one single value \\({level:g}\\)"):
        uptake(held(pet(np.full(GRID.shape, level))), Contrast.FDG, PLAIN)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(1, 600), min_size=2, max_size=4))
def test_frames_count_by_their_duration(durations: list[float]) -> None:
    levels = [RAMP * (n + 1) for n in range(len(durations))]
    average, n_frames = mean(pet(*levels, FrameDuration=durations))
    expected = sum((n + 1) * d for n, d in enumerate(durations)) / sum(durations)
    assert n_frames == len(durations)
    assert np.allclose(average.array, RAMP * expected, rtol=1e-5)


def test_frames_of_unknown_duration_count_alike() -> None:
    average, _ = mean(pet(RAMP, RAMP * 3, FrameDuration=[60.0]))
    assert np.allclose(average.array, RAMP * 2)


def test_empty_frames_are_left_out_and_named() -> None:
    found = uptake(held(pet(RAMP, RAMP * 0, FrameDuration=[10.0, 90.0])), Contrast.FDG, PLAIN)
    assert np.array_equal(found.volume.array, RAMP)
    assert found.notes == ("1 empty frame(s) of the FDG are left out.",)


def test_a_side_that_is_not_stored_is_a_note() -> None:
    (note,) = uptake(held(pet(SideUnverified=True)), Contrast.FDG, PLAIN).notes
    assert note.endswith("side unverified.")


@pytest.mark.parametrize(("own_mm", "target_mm"), [(4.0, 8.0), (6.0, 8.0), (5.0, 6.5)])
def test_a_point_is_brought_to_the_declared_resolution(own_mm: float, target_mm: float) -> None:
    """A Gaussian of the scanner's own width has the recipe's width afterwards."""
    axes = (np.arange(24.0) - 12) * 2
    squared = axes[:, None, None] ** 2 + axes[None, :, None] ** 2 + axes[None, None, :] ** 2
    point = np.exp(-squared / 2 / (own_mm / 2.354820045) ** 2)
    recipe = PrepareRecipe(harmonize_fwhm_mm=target_mm)
    found = uptake(held(pet(point, PointSpreadFWHM=own_mm)), Contrast.FDG, recipe)
    weight = found.volume.array / found.volume.array.sum()
    width_mm = 2.354820045 * np.sqrt((weight * squared).sum() / 3)
    assert width_mm == pytest.approx(target_mm, rel=0.03)
    assert found.source["harmonizing_blur_mm"] == pytest.approx(
        np.sqrt(target_mm**2 - own_mm**2), abs=1e-3
    )


def test_without_a_wish_nothing_is_blurred_whatever_the_scanner() -> None:
    assert harmonizing_fwhm_mm(pet(), PLAIN) == 0.0
    assert harmonizing_fwhm_mm(pet(PointSpreadFWHM=9.0), PLAIN) == 0.0


def test_a_resolution_that_is_not_declared_is_refused() -> None:
    with pytest.raises(QuantityError, match="not declared") as caught:
        uptake(held(pet()), Contrast.FDG, PrepareRecipe(harmonize_fwhm_mm=8.0))
    assert "site.toml" in caught.value.hint


def test_a_scanner_coarser_than_the_target_is_refused() -> None:
    with pytest.raises(QuantityError, match="coarser than the 8 mm"):
        uptake(held(pet(PointSpreadFWHM=9.5)), Contrast.FDG, PrepareRecipe(harmonize_fwhm_mm=8.0))


@pytest.mark.parametrize("quantity", [Quantity.ACTIVITY, Quantity.COUNTS])
def test_the_scale_brings_every_voxel_back_to_suv(atlas: Atlas, quantity: Quantity) -> None:
    series = pet(quantity=quantity, SuvFactor=0.3, ValueOrigins={"SuvFactor": "header"})
    made = ratio(series.volumes[0], series, atlas, PLAIN)
    assert made.scale is not None
    assert made.scale.quantity is Quantity.SUV
    assert np.allclose(made.volume.array * made.scale.factor, RAMP * 0.3, rtol=1e-5)
    assert made.volume.array[atlas.reference("pons")].mean() == pytest.approx(1.0, abs=1e-5)
    assert made.source["suv_factor_origin"] == "header"


def test_a_series_in_suv_needs_no_factor(atlas: Atlas) -> None:
    series = pet(quantity=Quantity.SUV)
    made = ratio(series.volumes[0], series, atlas, PLAIN)
    assert made.scale is not None
    assert np.allclose(made.volume.array * made.scale.factor, RAMP, rtol=1e-5)


@pytest.mark.parametrize("factor", [None, 0.0, -1.0, float("nan"), float("inf"), "3"])
def test_no_usable_factor_means_a_ratio_only_with_the_reason(atlas: Atlas, factor: object) -> None:
    sidecar = {"SuvReason": "no dose"} | ({} if factor is None else {"SuvFactor": factor})
    series = pet(**sidecar)
    made = ratio(series.volumes[0], series, atlas, PLAIN)
    assert made.scale is None
    assert made.source["suv"] == "unknown: no dose"
