"""Instances that stay outside, and why."""

from pydicom import Dataset
from pydicom.uid import UID

from tracerless.deidentify.burned_capture import capture
from tracerless.deidentify.profile import Profile
from tracerless.deidentify.values import Refusal

_PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_GREY = ("MONOCHROME1", "MONOCHROME2")


def refusal(dataset: Dataset, profile: Profile) -> Refusal | None:
    """Why the instance may not cross; None when it may."""
    sop_class = str(dataset.get("SOPClassUID", ""))
    if sop_class not in profile.by_class:
        name = "an unnamed class" if not sop_class else f"class {_class_name(dataset)}"
        return Refusal("class", f"Profile {profile.name} has no technical list for {name}.")
    if not any(keyword in dataset for keyword in _PIXELS):
        return Refusal("no_pixels", "The instance holds no pixels.")
    syntax = getattr(dataset, "file_meta", Dataset()).get("TransferSyntaxUID")
    if syntax is not None and not UID(syntax).is_transfer_syntax:
        return Refusal("unreadable", "The transfer syntax is none that the standard knows.")
    if not dataset.get("SOPInstanceUID") or not dataset.get("SeriesInstanceUID"):
        return Refusal("unreadable", "The instance lacks the UID of itself or of its series.")
    return _pixels_refusal(dataset)


def undecodable(clean: Dataset) -> Refusal | None:
    """Why pixels could not be decoded any more: their layout was missing, or not made of numbers.

    Args:
        clean: what is left of the instance.
    """
    layout = ("Rows", "Columns", "BitsAllocated")
    if all(isinstance(clean.get(keyword), int) and clean[keyword].value > 0 for keyword in layout):
        return None
    return Refusal("unreadable", "Rows, columns or bits of the pixels are missing.")


def _pixels_refusal(dataset: Dataset) -> Refusal | None:
    if str(dataset.get("BurnedInAnnotation", "")).strip().upper() == "YES":
        return Refusal("burned_in", "BurnedInAnnotation is YES: text lies in the pixels.")
    color = dataset.get("SamplesPerPixel", 1) != 1
    if color or str(dataset.get("PhotometricInterpretation", "")).strip() not in _GREY:
        return Refusal("capture", "The pixels are in color: a capture, not a measurement.")
    return capture(dataset)


def _class_name(dataset: Dataset) -> str:
    name = getattr(dataset.SOPClassUID, "name", "")
    is_registered = bool(name) and not str(name)[0].isdigit()
    return str(name) if is_registered else "a private one"
