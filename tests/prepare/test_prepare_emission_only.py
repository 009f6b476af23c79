"""PET and SPECT without an MR, on a phantom whose place in the scanner is known."""

from dataclasses import replace

import numpy as np
import pytest
from prepare_phantom import KEY, Phantom, native_grid, rigid, uptake_truth
from scipy import ndimage

from tracerless import prepare, quantify
from tracerless.core.errors import ContrastError, GeometryError, QuantityError
from tracerless.core.grid import Grid, points_mm
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.scaling import suvr
from tracerless.core.session import Native, NativeSeries, Prepared
from tracerless.core.transform import Affine
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io import resources
from tracerless.prepare.bend import bent_maps
from tracerless.registration.sampling import corners_mm, lattice, onto

RECIPE = PrepareRecipe(voxel_mm=4.0)
POSE = rigid((-9, 5, 12), (14, 10, -16))
"""Where the fixture ``fdg`` has the head, beside where ``phantom`` has it."""


def run(*series: NativeSeries, recipe: PrepareRecipe = RECIPE) -> Prepared:
    return prepare.session(
        Native(KEY, series),
        template=resources.template(4.0),
        atlas=resources.atlas("fdg36", 4.0),
        recipe=recipe,
    )


def seen(phantom: Phantom, grid: Grid, contrast: Contrast = Contrast.FDG) -> NativeSeries:
    """The phantom's uptake with the blur of a scanner, on a grid of its own space."""
    blurred = ndimage.gaussian_filter(uptake_truth(phantom), 6 / 2.355 / 2)
    moved = replace(phantom, pose=POSE @ phantom.pose)
    volume = moved.see(7.0 * blurred, grid, contrast, Quantity.ACTIVITY)
    return NativeSeries(contrast, (volume,), "one", {"SuvFactor": 0.5})


@pytest.fixture(scope="module")
def pet(phantom: Phantom) -> NativeSeries:
    return seen(phantom, native_grid((3.0, 3.0, 3.3), "LAS"))


@pytest.fixture(scope="module")
def body(phantom: Phantom) -> NativeSeries:
    """The same head on a body of 90 cm: a hot heart, a large liver, a hotter bladder."""
    grid = native_grid((4.0, 4.0, 4.0), "LAS")
    head = seen(phantom, grid).volumes[0].array
    n_below = 190
    affine = grid.affine.copy()
    affine[2, 3] -= 4.0 * n_below
    tall = Grid((*grid.shape[:2], grid.shape[2] + n_below), affine)
    array = np.zeros(tall.shape, np.float32)
    array[:, :, n_below:] = head
    x, y, z = np.moveaxis(points_mm(tall) - points_mm(tall)[grid.shape[0] // 2, 30, 0], -1, 0)
    array[((x / 95) ** 2 + (y / 75) ** 2 < 1) & (z < 4 * n_below - 20)] = 1.0
    for center, radii, level in (
        ((15, 20, 520), (40, 35, 40), 20.0),
        ((-35, 0, 400), (55, 50, 60), 2.5),
        ((0, 0, 60), (35, 35, 30), 60.0),
    ):
        away = sum(((a - c) / r) ** 2 for a, c, r in zip((x, y, z), center, radii, strict=True))
        array[away < 1] = level
    volume = Volume(array, tall, Quantity.ACTIVITY, Contrast.FDG)
    return NativeSeries(Contrast.FDG, (volume,), "body")


@pytest.fixture(scope="module")
def prepared(pet: NativeSeries, t2: NativeSeries) -> Prepared:
    return run(pet, t2)


def error_mm(found: Prepared, phantom: Phantom) -> np.ndarray:
    """How far each template point is from where the truth has it, mm."""
    grid = phantom.template.grid
    inside = np.argwhere(phantom.template.brain.array > 0)[::97]
    points = (inside @ grid.affine[:3, :3].T + grid.affine[:3, 3]).astype(np.float32)
    moved = replace(phantom, pose=POSE @ phantom.pose)
    return np.linalg.norm(moved.bent(found.to_native(points)) - points, axis=1)


def test_a_turned_and_moved_head_is_found_without_an_mr(
    prepared: Prepared, phantom: Phantom
) -> None:
    apart = error_mm(prepared, phantom)
    assert apart.mean() < 2.0
    assert np.percentile(apart, 95) < 4.0
    assert prepared.anatomy is None
    assert prepared.to_native.target == f"{KEY} FDG"


def test_maps_undo_each_other(prepared: Prepared, phantom: Phantom) -> None:
    grid = phantom.template.grid
    inside = np.argwhere(phantom.template.brain.array > 0)[::97]
    points = (inside @ grid.affine[:3, :3].T + grid.affine[:3, 3]).astype(np.float32)
    back = prepared.to_template(prepared.to_native(points))
    assert np.linalg.norm(back - points, axis=1).max() < 0.2


def test_regions_agree_with_the_planted_uptake(prepared: Prepared, phantom: Phantom) -> None:
    atlas = resources.atlas("fdg36", 4.0)
    blurred = ndimage.gaussian_filter(uptake_truth(phantom), 6 / 2.355 / 2).astype(np.float32)
    fine = Volume(blurred, phantom.template.grid, Quantity.ACTIVITY, Contrast.FDG)
    truth = suvr(onto(fine, atlas.grid), atlas.reference("pons"))
    expected = quantify.table(truth, atlas, reference="pons", fingerprint="").means
    measured = quantify.session(prepared, atlas, RECIPE)[Contrast.FDG].means
    apart = (measured / expected - 1).abs()
    assert apart.mean() < 0.05
    for name in ("lateral_temporal", "putamen", "insula"):
        assert measured[f"{name}_left"] > 1.05 * measured[f"{name}_right"]


def test_what_has_no_t1_to_go_through_is_left_out_with_the_reason(prepared: Prepared) -> None:
    assert set(prepared.volumes) == {Contrast.FDG}
    assert prepared.verdict == "review"
    assert "T2w is left out: the visit has no T1w to place it by." in prepared.reasons


def test_numbers_and_sources_tell_how_it_was_placed(prepared: Prepared) -> None:
    for name in ("coverage_FDG", "score_FDG", "fit_FDG", "left_right"):
        assert name in prepared.qc
    assert prepared.sources["FDG"]["registration"].startswith("affine and a quadratic bend")
    assert prepared.scales[Contrast.FDG].quantity is Quantity.SUV


def test_equal_input_gives_equal_bytes(
    prepared: Prepared, pet: NativeSeries, t2: NativeSeries
) -> None:
    again = run(t2, pet)
    same = again.require(Contrast.FDG).array.tobytes()
    assert same == prepared.require(Contrast.FDG).array.tobytes()
    assert dict(again.qc) == dict(prepared.qc)


def test_the_head_of_a_whole_body_is_found_and_cut_out(
    body: NativeSeries, phantom: Phantom
) -> None:
    found = run(body)
    assert error_mm(found, phantom).mean() < 2.5
    assert found.sources["FDG"]["cut_to_head"] is True
    assert found.native_grid.shape[2] * 4.0 < 260
    assert found.qc["coverage_FDG"] > 0.98


def test_a_body_without_its_head_is_refused(body: NativeSeries) -> None:
    whole = body.volumes[0]
    cut = Volume(
        whole.array[:, :, :180], Grid((*whole.grid.shape[:2], 180), whole.grid.affine),
        whole.quantity, whole.contrast,
    )  # fmt: skip
    with pytest.raises(GeometryError, match="No head is found"):
        run(NativeSeries(Contrast.FDG, (cut,), ""))


def test_a_head_upside_down_is_refused(pet: NativeSeries) -> None:
    volume = pet.volumes[0]
    turned = replace(volume, array=volume.array[:, :, ::-1].copy())
    with pytest.raises(GeometryError, match=r"No head is found|No convincing place"):
        run(NativeSeries(Contrast.FDG, (turned,), ""))


def test_a_cut_vertex_is_told_region_by_region(pet: NativeSeries, phantom: Phantom) -> None:
    volume = pet.volumes[0]
    top = np.argwhere(volume.array > 1).max(axis=0)[2] - 7
    grid = Grid((*volume.grid.shape[:2], int(top)), volume.grid.affine)
    short = Volume(volume.array[:, :, :top], grid, volume.quantity, volume.contrast)
    found = run(NativeSeries(Contrast.FDG, (short,), ""))
    table = quantify.session(found, resources.atlas("fdg36", 4.0), RECIPE)[Contrast.FDG].values
    assert table.coverage["superior_frontal_left"] < 0.95
    assert table.coverage["hippocampus_left"] == 1.0
    assert table["mean"].min() > 0.2
    assert error_mm(found, phantom).mean() < 4.0


@pytest.mark.parametrize("level", [0.0, 3.0])
def test_a_volume_of_one_value_is_refused_by_name(level: float) -> None:
    grid = native_grid((4.0, 4.0, 4.0))
    flat = Volume(np.full(grid.shape, level, np.float32), grid, Quantity.COUNTS, Contrast.ECD)
    with pytest.raises(QuantityError, match="nothing was measured"):
        run(NativeSeries(Contrast.ECD, (flat,), ""))


@pytest.mark.slow
def test_holes_of_nan_stay_holes(pet: NativeSeries) -> None:
    volume = pet.volumes[0]
    array = volume.array.copy()
    array[30:34, 30:34, 30:34] = np.nan
    found = run(NativeSeries(Contrast.FDG, (replace(volume, array=array),), ""))
    inside = resources.template(4.0).brain.array > 0
    values = found.require(Contrast.FDG).array[inside]
    assert 0 < np.isnan(values).sum() < 100
    assert not (values == 0).any()


@pytest.mark.slow
def test_a_second_tracer_of_the_visit_follows_the_first(
    pet: NativeSeries, phantom: Phantom
) -> None:
    spect = seen(phantom, native_grid((4.0, 4.0, 4.0), "RAS"), Contrast.ECD)
    found = run(spect, pet)
    assert set(found.volumes) == {Contrast.FDG, Contrast.ECD}
    assert found.to_native.target == f"{KEY} FDG"
    assert found.alignments[Contrast.ECD].source == f"{KEY} FDG"
    one, two = (found.require(each).array for each in (Contrast.FDG, Contrast.ECD))
    inside = resources.template(4.0).brain.array > 0
    known = inside & np.isfinite(one) & np.isfinite(two)
    assert np.corrcoef(one[known], two[known])[0, 1] > 0.95


@pytest.mark.slow
def test_a_tracer_that_cannot_be_measured_does_not_stop_the_other(pet: NativeSeries) -> None:
    raw = NativeSeries(
        Contrast.FDG, pet.volumes, "", {"Modality": "PT", "CorrectedImage": ["DECY"]}
    )
    spect = replace(pet.volumes[0], contrast=Contrast.ECD)
    found = run(raw, NativeSeries(Contrast.ECD, (spect,), ""))
    assert set(found.volumes) == {Contrast.ECD}
    assert any(r.startswith("FDG is left out: The FDG is not corrected") for r in found.reasons)


def test_a_session_with_neither_t1_nor_emission_is_refused(t2: NativeSeries) -> None:
    with pytest.raises(ContrastError, match="neither a T1w nor PET or SPECT, only T2w"):
        run(t2)


def test_a_bend_and_its_inverse_cancel_and_no_bend_is_the_affine() -> None:
    grid = lattice(corners_mm(resources.template(4.0).grid), 4.0, 0.0)
    center = np.array((0.0, -22.0, 9.5))
    push = Affine("template", "person", rigid((3, -5, 8), (4, 9, -20)))
    planted = np.linspace(-5, 5, 18).reshape(6, 3)
    there, back = bent_maps(planted, center, grid, push)
    points = points_mm(resources.template(4.0).grid)[resources.template(4.0).brain.array > 0]
    assert np.linalg.norm(back(there(points)) - points, axis=1).max() < 0.05
    straight, _ = bent_maps(np.zeros((6, 3)), center, grid, push)
    assert np.allclose(straight(points), push(points), atol=1e-4)
    assert np.linalg.norm(there(points) - straight(points), axis=1).max() > 2.0
