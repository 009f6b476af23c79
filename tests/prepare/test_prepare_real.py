"""Real heads; numbers were looked at together with pictures of the outlines."""

import tarfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from prepare_phantom import KEY, rigid

from tracerless import prepare
from tracerless.core.errors import GeometryError
from tracerless.core.grid import Grid
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.session import Native, NativeSeries
from tracerless.core.transform import Affine, resample
from tracerless.core.volume import Contrast, Quantity, Volume, with_array
from tracerless.io import pixels, resources
from tracerless.registration.brain import brain_mask
from tracerless.registration.ladder import Anchor, align
from tracerless.registration.sampling import corners_mm, lattice, onto, own_lattice

pytestmark = [pytest.mark.real_data]


def load(path: Path, contrast: Contrast, quantity: Quantity) -> Volume:
    nifti = nib.load(path)
    array = np.asarray(nifti.dataobj, dtype=np.float32)
    return Volume(array, Grid(array.shape, nifti.affine), quantity, contrast)


@pytest.mark.slow
def test_a_real_head_comes_to_the_template(scans: Path) -> None:
    t1 = load(scans / "t1-defaced" / "t1.nii.gz", Contrast.T1W, Quantity.T1W)
    template, atlas = resources.template(2.0), resources.atlas("fdg36", 2.0)
    made = prepare.session(
        Native(KEY, (NativeSeries(Contrast.T1W, (t1,), ""),)),
        template=template,
        atlas=atlas,
        recipe=PrepareRecipe(),
    )
    assert made.verdict == "pass", made.reasons
    assert 1000 < made.qc["brain_ml"] < 1800
    assert made.qc["t1_dice"] > 0.95
    assert made.qc["t1_correlation"] > 0.65
    signal = made.require(Contrast.T1W).array
    white = np.nanmedian(signal[template.white.array > 0.9])
    grey = np.nanmedian(signal[template.grey.array > 0.9])
    assert 1.2 < white / grey < 2.0
    assert made.native_grid == t1.grid
    back = resample(made.require(Contrast.T1W), made.native_grid, made.to_template)
    inside = resample(template.brain, made.native_grid, made.to_template, order=0).array > 0.5
    assert np.corrcoef(back.array[inside], t1.array[inside])[0, 1] > 0.9


@pytest.mark.slow
def test_slices_of_six_millimeters_give_the_same_brain(scans: Path) -> None:
    """A clinical T1 of thick slices: the brain, its place and its tissues stay what they were."""
    t1 = load(scans / "t1-defaced" / "t1.nii.gz", Contrast.T1W, Quantity.T1W)
    axis = int(np.argmax(np.abs(t1.grid.affine[2, :3])))
    step = round(6.0 / t1.grid.spacing_mm[axis])
    sharp = np.moveaxis(t1.array, axis, 0)
    sharp = sharp[: len(sharp) // step * step]
    thick = np.moveaxis(sharp.reshape(-1, step, *sharp.shape[1:]).mean(axis=1), 0, axis)
    affine = t1.grid.affine.copy()
    affine[:3, 3] += affine[:3, axis] * (step - 1) / 2
    affine[:3, axis] *= step
    thick_t1 = Volume(thick, Grid(thick.shape, affine), Quantity.T1W, Contrast.T1W)
    template, atlas = resources.template(2.0), resources.atlas("fdg36", 2.0)
    made = prepare.session(
        Native(KEY, (NativeSeries(Contrast.T1W, (thick_t1,), ""),)),
        template=template,
        atlas=atlas,
        recipe=PrepareRecipe(),
    )
    assert made.verdict in {"pass", "review"}, made.reasons
    assert made.qc["t1_dice"] > 0.94
    signal = made.require(Contrast.T1W).array
    white = np.nanmedian(signal[template.white.array > 0.9])
    grey = np.nanmedian(signal[template.grey.array > 0.9])
    assert 1.1 < white / grey < 2.0


@pytest.mark.parametrize("name", ["SPECT.nii", pytest.param("PET.nii", marks=pytest.mark.slow)])
def test_real_perfusion_templates_land_on_the_standard_brain(scans: Path, name: str) -> None:
    """HMPAO and water-PET group means are in MNI space already: the planted move must come back."""
    found = next((scans / "templates-spm-gpl").rglob(name), None)
    if found is None:
        pytest.skip(f"{name} is not among the real scans")
    volume = load(found, Contrast.HMPAO, Quantity.COUNTS)
    standard = resources.template(4.0)
    grid = lattice(corners_mm(standard.grid), 4.0, 0.0)
    anchor = Anchor(onto(standard.t1, grid), onto(standard.brain, grid).array > 0.5)
    still = align(anchor, volume, same_frame=False)
    planted = np.eye(4)
    planted[:3, 3] = (15.0, -12.0, 10.0)
    moved_grid = Grid(volume.grid.shape, planted @ volume.grid.affine)
    moved = align(
        anchor,
        Volume(volume.array, moved_grid, volume.quantity, volume.contrast),
        same_frame=False,
    )
    points = np.argwhere(anchor.brain) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    apart = Affine("a", "b", moved.matrix)(points.astype(np.float32)) - Affine(
        "a", "b", planted @ still.matrix
    )(points.astype(np.float32))
    assert np.linalg.norm(apart, axis=1).max() < 2.0
    assert own_lattice(volume, 4.0).grid.axcodes == "RAS"


@pytest.mark.slow
def test_limits_of_the_ladder_hold_on_a_pair_they_were_not_set_on(
    scans: Path, tmp_path: Path
) -> None:
    """BrainWeb's T1 and its simulated FDG-PET: found from afar, refused when turned."""
    with tarfile.open(scans / "petmr-simulated-pair.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    t1, pet = (
        pixels.load(sorted(next(tmp_path.rglob(name)).iterdir()), contrast).volumes[0]
        for name, contrast in (
            ("brainweb_06_t1_dcm", Contrast.T1W),
            ("brainweb_06_osem_dcm", Contrast.FDG),
        )
    )
    brain = with_array(t1, brain_mask(t1, for_mm=4.0).astype(np.float32), Quantity.LABEL)
    grid = lattice(corners_mm(t1.grid), 4.0, 0.0)
    anchor = Anchor(onto(t1, grid), np.nan_to_num(onto(brain, grid).array) > 0.5)
    points = np.argwhere(anchor.brain) @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    for pose in (np.eye(4), rigid((14, -13, 11), (18, -15, 17)), rigid((0, 0, 0), (30, 0, 0))):
        moved = Volume(
            pet.array, Grid(pet.grid.shape, pose @ pet.grid.affine), pet.quantity, pet.contrast
        )
        found = align(anchor, moved, same_frame=True)
        apart = found.matrix - pose
        assert np.linalg.norm(points @ apart[:3, :3].T + apart[:3, 3], axis=1).max() < 1.0
    for axis, why in ((0, "left and right exchanged"), (1, "No convincing"), (2, "No convincing")):
        turned = with_array(pet, np.ascontiguousarray(np.flip(pet.array, axis)))
        with pytest.raises(GeometryError, match=why):
            align(anchor, turned, same_frame=True)
