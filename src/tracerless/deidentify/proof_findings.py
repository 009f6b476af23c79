"""What a proof finds: named, placed, and never with the value itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

FAILURE, WARNING = "failure", "warning"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is not as it should be.

    Args:
        check: a key of ``CHECKS``.
        kind: a stable word.
        file: inside the dataset, by its path; empty when it concerns none.
        what: keyword of the value or attribute; never a value.
        where: keyword of the place in the file.
        level: ``failure``, or ``warning`` where the dataset may leave as it is.
    """

    check: str
    kind: str
    file: str
    what: str = ""
    where: str = ""
    level: str = FAILURE

    def plain(self) -> dict[str, str]:
        """For JSON."""
        return {
            "check": self.check, "kind": self.kind, "file": self.file, "what": self.what,
            "where": self.where, "level": self.level,
        }  # fmt: skip

    @classmethod
    def parse(cls, plain: Mapping[str, Any]) -> Self:
        """The finding that ``plain`` made."""
        return cls(**{name: str(value) for name, value in plain.items()})


CHECKS = {
    "values": "No value that was removed of a person stands anywhere in what was written of them.",
    "patterns": "No text looks like an identifier: national ID, telephone, e-mail, chart number.",
    "border": "Every file holds what the profile lets through, and says truly what was done.",
    "references": "Every reference leads to an instance of the dataset; no old UID is left.",
    "measures": "Geometry, pixels, scale, SUV and timing are what they were.",
    "iod": "No instance has more errors against its DICOM definition than it had before.",
    "ocr": "No text that is not an anatomical mark stands in the pixels.",
    "complete": "Every instance that crossed is there, and nothing that nobody knows.",
}
"""Every check, and what it proves when nothing is found."""
