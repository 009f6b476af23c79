"""What goes into de-identification and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pydicom import Dataset

from tracerless.core.people import Pseudonym
from tracerless.deidentify.removed import Removed


@dataclass(frozen=True, slots=True)
class CleanIdentity:
    """Who an instance belongs to past the border, and by how many days its dates move."""

    pseudonym: Pseudonym
    visit: str
    shift_days: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Audit:
    """How often each thing happened: counts by action, then by keyword; never a value.

    Actions besides those of the profile: ``blank`` (kept, but it had no value), ``redact`` (a kept
    text repeated an identifier) and ``invalid`` (a kept value that is not of its type). Keywords
    ``private`` and ``unknown`` stand for attributes that the DICOM dictionary does not name.
    """

    counts: Mapping[str, Mapping[str, int]]

    def __post_init__(self) -> None:
        """Sort and lock."""
        counts = {
            action: MappingProxyType(dict(sorted(keywords.items())))
            for action, keywords in sorted(self.counts.items())
        }
        object.__setattr__(self, "counts", MappingProxyType(counts))

    def __add__(self, other: "Audit") -> "Audit":
        """The counts of both."""
        total = {action: dict(keywords) for action, keywords in self.counts.items()}
        for action, keywords in other.counts.items():
            into = total.setdefault(action, {})
            for keyword, n in keywords.items():
                into[keyword] = into.get(keyword, 0) + n
        return Audit(total)

    def plain(self) -> dict[str, dict[str, int]]:
        """For JSON."""
        return {action: dict(keywords) for action, keywords in self.counts.items()}


@dataclass(frozen=True, slots=True, eq=False)
class CleanInstance:
    """One instance past the border.

    Args:
        dataset: clean, with its own file meta; shares nothing with what it was made from.
        audit: what was done to it.
        removed: (keyword, value) of every text that did not cross as it was; identifies.
    """

    dataset: Dataset
    audit: Audit
    removed: frozenset[Removed] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An instance that does not cross: ``kind`` is a stable word, ``text`` one sentence.

    Kinds: ``class`` (no technical list for its SOP class), ``capture`` (color or screen capture),
    ``burned_in`` (text in the pixels), ``no_pixels``, ``unreadable`` (a header that cannot be
    understood).
    """

    kind: str
    text: str
