"""Whose an instance says it is, so that it can be compared: spelling, width and order fall away.

A claim identifies; it lives between reading and de-identification only.
"""

import functools
import unicodedata
from dataclasses import dataclass, field

from pydicom.dataset import Dataset

from tracerless.io import tags

CLAIM_KEYWORDS = ("PatientName", "PatientBirthDate", "PatientSex")
"""Attributes that a claim is made from."""

_NAME_PARTS = 3
"""Family, given and middle name; titles and suffixes come and go."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Demographics of one header; empty where not stated; the repr shows none.

    Args:
        names: folded spellings, Latin and other letters apart; the order of parts plays no part.
        birth: birth date, digits alone.
        sex: one capital letter.
    """

    names: tuple[str, ...] = field(repr=False)
    birth: str = field(repr=False)
    sex: str = field(repr=False)

    def contradicts(self, other: "Claim") -> bool:
        """Whether the two cannot be one person: other birth dates, or no spelling in common."""
        if self.birth and other.birth and self.birth != other.birth:
            return True
        both = bool(self.names and other.names)
        return both and set(self.names).isdisjoint(other.names)


def claim_of(dataset: Dataset) -> Claim:
    """Whose the header says that it is."""
    birth = "".join(sign for sign in tags.text(dataset, "PatientBirthDate") if sign.isdigit())
    return _claim(
        tags.text(dataset, "PatientName"), birth, tags.text(dataset, "PatientSex").upper()[:1]
    )


@functools.lru_cache(maxsize=4096)
def _claim(name: str, birth: str, sex: str) -> Claim:
    """Equal claims are one object, so that a scan of one person's files holds one."""
    spellings = (spelling for group in name.split("=") for spelling in _folded(group))
    return Claim(tuple(dict.fromkeys(s for s in spellings if s)), birth, sex)


def _folded(group: str) -> tuple[str, str]:
    """Latin and other letters of a spelling, sorted, so that neither blanks nor order count."""
    plain = unicodedata.normalize("NFKD", "".join(group.split("^")[:_NAME_PARTS])).casefold()
    letters = sorted(sign for sign in plain if sign.isalnum())
    latin = "".join(sign for sign in letters if sign.isascii())
    return latin, "".join(sign for sign in letters if not sign.isascii())
