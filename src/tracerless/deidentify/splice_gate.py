"""Whether an instance may cross at all, and how many bytes its pixels have: asked by bytes.

The same questions as the door for files and `refuse` ask, of the same few elements. The answer
depends on these elements alone, so one answer serves all files that share their bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pydicom import DataElement, Dataset

from tracerless.deidentify.keys import Keys
from tracerless.deidentify.known import KnownValues
from tracerless.deidentify.profile import Profile
from tracerless.deidentify.refuse import refusal, undecodable
from tracerless.deidentify.splice_judge import MISREAD, parsed
from tracerless.deidentify.splice_scan import PIXELS, UnusualError
from tracerless.deidentify.values import CleanIdentity, Refusal
from tracerless.deidentify.walk import Walk

SOP_CLASS, SOP_INSTANCE, SERIES = 0x00080016, 0x00080018, 0x0020000E
ROWS, COLUMNS, N_FRAMES, BITS = 0x00280010, 0x00280011, 0x00280008, 0x00280100

ASKED = frozenset(
    (
        *(SOP_CLASS, SERIES, 0x00080008, 0x00080064, 0x00280002, 0x00280004, 0x00280301),
        *(ROWS, COLUMNS, N_FRAMES, BITS, 0x00280103),
    )
)
"""Elements that the answer depends on; the instance UID is asked for by its shape alone."""

CLASSES = frozenset(
    f"1.2.840.10008.5.1.4.1.1.{end}" for end in ("4", "4.1", "4.4", "128", "128.1", "130", "20")
)
"""Kinds of volumes and slices that the door for files lets in."""

MAX_PIXEL_BYTES = 2**30
SLACK_BYTES = 2**20
"""Limits of the door for files; beyond them it gives the reason."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found: why the instance stays outside, or the bytes of its declared pixels."""

    refusal: Refusal | None
    n_bytes: int


def verdict(
    asked: Mapping[int, bytes],
    *,
    profile: Profile,
    keys: Keys,
    person: CleanIdentity,
    implicit: bool,
) -> Verdict:
    """Judge an instance by the elements in ``ASKED``.

    Args:
        asked: encoded elements by tag, as far as the file has them.
        profile: the policy.
        keys: of the vault.
        person: who it belongs to.
        implicit: whether types are left out.

    Raises:
        UnusualError: the door for files would turn it away, or needs a closer look to say.
    """
    dataset = parsed(b"".join(asked.values()), {}, implicit=implicit)
    dataset.SOPInstanceUID = "1.2"
    dataset.add(DataElement(PIXELS, "OW", b"\0\0"))
    try:
        n_bytes = _pixels(dataset)
        sop_class = str(dataset.SOPClassUID)
        if sop_class not in CLASSES:
            raise UnusualError
        found = refusal(dataset, profile)
        if found is not None:
            return Verdict(found, n_bytes)
        walk = Walk(profile, sop_class, keys, person, KnownValues(frozenset(), frozenset()))
        return Verdict(undecodable(walk.level(dataset, 0)), n_bytes)
    except MISREAD as error:
        raise UnusualError from error


def _pixels(dataset: Dataset) -> int:
    """Bytes of the pixels as declared.

    Raises:
        UnusualError: they are not stated in plain numbers, are in color, or are too many.
    """
    n_frames = dataset.get("NumberOfFrames", 1)
    numbers = [dataset.get(k) for k in ("Rows", "Columns", "BitsAllocated")]
    is_plain = all(isinstance(n, int) and n > 0 for n in (*numbers, n_frames))
    is_gray = str(dataset.get("PhotometricInterpretation", "")).startswith("MONOCHROME")
    if not is_plain or not is_gray or dataset.get("SamplesPerPixel", 1) != 1:
        raise UnusualError
    n_bytes = numbers[0] * numbers[1] * (numbers[2] // 8) * n_frames
    if not 0 < n_bytes <= MAX_PIXEL_BYTES:
        raise UnusualError
    return int(n_bytes)
