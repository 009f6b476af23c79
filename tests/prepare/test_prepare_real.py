"""Real heads; numbers were looked at together with pictures of the outlines."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from prepare_phantom import KEY

from tracerless import prepare
from tracerless.core.grid import Grid
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.session import Native, NativeSeries
from tracerless.core.transform import Affine, resample
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io import resources
from tracerless.registration.ladder import Anchor, align
from tracerless.registration.sampling import corners_mm, lattice, onto, own_lattice

pytestmark = [pytest.mark.real_data, pytest.mark.xdist_group("prepare-real")]


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
