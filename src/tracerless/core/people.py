"""Who a scan belongs to, past the border."""

import re
from dataclasses import dataclass

from tracerless.core.errors import DatasetError
from tracerless.core.recipe import fingerprint

_ALPHABET = re.compile(r"[A-Za-z0-9]+\Z")


@dataclass(frozen=True, slots=True, order=True)
class Pseudonym:
    """The only person-key past the border: letters and digits, as BIDS asks of ``sub-``.

    Raises:
        DatasetError: the text is empty or holds another character.
    """

    text: str

    def __post_init__(self) -> None:
        """Check once."""
        if not _ALPHABET.match(self.text):
            raise DatasetError(f"A pseudonym is made of letters and digits, got {self.text!r}.")

    def __str__(self) -> str:
        """The text itself."""
        return self.text


@dataclass(frozen=True, slots=True, order=True)
class SessionKey:
    """One visit of one person; ``visit`` is letters and digits, as BIDS asks of ``ses-``."""

    person: Pseudonym
    visit: str

    def __post_init__(self) -> None:
        """Check once."""
        if not _ALPHABET.match(self.visit):
            raise DatasetError(f"A visit is made of letters and digits, got {self.visit!r}.")

    def __str__(self) -> str:
        """The BIDS entities, ``sub-X_ses-Y``."""
        return f"sub-{self.person}_ses-{self.visit}"


def person_digest(person: Pseudonym) -> str:
    """How a checkpoint or an evaluation remembers a person: 12 hex digits, never the pseudonym."""
    return fingerprint("person", str(person))
