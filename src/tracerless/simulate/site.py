"""What the simulated hospital knows of its machines and does not write into headers."""

from collections.abc import Mapping
from math import hypot
from typing import Any

from tracerless.simulate.dicom_mr import GE_PERFUSION_SCALE
from tracerless.simulate.scanners import PetMrScanner, Scanners, SpectScanner

Rule = Mapping[str, Mapping[str, Any]]
"""``match`` and ``set`` of one rule of a site file."""

_LABELED = ("asl", "m0scan", "deltam")


def site_rules(scanners: Scanners) -> list[Rule]:
    """Rules of the hospital's site file: labeling of each PET/MR, resolution of each machine.

    The resolution is the nominal one, mm FWHM: that of the detector and of the post-filter
    together, and for gamma cameras the one of the fast mode.
    """
    labeling = [rule for machine in scanners.petmr for rule in _labeling(machine)]
    pet = [_resolution("PT", m, hypot(m.pet.detector_fwhm_mm, m.pet.post_fwhm_mm))
           for m in scanners.petmr]  # fmt: skip
    spect = [_resolution("SPECT", camera, camera.fwhm_mm) for camera in scanners.spect]
    return [*labeling, *pet, *spect]


def _labeling(machine: PetMrScanner) -> list[Rule]:
    protocol = machine.asl
    stated: dict[str, Any] = {
        "ArterialSpinLabelingType": "PCASL",
        "PostLabelingDelay": protocol.pld_s,
        "LabelingDuration": protocol.label_duration_s,
        "LabelingEfficiency": protocol.efficiency,
        "BackgroundSuppression": True,
        "M0Type": "Included" if machine.asl_style == "siemens" else "Separate",
        "RepetitionTimePreparation": protocol.m0_recovery_s,
    }
    if machine.asl_style == "ge":
        stated["AslScale"] = GE_PERFUSION_SCALE
    rules: list[Rule] = [{"match": {**_of(machine), "Contrast": list(_LABELED)}, "set": stated}]
    if machine.has_cbf_map:
        unit = {"FlowUnits": "mL/100g/min"}
        rules.append({"match": {**_of(machine), "Contrast": "cbf"}, "set": unit})
    return rules


def _resolution(modality: str, machine: PetMrScanner | SpectScanner, fwhm_mm: float) -> Rule:
    match = {**_of(machine), "Modality": modality}
    return {"match": match, "set": {"PointSpreadFWHM": round(fwhm_mm, 2)}}


def _of(machine: PetMrScanner | SpectScanner) -> dict[str, str]:
    return {"Manufacturer": machine.vendor, "ManufacturersModelName": machine.model}
