"""MR series as DICOM: anatomical volumes, and labeling series in three vendors' styles."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset

from tracerless.core.volume import Contrast, Volume
from tracerless.simulate.asl import AslSeries
from tracerless.simulate.dicom_common import (
    ExportedSeries,
    Study,
    add_pixels,
    add_plane,
    add_window,
    base,
    copy_of,
    decimals,
    place,
    ready,
    slices_of,
)
from tracerless.simulate.dicom_mosaic import mosaics
from tracerless.simulate.protocols import T1wProtocol, T2wProtocol
from tracerless.simulate.scanners import PetMrScanner

GE_PERFUSION_SCALE = 32.0
"""GE stores the difference that much larger than the proton density."""

PHILIPS_CBF_SLOPE = 0.05
"""mL/100 g/min in one stored unit of the third vendor's flow map."""

_SEQUENCES: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("T1w", "ge"): {
        "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"],
        "ScanningSequence": "GR",
        "SequenceVariant": ["SS", "SP", "SK"],
        "ScanOptions": ["FAST_GEMS", "EDR_GEMS", "IR_GEMS"],
    },
    ("T1w", "siemens"): {
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "NORM"],
        "ScanningSequence": ["GR", "IR"],
        "SequenceVariant": ["SK", "SP", "MP"],
        "SequenceName": "*tfl3d1_16ns",
        "ScanOptions": "IR",
    },
    ("T1w", "philips"): {
        "ImageType": ["ORIGINAL", "PRIMARY", "M_FFE", "M", "FFE"],
        "ScanningSequence": "GR",
        "SequenceVariant": "MP",
        "ScanOptions": "OTHER",
    },
    ("T2w", "ge"): {
        "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"],
        "ScanningSequence": "SE",
        "SequenceVariant": "SK",
        "ScanOptions": ["FAST_GEMS", "FC_SLICE_AX_GEMS"],
    },
    ("T2w", "siemens"): {
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "NORM"],
        "ScanningSequence": "SE",
        "SequenceVariant": ["SK", "SP", "OSP"],
        "SequenceName": "*tse2d1_19",
        "ScanOptions": "",
    },
    ("T2w", "philips"): {
        "ImageType": ["ORIGINAL", "PRIMARY", "M_SE", "M", "SE"],
        "ScanningSequence": "SE",
        "SequenceVariant": "SK",
        "ScanOptions": "OTHER",
    },
    ("ASL", "ge"): {
        "ImageType": ["ORIGINAL", "PRIMARY", "ASL"],
        "ScanningSequence": "RM",
        "SequenceVariant": "NONE",
        "ScanOptions": ["EDR_GEMS", "SPIRAL_GEMS"],
    },
    ("ASL", "siemens"): {
        "ImageType": ["ORIGINAL", "PRIMARY", "ASL", "NONE", "ND", "MOSAIC"],
        "ScanningSequence": "EP",
        "SequenceVariant": "SK",
        "SequenceName": "tgse3d1_490",
        "ScanOptions": "FS",
    },
    ("ASL", "philips"): {
        "ImageType": ["ORIGINAL", "PRIMARY", "M_SE", "M", "SE"],
        "ScanningSequence": "SE",
        "SequenceVariant": "SK",
        "ScanOptions": "FS",
    },
}
"""Technical words by series and vendor, as the vendors write them."""


def anatomical(
    study: Study, volume: Volume, scanner: PetMrScanner, *, number: int
) -> ExportedSeries:
    """A T1- or T2-weighted volume, one object per slice."""
    is_t1w = volume.contrast is Contrast.T1W
    protocol = scanner.t1w if is_t1w else scanner.t2w
    common = _common(study, volume, number, protocol.description)
    _words(common, scanner, volume.contrast.value)
    _timing(common, protocol)
    return _series(common, volume, number, protocol.description, signed=False)


def labeling(
    study: Study, series: AslSeries, scanner: PetMrScanner, *, number: int
) -> Iterator[ExportedSeries]:
    """A labeling series the way the machine's vendor exports it.

    ``ge``: one series of perfusion-weighted slices, then proton-density slices. ``siemens``: one
    mosaic per volume, M0 first, then label and control in turn. ``philips``: one object per slice,
    control and label in turn, told apart by a private element; M0 is a series of its own.
    """
    styles = {"ge": _ge, "siemens": _siemens, "philips": _philips}
    yield from styles[scanner.asl_style](study, series, scanner, number)


def flow_map(study: Study, volume: Volume, scanner: PetMrScanner, *, number: int) -> ExportedSeries:
    """The machine's own blood-flow map, mL/100 g/min, one object per slice."""
    is_ge = scanner.asl_style == "ge"
    description = "(Transit corrected) CBF (3D ASL)" if is_ge else "CBF - 3D_pCASL"
    common = _common(study, volume, number, description)
    _words(common, scanner, "ASL")
    _label_timing(common, scanner)
    common.ImageType = ["DERIVED", "PRIMARY", "CBF", "ASL"]
    slope = 1.0 if is_ge else PHILIPS_CBF_SLOPE
    if not is_ge:
        common.RescaleIntercept, common.RescaleSlope = "0", decimals(slope)
        common.RescaleType = "US"
    return _series(common, volume, number, description, signed=True, slope=slope)


def _common(study: Study, volume: Volume, number: int, description: str) -> Dataset:
    obj = base(study, "MR", number, description)
    add_plane(obj, volume.grid)
    obj.SpacingBetweenSlices = obj.SliceThickness
    obj.MagneticFieldStrength = "3"
    obj.ImagingFrequency = "127.74"
    obj.ImagedNucleus = "1H"
    obj.NumberOfAverages = "1"
    obj.EchoNumbers = "1"
    obj.PercentSampling = obj.PercentPhaseFieldOfView = "100"
    obj.InPlanePhaseEncodingDirection = "ROW"
    obj.VariableFlipAngleFlag = "N"
    obj.SAR = "0.5"
    obj.ReceiveCoilName = "Head_24"
    obj.AcquisitionNumber = 1
    columns, rows, _ = volume.grid.shape
    obj.AcquisitionMatrix = [0, columns, rows, 0]
    return obj


def _words(obj: Dataset, scanner: PetMrScanner, kind: str) -> None:
    words = _SEQUENCES[kind, scanner.asl_style]
    for keyword, value in words.items():
        setattr(obj, keyword, value)
    obj.MRAcquisitionType = "2D" if kind == "T2w" else "3D"
    plant_private(obj, scanner.asl_style)


def plant_private(obj: Dataset, style: str) -> None:
    """A private block that carries the person's identity, as the vendors' own do."""
    name, chart = str(obj.PatientName), str(obj.PatientID)
    if style == "ge":
        block = obj.private_block(0x0009, "GEMS_IDEN_01", create=True)
        block.add_new(0x01, "LO", "GE_GENESIS_FF")
        block.add_new(0x30, "SH", chart)
        block.add_new(0x31, "LO", str(obj.InstitutionName))
    elif style == "siemens":
        block = obj.private_block(0x0051, "SIEMENS MR HEADER", create=True)
        block.add_new(0x08, "CS", "IMAGE NUM 4")
        block.add_new(0x0F, "LO", f"{chart} {name.rpartition('=')[2]}")
    else:
        block = obj.private_block(0x2005, "Philips MR Imaging DD 004", create=True)
        block.add_new(0x91, "PN", name)


def _timing(obj: Dataset, protocol: T1wProtocol | T2wProtocol) -> None:
    obj.EchoTime = decimals(protocol.echo_s * 1000)
    if isinstance(protocol, T1wProtocol):
        obj.RepetitionTime = decimals(protocol.shot_s * 1000)
        obj.InversionTime = decimals(protocol.inversion_s * 1000)
        obj.FlipAngle = decimals(protocol.flip_deg)
        obj.EchoTrainLength = 1
    else:
        obj.RepetitionTime = decimals(protocol.repetition_s * 1000)
        obj.FlipAngle = "120"
        obj.EchoTrainLength = 19


def _label_timing(obj: Dataset, scanner: PetMrScanner) -> None:
    """Echo and repetition, and the delay where the vendor keeps it: one of them only in private."""
    protocol = scanner.asl
    obj.EchoTime = "12"
    obj.RepetitionTime = decimals((protocol.label_duration_s + protocol.pld_s + 0.8) * 1000)
    obj.FlipAngle = "120"
    obj.EchoTrainLength = 1
    if scanner.asl_style == "ge":
        obj.InversionTime = decimals(protocol.pld_s * 1000)
    elif scanner.asl_style == "philips":
        obj.TriggerTime = decimals(protocol.pld_s * 1000)


def _series(
    common: Dataset,
    volume: Volume,
    number: int,
    description: str,
    *,
    signed: bool,
    slope: float = 1.0,
) -> ExportedSeries:
    objects = _slices(common, volume, signed=signed, slope=slope)
    return ExportedSeries(number, description, volume.contrast, "MR", tuple(objects))


def _slices(
    common: Dataset,
    volume: Volume,
    *,
    signed: bool,
    slope: float = 1.0,
    first: int = 1,
    total: int = 0,
) -> list[FileDataset]:
    """One object per slice, numbered from ``first``; ``total`` images in the acquisition."""
    top = float(np.percentile(volume.array[::3, ::3, ::3], 99)) / slope
    objects = []
    for k, plane in enumerate(slices_of(volume.array)):
        obj = copy_of(common)
        place(obj, volume.grid, k)
        obj.InstanceNumber = first + k
        obj.ImagesInAcquisition = total or volume.grid.shape[2]
        add_pixels(obj, plane / np.float32(slope), signed=signed)
        add_window(obj, top)
        objects.append(ready(obj, first + k))
    return objects


def _ge(
    study: Study, series: AslSeries, scanner: PetMrScanner, number: int
) -> Iterator[ExportedSeries]:
    protocol = scanner.asl
    weighted = Volume(
        series.difference * np.float32(GE_PERFUSION_SCALE),
        series.grid,
        series.m0.quantity,
        Contrast.ASL,
    )
    common = _common(study, weighted, number, protocol.description)
    _words(common, scanner, "ASL")
    _label_timing(common, scanner)
    common.NumberOfAverages = "3"
    n = series.grid.shape[2]
    objects = _slices(common, weighted, signed=True, total=2 * n)
    objects += _slices(common, series.m0, signed=True, first=n + 1, total=2 * n)
    yield ExportedSeries(number, protocol.description, Contrast.ASL, "MR", tuple(objects))


def _siemens(
    study: Study, series: AslSeries, scanner: PetMrScanner, number: int
) -> Iterator[ExportedSeries]:
    protocol = scanner.asl
    common = _common(study, series.m0, number, protocol.description)
    _words(common, scanner, "ASL")
    _label_timing(common, scanner)
    pairs = zip(series.label, series.control, strict=True)
    volumes = [series.m0, *(volume for pair in pairs for volume in pair)]
    objects = tuple(mosaics(common, volumes))
    yield ExportedSeries(number, protocol.description, Contrast.ASL, "MR", objects)


def _philips(
    study: Study, series: AslSeries, scanner: PetMrScanner, number: int
) -> Iterator[ExportedSeries]:
    protocol = scanner.asl
    common = _common(study, series.m0, number, protocol.description)
    _words(common, scanner, "ASL")
    _label_timing(common, scanner)
    n, n_pairs = series.grid.shape[2], len(series.control)
    common.NumberOfTemporalPositions = 2 * n_pairs
    objects: list[FileDataset] = []
    pairs = zip(series.control, series.label, strict=True)
    for index, volume in enumerate(volume for pair in pairs for volume in pair):
        one = copy_of(common)
        block = one.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
        block.add_new(0x29, "CS", "LABEL" if index % 2 else "CONTROL")
        one.TemporalPositionIdentifier = one.AcquisitionNumber = index + 1
        first = len(objects) + 1
        objects += _slices(one, volume, signed=False, first=first, total=2 * n * n_pairs)
    yield ExportedSeries(number, protocol.description, Contrast.ASL, "MR", tuple(objects))
    description = "M0 - 3D_pCASL"
    common = _common(study, series.m0, number + 1, description)
    _words(common, scanner, "ASL")
    _label_timing(common, scanner)
    del common.TriggerTime
    yield _series(common, series.m0, number + 1, description, signed=False)
