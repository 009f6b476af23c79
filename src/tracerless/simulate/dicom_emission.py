"""FDG-PET as one object per slice, brain SPECT as one multi-frame nuclear medicine object."""

import math
from datetime import timedelta

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from tracerless.core.volume import Volume
from tracerless.simulate.dicom_common import (
    ExportedSeries,
    Study,
    add_pixels,
    add_plane,
    add_window,
    base,
    code,
    copy_of,
    decimals,
    place,
    ready,
    slices_of,
)
from tracerless.simulate.dicom_mr import plant_private
from tracerless.simulate.scanners import Emission, PetMrScanner, SpectScanner

STORED_TOP = 32000
"""Largest stored value of an emission slice."""

_TRACERS = {
    "HMPAO": ("C-B1218", "Technetium Tc^99m^ exametazime", "Tc-99m HMPAO"),
    "ECD": ("C-B1219", "Technetium Tc^99m^ bicisate", "Tc-99m ECD"),
}
"""SNOMED code, its meaning, and the name a technician types."""


def fdg_slices(
    study: Study, volume: Volume, scanner: PetMrScanner, *, number: int, emission: Emission
) -> ExportedSeries:
    """An FDG-PET volume (kBq/mL, decay-corrected to ``study.acquired``) as BQML slices.

    Every slice has its own slope; dose, injection time, half-life and weight are there, so that
    SUV follows from the header.
    """
    protocol = scanner.pet
    common = base(study, "PT", number, protocol.description)
    add_plane(common, volume.grid)
    common.ImageType = ["ORIGINAL", "PRIMARY"]
    common.RadiopharmaceuticalInformationSequence = [_fdg(study, scanner, emission)]
    _lying(common)
    _pet_series(common, scanner, emission, volume.grid.shape[2])
    plant_private(common, scanner.asl_style)
    objects = []
    for k, plane in enumerate(slices_of(volume.array * np.float32(1000))):
        obj = copy_of(common)
        place(obj, volume.grid, k)
        obj.InstanceNumber = obj.ImageIndex = k + 1
        slope = float(decimals(max(float(plane.max()), 1.0) / STORED_TOP))
        obj.RescaleIntercept, obj.RescaleSlope = "0", decimals(slope)
        obj.RescaleType = "BQML"
        add_pixels(obj, np.maximum(plane, 0) / np.float32(slope), signed=True)
        add_window(obj, float(plane.max()))
        objects.append(ready(obj, k + 1))
    return ExportedSeries(number, protocol.description, volume.contrast, "PT", tuple(objects))


def _fdg(study: Study, scanner: PetMrScanner, emission: Emission) -> Dataset:
    protocol = scanner.pet
    injected = study.acquired - timedelta(seconds=protocol.uptake_s)
    drug = Dataset()
    drug.Radiopharmaceutical = "Fluorodeoxyglucose"
    drug.RadiopharmaceuticalRoute = "IV"
    drug.RadiopharmaceuticalVolume = "5"
    drug.RadiopharmaceuticalStartTime = injected.strftime("%H%M%S.%f")[:13]
    drug.RadiopharmaceuticalStartDateTime = injected.strftime("%Y%m%d%H%M%S.%f")[:18]
    drug.RadionuclideTotalDose = decimals(protocol.dose_mbq * 1e6)
    drug.RadionuclideHalfLife = decimals(emission.half_life_f18_s)
    drug.RadionuclidePositronFraction = "0.967"
    drug.RadionuclideCodeSequence = [code("C-111A1", "SRT", "^18^Fluorine")]
    drug.RadiopharmaceuticalCodeSequence = [code("C-B1031", "SRT", "Fluorodeoxyglucose F^18^")]
    return drug


def _pet_series(obj: Dataset, scanner: PetMrScanner, emission: Emission, n_slices: int) -> None:
    protocol = scanner.pet
    obj.SeriesType = ["STATIC", "IMAGE"]
    obj.Units = "BQML"
    obj.CountsSource = "EMISSION"
    obj.CorrectedImage = ["DECY", "ATTN", "SCAT", "DTIM", "RAN", "NORM"]
    obj.DecayCorrection = "START"
    obj.RandomsCorrectionMethod = "DLYD"
    obj.AttenuationCorrectionMethod = "MRAC"
    obj.ScatterCorrectionMethod = "Model-based"
    obj.ReconstructionMethod = f"OSEM {protocol.iterations}i{protocol.subsets}s"
    obj.ConvolutionKernel = f"Gaussian {protocol.post_fwhm_mm:g} mm"
    obj.CollimatorType = "NONE"
    obj.NumberOfSlices = n_slices
    obj.ActualFrameDuration = round(protocol.duration_s * 1000)
    obj.FrameReferenceTime = decimals(1000 * mean_count_s(protocol.duration_s, emission))
    obj.DecayFactor = obj.DoseCalibrationFactor = "1"
    obj.ScatterFractionFactor = decimals(protocol.background)


def mean_count_s(duration_s: float, emission: Emission) -> float:
    """When, after the start of a frame, the activity equals its mean over the frame, s."""
    rate = math.log(2) / emission.half_life_f18_s
    return math.log(rate * duration_s / (1 - math.exp(-rate * duration_s))) / rate


def spect_frames(
    study: Study, volume: Volume, scanner: SpectScanner, *, number: int
) -> ExportedSeries:
    """A reconstructed SPECT volume as one RECON TOMO object, a frame per slice."""
    obj = base(study, "NM", number, scanner.description)
    grid = volume.grid
    add_plane(obj, grid)
    geometry = Dataset()
    geometry.ImageOrientationPatient = obj.ImageOrientationPatient
    place(geometry, grid, 0)
    del geometry.SliceLocation, obj.ImageOrientationPatient
    _detector(geometry)
    obj.DetectorInformationSequence = [geometry]
    obj.SpacingBetweenSlices = obj.SliceThickness
    _nm_series(obj, scanner, grid.shape[2])
    obj.RadiopharmaceuticalInformationSequence = [_technetium(study, scanner)]
    _lying(obj)
    block = obj.private_block(0x0033, "GEMS_GENIE_1", create=True)
    block.add_new(0x1C, "LO", str(obj.PatientName))
    frames = np.stack(slices_of(np.maximum(volume.array, 0)))
    slope = float(decimals(max(float(frames.max()), 1e-6) / STORED_TOP))
    obj.RescaleIntercept, obj.RescaleSlope = "0", decimals(slope)
    obj.InstanceNumber = 1
    obj.CountsAccumulated = round(scanner.counts)
    add_pixels(obj, frames / np.float32(slope))
    add_window(obj, float(STORED_TOP))
    ready_obj = ready(obj, 1)
    return ExportedSeries(number, scanner.description, volume.contrast, "NM", (ready_obj,))


def _nm_series(obj: Dataset, scanner: SpectScanner, n_slices: int) -> None:
    obj.ImageType = ["ORIGINAL", "PRIMARY", "RECON TOMO", "EMISSION"]
    obj.NumberOfFrames = obj.NumberOfSlices = n_slices
    obj.FrameIncrementPointer = 0x00540080
    obj.SliceVector = list(range(1, n_slices + 1))
    obj.NumberOfEnergyWindows = obj.NumberOfDetectors = 1
    obj.CorrectedImage = ["ATTN", "SCAT", "UNIF", "COR"]
    obj.AcquisitionTerminationCondition = "TIME"
    obj.ConvolutionKernel = f"BW {scanner.cutoff_per_cm:.2f}/{scanner.order:g}"
    obj.AcquisitionContextSequence = Sequence([])
    limits = Dataset()
    limits.EnergyWindowLowerLimit, limits.EnergyWindowUpperLimit = "126.5", "154.5"
    obj.NumberOfRotations = 1
    obj.RotationInformationSequence = [_rotation(scanner)]
    window = Dataset()
    window.EnergyWindowName = "Tc99m"
    window.EnergyWindowRangeSequence = [limits]
    obj.EnergyWindowInformationSequence = [window]


def _rotation(scanner: SpectScanner) -> Dataset:
    """How the heads went around."""
    item = Dataset()
    item.StartAngle = "0"
    item.AngularStep = decimals(360 / scanner.n_angles)
    item.RotationDirection = "CW"
    item.ScanArc = "360"
    item.ActualFrameDuration = round(scanner.view_s * 1000)
    item.RadialPosition = decimals([scanner.orbit_mm] * scanner.n_angles)
    item.NumberOfFramesInRotation = scanner.n_angles
    return item


def _detector(item: Dataset) -> None:
    item.CollimatorGridName = "LEHR"
    item.CollimatorType = "PARA"
    item.FieldOfViewShape = "RECTANGLE"


def _technetium(study: Study, scanner: SpectScanner) -> Dataset:
    number, meaning, typed = _TRACERS[scanner.tracer]
    injected = study.acquired - timedelta(seconds=scanner.uptake_s)
    drug = Dataset()
    drug.Radiopharmaceutical = typed
    drug.RadiopharmaceuticalRoute = "IV"
    drug.RadiopharmaceuticalStartTime = injected.strftime("%H%M%S.%f")[:13]
    drug.RadionuclideTotalDose = decimals(scanner.dose_mbq)
    drug.RadionuclideCodeSequence = [code("C-163A8", "SRT", "^99m^Technetium")]
    drug.RadiopharmaceuticalCodeSequence = [code(number, "SRT", meaning)]
    return drug


def _lying(obj: Dataset) -> None:
    """On the back, head first; said in codes, which exclude PatientPosition."""
    del obj.PatientPosition
    orientation = code("F-10450", "SRT", "recumbent")
    orientation.PatientOrientationModifierCodeSequence = [code("F-10340", "SRT", "supine")]
    obj.PatientOrientationCodeSequence = [orientation]
    obj.PatientGantryRelationshipCodeSequence = [code("F-10470", "SRT", "headfirst")]
