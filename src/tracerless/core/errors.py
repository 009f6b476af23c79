"""Every error this package raises on purpose.

    TracerlessError
    ├── GeometryError          (ValueError)    grids, affines, axes, registration
    ├── DicomError             (ValueError)    a file or series cannot be used as it is
    ├── ContrastError          (ValueError)    what a series shows is missing, ambiguous or unknown
    ├── QuantityError          (ValueError)    units, reference regions, uptake, perfusion
    ├── RecipeError            (ValueError)    a setting that contradicts itself
    ├── RecipeMismatchError    (ValueError)    two things made by different recipes
    ├── ProfileError           (ValueError)    a de-identification policy that cannot be used
    ├── VaultError             (PermissionError)  key, crosswalk, or where they lie
    ├── DatasetError           (FileNotFoundError)  a dataset that is absent, foreign or too old
    ├── StorageError           (OSError)       the disk refused
    └── ModelError             (ValueError)    a checkpoint that does not fit its input

A message says what is wrong and shows the value; ``hint`` tells the next move. Neither ever holds
an identifier of a person: context is added by pseudonym, series number or file count.
"""

import difflib
from collections.abc import Iterable


class TracerlessError(Exception):
    """Something is wrong in a way that a user can act on.

    Args:
        message: one sentence: what is wrong, with the value and the expectation.
        hint: one imperative sentence: the next move; empty when there is none.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        """The message, its context notes, then the next move: what the command line prints."""
        notes = [f"({note})" for note in getattr(self, "__notes__", ())]
        return " ".join(part for part in (self.message, *notes, self.hint) if part)


class GeometryError(TracerlessError, ValueError):
    """Grids, affines, axes or alignments that do not fit."""


class DicomError(TracerlessError, ValueError):
    """A DICOM file or series that cannot be used as it is."""


class ContrastError(TracerlessError, ValueError):
    """What a series shows is missing, ambiguous or unknown."""


class QuantityError(TracerlessError, ValueError):
    """Units or intensities that do not mean what a step needs."""


class RecipeError(TracerlessError, ValueError):
    """A setting that is out of range or contradicts another."""


class RecipeMismatchError(TracerlessError, ValueError):
    """Two things were made by recipes that do not agree."""


class ProfileError(TracerlessError, ValueError):
    """A de-identification policy that cannot be used."""


class VaultError(TracerlessError, PermissionError):
    """The vault is missing, open to others, in the wrong place, or another one."""


class DatasetError(TracerlessError, FileNotFoundError):
    """A dataset is absent, foreign, or of another version."""


class StorageError(TracerlessError, OSError):
    """The disk refused to hold what must be written."""


class ModelError(TracerlessError, ValueError):
    """A checkpoint that is damaged or does not fit its input."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint for an unknown name: the closest known one, else all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Choose one of: {', '.join(names)}."
