"""Table E.1-1 of DICOM PS3.15: from the codes of a row and the chosen options to one action."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydicom.datadict import dictionary_VR

from tracerless.core.errors import ProfileError
from tracerless.deidentify.actions import Action, Dates

BASIC = "113100"
CLEAN_PIXELS = "113101"
CLEAN_FEATURES = "113102"
FULL_DATES = "113106"
MODIFIED_DATES = "113107"
YEAR_ONLY = "year only"
"""No code of CID 7050: dates lose month and day where modified dates would move them."""

_CODES = frozenset("XZDUKC")
_TIMEZONE = 0x00080201
_CLINICAL_TRIAL = 0x0012
"""Group of modules that an object may leave out whole, but not hold by half."""

_TEXT = frozenset({"LO", "LT", "SH", "ST", "UC", "UT"})


@dataclass(frozen=True, slots=True)
class Options:
    """The options that a policy takes, in the terms of the table.

    Args:
        columns: names of the table's columns that apply, by option code.
        dates: what becomes of dates that the modified-dates column lets cross.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    dates: Dates = Dates.REMOVE


def options(codes: tuple[str, ...], known: Mapping[str, str], dates: Dates | None) -> Options:
    """Check that the options exist and agree.

    Args:
        codes: of CID 7050.
        known: column of the table by code; empty where the option has none.
        dates: what the profile says of dates; None leaves it to the options.

    Raises:
        ProfileError: an unknown code, or two options that exclude each other.
    """
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise ProfileError(
            f"{unknown[0]!r} is no option of CID 7050.",
            hint=f"Choose among {', '.join(sorted(known))}.",
        )
    if FULL_DATES in codes and MODIFIED_DATES in codes:
        raise ProfileError(
            f"Options {FULL_DATES} (full dates) and {MODIFIED_DATES} (modified dates) exclude "
            "each other.",
            hint="Leave one of the two.",
        )
    if dates is None:
        dates = Dates.REMOVE
        dates = Dates.KEEP if FULL_DATES in codes else dates
        dates = Dates.SHIFT if MODIFIED_DATES in codes else dates
    columns = {code: known[code] for code in codes if known[code]}
    if dates is Dates.YEAR:
        columns[YEAR_ONLY] = known[MODIFIED_DATES]
    return Options(columns, dates)


def resolve(
    tag: int, cells: Mapping[str, str], chosen: Options, *, kind: str, is_technical: bool
) -> tuple[Action, str]:
    """(what happens to the attribute, which codes say so).

    Args:
        tag: of the attribute.
        cells: its row: ``basic`` and one cell per option column.
        chosen: the options.
        kind: ``1`` or ``2`` where the object requires the attribute, else empty.
        is_technical: whether the object cannot be decoded or measured without it.

    Raises:
        ProfileError: the row holds a code that the standard does not know.

    Source:
        DICOM PS3.15 E.1 and Table E.1-1a; K before C before the basic code.
    """
    retained = {code: cells[name] for code, name in chosen.columns.items() if cells[name]}
    for code, letter in retained.items():
        if letter == "K":
            return Action.KEEP, f"K, {code}"
    for code, letter in retained.items():
        if letter == "C":
            return _cleaned(tag, code, chosen.dates), f"C, {code}"
    basic = cells["basic"]
    return _basic(tag, basic, kind, is_technical=is_technical), basic


def _cleaned(tag: int, option: str, dates: Dates) -> Action:
    """What cleaning means for the type of the attribute; what no rule can clean goes."""
    vr = dictionary_VR(tag)
    if option in (MODIFIED_DATES, YEAR_ONLY):
        is_time = vr in ("DA", "DT", "TM") or tag == _TIMEZONE
        return dated(vr, dates) if is_time else Action.REMOVE
    if vr == "SQ":
        return Action.KEEP
    return Action.CLEAN if vr in _TEXT else Action.REMOVE


def dated(vr: str, dates: Dates) -> Action:
    """What a date that may cross meets; times of day and all else stay as they are."""
    if vr not in ("DA", "DT"):
        return Action.KEEP
    return {
        Dates.KEEP: Action.KEEP,
        Dates.SHIFT: Action.SHIFT,
        Dates.YEAR: Action.YEAR,
        Dates.REMOVE: Action.REMOVE,
    }[dates]


def _basic(tag: int, code: str, kind: str, *, is_technical: bool) -> Action:
    letters = set(code.replace("*", "").split("/"))
    if not letters or not letters <= _CODES:
        raise ProfileError(f"Table E.1-1 has no code {code!r}.", hint="Write X, Z, D, U, K or C.")
    if "U" in letters:
        if dictionary_VR(tag) != "SQ":
            return Action.HASH_UID
        if is_technical:
            return Action.KEEP
    if kind or tag >> 16 == _CLINICAL_TRIAL:
        return required(kind)
    return Action.EMPTY if letters == {"Z"} else Action.REMOVE


def required(kind: str) -> Action:
    """What takes the place of removal where the object requires the attribute."""
    return {"1": Action.DUMMY, "2": Action.EMPTY}.get(kind, Action.REMOVE)
