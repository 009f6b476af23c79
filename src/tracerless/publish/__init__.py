"""What leaves the house: report pages, pictures and DICOM, each marked where it is synthetic."""

from tracerless.publish.capture import secondary_capture
from tracerless.publish.cohort import SessionEntry, cohort_page, session_entry
from tracerless.publish.contact import contact_sheet
from tracerless.publish.panel import Panel, session_panels
from tracerless.publish.parametric import parametric_map
from tracerless.publish.picture import picture
from tracerless.publish.session import Backing, session_page
from tracerless.publish.slices import default_slices

__all__ = [
    "Backing",
    "Panel",
    "SessionEntry",
    "cohort_page",
    "contact_sheet",
    "default_slices",
    "parametric_map",
    "picture",
    "secondary_capture",
    "session_entry",
    "session_page",
    "session_panels",
]
