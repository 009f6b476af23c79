"""What may be wrong with a pair of MR and PET, by name."""

from dataclasses import dataclass

from tracerless.core.errors import ModelError
from tracerless.core.people import SessionKey
from tracerless.core.volume import Contrast

KINDS = {
    "misregistered": "MR and PET do not lie upon each other",
    "mirrored": "left and right of one are those of the other exchanged",
    "other-person": "PET agrees no better with this MR than with anybody's",
    "units": "not the quantity that training takes",
    "not-finite": "numbers that are none inside the field of view",
    "empty": "most of the brain is exactly 0",
    "constant": "one value everywhere",
    "cut": "the field of view misses a part of the brain",
    "duplicate": "the same picture under two names",
}
"""Every kind of finding, and what it means."""

REFUSE, DOUBT = "refuse", "doubt"


@dataclass(frozen=True, slots=True)
class PairFinding:
    """One thing found in one session.

    Args:
        key: the session.
        contrast: what is to blame. The pair goes on without an MR contrast; without FDG it is none.
        kind: among ``KINDS``.
        verdict: ``refuse``: it must not teach; ``doubt``: a person should look.
        reason: one sentence with the number that was found and the one that was expected.

    Raises:
        ModelError: an unknown kind or verdict.
    """

    key: SessionKey
    contrast: Contrast
    kind: str
    verdict: str
    reason: str

    def __post_init__(self) -> None:
        """Check once."""
        if self.kind not in KINDS or self.verdict not in {REFUSE, DOUBT}:
            raise ModelError(f"A pair cannot be found {self.verdict!r} for {self.kind!r}.")
