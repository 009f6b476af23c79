"""What was removed of a person, in every form in which it could come back.

A value is folded (case, width, accents, punctuation), names are turned round, dates are written by
both calendars, Chinese is tried in every code. What is too short or too common to tell from chance
is not looked for, and is listed.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from pydicom.datadict import dictionary_VR, tag_for_keyword

from tracerless.deidentify.descriptors import cleaned
from tracerless.deidentify.known import KnownValues, fold, readings

WORD = re.compile(r"[^\W_]+")

SHORTEST = 4
"""Latin letters or digits below which a value is not looked for."""

SHORTEST_PART = 3
"""Latin letters below which one part of a name is not looked for."""

SHORTEST_INSIDE = 8
"""Latin letters from which a value is looked for inside other words as well."""

SHORTEST_NUMBER = 6
"""Digits below which a number is not looked for."""

ENCODINGS = ("utf-8", "cp950", "gb18030", "utf-16-le", "utf-16-be")

_IDENTITY = frozenset(
    {"PatientID", "OtherPatientIDs", "AccessionNumber", "PatientAddress", "MilitaryRank",
     "PatientTelephoneNumbers", "PatientTelecomInformation", "IssuerOfPatientID",
     "MedicalRecordLocator", "PatientInsurancePlanCodeSequence", "ReferringPhysicianAddress",
     "ReferringPhysicianTelephoneNumbers", "InstitutionAddress", "InstitutionName"}
)  # fmt: skip
"""Besides names: values that are looked for even where they are a technical word."""

_NO_NAMES = frozenset(
    {"none", "unknown", "anonymous", "anonymized", "anonymised", "noname", "null", "test",
     "physician", "doctor", "operator", "removed", "deidentified", "patient", "nobody", "admin"}
)  # fmt: skip
"""What stands where a name should, and names nobody."""

_DATE = re.compile(r"(\d{4})[.\-/]?(\d{2})[.\-/]?(\d{2})")


@dataclass(slots=True)
class Needles:
    """Everything to look for, by how it is found; every form leads to the keyword it came from.

    Args:
        inside: squeezed texts, found anywhere in a squeezed text.
        words: folded texts with single spaces, found between other words.
        parts: parts of names, found as whole words in values.
        numbers: runs of digits.
        dates: (year, month, day).
        uids: as they were.
        raw: bytes in other codes.
        ordinary: forms that are one word of letters and name nobody: within sentences a doubt.
        skipped: how many values are not looked for, by (reason, keyword).
    """

    inside: dict[str, str] = field(default_factory=dict, repr=False)
    words: dict[str, str] = field(default_factory=dict, repr=False)
    parts: dict[str, str] = field(default_factory=dict, repr=False)
    numbers: dict[str, str] = field(default_factory=dict, repr=False)
    dates: dict[tuple[int, int, int], str] = field(default_factory=dict, repr=False)
    uids: dict[str, str] = field(default_factory=dict, repr=False)
    raw: dict[bytes, str] = field(default_factory=dict, repr=False)
    ordinary: set[str] = field(default_factory=set, repr=False)
    skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    n_values: int = 0


@dataclass(frozen=True, slots=True)
class Common:
    """What says nothing of a person: a value that is nothing else is not looked for.

    Args:
        crossing: squeezed values that the policy lets cross as they are, as found in the files.
        vocabulary: folded technical words of the policy.
    """

    crossing: frozenset[str] = frozenset()
    vocabulary: frozenset[str] = frozenset()

    def holds(self, text: str) -> bool:
        """Whether the text is such a value, or made of technical words alone."""
        plain = squeeze(text)
        if plain in self.crossing:
            return True
        return squeeze(cleaned(text, self.vocabulary, _NOBODY)) == plain

    def has(self, word: str) -> bool:
        """Whether a folded word is one of them."""
        return word in self.vocabulary or word in self.crossing


_NOBODY = KnownValues(frozenset(), frozenset())


def needles(values: Iterable[tuple[str, str]], common: Common = Common()) -> Needles:
    """What to look for.

    Args:
        values: (keyword, text) of everything that was removed.
        common: a value of these is looked for only when it names a person.
    """
    made = Needles()
    for keyword, text in sorted(set(values)):
        made.n_values += 1
        _add(made, keyword, text, common)
    return made


def squeeze(text: str) -> str:
    """A text in one form, without anything that is no letter and no digit."""
    return "".join(WORD.findall(fold(text)))


def spaced(text: str) -> str:
    """A text in one form, its words parted by single spaces, a space at both ends."""
    return f" {' '.join(WORD.findall(fold(text)))} "


def vr_of(keyword: str) -> str:
    """The type of an attribute by its keyword; LO for private and unknown ones."""
    tag = tag_for_keyword(keyword)
    return "LO" if tag is None else dictionary_VR(tag).split(" or ")[0]


def date_of(text: str) -> date | None:
    """The date that a DA or DT value holds."""
    found = _DATE.match(text.strip())
    if found is None:
        return None
    try:
        return date(*(int(part) for part in found.groups()))
    except ValueError:
        return None


def _add(made: Needles, keyword: str, text: str, common: Common) -> None:
    vr = vr_of(keyword)
    if vr == "UI":
        made.uids.update({uid.strip(): keyword for uid in text.split("\\") if uid.strip()})
    elif vr in {"DA", "DT"}:
        _add_date(made, keyword, text)
    elif vr in {"AS", "TM"}:
        made.skipped["an age or a time of day", keyword] += 1
    else:
        forms = [form for reading in readings(text) for form in _written(reading, vr)]
        kept = [_add_text(made, keyword, form, common, vr) for form in forms]
        if not any(kept):
            why = _why(text, keyword, common, vr) or "nothing but signs"
            made.skipped[why, keyword] += 1


def _add_date(made: Needles, keyword: str, text: str) -> None:
    day = date_of(text)
    if day is None:
        made.skipped["not a whole date", keyword] += 1
        return
    made.dates[day.year, day.month, day.day] = keyword
    digits = f"{day:%Y%m%d}".zfill(8)
    made.numbers[digits] = keyword
    if day.year > 1911:
        year = day.year - 1911
        made.dates[year, day.month, day.day] = keyword
        made.numbers[f"{year:03d}{digits[4:]}"] = keyword


def _written(text: str, vr: str) -> Iterator[str]:
    """A text; of a name every group, and each with its parts turned round."""
    if vr != "PN":
        yield text
        return
    for group in text.split("="):
        parts = [part for part in re.split(r"[\^\s]+", group) if part]
        if parts:
            yield " ".join(parts)
            yield " ".join([*parts[1:], parts[0]])
            yield " ".join(reversed(parts))


def _add_text(made: Needles, keyword: str, text: str, common: Common, vr: str) -> bool:
    """Whether at least one form of it is looked for."""
    plain = squeeze(text)
    has_parts = vr == "PN" and _add_parts(made, keyword, text, common)
    if _why(text, keyword, common, vr):
        return has_parts
    if plain.isdigit() and plain.isascii():
        made.numbers.setdefault(plain, keyword)
        forms = set()
    elif len(plain) >= SHORTEST_INSIDE or not plain.isascii():
        made.inside.setdefault(plain, keyword)
        forms = {plain}
    else:
        forms = {spaced(text), f" {plain} "}
        made.words.update(dict.fromkeys(forms - made.words.keys(), keyword))
    if (
        vr != "PN"
        and keyword not in _IDENTITY
        and plain.isalpha()
        and spaced(text).split() == [plain]
    ):
        made.ordinary |= forms
    for form in {text, text.replace(" ", "^"), text.replace(" ", "")}:
        for content in _encoded(form):
            made.raw.setdefault(content, keyword)
    return True


def _encoded(text: str) -> Iterator[bytes]:
    """A text in the codes that folded texts do not cover."""
    for encoding in ENCODINGS:
        if text.isascii() and not encoding.startswith("utf-16"):
            continue
        try:
            content = text.encode(encoding)
        except UnicodeEncodeError:
            continue
        if len(content) >= SHORTEST:
            yield content


def _add_parts(made: Needles, keyword: str, text: str, common: Common) -> bool:
    added = False
    for part in WORD.findall(fold(text)):
        is_long = len(part) >= (SHORTEST_PART if part.isascii() else 2)
        if part in _NO_NAMES:
            made.skipped["a word that names nobody", keyword] += 1
        elif is_long and not part.isdigit() and not common.has(part):
            made.parts.setdefault(part, keyword)
            added = True
        elif common.has(part):
            made.skipped["part of a name that is a technical word", keyword] += 1
    return added


def _why(text: str, keyword: str, common: Common, vr: str) -> str:
    """Why a value is not looked for; empty when it is."""
    plain = squeeze(text)
    if len(plain) < (SHORTEST if plain.isascii() else 2):
        return "too short to tell from chance"
    if plain.isdigit() and len(plain) < SHORTEST_NUMBER:
        return "a number too short to tell from chance"
    if plain in _NO_NAMES:
        return "a word that names nobody"
    if vr != "PN" and keyword not in _IDENTITY and common.holds(text):
        return "a technical word, or a value that the policy lets cross"
    return ""
