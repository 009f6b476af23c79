"""Values that cross as another value: moved dates, shortened texts, capped ages, fixed values."""

from tracerless.deidentify.actions import Action
from tracerless.deidentify.dates import shifted, year_only
from tracerless.deidentify.descriptors import cleaned
from tracerless.deidentify.known import KnownValues
from tracerless.deidentify.profile import Profile
from tracerless.deidentify.values import CleanIdentity

CHANGES = frozenset({Action.SHIFT, Action.YEAR, Action.CLEAN, Action.CAP_AGE})
"""Actions that make one value from another."""

DUMMIES = {
    "AS": "000Y",
    "CS": "UNKNOWN",
    "DA": "19000101",
    "DS": "0",
    "DT": "19000101000000",
    "IS": "0",
    "LO": "REMOVED",
    "SH": "REMOVED",
    "ST": "REMOVED",
    "TM": "000000",
}
"""What stands where the object requires a value that may not cross, by type."""


def changed(
    text: str, action: Action, profile: Profile, person: CleanIdentity, known: KnownValues
) -> str:
    """The value that crosses in place of ``text``; empty when nothing of it may.

    Args:
        text: one value of the attribute.
        action: of ``CHANGES``.
        profile: for its vocabulary and its cap of age.
        person: for the days by which dates move.
        known: what identifies the person.
    """
    if action is Action.SHIFT:
        return shifted(text, person.shift_days) or ""
    if action is Action.YEAR:
        return year_only(text) or ""
    if action is Action.CLEAN:
        return cleaned(text, profile.vocabulary, known)
    return capped_age(text, profile.age_cap)


def capped_age(text: str, cap: int | None) -> str:
    """An age string, in years no higher than the cap."""
    is_years = len(text) == 4 and text.endswith("Y") and text[:3].isdigit()
    return f"{cap:03d}Y" if cap is not None and is_years and int(text[:3]) > cap else text
