"""Pictures of a screen, told by what an object says of itself; they are never measurements."""

import re

from pydicom import Dataset

from tracerless.deidentify.values import Refusal

CAPTURE_WORDS = frozenset(
    {
        "CAPTURE", "DISPLAY", "PRINT", "SAVED SCREEN", "SCANNED", "SCREEN", "SCREEN CAPTURE",
        "SCREEN SAVE", "SCREENSAVE", "SCREENSHOT", "SCREEN SHOT", "SECONDARY CAPTURE", "SNAPSHOT",
        "SCANNED DOCUMENT",
    }
)  # fmt: skip
"""Words of ImageType that name a picture of a screen or of paper; ``SECONDARY`` alone does not."""

CONVERSIONS = frozenset({"DF", "DI", "DRW", "DV", "SD", "SI", "WSD"})
"""ConversionType: film, interface, drawing, video, document, scanned, workstation (PS3.3 C.8.6.1).

``SYN``, a synthetic image, is not among them.
"""

_CAPTURE_CLASS = "1.2.840.10008.5.1.4.1.1.7"


def capture(dataset: Dataset) -> Refusal | None:
    """Why the instance is a capture rather than a measurement; None when nothing says so."""
    sop_class = str(dataset.get("SOPClassUID", ""))
    if sop_class == _CAPTURE_CLASS or sop_class.startswith(f"{_CAPTURE_CLASS}."):
        return Refusal("capture", "A secondary capture: a picture, not a measurement.")
    words = {_folded(word) for word in _many(dataset.get("ImageType"))}
    if words & CAPTURE_WORDS:
        return Refusal("capture", "The image type says that it is a screen capture.")
    if {_folded(word) for word in _many(dataset.get("ConversionType"))} & CONVERSIONS:
        return Refusal("capture", "The conversion type says that it was taken from another medium.")
    return None


def _many(value: object) -> list[object]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else list(value) if hasattr(value, "__iter__") else []


def _folded(word: object) -> str:
    return re.sub(r"[\s_-]+", " ", str(word)).strip().upper()
