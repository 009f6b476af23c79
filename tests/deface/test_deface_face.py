"""The region, the fit, and the mask on any grid, against a head whose place is known."""

import json
from dataclasses import replace

import numpy as np
import pytest
from deface_phantom import CHIN, EYE, LIPS, NOSE, POSE, at, scanner_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from tracerless import deface
from tracerless.core.errors import GeometryError
from tracerless.core.grid import Grid
from tracerless.core.session import Template
from tracerless.core.transform import Affine, gaussian, resample
from tracerless.core.volume import Contrast, Quantity, Volume, with_array
from tracerless.deface import region
from tracerless.io import resources


def standard_brain(template: Template, grid: Grid, pose: np.ndarray = POSE) -> np.ndarray:
    pull = Affine("scanner", "standard", np.linalg.inv(pose))
    return np.nan_to_num(resample(template.brain, grid, pull).array) > 0.5


@pytest.mark.parametrize("place", [NOSE, CHIN, EYE, LIPS, (0, 200, -62), (-84, -20, -50)])
def test_the_region_holds_the_features_of_a_face_and_the_air_before_them(place: tuple) -> None:
    affine = np.eye(4)
    affine[:3, 3] = place
    assert region.inside(Grid((1, 1, 1), affine), np.eye(4)).all()


def test_the_region_stays_out_of_the_standard_brain(fine: Template) -> None:
    inside = region.inside(fine.grid, np.eye(4))
    assert inside.any()
    assert not (inside & (fine.brain.array > 0.5)).any()


def test_a_planted_pose_is_found_to_some_millimeters(face: deface.Face) -> None:
    for place in (NOSE, CHIN, EYE, LIPS):
        found, truth = face.matrix @ (*place, 1.0), POSE @ (*place, 1.0)
        assert np.linalg.norm(found - truth) < 6.0, place


def test_the_fit_repeats_itself_to_the_bit(
    fdg: Volume, coarse: Template, face: deface.Face
) -> None:
    again = deface.fit(fdg, coarse)
    assert isinstance(again, deface.Face)
    assert again.plain() == face.plain()


def test_a_face_survives_json_and_takes_the_same_voxels(face: deface.Face, t1: Volume) -> None:
    back = deface.Face.from_plain(json.loads(json.dumps(face.plain())))
    assert np.array_equal(back.brain, face.brain)
    assert np.array_equal(deface.mask(back, t1.grid), deface.mask(face, t1.grid))


@given(st.lists(st.booleans(), min_size=1, max_size=24).filter(any))
@settings(max_examples=60, deadline=None)
def test_every_brain_survives_being_written_as_runs(voxels: list[bool]) -> None:
    brain = np.array(voxels).reshape(1, -1, 1)
    face = deface.Face(np.eye(4), Grid(brain.shape, np.eye(4)), brain, {"score": 0.2})
    assert np.array_equal(deface.Face.from_plain(face.plain()).brain, brain)


def test_runs_that_do_not_fill_the_grid_are_refused(face: deface.Face) -> None:
    plain = face.plain()
    with pytest.raises(GeometryError, match="do not fill"):
        deface.Face.from_plain({**plain, "runs": plain["runs"][:-2]})


def test_the_mask_takes_the_face_and_leaves_the_brain(
    face: deface.Face, t1: Volume, fine: Template
) -> None:
    taken = deface.mask(face, t1.grid)
    for place in (NOSE, EYE, LIPS, CHIN):
        assert taken[at(t1, place)], place
    brain = standard_brain(fine, t1.grid)
    assert (taken & brain).sum() < 0.001 * brain.sum()
    assert 0.03 < taken.mean() < 0.4


def test_nothing_within_the_margin_of_the_brain_is_taken(face: deface.Face) -> None:
    grid = scanner_grid((3.0, 3.0, 3.0))
    bare, wide = (deface.mask(face, grid, margin_mm=mm) for mm in (0.0, 20.0))
    assert (bare & ~wide).any()
    assert not (wide & ~bare).any()
    brain = Volume(face.brain.astype(np.float32), face.grid, Quantity.LABEL, Contrast.T1W)
    there = np.nan_to_num(resample(brain, grid, order=0).array) > 0.5
    away_mm = ndimage.distance_transform_edt(~there, sampling=grid.spacing_mm)
    assert away_mm[wide].min() > 20.0 - 3.0


def test_a_misplaced_face_is_counted_as_brain_lost(face: deface.Face) -> None:
    """Negative control of the number that the gate looks at."""
    grid = scanner_grid((3.0, 3.0, 3.0))
    blade = deface.knife(face)
    assert blade.touched_ml(blade(grid), grid) == 0.0
    everything = np.ones(grid.shape, bool)
    assert blade.touched_ml(everything, grid) == pytest.approx(face.brain_ml, rel=0.03)


@pytest.mark.parametrize("turn", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_the_order_and_direction_of_axes_do_not_matter(
    face: deface.Face, turn: tuple[int, int, int]
) -> None:
    grid = scanner_grid((4.0, 4.0, 4.0))
    swap = np.zeros((4, 4))
    swap[3, 3] = 1
    for new, old in enumerate(turn):
        swap[old, new] = -1
        swap[old, 3] = grid.shape[old] - 1
    turned = Grid(tuple(grid.shape[old] for old in turn), grid.affine @ swap)
    same = deface.mask(face, grid)[::-1, ::-1, ::-1].transpose(turn)
    differ = deface.mask(face, turned) ^ same
    assert differ.mean() < 1e-4  # voxels on the border, by rounding


def test_the_face_follows_a_series_of_another_frame(
    face: deface.Face, fdg: Volume, fine: Template
) -> None:
    shift = np.eye(4)
    shift[:3, 3] = (6.0, -8.0, 10.0)
    away = Volume(
        fdg.array, Grid(fdg.grid.shape, shift @ fdg.grid.affine), fdg.quantity, fdg.contrast
    )
    place = deface.carry(face, fdg, away, same_frame=False)
    assert isinstance(place, deface.Place)
    assert np.linalg.norm((place.to_scanner @ shift - np.eye(4))[:3, 3]) < 3.0
    here = deface.carry(face, fdg, fdg, same_frame=True)
    assert isinstance(here, deface.Place)
    assert here.how == "frame"
    assert np.array_equal(here.to_scanner, np.eye(4))


def test_one_frame_of_reference_is_not_believed_against_the_voxels(
    face: deface.Face, fdg: Volume
) -> None:
    """Tools that write one frame of reference into everything must not leave a face in."""
    shift = np.eye(4)
    shift[:3, 3] = (0.0, 25.0, -20.0)
    grid = Grid(fdg.grid.shape, shift @ fdg.grid.affine)
    away = Volume(fdg.array, grid, fdg.quantity, fdg.contrast)
    place = deface.carry(face, fdg, away, same_frame=True)
    assert isinstance(place, deface.Place)
    moved = deface.mask(face, grid, to_scanner=place.to_scanner)
    differ = moved ^ deface.mask(face, fdg.grid)
    assert differ.mean() < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("contrast", [Contrast.T1W, Contrast.FDG])
def test_noise_and_emptiness_are_unfit(contrast: Contrast, coarse: Template) -> None:
    noise = np.random.default_rng(5).random((60, 60, 60)).astype(np.float32)
    grid = Grid(noise.shape, np.diag((3.5, 3.5, 3.5, 1.0)))
    for array in (noise, np.ones_like(noise)):
        found = deface.fit(Volume(array, grid, Quantity.SIGNAL, contrast), coarse)
        assert isinstance(found, deface.Unfit)
        assert found.reason


@pytest.mark.parametrize("share", [0.8, 0.5])
def test_a_head_cut_off_above_is_fitted_right_or_not_at_all(
    fdg: Volume, coarse: Template, share: float
) -> None:
    cut = fdg.array.copy()
    cut[:, :, int(cut.shape[2] * share) :] = 0
    found = deface.fit(with_array(fdg, cut), coarse)
    if isinstance(found, deface.Face):
        apart = (found.matrix - POSE) @ (*NOSE, 1.0)
        assert np.linalg.norm(apart) < 6.0
    assert isinstance(found, deface.Unfit) == (share == 0.5)


def test_apply_changes_nothing_but_the_mask(t1: Volume, face: deface.Face) -> None:
    taken = deface.mask(face, t1.grid)
    rest = deface.apply(t1.array, taken, -1.0)
    assert (rest[taken] == -1.0).all()
    assert np.array_equal(rest[~taken], t1.array[~taken])
    with pytest.raises(GeometryError, match="mask of shape"):
        deface.apply(t1.array, taken[1:], 0.0)


def test_regional_uptake_stays_within_one_percent(fdg: Volume, face: deface.Face) -> None:
    """Even after the smoothing that every PET gets, which draws the cut towards the brain."""
    atlas = resources.atlas("fdg36", 3.0)
    margin_mm = deface.margin_mm(Contrast.FDG)
    cut = deface.apply(fdg.array, deface.mask(face, fdg.grid, margin_mm=margin_mm), 0.0)
    pull = Affine("standard", "scanner", POSE)
    before, after = (
        resample(gaussian(with_array(fdg, each), 8.0), atlas.grid, pull).array
        for each in (fdg.array, np.asarray(cut, dtype=np.float32))
    )
    assert not np.array_equal(before, after)
    scaled = [each / each[atlas.reference("cerebellum")].mean() for each in (before, after)]
    for one in atlas.regions:
        here = atlas.labels == one.index
        ratio = scaled[1][here].mean() / scaled[0][here].mean()
        assert ratio == pytest.approx(1.0, abs=0.01), one.key


def test_which_series_could_show_a_face() -> None:
    head, slab = scanner_grid((1.0, 1.0, 2.0)), scanner_grid((1.0, 1.0, 2.0), 30.0)
    lumps = scanner_grid((8.0, 8.0, 8.0))
    assert deface.is_head(Contrast.T1W, head)
    assert deface.is_head(Contrast.HMPAO, head)
    assert not deface.is_head(Contrast.T1W, slab)
    assert not deface.is_head(Contrast.T1W, lumps)
    assert not deface.is_head(Contrast.SYNTHETIC_FDG, head)


def test_a_face_without_a_brain_cannot_exist(face: deface.Face) -> None:
    with pytest.raises(GeometryError, match="0 voxels"):
        replace(face, brain=np.zeros_like(face.brain))
