"""Real series: letters planted in them are found, anatomy and letters of sides are no findings."""

import time
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from burned_cases import ink

from tracerless.deidentify import burned

NAME = "WANG TAMING"


@pytest.mark.real_data
def test_letters_of_sides_in_a_real_head_are_no_findings(scans: Path) -> None:
    volume = np.asarray(nibabel.load(scans / "orientation-48" / "RAS.nii.gz").dataobj)
    assert burned.find([volume[:, ::-1, k].T for k in range(0, volume.shape[2], 12)]) == ()


def _dicom_series(folder: Path) -> dict[str, list[np.ndarray]]:
    series: dict[str, list[tuple[int, np.ndarray]]] = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        try:
            dataset = pydicom.dcmread(path)
        except pydicom.errors.InvalidDicomError:
            continue
        if "PixelData" in dataset and dataset.get("SamplesPerPixel", 1) == 1:
            frames = burned.decoded(dataset)
            key = f"{dataset.SeriesInstanceUID}{frames.shape[1:]}"
            number = int(dataset.get("InstanceNumber") or 0)
            series.setdefault(key, []).extend((number, frame) for frame in frames)
    return {
        key: [frame for _, frame in sorted(frames, key=lambda each: each[0])]
        for key, frames in series.items()
    }


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("folder", ["mr-one-person", "fdg-whole-body", "asl-philips-phantom"])
def test_real_series_without_text_have_no_finding(folder: str, scans: Path) -> None:
    series = _dicom_series(scans / folder)
    assert series
    started = time.process_time()
    for frames in series.values():
        assert burned.find(frames) == ()
    assert (time.process_time() - started) / len(series) < 20


@pytest.mark.slow
@pytest.mark.real_data
def test_letters_of_sides_in_all_48_orientations_are_no_findings(scans: Path) -> None:
    for path in sorted((scans / "orientation-48").glob("*.nii.gz")):
        volume = np.asarray(nibabel.load(path).dataobj)
        assert burned.find(np.moveaxis(volume, 2, 0)) == (), path.name


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("every", [False, True])
def test_nearly_every_text_planted_in_real_series_is_found(every: bool, scans: Path) -> None:
    rng = np.random.default_rng(11)
    series = [f for f in _dicom_series(scans / "mr-one-person").values() if len(f) > 20]
    series += [f for f in _dicom_series(scans / "fdg-whole-body").values() if len(f) > 20]
    n_found = n_planted = 0
    for trial in range(24):
        frames = list(series[trial % len(series)])
        size, turn = int(rng.choice([8, 10, 12, 16, 24])), int(rng.choice([0, 90, 180, 270]))
        text = [NAME, "A123456789", "1070503 CHEN"][trial % 3]
        letters = ink(text, size, at=(2, 3), turn=turn)
        if any(n > m - 4 for n, m in zip(letters.stencil.shape, frames[0].shape, strict=True)):
            continue
        place = int(rng.integers(len(frames)))
        top = max(float(frame.max()) for frame in frames)
        last = place + 1 if trial % 2 else len(frames)
        for number in range(place, last):
            frames[number] = letters.on(frames[number], top)
        if every:
            place, frames = 0, frames[place : place + 1]
        n_planted += 1
        n_found += letters.is_in(burned.find(frames, every=every), place)
    assert n_planted > 15
    assert n_found >= 0.9 * n_planted
