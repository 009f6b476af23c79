"""A mosaic crosses as standard slices, and every reader finds the same volumes in them."""

import json
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from phantoms import Phantom, head, oblique, write_mosaic, write_mr
from tracerless.cli.deidentify import command
from tracerless.core.session import NativeSeries
from tracerless.core.volume import Contrast
from tracerless.deidentify import csa, unroll
from tracerless.io import pixels
from tracerless.io.dicom_scan import scan
from tracerless.io.site import Site

SHAPE = (8, 10, 5)
KEY = b"\x01" * 32


def stack(n_times: int = 3, shape: tuple[int, int, int] = SHAPE) -> NDArray[np.int16]:
    """(I, J, K, T) whole numbers, every volume another."""
    return np.stack([head(shape, peak=500 + 90 * t) for t in range(n_times)], axis=-1)


def direction(affine: NDArray[np.float64]) -> tuple[float, float, float]:
    """Where slices run, LPS."""
    x, y, z = np.diag([-1, -1, 1]) @ affine[:3, 2] / np.linalg.norm(affine[:3, 2])
    return float(x), float(y), float(z)


def states(
    normal: tuple[float, float, float] | None, times: Sequence[float] = ()
) -> Callable[[Dataset, int], None]:
    """Writes what a Siemens scanner says of its tiles."""

    def edit(dataset: Dataset, index: int) -> None:
        block = dataset.private_block(0x0019, "SIEMENS MR HEADER")
        if len(times):
            block.add_new(0x29, "FD", list(times))
        dataset.AcquisitionDate, dataset.AcquisitionTime = "20190304", f"23595{index}.500000"
        dataset.SmallestImagePixelValue = dataset.LargestImagePixelValue = 0
        if normal is not None:
            csa.write_slice_normal(dataset, normal)

    return edit


def mosaics(folder: Path, affine: NDArray[np.float64], times: Sequence[float] = ()) -> Phantom:
    return write_mosaic(folder, stack(), affine, edit=states(direction(affine), times))


def deidentified(place: Path, *more: str, profile: str = "seed") -> tuple[Path, ...]:
    """The folders of series that the command makes from ``place/in``."""
    arguments = [str(place / "in"), str(place / "data"), "--vault", str(place / "vault")]
    done = CliRunner().invoke(
        command, [*arguments, "--profile", profile, *more], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return tuple(sorted(path.parent for path in (place / "data").rglob("series.json")))


def loaded(folder: Path, contrast: Contrast) -> NativeSeries:
    """The series past the border, with what its headers said before it."""
    technical = json.loads((folder / "series.json").read_text())["technical"]
    return Site().applied(pixels.load(sorted(folder.glob("*.dcm")), contrast), technical)


_GONE = {"ImageType", "SequenceName", "ValueOrigins"}
"""What does not cross as it was: the word MOSAIC, a name, and where each value stood."""


def facts(series: NativeSeries) -> dict[str, object]:
    """Everything in the sidecar but that it was a mosaic, and where a value stood."""
    return {k: v for k, v in series.sidecar.items() if k not in _GONE}


def assert_same(before: NativeSeries, after: NativeSeries) -> None:
    assert len(before.volumes) == len(after.volumes)
    for one, other in zip(before.volumes, after.volumes, strict=True):
        assert np.array_equal(one.array, other.array)
    assert np.abs(before.grid.affine - after.grid.affine).max() < 1e-6
    assert facts(before) == facts(after)


@pytest.mark.parametrize("turned", [False, True])
def test_a_mosaic_crosses_as_slices_that_hold_the_same_volumes(
    tmp_path: Path, *, turned: bool
) -> None:
    affine = oblique()
    if turned:  # slices run against the normal of their plane
        affine[:3, 2] *= -1
    times = [0.0, 42.5, 85.0, 21.25, 63.75]
    phantom = mosaics(tmp_path / "in", affine, times)
    (source,) = scan(tmp_path / "in").series
    before = pixels.load(source.files, Contrast.ASL)
    (folder,) = deidentified(tmp_path)
    after = loaded(folder, Contrast.ASL)
    assert_same(before, after)
    expected = [0.0, 0.0425, 0.085, 0.02125, 0.06375]
    assert after.sidecar["SliceTiming"] == (expected[::-1] if turned else expected)
    truth = phantom.voxels[:, :, ::-1] if turned else phantom.voxels
    assert np.array_equal(np.stack([v.array for v in after.volumes], axis=-1), truth)
    (again,) = scan(folder).series
    assert not again.problems


def test_slices_are_standard_objects_and_nothing_of_the_sheet_is_left(tmp_path: Path) -> None:
    mosaics(tmp_path / "in", oblique(), [0.0, 42.5, 85.0, 21.25, 63.75])
    (folder,) = deidentified(tmp_path)
    files = [dcmread(path) for path in sorted(folder.glob("*.dcm"))]
    assert len(files) == 15
    record = json.loads((folder / "series.json").read_text())
    assert (record["unrolled"], record["n_instances"]) == (3, 15)
    assert [each.InstanceNumber for each in files] == list(range(1, 16))
    assert len({each.SOPInstanceUID for each in files}) == 15
    assert len({each.SeriesInstanceUID for each in files}) == 1
    assert [each.TemporalPositionIdentifier for each in files] == [1] * 5 + [2] * 5 + [3] * 5
    for each in files:
        assert (each.Rows, each.Columns) == (10, 8)
        assert "MOSAIC" not in each.ImageType
        assert not [tag for tag in each.keys() if tag.is_private]  # noqa: SIM118
        assert each.file_meta.MediaStorageSOPInstanceUID == each.SOPInstanceUID
        assert each.NumberOfTemporalPositions == 3
        if "LargestImagePixelValue" in each:
            assert each.pixel_array.max() == each.LargestImagePixelValue
        across, down = np.array(each.ImageOrientationPatient, dtype=float).reshape(2, 3)
        along = np.cross(across, down) @ np.array(each.ImagePositionPatient, dtype=float)
        assert float(each.SliceLocation) == pytest.approx(along, abs=1e-6)
    times = [each.AcquisitionTime for each in files[:3]]
    assert times == ["235950.500000", "235950.542500", "235950.585000"]


def test_a_slice_taken_after_midnight_has_the_next_day() -> None:
    clean = Dataset()
    clean.AcquisitionDate, clean.AcquisitionTime = "20191231", "235959.900000"
    unroll._set_time(clean, 250.0)
    assert (clean.AcquisitionDate, clean.AcquisitionTime) == ("20200101", "000000.150000")


def test_uids_of_slices_need_the_key(tmp_path: Path) -> None:
    mosaic = dcmread(mosaics(tmp_path, oblique()).files[0])
    layout = unroll.layout(mosaic)
    assert layout is not None
    uids = [
        [each.SOPInstanceUID for each in unroll.unroll(mosaic, layout, uid_key=key)]
        for key in (KEY, KEY, b"\x02" * 32)
    ]
    assert uids[0] == uids[1]
    assert set(uids[0]).isdisjoint(uids[2])
    assert mosaic.SOPInstanceUID not in uids[0]
    before = mosaic.to_json()
    slices = unroll.unroll(mosaic, layout, uid_key=KEY)
    slices[0].PatientID = "changed"
    assert mosaic.to_json() == before


def test_a_mosaic_that_does_not_say_how_its_tiles_run_stays_a_mosaic(tmp_path: Path) -> None:
    write_mosaic(tmp_path / "in", stack(), oblique(), edit=states(None))
    (folder,) = deidentified(tmp_path)
    files = [dcmread(path) for path in folder.glob("*.dcm")]
    assert len(files) == 3
    assert all("MOSAIC" in each.ImageType for each in files)
    assert json.loads((folder / "series.json").read_text())["unrolled"] == 0
    assert len(loaded(folder, Contrast.ASL).volumes) == 3


def test_a_mosaic_that_lost_its_mark_does_not_cross_as_one_slice(tmp_path: Path) -> None:
    def edit(dataset: Dataset, index: int) -> None:
        states(None)(dataset, index)
        dataset.PatientName = "MOSAIC^PERFUSION"  # a kept code may not repeat a name

    write_mosaic(tmp_path / "in", stack(), oblique(), edit=edit)
    arguments = [str(tmp_path / "in"), str(tmp_path / "data"), "--vault", str(tmp_path / "vault")]
    CliRunner().invoke(command, [*arguments, "--profile", "seed"], catch_exceptions=False)
    for path in (tmp_path / "data").rglob("*.dcm"):
        assert unroll.is_mosaic(dcmread(path))


def test_one_silent_mosaic_among_others_keeps_its_whole_series_as_it_was(tmp_path: Path) -> None:
    def edit(dataset: Dataset, index: int) -> None:
        states(direction(oblique()) if index != 1 else None)(dataset, index)

    write_mosaic(tmp_path / "in", stack(), oblique(), edit=edit)
    (folder,) = deidentified(tmp_path)
    assert len(list(folder.glob("*.dcm"))) == 3


def test_a_slice_that_is_no_mosaic_has_no_layout(tmp_path: Path) -> None:
    single = dcmread(write_mr(tmp_path, head(SHAPE), oblique()).files[0])
    csa.write_slice_normal(single, (0.0, 0.0, 1.0))
    assert unroll.layout(single) is None


@settings(max_examples=25, deadline=None)
@given(n_slices=st.integers(1, 26), columns=st.integers(2, 5), rows=st.integers(2, 5))
def test_every_tile_comes_back_whole(n_slices: int, columns: int, rows: int) -> None:
    side = int(np.ceil(np.sqrt(n_slices)))
    sheet = np.arange(side * side * rows * columns, dtype="<u2").reshape(side * rows, -1)
    clean = _sheet(sheet)
    found = unroll.unroll(clean, unroll.Layout(n_slices, (0.0, 0.0, -1.0)), uid_key=KEY)
    assert len(found) == n_slices
    places = [[float(mm) for mm in each.ImagePositionPatient] for each in found]
    corner = [(side - 1) * columns, (side - 1) * rows * 0.75]
    for k, each in enumerate(found):
        top, left = divmod(k, side)
        tile = sheet[top * rows : (top + 1) * rows, left * columns : (left + 1) * columns]
        assert np.array_equal(each.pixel_array, tile)
        assert places[k] == pytest.approx([corner[0], corner[1], -3.0 * k])


def _sheet(sheet: NDArray[np.uint16]) -> Dataset:
    clean = Dataset()
    clean.file_meta = pydicom_meta()
    clean.SOPClassUID, clean.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.4", "2.25.1"
    clean.ImageType = ["ORIGINAL", "PRIMARY", "MOSAIC"]
    clean.ImagePositionPatient = [0, 0, 0]
    clean.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    clean.PixelSpacing, clean.SliceThickness = [1.5, 2.0], 3
    clean.SamplesPerPixel, clean.PhotometricInterpretation = 1, "MONOCHROME2"
    clean.BitsAllocated, clean.BitsStored, clean.HighBit = 16, 16, 15
    clean.PixelRepresentation = 0
    clean.Rows, clean.Columns = sheet.shape
    clean.PixelData = sheet.tobytes()
    return clean


def pydicom_meta() -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return meta


@pytest.mark.real_data
def test_perfusion_mosaics_of_a_real_visit_read_the_same(scans: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for path in sorted((scans / "mr-one-person").iterdir()):
        if path.is_file() and b"PERFUSION\\ASL" in path.read_bytes()[:2000]:
            (tmp_path / "in" / path.name).symlink_to(path)
    _assert_real_reads_the_same(tmp_path)


@pytest.mark.slow
@pytest.mark.real_data
def test_real_control_and_label_mosaics_read_the_same(scans: Path, tmp_path: Path) -> None:
    with tarfile.open(scans / "asl-siemens.tar.xz") as archive:
        archive.extractall(tmp_path / "in", filter="data")
    assert _assert_real_reads_the_same(tmp_path) == {
        "asl_009",
        "asl_011",
        "m0scan_010",
        "m0scan_013",
    }


def _assert_real_reads_the_same(place: Path) -> set[str]:
    sources = {
        f"{each.contrast}_{each.series_number:03d}": each for each in scan(place / "in").series
    }
    assert sources
    folders = {folder.name: folder for folder in deidentified(place)}
    assert folders.keys() == sources.keys()
    for name, source in sources.items():
        before = pixels.load(source.files, source.contrast)
        after = loaded(folders[name], source.contrast)
        assert "SliceTiming" in before.sidecar
        assert_same(before, after)
        assert json.loads((folders[name] / "series.json").read_text())["unrolled"]
    return set(folders)
