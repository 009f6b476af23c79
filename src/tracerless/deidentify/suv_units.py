"""What the numbers of a PET mean, and the weight, dose and vendor factors that SUV needs."""

import math
from dataclasses import dataclass

from pydicom import Dataset

from tracerless.deidentify.suv_decay import number

WEIGHTS_KG = (0.3, 500.0)
"""Bodies weigh this much; anything else is a wrong unit or a placeholder."""

DOSES_BQ = (1e6, 1e10)
"""Injected activity for imaging. A dose in MBq, as some archives write it, lies far below."""

AGREE = 0.02
"""A vendor's factor may differ from the computed one by this part."""

_PHILIPS = (0x7053, "Philips PET Private Group")
_SUV, _ACTIVITY = 0x00, 0x09


class NoUnitError(Exception):
    """What the numbers mean does not surely follow; the text says why, and quotes nothing."""


@dataclass(frozen=True, slots=True)
class PhilipsFactors:
    """Philips' factors for numbers after the rescale slope; None where absent or not positive."""

    suv_per_count: float | None
    bqml_per_count: float | None


def philips(dataset: Dataset) -> PhilipsFactors:
    """Factors of a series in counts (7053,xx00 and 7053,xx09 behind Philips' creator)."""
    return PhilipsFactors(_private(dataset, _SUV), _private(dataset, _ACTIVITY))


def require_corrected(dataset: Dataset) -> None:
    """Let only attenuation- and decay-corrected numbers pass.

    Raises:
        NoUnitError: a correction is not declared.
    """
    words = dataset.get("CorrectedImage") or ()
    done = {str(word).strip().upper() for word in ([words] if isinstance(words, str) else words)}
    for word, name in (("ATTN", "attenuation"), ("DECY", "decay")):
        if word not in done:
            raise NoUnitError(f"the series is not corrected for {name}")


def require_body_weight(dataset: Dataset) -> None:
    """Let only SUV by body weight pass; where no type is stated, the standard means that one.

    Raises:
        NoUnitError: it is SUV by body surface or lean mass.

    Source:
        DICOM PS3.3 C.8.9.1, SUV Type (0054,1006).
    """
    kind = str(dataset.get("SUVType") or "BW").strip().upper()
    if kind != "BW":
        raise NoUnitError("the scanner wrote SUV by another measure than body weight")


def body_g(dataset: Dataset) -> float:
    """Body weight, g.

    Raises:
        NoUnitError: it is missing or impossible.
    """
    weight_kg = number(dataset, "PatientWeight")
    if weight_kg is None or not WEIGHTS_KG[0] <= weight_kg <= WEIGHTS_KG[1]:
        raise NoUnitError("the body weight is missing or impossible")
    return weight_kg * 1000.0


def dose_bq(given: Dataset) -> float:
    """Injected activity, Bq.

    Raises:
        NoUnitError: it is missing, or no activity in Bq that anybody injects.
    """
    found = number(given, "RadionuclideTotalDose")
    if found is None or not DOSES_BQ[0] <= found <= DOSES_BQ[1]:
        raise NoUnitError("the injected dose is missing or no dose in Bq")
    return found


def _private(dataset: Dataset, offset: int) -> float | None:
    group, creator = _PHILIPS
    try:
        raw = dataset.private_block(group, creator)[offset].value
        text = raw.decode("ascii", "ignore").strip("\0 ") if isinstance(raw, bytes) else raw
        found = float(text)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return None
    return found if math.isfinite(found) and found > 0.0 else None
