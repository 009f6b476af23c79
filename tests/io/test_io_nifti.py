"""NIfTI with a sidecar: what is written is what is read, byte for byte the same each time."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from phantoms import head, oblique
from tracerless.core.errors import DatasetError
from tracerless.core.grid import Grid
from tracerless.core.session import NativeSeries
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io import nifti

SMALL = (8, 9, 7)


def _volume(contrast: Contrast = Contrast.T1W, quantity: Quantity = Quantity.T1W) -> Volume:
    return Volume(head(SMALL).astype(np.float32) / 7, Grid(SMALL, oblique()), quantity, contrast)


def test_a_volume_comes_back_as_it_was(tmp_path: Path) -> None:
    volume = _volume(Contrast.FDG, Quantity.ACTIVITY)
    path, beside = nifti.write_volume(tmp_path / "pet.nii.gz", volume, extra={"TracerName": "FDG"})
    again = nifti.read_volume(path)
    np.testing.assert_array_equal(again.array, volume.array)
    assert again.grid == volume.grid
    assert (again.contrast, again.quantity) == (Contrast.FDG, Quantity.ACTIVITY)
    assert json.loads(beside.read_text())["TracerName"] == "FDG"


def test_a_series_of_frames_comes_back_as_it_was(tmp_path: Path) -> None:
    one = _volume(Contrast.ASL, Quantity.SIGNAL)
    frames = tuple(
        Volume(one.array * (n + 1), one.grid, one.quantity, one.contrast) for n in range(3)
    )
    series = NativeSeries(Contrast.ASL, frames, "0123456789abcdef", {"RepetitionTime": 4.0})
    nifti.write_series(tmp_path / "sub-1_asl", series)
    again = nifti.read_series(tmp_path / "sub-1_asl")
    assert len(again.volumes) == 3
    for a, b in zip(again.volumes, frames, strict=True):
        np.testing.assert_array_equal(a.array, b.array)
    assert again.frame_of_reference == series.frame_of_reference
    assert again.sidecar["RepetitionTime"] == 4.0
    assert again.contrast is Contrast.ASL


def test_labels_are_stored_as_whole_numbers_and_come_back(tmp_path: Path) -> None:
    labels = _volume(quantity=Quantity.LABEL)
    whole = Volume(np.round(labels.array), labels.grid, labels.quantity, labels.contrast)
    path, _ = nifti.write_volume(tmp_path / "dseg.nii.gz", whole)
    assert nib.load(path).get_data_dtype() == np.int16
    np.testing.assert_array_equal(nifti.read_volume(path).array, whole.array)


def test_what_bids_wants_beside_a_series_is_written_and_left_out_again(tmp_path: Path) -> None:
    one = _volume(Contrast.ASL, Quantity.SIGNAL)
    series = NativeSeries(Contrast.ASL, (one,), "", {"RepetitionTime": 4.0})
    extra = {"TotalAcquiredPairs": 3, "Invented": 1}
    _, beside = nifti.write_series(tmp_path / "sub-1_asl", series, extra=extra)
    written = json.loads(beside.read_text())
    assert written["TotalAcquiredPairs"] == 3
    assert "Invented" not in written
    assert "TotalAcquiredPairs" not in nifti.read_series(tmp_path / "sub-1_asl").sidecar


def test_equal_volumes_give_equal_bytes(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in nifti.write_volume(tmp_path / "a.nii.gz", _volume())]
    second = [path.read_bytes() for path in nifti.write_volume(tmp_path / "b.nii.gz", _volume())]
    assert first == second


@pytest.mark.parametrize(("space", "code"), [(nifti.NATIVE, 1), ("MNI152NLin2009aSym", 4)])
def test_both_transforms_are_set_and_say_which_space(space: str, code: int, tmp_path: Path) -> None:
    path, beside = nifti.write_volume(tmp_path / "t1.nii.gz", _volume(), space=space)
    header = nib.load(path).header
    assert int(header["sform_code"]) == int(header["qform_code"]) == code
    np.testing.assert_allclose(header.get_sform(), oblique(), atol=1e-5)
    np.testing.assert_allclose(header.get_qform(), oblique(), atol=1e-4)
    assert header.get_xyzt_units() == ("mm", "sec")
    assert ("SpatialReference" in json.loads(beside.read_text())) == (code == 4)


def test_a_synthetic_volume_says_so_in_its_header_and_beside_it(tmp_path: Path) -> None:
    made = nifti.write_volume(tmp_path / "s.nii.gz", _volume(Contrast.SYNTHETIC_FDG, Quantity.SUVR))
    real = nifti.write_volume(tmp_path / "r.nii.gz", _volume(Contrast.FDG, Quantity.SUVR))
    assert bytes(nib.load(made[0]).header["descrip"].tobytes()).startswith(b"AI-SYNTH NOT PET")
    assert json.loads(made[1].read_text())["SyntheticData"] is True
    assert b"SYNTH" not in bytes(nib.load(real[0]).header["descrip"].tobytes())
    assert "SyntheticData" not in json.loads(real[1].read_text())


def test_the_sidecar_is_the_mark_of_a_complete_pair(tmp_path: Path) -> None:
    series = NativeSeries(Contrast.T1W, (_volume(),), "", {})
    path, beside = nifti.write_series(tmp_path / "t1", series)
    assert nifti.is_complete(path)
    beside.unlink()
    assert not nifti.is_complete(path)
    with pytest.raises(DatasetError, match="no sidecar"):
        nifti.read_series(tmp_path / "t1")


def test_an_old_sidecar_never_vouches_for_a_new_volume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = nifti.write_volume(tmp_path / "t1.nii.gz", _volume())

    def killed(path: Path, content: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(nifti.atomic, "write_bytes", killed)
    with pytest.raises(KeyboardInterrupt):
        nifti.write_volume(path, _volume())
    assert not nifti.is_complete(path)


def test_a_file_without_sidecar_reads_as_signal_of_unknown_contrast(tmp_path: Path) -> None:
    path, beside = nifti.write_volume(tmp_path / "t1.nii.gz", _volume())
    beside.unlink()
    again = nifti.read_volume(path)
    assert (again.contrast, again.quantity) == (Contrast.UNKNOWN, Quantity.SIGNAL)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9])
def test_a_damaged_file_is_refused_with_the_next_move(share: float, tmp_path: Path) -> None:
    path, _ = nifti.write_volume(tmp_path / "t1.nii.gz", _volume())
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DatasetError, match="damaged") as caught:
        nifti.read_volume(path)
    assert caught.value.hint


def test_an_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no t1\.nii\.gz"):
        nifti.read_volume(tmp_path / "t1.nii.gz")
