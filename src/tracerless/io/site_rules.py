"""One rule of a site file: which series it is for, what it states, and whether it fits."""

import fnmatch
import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tracerless.core.errors import ContrastError, RecipeError, did_you_mean
from tracerless.core.volume import EMISSION, Contrast
from tracerless.io import fields

MATCHED = (
    "Manufacturer", "ManufacturersModelName", "Modality", "Contrast", "MagneticFieldStrength",
    "MRAcquisitionType", "ScanningSequence", "SequenceVariant", "SequenceName", "ImageType",
    "EchoTime", "RepetitionTime", "InversionTime", "FlipAngle", "EchoTrainLength",
    "SliceThickness", "TracerRadionuclide", "Units", "DecayCorrection",
)  # fmt: skip
"""Sidecar fields that a rule may ask for; times in s."""

_CLOSED = {
    "Modality": ("MR", "PT", "SPECT"),
    "Contrast": tuple(map(str, Contrast)),
    "MRAcquisitionType": ("2D", "3D"),
}
"""Fields of few words: a word that no series has is a slip of the pen."""

_PARTS = ("match", "set", "declare")
_DECLARED = tuple(c for c in Contrast if c not in {Contrast.UNKNOWN, Contrast.SYNTHETIC_FDG})
_TECHNICAL = re.compile(r"[\w .,/*+()^\\:\[\]-]{1,48}", re.ASCII)
_LONG_NUMBER = re.compile(
    r"\d{6}|(?<!\d)(\d{4}[-/. ]\d{1,2}[-/. ]\d{1,2}|\d{1,2}[-/. ]\d{1,2}[-/. ]\d{4})(?!\d)"
)
"""Six digits in a row, or a date."""
_SAME_NUMBER = 0.01
"""Numbers count as equal within this share."""

Wanted = str | float | tuple[str, ...] | tuple[float, float]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what it asks for, what it states, and what it says that the series shows."""

    match: Mapping[str, Wanted]
    states: Mapping[str, Any]
    declares: Contrast | None = None

    def fits(self, found: Mapping[str, Any]) -> bool:
        """Whether every field that is asked for is there and as asked."""
        return all(_fits(found.get(name), wanted) for name, wanted in self.match.items())


def rule_of(number: int, table: object) -> Rule:
    """The rule that one table of a site file states.

    Args:
        number: its place in the file, from 1.
        table: as TOML gave it.

    Raises:
        RecipeError: an unknown key, a condition that cannot be understood, or nothing stated.
        QuantityError: a field that cannot be set, or a value out of its range.
        ContrastError: a declared contrast that does not exist.
    """
    where = f"Rule {number} of the site file"
    if not isinstance(table, Mapping):
        raise RecipeError(f"{where} is no table.", hint="Write [[rule]] above it.")
    require_known(where, table, _PARTS)
    match, states = table.get("match", {}), table.get("set", {})
    if not (isinstance(match, Mapping) and match and isinstance(states, Mapping)):
        raise RecipeError(
            f"{where} does not say which series it is for.",
            hint='Write match = { Manufacturer = "...", Contrast = "..." }.',
        )
    require_known(f"The match of {where.lower()}", match, MATCHED)
    declares = table.get("declare")
    if not states and declares is None:
        raise RecipeError(f"{where} states nothing.", hint="Give it `set` or `declare`.")
    return Rule(
        {name: _wanted(where, name, each) for name, each in match.items()},
        {name: fields.checked(name, each) for name, each in states.items()},
        None if declares is None else _declared(where, declares, match.get("Modality")),
    )


def require_known(where: str, table: Iterable[str], known: Sequence[str]) -> None:
    """Refuse a key that nobody reads.

    Raises:
        RecipeError: there is one.
    """
    for name in table:
        if name not in known:
            raise RecipeError(f"{where} has an unknown key {name!r}.",
                              hint=did_you_mean(name, known))  # fmt: skip


def _declared(where: str, word: object, modality: object) -> Contrast:
    """What a rule declares, which the modality that it asks for must be able to show."""
    if word not in tuple(map(str, _DECLARED)):
        raise ContrastError(
            f"{where} declares {word!r}, which no series shows.",
            hint=did_you_mean(str(word), map(str, _DECLARED)),
        )
    contrast = Contrast(str(word))
    if isinstance(modality, str) and (modality == "MR") == (contrast in EMISSION):
        raise ContrastError(
            f"{where} declares {contrast} for Modality {modality}, which cannot show it.",
            hint="Correct one of the two.",
        )
    return contrast


def _wanted(where: str, name: str, value: object) -> Wanted:
    """A condition in its own type."""
    many = value if isinstance(value, list) else [value]
    numbers = [float(e) for e in many if isinstance(e, int | float) and not isinstance(e, bool)]
    texts = [e for e in many if isinstance(e, str)]
    if many and len(texts) == len(many):
        for text in texts:
            _require_technical(where, name, text)
        return texts[0] if isinstance(value, str) else tuple(texts)
    if len(numbers) == len(many) == 1:
        return numbers[0]
    if len(numbers) == len(many) == 2 and numbers[0] <= numbers[1]:
        return numbers[0], numbers[1]
    raise RecipeError(
        f"{where} asks for {name} = {value!r}.",
        hint="Give a text, a list of texts, a number, or [lowest, highest].",
    )


def is_technical(text: object) -> bool:
    """Whether a text may stand in a site file: short, plain letters, no long number."""
    is_plain = isinstance(text, str) and _TECHNICAL.fullmatch(text) is not None
    return is_plain and _LONG_NUMBER.search(str(text)) is None


def _require_technical(where: str, name: str, text: str) -> None:
    """Refuse what is no technical word: it would travel with the dataset."""
    words = _CLOSED.get(name)
    if words is not None and text not in words:
        raise RecipeError(f"{where} asks for {name} = {text!r}, which no series has.",
                          hint=did_you_mean(text, words))  # fmt: skip
    if not is_technical(text):
        raise RecipeError(
            f"{where} asks for a {name} that is no technical word of up to 48 plain letters.",
            hint="Match a shorter part of it with *, without dates or long numbers.",
        )


def _fits(found: object, wanted: Wanted) -> bool:
    if found is None:
        return False
    many = found if isinstance(found, list | tuple) else (found,)
    if isinstance(wanted, str):
        return any(_alike(each, wanted) for each in many)
    if isinstance(wanted, float):
        return any(_in_range(each, wanted, wanted) for each in many)
    first = wanted[0]
    if isinstance(first, str):
        return any(_alike(each, str(word)) for each in many for word in wanted)
    return any(_in_range(each, float(first), float(wanted[1])) for each in many)


@functools.cache
def _pattern(wanted: str) -> re.Pattern[str]:
    whole = "*".join(re.sub(r"([\[?])", r"[\1]", part) for part in wanted.split("*"))
    return re.compile(fnmatch.translate(whole.upper()))


def _alike(found: object, wanted: str) -> bool:
    return bool(_pattern(wanted).match(str(found).strip().upper()))


def _in_range(found: object, low: float, high: float) -> bool:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return False
    slack = _SAME_NUMBER * abs(low) if low == high else 0.0
    return low - slack <= found <= high + slack
