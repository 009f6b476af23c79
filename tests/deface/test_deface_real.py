"""Real heads; the results were looked at as surfaces, from the front and from the side."""

import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tracerless import deface
from tracerless.core.grid import Grid
from tracerless.core.session import Template
from tracerless.core.volume import Contrast, Quantity, Volume, with_array
from tracerless.io import dicom_scan, pixels
from tracerless.registration.brain import brain_mask
from tracerless.workspace import deface_session
from tracerless.workspace.deface_session import StagedSeries

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


def staged(source: Path, folder: Path, contrast: Contrast | None = None) -> list[StagedSeries]:
    made = []
    for number, each in enumerate(dicom_scan.scan(source).series):
        place = folder / str(number)
        place.mkdir(parents=True)
        for index, path in enumerate(each.files):
            shutil.copy(path, place / f"{index:04d}.dcm")
        made.append(StagedSeries(place, contrast or each.contrast))
    return made


def load(each: StagedSeries) -> Volume:
    return pixels.load(sorted(each.folder.glob("*.dcm")), each.contrast).volumes[0]


def test_a_volunteer_loses_the_face_and_no_brain(scans: Path, tmp_path: Path) -> None:
    every = staged(scans / "mr-one-person", tmp_path)
    series = [each for each in every if each.contrast in (Contrast.T1W, Contrast.T2W)]
    before = [load(each) for each in series]
    outcome = deface_session.deface(series)
    assert [each.verdict for each in outcome.series] == ["defaced", "defaced"]
    assert [each.placed for each in outcome.series] == ["anchor", "frame"]
    for old, each in zip(before, series, strict=True):
        new = load(each)
        cut = new.array != old.array
        brain = brain_mask(old, for_mm=2.0)  # at another resolution than the mask's own
        assert (cut & brain).sum() < 0.001 * brain.sum()
        assert cut.mean() > 0.05
    left = brain_mask(load(series[0]), for_mm=2.0).sum()
    assert left == pytest.approx(brain_mask(before[0], for_mm=2.0).sum(), rel=0.01)


def test_t1_and_t2_find_one_face_by_themselves(
    scans: Path, tmp_path: Path, coarse: Template
) -> None:
    every = staged(scans / "mr-one-person", tmp_path)
    heads = [load(e) for e in every if e.contrast in (Contrast.T1W, Contrast.T2W)]
    faces = [deface.fit(head, coarse) for head in heads]
    masks = [deface.mask(face, heads[1].grid) for face in faces if isinstance(face, deface.Face)]
    assert len(masks) == 2
    assert 2 * (masks[0] & masks[1]).sum() > 0.9 * (masks[0].sum() + masks[1].sum())


def test_a_whole_body_pet_loses_its_face_alone(scans: Path, tmp_path: Path) -> None:
    series = staged(scans / "fdg-whole-body", tmp_path, Contrast.FDG)
    before = load(series[0])
    outcome = deface_session.deface(series)
    assert [each.verdict for each in outcome.series] == ["defaced"]
    cut = load(series[0]).array != before.array
    height_mm = before.grid.spacing_mm[2] * np.flatnonzero(cut.any(axis=(0, 1)))
    top_mm = before.grid.spacing_mm[2] * before.grid.shape[2]
    assert height_mm.min() > top_mm - 300.0
    bright = before.array > 0.5 * np.percentile(before.array[:, :, -30:], 99)
    assert (cut & bright)[:, :, -25:].sum() < 0.001 * bright[:, :, -25:].sum()


def test_a_head_that_others_defaced_is_fitted_all_the_same(scans: Path, coarse: Template) -> None:
    nifti = nib.load(scans / "t1-defaced" / "t1.nii.gz")
    array = np.asarray(nifti.dataobj, dtype=np.float32)
    t1 = Volume(array, Grid(array.shape, nifti.affine), Quantity.T1W, Contrast.T1W)
    face = deface.fit(t1, coarse)
    assert isinstance(face, deface.Face)
    taken = deface.mask(face, t1.grid)
    brain = brain_mask(t1, for_mm=2.0)
    assert (taken & brain).sum() < 0.001 * brain.sum()
    rest = with_array(t1, np.asarray(deface.apply(t1.array, taken, 0.0), dtype=np.float32))
    assert brain_mask(rest, for_mm=2.0).sum() == pytest.approx(brain.sum(), rel=0.01)
