"""A uniform body of known SUV, as a PET header, and the fields that vendors add to it."""

from datetime import datetime, timedelta

import numpy as np
from deid_cases import PT, base
from pydicom import Dataset

HALF_LIFE_S, DOSE_BQ, WEIGHT_KG = 6586.2, 381.47e6, 66.2
INJECTED = datetime(2018, 5, 3, 11, 39, 0)
FRAME_S = 180.0


def decay(seconds: float) -> float:
    return float(2 ** (-seconds / HALF_LIFE_S))


def over_frame(frame_s: float) -> float:
    """How much more there was at the start of a frame than in its mean."""
    x = np.log(2) / HALF_LIFE_S * frame_s
    return float(x / (1 - np.exp(-x)))


def put(dataset: Dataset, name: str, moment: datetime) -> None:
    setattr(dataset, f"{name}Date", f"{moment:%Y%m%d}")
    setattr(dataset, f"{name}Time", f"{moment:%H%M%S}.{moment.microsecond:06d}")


def body(
    *, uptake_s: float = 5024.678, bed_s: float = 0.0, injected: datetime = INJECTED
) -> tuple[Dataset, float]:
    """A slice of a scan that began ``uptake_s`` after injection, of a bed ``bed_s`` later.

    Returns:
        The header, and the activity in Bq/mL that has an SUV of 1.
    """
    dataset = base(PT)
    began = injected + timedelta(seconds=uptake_s)
    put(dataset, "Series", began)
    put(dataset, "Acquisition", began + timedelta(seconds=bed_s))
    put(dataset, "Content", began + timedelta(seconds=1566))
    dataset.CorrectedImage = ["RAN", "DTIM", "NORM", "ATTN", "SCAT", "DECY"]
    dataset.PatientWeight, dataset.FrameReferenceTime = WEIGHT_KG, 0
    dataset.ActualFrameDuration = round(FRAME_S * 1000)
    dataset.DecayFactor = f"{over_frame(FRAME_S) / decay(bed_s):.7f}"
    drug = dataset.RadiopharmaceuticalInformationSequence[0]
    drug.RadiopharmaceuticalStartTime = f"{injected:%H%M%S}.000000"
    drug.RadionuclideTotalDose, drug.RadionuclideHalfLife = DOSE_BQ, HALF_LIFE_S
    return dataset, DOSE_BQ * decay(uptake_s) / (WEIGHT_KG * 1000)
