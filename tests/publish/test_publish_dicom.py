"""DICOM out: on the T1 to a hair, readable by others, and never without its marks."""

import io
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
from pydicom import Dataset

from tracerless.core.errors import DicomError, GeometryError, QuantityError
from tracerless.core.grid import Grid
from tracerless.core.prediction import SYNTHETIC_LABEL_EN
from tracerless.core.volume import Contrast, Quantity, Volume, with_array
from tracerless.publish import capture, parametric
from tracerless.publish.capture import secondary_capture
from tracerless.publish.marking import SERIES_DESCRIPTION, derivation, require_marked
from tracerless.publish.parametric import parametric_map

MADE = datetime(2026, 1, 2, 3, 4, 5)
SHAPE = (12, 20, 16)  # slices, rows, columns
PIXEL_MM, STEP_MM = (1.0, 1.1), 1.5
OBLIQUE = (0.9848077, 0.1736482, 0.0, -0.1710101, 0.9698463, 0.1736482)
PLANES = {
    "axial": (1, 0, 0, 0, 1, 0),
    "coronal": (1, 0, 0, 0, 0, -1),
    "sagittal": (0, 1, 0, 0, 0, -1),
    "oblique": OBLIQUE,
}
ORDERS = [((0, 1, 2), ""), ((2, 1, 0), ""), ((2, 1, 0), "ik"), ((1, 2, 0), "j"), ((2, 0, 1), "ijk")]


def t1_headers(cosines=PLANES["sagittal"], *, emptied=True):
    """Headers as de-identification leaves them: type 2 attributes empty, or gone."""
    normal = np.cross(cosines[:3], cosines[3:])
    headers = []
    for n in range(SHAPE[0]):
        header = Dataset()
        header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
        header.SOPInstanceUID = f"2.25.1{n:03d}"
        header.StudyInstanceUID, header.SeriesInstanceUID = "2.25.7", "2.25.8"
        header.FrameOfReferenceUID = "2.25.9"
        header.Modality, header.Rows, header.Columns = "MR", SHAPE[1], SHAPE[2]
        header.ImageOrientationPatient = list(cosines)
        header.ImagePositionPatient = [round(c, 4) for c in (-10, -8, 9) + n * STEP_MM * normal]
        header.PixelSpacing, header.SliceThickness = list(PIXEL_MM), STEP_MM
        if emptied:
            header.PatientID = header.PatientName = header.PatientSex = header.StudyID = ""
            header.PatientBirthDate = header.StudyDate = header.StudyTime = ""
            header.AccessionNumber = header.ReferringPhysicianName = ""
        else:
            del header.SliceThickness
        headers.append(header)
    return headers


def dicom_affine(headers):
    """Voxel (slice, row, column) -> RAS mm, by the standard's own equation (PS3.3 C.7.6.2.1.1)."""
    first, last = headers[0], headers[-1]
    cosines = np.array(first.ImageOrientationPatient, float)
    start, end = (np.array(h.ImagePositionPatient, float) for h in (first, last))
    affine = np.eye(4)
    affine[:3, 0] = (end - start) / (len(headers) - 1)
    affine[:3, 1] = cosines[3:] * float(first.PixelSpacing[0])
    affine[:3, 2] = cosines[:3] * float(first.PixelSpacing[1])
    affine[:3, 3] = start
    return np.diag([-1, -1, 1, 1]) @ affine


def on_t1(headers, order=(0, 1, 2), flips=""):
    """Synthetic SUVR on the T1's lattice with a planted blob, its axes in another order."""
    shape = (len(headers), headers[0].Rows, headers[0].Columns)
    array = np.full(shape, 0.5, np.float32)
    array[2:4, 3:6, 2:5] = 3.0
    array[:1] = np.nan
    affine = dicom_affine(headers)
    array = array.transpose(order)
    affine = affine[:, [*order, 3]]
    for axis in ("ijk".index(flip) for flip in flips):
        array = np.flip(array, axis)
        affine[:3, 3] += affine[:3, axis] * (array.shape[axis] - 1)
        affine[:3, axis] *= -1
    return Volume(array, Grid(array.shape, affine), Quantity.SUVR, Contrast.SYNTHETIC_FDG)


def blob_mm(array, affine):
    """Center of the planted blob, RAS mm."""
    return affine[:3, :3] @ np.argwhere(array > 2).mean(axis=0) + affine[:3, 3]


def encoded(dataset):
    out = io.BytesIO()
    pydicom.dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue()


def reread(dataset):
    return pydicom.dcmread(io.BytesIO(encoded(dataset)))


def errors_of_validator(dataset, folder):
    path = folder / "object.dcm"
    path.write_bytes(encoded(dataset))
    found = subprocess.run(
        [Path(sys.executable).with_name("dciodvfy"), path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ParametricMap" in found.stderr or "SCImage" in found.stderr
    return [line for line in found.stderr.splitlines() if line.startswith("Error")]


@pytest.fixture
def mapped(prediction):
    headers = t1_headers()
    return parametric_map(on_t1(headers), source=headers, prediction=prediction, made=MADE)


@pytest.fixture
def captured(prepared, template, prediction):
    return secondary_capture(
        prepared, template=template, prediction=prediction, source=t1_headers(), made=MADE
    )


@pytest.mark.parametrize(("order", "flips"), ORDERS)
@pytest.mark.parametrize("plane", PLANES)
def test_planted_blob_comes_back_at_its_place_however_the_volume_is_stored(
    plane, order, flips, prediction
):
    headers = t1_headers(PLANES[plane])
    volume = on_t1(headers, order, flips)
    made = parametric_map(volume, source=headers, prediction=prediction, made=MADE)
    read = hd.imread(io.BytesIO(encoded(made))).get_volume()
    affine = np.diag([-1, -1, 1, 1]) @ read.affine
    planted = blob_mm(volume.array, volume.grid.affine)
    assert np.allclose(blob_mm(read.array, affine), planted, atol=0.01)
    assert sorted(read.array.ravel()) == sorted(np.nan_to_num(volume.array, nan=0.0).ravel())


@pytest.mark.parametrize("plane", PLANES)
def test_every_frame_lies_on_the_t1_slice_that_it_refers_to(plane, prediction):
    headers = t1_headers(PLANES[plane])
    made = reread(parametric_map(on_t1(headers), source=headers, prediction=prediction, made=MADE))
    by_uid = {h.SOPInstanceUID: (n, h) for n, h in enumerate(headers)}
    pixels = np.frombuffer(made.FloatPixelData, np.float32).reshape(SHAPE)
    truth = np.nan_to_num(on_t1(headers).array, nan=0.0)
    for frame, group in enumerate(made.PerFrameFunctionalGroupsSequence):
        (source,) = group.DerivationImageSequence[0].SourceImageSequence
        n, header = by_uid[source.ReferencedSOPInstanceUID]
        position = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
        assert np.allclose(position, np.array(header.ImagePositionPatient, float), atol=1e-3)
        assert (pixels[frame] == truth[n]).all()
    shared = made.SharedFunctionalGroupsSequence[0]
    cosines = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient, float)
    assert np.allclose(cosines, PLANES[plane], atol=1e-6)
    assert shared.PixelMeasuresSequence[0].PixelSpacing == list(PIXEL_MM)


def test_map_says_what_it_is_and_joins_the_study_and_space_of_the_t1(mapped):
    read = reread(mapped)
    assert read.SyntheticData == "YES"
    assert read.ContentQualification == "RESEARCH"
    assert read.SeriesDescription == SERIES_DESCRIPTION
    assert read.SeriesNumber >= 9000
    assert (read.StudyInstanceUID, read.FrameOfReferenceUID) == ("2.25.7", "2.25.9")
    assert read.SeriesInstanceUID.startswith("2.25.")
    assert read.SeriesInstanceUID not in {"2.25.8", read.SOPInstanceUID}
    assert read.BurnedInAnnotation == "NO"
    assert SYNTHETIC_LABEL_EN in read.DerivationDescription
    assert "T1w, cbf" in read.DerivationDescription
    models = [item.get("ManufacturerModelName") for item in read.ContributingEquipmentSequence]
    assert "unet-small:1f2e3d4c5b6a" in models
    mapping = read.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence[0]
    unit = mapping.MeasurementUnitsCodeSequence[0]
    assert (unit.CodeValue, unit.CodingSchemeDesignator) == ("1", "UCUM")
    assert mapping.LUTExplanation == "SUVR (ref: pons)"
    assert read.FloatPixelPaddingValue == 0.0


def test_equal_input_gives_equal_bytes_at_another_time(
    mapped, captured, prediction, prepared, template
):
    time.sleep(1.1)  # libraries like to write the clock
    headers = t1_headers()
    again = parametric_map(on_t1(headers), source=headers, prediction=prediction, made=MADE)
    assert encoded(again) == encoded(mapped)
    picture_again = secondary_capture(
        prepared, template=template, prediction=prediction, source=headers, made=MADE
    )
    assert encoded(picture_again) == encoded(captured)
    other = on_t1(headers)
    louder = with_array(other, other.array * np.float32(1.01))
    changed = parametric_map(louder, source=headers, prediction=prediction, made=MADE)
    assert changed.SeriesInstanceUID != mapped.SeriesInstanceUID
    assert changed.SOPInstanceUID != mapped.SOPInstanceUID


@pytest.mark.parametrize("n_notes", [0, 3, 12, 40])
def test_derivation_holds_whole_notes_and_counts_the_others(n_notes, prediction):
    notes = tuple(
        f"Note {i} says a thing that takes some eighty letters, none cut, 合."
        for i in range(n_notes)
    )
    said = derivation(replace(prediction, notes=notes))
    assert len(said) <= 1024
    whole = said.count("none cut, ?.")
    assert whole == said.count("Note ")
    assert (f"{n_notes - whole} more notes" in said) == (whole < n_notes)


@pytest.mark.parametrize("emptied", [True, False])
def test_validator_finds_no_error(emptied, prediction, prepared, template, tmp_path):
    headers = t1_headers(emptied=emptied)
    for header in headers:
        header.PatientWeight, header.PatientAge = 71.0, "070Y"
    made = parametric_map(on_t1(headers), source=headers, prediction=prediction, made=MADE)
    assert errors_of_validator(made, tmp_path) == []
    shown = secondary_capture(
        prepared, template=template, prediction=prediction, source=headers, made=MADE
    )
    assert errors_of_validator(shown, tmp_path) == []
    for dataset in (made, shown):
        assert not {"PatientWeight", "PatientAge", "AcquisitionDate"} & set(dataset.dir())


def test_validator_would_find_an_error(mapped, tmp_path):
    del mapped.ContentLabel
    assert errors_of_validator(mapped, tmp_path)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("SyntheticData", "NO"),
        ("SyntheticData", None),
        ("ContentQualification", "PRODUCT"),
        ("SeriesDescription", "FDG PET brain"),
        ("SeriesNumber", 3),
        ("Modality", "PT"),
        ("ImageType", ["ORIGINAL", "PRIMARY"]),
        ("DerivationDescription", "smoothed"),
        ("PatientWeight", 70.0),
    ],
)
def test_object_without_a_mark_is_refused(keyword, value, mapped):
    assert require_marked(mapped) is mapped
    if value is None:
        delattr(mapped, keyword)
    else:
        setattr(mapped, keyword, value)
    with pytest.raises(QuantityError, match="without its marks"):
        require_marked(mapped)


@pytest.mark.parametrize("lost", ["SyntheticData", "ContentQualification", "SeriesDescription"])
def test_writers_that_forgot_a_mark_return_nothing(
    lost, monkeypatch, prediction, prepared, template
):
    """A mutation: the step that marks loses one line; the writers must notice."""
    marks = parametric.mark

    def forgetful(dataset, *rest):
        marks(dataset, *rest)
        delattr(dataset, lost)

    monkeypatch.setattr(parametric, "mark", forgetful)
    monkeypatch.setattr(capture, "mark", forgetful)
    headers = t1_headers()
    with pytest.raises(QuantityError, match=lost):
        parametric_map(on_t1(headers), source=headers, prediction=prediction, made=MADE)
    with pytest.raises(QuantityError, match=lost):
        secondary_capture(
            prepared, template=template, prediction=prediction, source=headers, made=MADE
        )


def test_volume_that_is_not_on_the_t1_is_refused(prediction):
    headers = t1_headers()
    good = on_t1(headers)

    def moved(change):
        affine = good.grid.affine.copy()
        change(affine)
        return Volume(good.array, Grid(good.grid.shape, affine), good.quantity, good.contrast)

    def shift(affine):
        affine[:3, 3] += affine[:3, 1]

    def far(affine):
        affine[:3, 3] += 40 * affine[:3, 0]

    def stretch(affine):
        affine[:3, 2] *= 1.2

    def tilt(affine):
        affine[:3, :3] = np.array([[1, 0, 0], [0, 0.98, -0.2], [0, 0.2, 0.98]]) @ affine[:3, :3]

    for change in (shift, far, stretch, tilt):
        with pytest.raises(GeometryError, match="own grid"):
            parametric_map(moved(change), source=headers, prediction=prediction, made=MADE)
    cropped = Volume(
        good.array[:, :-2], Grid((12, 18, 16), good.grid.affine), good.quantity, good.contrast
    )
    with pytest.raises(GeometryError, match="18x16"):
        parametric_map(cropped, source=headers, prediction=prediction, made=MADE)


def test_acquired_volume_and_poor_headers_are_refused(prediction):
    headers = t1_headers()
    good = on_t1(headers)
    acquired = Volume(good.array, good.grid, Quantity.SUVR, Contrast.FDG)
    with pytest.raises(QuantityError, match="synthetic SUVR"):
        parametric_map(acquired, source=headers, prediction=prediction, made=MADE)
    with pytest.raises(DicomError, match="got none"):
        parametric_map(good, source=[], prediction=prediction, made=MADE)
    for keyword in ("FrameOfReferenceUID", "ImagePositionPatient"):
        poor = t1_headers()
        for header in poor:
            delattr(header, keyword)
        with pytest.raises(DicomError, match=keyword):
            parametric_map(good, source=poor, prediction=prediction, made=MADE)
    headers[3].SeriesInstanceUID = "2.25.88"
    with pytest.raises(DicomError, match="2 series"):
        parametric_map(good, source=headers, prediction=prediction, made=MADE)


def test_orientation_rounded_from_slice_to_slice_is_one_but_two_are_refused(prediction):
    headers = t1_headers(OBLIQUE)
    headers[4].ImageOrientationPatient = [round(c, 5) for c in OBLIQUE]
    made = parametric_map(on_t1(headers), source=headers, prediction=prediction, made=MADE)
    assert made.NumberOfFrames == SHAPE[0]
    headers[4].ImageOrientationPatient = list(PLANES["axial"])
    with pytest.raises(DicomError, match="several orientations"):
        parametric_map(on_t1(headers), source=headers, prediction=prediction, made=MADE)
    headers[4].ImageOrientationPatient, headers[4].Rows = list(OBLIQUE), 21
    with pytest.raises(DicomError, match="several sizes"):
        parametric_map(on_t1(headers), source=headers, prediction=prediction, made=MADE)


def test_series_with_a_missing_slice_still_gets_its_whole_map(prediction):
    headers = t1_headers()
    volume = on_t1(headers)
    without = [h for n, h in enumerate(headers) if n != 5]
    made = parametric_map(volume, source=without, prediction=prediction, made=MADE)
    read = hd.imread(io.BytesIO(encoded(made))).get_volume()
    assert read.array.shape == SHAPE
    affine = np.diag([-1, -1, 1, 1]) @ read.affine
    planted = blob_mm(volume.array, volume.grid.affine)
    assert np.allclose(blob_mm(read.array, affine), planted, atol=0.01)


def enhanced(headers, *, shared_geometry=True):
    """The same T1 as one multi-frame object; some vendors repeat the geometry in every frame."""
    first = headers[0]
    whole = Dataset()
    whole.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4.1"
    whole.SOPInstanceUID = "2.25.555"
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        setattr(whole, keyword, first.get(keyword))
    whole.Modality, whole.Rows, whole.Columns = "MR", first.Rows, first.Columns
    whole.NumberOfFrames = len(headers)
    orientation, measures, shared = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = first.ImageOrientationPatient
    measures.PixelSpacing, measures.SliceThickness = first.PixelSpacing, first.SliceThickness
    shared.PlaneOrientationSequence, shared.PixelMeasuresSequence = [orientation], [measures]
    whole.SharedFunctionalGroupsSequence = [shared if shared_geometry else Dataset()]
    frames = []
    for header in headers:
        position, frame = Dataset(), Dataset()
        position.ImagePositionPatient = header.ImagePositionPatient
        frame.PlanePositionSequence = [position]
        if not shared_geometry:
            frame.update(shared)
        frames.append(frame)
    whole.PerFrameFunctionalGroupsSequence = frames
    return whole


@pytest.mark.parametrize("shared_geometry", [True, False])
def test_enhanced_multi_frame_t1_is_a_source_too(shared_geometry, prediction, tmp_path):
    headers = t1_headers()
    volume = on_t1(headers, (2, 1, 0), "ik")
    made = parametric_map(
        volume,
        source=[enhanced(headers, shared_geometry=shared_geometry)],
        prediction=prediction,
        made=MADE,
    )
    read = hd.imread(io.BytesIO(encoded(made))).get_volume()
    affine = np.diag([-1, -1, 1, 1]) @ read.affine
    planted = blob_mm(volume.array, volume.grid.affine)
    assert np.allclose(blob_mm(read.array, affine), planted, atol=0.01)
    assert errors_of_validator(made, tmp_path) == []


def test_capture_has_the_label_in_its_pixels_and_says_so(captured):
    read = reread(captured)
    assert list(read.ImageType) == ["DERIVED", "SECONDARY"]
    assert read.BurnedInAnnotation == "YES"
    assert read.SyntheticData == "YES"
    assert read.StudyInstanceUID == "2.25.7"
    assert len(read.SourceImageSequence) == SHAPE[0]
    red = (read.pixel_array == np.array((176, 0, 32))).all(axis=-1)
    assert red.sum() > 5000
    half = red.shape[1] // 2
    assert red[:, :half].sum() == 0  # the T1 is not synthetic


def test_pseudonym_and_odd_values_of_the_t1_are_carried_over_without_a_word(
    prediction, prepared, template, recwarn, caplog, tmp_path
):
    headers = t1_headers()
    for header in headers:
        header.PatientName = header.PatientID = "P7Q3"
        header.PatientSex = "X"
        header.SpecificCharacterSet = "ISO_IR 192"
        header.StudyDate, header.StudyID = "19000101", "1"
    made = parametric_map(on_t1(headers), source=headers, prediction=prediction, made=MADE)
    shown = secondary_capture(
        prepared, template=template, prediction=prediction, source=headers, made=MADE
    )
    for dataset in (reread(made), reread(shown)):
        assert (dataset.PatientName, dataset.PatientID, dataset.PatientSex) == ("P7Q3", "P7Q3", "X")
        assert (dataset.StudyDate, dataset.StudyID) == ("19000101", "1")
    assert not recwarn.list
    assert not caplog.records


def test_an_object_says_that_nobody_is_in_it_exactly_where_the_t1_does(
    prediction, prepared, template
):
    said = {
        "PatientIdentityRemoved": "YES",
        "DeidentificationMethod": "a profile",
        "LongitudinalTemporalInformationModified": "MODIFIED",
    }
    plain, told = t1_headers(), t1_headers()
    for header in told:
        for keyword, value in said.items():
            setattr(header, keyword, value)
    for source, wanted in ((plain, {}), (told, said)):
        for dataset in (
            parametric_map(on_t1(source), source=source, prediction=prediction, made=MADE),
            secondary_capture(
                prepared, template=template, prediction=prediction, source=source, made=MADE
            ),
        ):
            assert {word: dataset[word].value for word in said if word in dataset} == wanted


@pytest.mark.real_data
def test_map_lies_on_a_real_t1(scans, prediction):
    headers = real_t1(scans / "mr-one-person")
    volume = on_t1(headers, (2, 1, 0), "ik")
    made = reread(parametric_map(volume, source=headers, prediction=prediction, made=MADE))
    assert made.FrameOfReferenceUID == headers[0].FrameOfReferenceUID
    positions = {
        tuple(np.round(np.array(g.PlanePositionSequence[0].ImagePositionPatient, float), 1))
        for g in made.PerFrameFunctionalGroupsSequence
    }
    wanted = {tuple(np.round(np.array(h.ImagePositionPatient, float), 1)) for h in headers}
    assert len(positions) == len(headers)
    assert len(positions & wanted) > 0.9 * len(headers)  # the others round the other way
    assert str(made.PatientName) == str(headers[0].PatientName)
    assert "PatientWeight" not in made


def real_t1(folder):
    """Headers of the thinnest-sliced MR series of the folder, missing slices included."""
    groups = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        try:
            header = pydicom.dcmread(path, stop_before_pixels=True)
        except pydicom.errors.InvalidDicomError:
            continue
        if "ImagePositionPatient" in header and header.get("Modality") == "MR":
            groups.setdefault(header.SeriesInstanceUID, []).append(header)
    headers = max(groups.values(), key=len)
    cosines = np.array(headers[0].ImageOrientationPatient, float)
    normal = np.cross(cosines[:3], cosines[3:])
    return sorted(headers, key=lambda h: float(normal @ np.array(h.ImagePositionPatient, float)))
