"""What a sidecar may say of labeling and emission: each field's kind, unit and range.

Names are those of BIDS where BIDS has one; times are s, lengths mm. A number outside its range is
no number of that kind: it is refused from a person and left out when a header states it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tracerless.core.errors import QuantityError, did_you_mean

MS_PER_S = 1000.0


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Args:
        kind: ``number``, ``count``, ``flag``, ``word`` or ``axes``.
        meaning: in one sentence, with the unit.
        low: smallest value.
        high: largest value.
        words: what a word may be.
        many: whether a list, one value a volume or slice, may stand in its place.
        by_site: whether a site file may state it.
    """

    kind: str
    meaning: str
    low: float = 0.0
    high: float = 0.0
    words: tuple[str, ...] = ()
    many: bool = False
    by_site: bool = True


FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "ArterialSpinLabelingType": Field(
            "word", "how blood is labeled", words=("PCASL", "CASL", "PASL")
        ),
        "PostLabelingDelay": Field(
            "number", "from the end of the label (PASL: from inversion) to readout, s", 0.05, 6,
            many=True,
        ),
        "LabelingDuration": Field("number", "length of the label, s", 0.2, 5, many=True),
        "BolusCutOffFlag": Field("flag", "whether the bolus of a pulsed label is cut off"),
        "BolusCutOffTechnique": Field(
            "word", "how the bolus is cut off", words=("QUIPSS", "QUIPSSII", "Q2TIPS")
        ),
        "BolusCutOffDelayTime": Field(
            "number", "from inversion to the (first, last) cut of the bolus, s", 0.1, 4, many=True
        ),
        "BackgroundSuppression": Field("flag", "whether static tissue is suppressed"),
        "BackgroundSuppressionNumberPulses": Field("count", "pulses that suppress it", 0, 10),
        "LabelingEfficiency": Field("number", "share of blood that is inverted", 0.3, 1),
        "M0Type": Field(
            "word", "where M0 is", words=("Included", "Separate", "Estimate", "Absent")
        ),
        "M0Estimate": Field("number", "one M0 for all voxels, stored units", 1e-9, 1e9),
        "RepetitionTimePreparation": Field(
            "number", "from one excitation of M0 to the next, s", 0.1, 30, many=True
        ),
        "SliceTiming": Field("number", "when each slice is read, s", 0, 20, many=True),
        "MRAcquisitionType": Field("word", "slices or a slab", words=("2D", "3D")),
        "MagneticFieldStrength": Field("number", "T", 0.2, 12),
        "AslContext": Field(
            "word", "what each volume is",
            words=("control", "label", "m0scan", "deltam", "cbf"), many=True,
        ),
        "AslScale": Field("number", "what the difference was multiplied by against M0", 1e-6, 1e6),
        "FlowUnits": Field("word", "unit of a blood-flow map", words=("mL/100g/min", "relative")),
        "PointSpreadFWHM": Field("number", "resolution of an emission volume, mm", 1, 25),
        "VolumeAxes": Field("axes", "where columns, rows and slices run, e.g. LPS"),
        "SuvFactor": Field("number", "kBq/mL to SUV", 1e-9, 1e9, by_site=False),
        "SideUnverified": Field("flag", "left and right rest on an assumption", by_site=False),
        "CorrectedImage": Field("text", "what an emission is corrected for", by_site=False),
    }
)  # fmt: skip
"""Every field whose origin is recorded (``ValueOrigins``)."""

_AXES = ("LR", "PA", "SI")
_LISTS = ("SliceTiming", "AslContext")
_ZERO_FOR_M0 = ("PostLabelingDelay", "LabelingDuration")
"""Lists of these have 0 for a volume that was not labeled."""


def checked(name: str, value: object) -> Any:
    """The value in its own type: numbers as floats, counts as whole numbers.

    Args:
        name: of the field.
        value: as a person or a header states it.

    Raises:
        QuantityError: no such field, not to be stated by hand, or out of range.
    """
    by_site = {key: field for key, field in FIELDS.items() if field.by_site}
    if name not in by_site:
        raise QuantityError(f"A site file cannot set {name!r}.", hint=did_you_mean(name, by_site))
    return _checked(name, value)


def is_plausible(name: str, value: object) -> bool:
    """Whether the value is one that the field may have, whoever states it."""
    try:
        _checked(name, value)
    except QuantityError:
        return False
    return True


def _checked(name: str, value: object) -> Any:
    field = FIELDS[name]
    if field.kind == "text":
        return value
    if isinstance(value, Sequence) and not isinstance(value, str):
        if not field.many or not value:
            raise QuantityError(f"{name} is one {field.kind}, got a list of {len(value)}.")
        is_m0 = [name in _ZERO_FOR_M0 and each == 0 for each in value]
        return [
            0.0 if zero else _KINDS[field.kind](name, field, each)
            for each, zero in zip(value, is_m0, strict=True)
        ]
    if name in _LISTS:
        raise QuantityError(f"{name} is a list ({field.meaning}), got {value!r}.")
    return _KINDS[field.kind](name, field, value)


def _number(name: str, field: Field, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise QuantityError(f"{name} is a number ({field.meaning}), got {value!r}.")
    if not field.low <= value <= field.high:
        is_ms = field.meaning.endswith(" s") and field.low <= value / MS_PER_S <= field.high
        raise QuantityError(
            f"{name}={value:g} is outside {field.low:g}-{field.high:g} ({field.meaning}).",
            hint=f"Write it in s: {value / MS_PER_S:g}." if is_ms else "Correct the number.",
        )
    return float(value)


def _count(name: str, field: Field, value: object) -> int:
    number = _number(name, field, value)
    if number != int(number):
        raise QuantityError(f"{name} is a whole number ({field.meaning}), got {value!r}.")
    return int(number)


def _flag(name: str, field: Field, value: object) -> bool:
    if not isinstance(value, bool):
        raise QuantityError(f"{name} is true or false ({field.meaning}), got {value!r}.")
    return value


def _word(name: str, field: Field, value: object) -> str:
    known = {word.casefold(): word for word in field.words}
    word = known.get(str(value).casefold())
    if word is None:
        raise QuantityError(
            f"{name}={value!r} is unknown ({field.meaning}).",
            hint=did_you_mean(str(value), field.words),
        )
    return word


def _axes(name: str, field: Field, value: object) -> str:
    word = str(value)
    found = [axis for letter in word for axis in _AXES if letter in axis]
    if len(word) != len(_AXES) or sorted(found) != sorted(_AXES):
        raise QuantityError(
            f"{name}={value!r} is not three directions ({field.meaning}).",
            hint="Take one letter each of L or R, A or P, S or I.",
        )
    return word


_KINDS: Mapping[str, Callable[[str, Field, object], Any]] = MappingProxyType(
    {"number": _number, "count": _count, "flag": _flag, "word": _word, "axes": _axes}
)
