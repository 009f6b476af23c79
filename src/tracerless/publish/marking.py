"""The marks that a DICOM object of ours must carry, and the refusal of one that does not."""

import hashlib
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from pydicom import Dataset

from tracerless.core.errors import QuantityError
from tracerless.core.prediction import SYNTHETIC_LABEL_EN, Prediction

SERIES_DESCRIPTION = "AI-SYNTH FDG (from MR) NOT PET"
"""Series description of everything synthetic."""

FIRST_SERIES = 9000
"""Synthetic series are numbered from here, behind everything a scanner numbers."""

_MOST_LETTERS = 1024
"""Of a short text (PS3.5, table 6.2-1)."""
_MORE = " {} more notes stand beside the model's files."

_DOSE_AND_BODY = (
    "PatientWeight",
    "PatientSize",
    "RadiopharmaceuticalInformationSequence",
    "AcquisitionDate",
    "AcquisitionTime",
    "AcquisitionDateTime",
)

_RULES: tuple[tuple[str, Callable[[Dataset], bool]], ...] = (
    ("SyntheticData (0008,001C) is YES", lambda d: d.get("SyntheticData") == "YES"),
    ("ContentQualification is RESEARCH", lambda d: d.get("ContentQualification") == "RESEARCH"),
    (
        f"SeriesDescription begins with {SERIES_DESCRIPTION!r}",
        lambda d: str(d.get("SeriesDescription", "")).startswith(SERIES_DESCRIPTION),
    ),
    (f"SeriesNumber is at least {FIRST_SERIES}", lambda d: _whole(d) >= FIRST_SERIES),
    ("Modality is not PT, NM or MR", lambda d: d.get("Modality") not in {None, "PT", "NM", "MR"}),
    ("ImageType begins with DERIVED", lambda d: "DERIVED" in list(d.get("ImageType", []))[:1]),
    (
        "DerivationDescription says that it was not acquired",
        lambda d: SYNTHETIC_LABEL_EN in str(d.get("DerivationDescription", "")),
    ),
    (
        "no weight, dose or acquisition time is invented",
        lambda d: not any(keyword in d for keyword in _DOSE_AND_BODY),
    ),
)


def require_marked(dataset: Dataset) -> Dataset:
    """The same dataset, if every mark of a synthetic object stands in it.

    Raises:
        QuantityError: a mark is missing; the message names the first one.
    """
    for rule, holds in _RULES:
        if not holds(dataset):
            raise QuantityError(
                f"A synthetic DICOM object must not leave without its marks; not so: {rule}.",
                hint="Write it with tracerless.publish, which sets every mark.",
            )
    return dataset


def mark(dataset: Dataset, prediction: Prediction, made: datetime) -> None:
    """Write the marks that the library which built the dataset does not write itself."""
    dataset.SyntheticData = "YES"
    dataset.ContentQualification = "RESEARCH"
    dataset.SeriesDescription = SERIES_DESCRIPTION
    dataset.DerivationDescription = derivation(prediction)
    dataset.InstanceCreationDate = f"{made:%Y%m%d}"
    dataset.InstanceCreationTime = f"{made:%H%M%S}"
    dataset.BodyPartExamined = "BRAIN"
    for item in dataset.ContributingEquipmentSequence:
        item.ContributionDateTime = f"{made:%Y%m%d%H%M%S}"


def derivation(prediction: Prediction) -> str:
    """What was made, from what, by what; whole notes, as many as 1024 ASCII characters hold."""
    inputs = ", ".join(prediction.inputs)
    said = _ascii(
        f"{SYNTHETIC_LABEL_EN}. FDG SUVR (reference {prediction.reference}) predicted from MR "
        f"({inputs}) by model {prediction.model}, trained on {prediction.training_domain} people; "
        f"fingerprint {prediction.fingerprint}."
    )
    for place, note in enumerate(prediction.notes):
        longer = f"{said} {_ascii(note)}"
        left = len(prediction.notes) - place
        if len(longer) > _MOST_LETTERS - len(_MORE.format(left)) * (left > 1):
            return said + _MORE.format(left)
        said = longer
    return said


def _ascii(words: str) -> str:
    return words.encode("ascii", "replace").decode().replace("\\", "/").strip()


def content_uid(*parts: bytes | str) -> str:
    """A UID under 2.25 from a digest of the parts: equal content, equal UID."""
    digest = hashlib.sha256()
    for part in parts:
        piece = part.encode() if isinstance(part, str) else part
        digest.update(len(piece).to_bytes(8, "big") + piece)
    return f"2.25.{UUID(bytes=digest.digest()[:16], version=4).int}"


def _whole(dataset: Dataset) -> int:
    return int(dataset.get("SeriesNumber") or 0)
