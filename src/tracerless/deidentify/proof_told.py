"""What a header tells that must be the same on both sides of the border.

Attributes are read at the top and inside functional groups, detectors and radiopharmaceuticals;
numbers as numbers, so that the way they are written does not count.
"""

import math
from typing import NamedTuple

from tracerless.deidentify.proof_pixels import digest
from tracerless.deidentify.proof_scan import Level
from tracerless.deidentify.proof_suv import mapped_factor, suv_factor
from tracerless.deidentify.proof_vendor import blocks, private, vendor_numbers

MANY = 32
"""Longer lists of numbers are remembered by their digest."""

Value = str | float | list[float] | list[str]


class Told(NamedTuple):
    """One fact that a header tells: where, what it is about, and whether it is made of numbers."""

    name: str
    tag: int
    topic: str
    is_number: bool = True


TOLD = (
    Told("rows", 0x00280010, "geometry"),
    Told("columns", 0x00280011, "geometry"),
    Told("frames", 0x00280008, "geometry"),
    Told("spacing_mm", 0x00280030, "geometry"),
    Told("thickness_mm", 0x00180050, "geometry"),
    Told("between_mm", 0x00180088, "geometry"),
    Told("position_mm", 0x00200032, "geometry"),
    Told("orientation", 0x00200037, "geometry"),
    Told("slice_vector", 0x00540080, "geometry"),
    Told("samples", 0x00280002, "pixels"),
    Told("bits", 0x00280100, "pixels"),
    Told("bits_stored", 0x00280101, "pixels"),
    Told("is_signed", 0x00280103, "pixels"),
    Told("slope", 0x00281053, "scale"),
    Told("intercept", 0x00281052, "scale"),
    Told("units", 0x00541001, "scale", is_number=False),
    Told("decay_correction", 0x00541102, "scale", is_number=False),
    Told("decay_factor", 0x00541321, "scale"),
    Told("dose_bq", 0x00181074, "scale"),
    Told("half_life_s", 0x00181075, "scale"),
    Told("tr_ms", 0x00180080, "timing"),
    Told("te_ms", 0x00180081, "timing"),
    Told("te_effective_ms", 0x00189082, "timing"),
    Told("ti_ms", 0x00180082, "timing"),
    Told("flip_deg", 0x00181314, "timing"),
    Told("frame_reference_ms", 0x00541300, "timing"),
    Told("frame_duration_ms", 0x00181242, "timing"),
    Told("acquisition_ms", 0x00189220, "timing"),
    Told("time_position", 0x00200100, "timing"),
    Told("asl_context", 0x00189257, "timing", is_number=False),
    Told("asl_pulse_ms", 0x00189258, "timing"),
)
"""What is taken from attributes, at the top and inside the sequences of `WITHIN`."""

TIMES = {"study_time": 0x00080030, "series_time": 0x00080031, "acquisition_time": 0x00080032,
         "content_time": 0x00080033}  # fmt: skip
"""Times of day: a profile may drop one, but never change it."""

DATES = {"study_date": 0x00080020, "series_date": 0x00080021, "acquisition_date": 0x00080022,
         "content_date": 0x00080023}  # fmt: skip
"""Dates: a profile may drop them, or move all of one person by the same whole days."""

LINKS = {"space": 0x00200052, "study": 0x0020000D}
"""Frame of reference and study: what was one before must be one after."""

WITHIN = frozenset({0x52009229, 0x52009230, 0x00540022, 0x00540016})
"""Functional groups, detector, radiopharmaceutical: sequences whose insides count."""

_BY_TAG = {one.tag: one for one in TOLD}
_TILES = (0x0019, "SIEMENS MR HEADER", 0x0A)
_MAPPING = 0x00409096


def number_list(text: str) -> list[float] | None:
    """The numbers of a text of one or more; None when one is none."""
    try:
        numbers = [float(part) for part in text.split("\\")]
    except ValueError:
        return None
    return numbers if all(map(math.isfinite, numbers)) else None


def told(header: Level) -> dict[str, Value]:
    """Everything that the header tells, by name; what cannot be read is absent."""
    found = {**_attributes(header), **_moments(header), **vendor_numbers(header)}
    mapped, tiles = _mapped(header), n_tiles(header)
    if mapped:
        found["mapped"] = mapped
    if tiles:
        found["n_tiles"] = float(tiles)
    factors = {"suv": suv_factor(header), "suv_mapped": mapped_factor(header)}
    return found | {name: factor for name, factor in factors.items() if factor is not None}


def _attributes(header: Level) -> dict[str, Value]:
    texts: dict[str, list[str]] = {}
    _gather(header, texts, is_top=True)
    found: dict[str, Value] = {}
    for one in TOLD:
        value = _value("\\".join(texts.get(one.name, ())), is_number=one.is_number)
        if value is not None:
            found[one.name] = value
    return found


def _moments(header: Level) -> dict[str, Value]:
    """Dates, times, and digests of what links instances."""
    found: dict[str, Value] = {}
    for name, tag in (*TIMES.items(), *DATES.items(), *LINKS.items()):
        text = header[tag].text.strip() if tag in header else ""
        if text:
            found[name] = digest(text.encode())[:16] if name in LINKS else text
    return found


def _gather(level: Level, texts: dict[str, list[str]], *, is_top: bool) -> None:
    for tag, element in level.items():
        one = _BY_TAG.get(tag)
        if one is not None:
            texts.setdefault(one.name, []).append(element.text.strip())
        elif element.items and (tag in WITHIN if is_top else not tag >> 16 & 1):
            for item in element.items:
                _gather(item, texts, is_top=False)


def _value(text: str, *, is_number: bool) -> Value | None:
    if not text.strip("\\"):
        return None
    if not is_number:
        return text if len(text) <= 64 else digest(text.encode())
    numbers = number_list(text)
    if numbers is None or len(numbers) <= MANY:
        return numbers
    return digest(" ".join(f"{number:.9g}" for number in numbers).encode())


def _mapped(header: Level) -> list[str]:
    """Real-world value mappings: slope, intercept and unit of each."""
    found = []
    for item in header[_MAPPING].items if _MAPPING in header else []:
        units = item[0x004008EA].items if 0x004008EA in item else []
        unit = units[0][0x00080100].text.strip() if units and 0x00080100 in units[0] else ""
        parts = [item[tag].text.strip() if tag in item else "" for tag in (0x00409225, 0x00409224)]
        found.append("|".join([*parts, unit]))
    return found


def n_tiles(header: Level) -> int:
    """How many slices a Siemens mosaic holds, 0 when it is none."""
    element = private(header, blocks(header), _TILES)
    if element is None:
        return 0
    is_bare = element.vr == "UN"
    text = str(int.from_bytes(element.raw[:2], "little")) if is_bare else element.text
    numbers = number_list(text)
    return int(numbers[0]) if numbers and numbers[0] > 1 else 0
