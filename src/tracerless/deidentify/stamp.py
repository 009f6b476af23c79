"""What an instance says of itself past the border: who it is, what it shows, what was done to it.

Claims of earlier tools are never inherited: each of these attributes is written anew.
"""

from pydicom import Dataset
from pydicom.sequence import Sequence

from tracerless import __version__
from tracerless.core.people import Pseudonym
from tracerless.core.volume import Contrast
from tracerless.deidentify.actions import Dates
from tracerless.deidentify.confidentiality import CLEAN_FEATURES, CLEAN_PIXELS
from tracerless.deidentify.profile import Profile

DONE_LATER = (CLEAN_PIXELS, CLEAN_FEATURES)
"""Codes that are stamped only once pixels or faces really were cleaned."""

MEANINGS = {
    CLEAN_PIXELS: "Clean Pixel Data Option",
    CLEAN_FEATURES: "Clean Recognizable Visual Features Option",
}
"""CID 7050 of DICOM PS3.16."""

_TEMPORAL = {
    Dates.KEEP: "UNMODIFIED",
    Dates.SHIFT: "MODIFIED",
    Dates.YEAR: "MODIFIED",
    Dates.REMOVE: "REMOVED",
}

_FACELESS = (Contrast.ECD, Contrast.HMPAO)
"""Too coarse to show a face, and taken up by the brain more than by the skin."""


def stamp(clean: Dataset, profile: Profile, pseudonym: Pseudonym, contrast: Contrast) -> None:
    """Write who it is, what it shows, and exactly what was done."""
    clean.SpecificCharacterSet = "ISO_IR 192"
    clean.PatientName = str(pseudonym)
    clean.PatientID = str(pseudonym)
    clean.SeriesDescription = contrast.value
    clean.PatientIdentityRemoved = "YES"
    clean.DeidentificationMethod = (
        f"tracerless {__version__}, profile {profile.name}, digest {profile.digest}"
    )
    codes = [(code, text) for code, text in profile.codes if code not in DONE_LATER]
    if codes:
        clean.DeidentificationMethodCodeSequence = Sequence(code_item(*each) for each in codes)
    clean.LongitudinalTemporalInformationModified = _TEMPORAL[profile.dates]
    clean.RecognizableVisualFeatures = "NO" if contrast in _FACELESS else "YES"


def add_code(clean: Dataset, code: str) -> None:
    """State one more thing that was done: a code of ``DONE_LATER``."""
    done = list(clean.get("DeidentificationMethodCodeSequence") or ())
    if all(item.CodeValue != code for item in done):
        done.append(code_item(code, MEANINGS[code]))
    done.sort(key=lambda item: str(item.CodeValue))
    clean.DeidentificationMethodCodeSequence = Sequence(done)


def code_item(code: str, meaning: str) -> Dataset:
    """One coded step of de-identification."""
    item = Dataset()
    item.CodeValue = code
    item.CodingSchemeDesignator = "DCM"
    item.CodeMeaning = meaning
    return item
