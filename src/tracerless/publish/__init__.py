"""What leaves the house: report pages, pictures and DICOM, each marked where it is synthetic.

DICOM comes from `publish.parametric` and `publish.capture` directly: their writer takes seconds to
import, and most commands write none.
"""

from tracerless.publish.against import Against
from tracerless.publish.assessment import assessment_page
from tracerless.publish.cohort import SessionEntry, cohort_page, session_entry
from tracerless.publish.contact import contact_sheet
from tracerless.publish.forest import Named
from tracerless.publish.model_card import model_card
from tracerless.publish.panel import Panel, session_panels
from tracerless.publish.person import person_block
from tracerless.publish.picture import picture
from tracerless.publish.session import Backing, session_page
from tracerless.publish.slices import default_slices
from tracerless.publish.surface import Projected, projections
from tracerless.publish.synthesis import synthesis_page
from tracerless.publish.synthesis_failures import failure_picture
from tracerless.publish.training import training_page
from tracerless.publish.z_slices import z_slices

__all__ = [
    "Against",
    "Backing",
    "Named",
    "Panel",
    "Projected",
    "SessionEntry",
    "assessment_page",
    "cohort_page",
    "contact_sheet",
    "default_slices",
    "failure_picture",
    "model_card",
    "person_block",
    "picture",
    "projections",
    "session_entry",
    "session_page",
    "session_panels",
    "synthesis_page",
    "training_page",
    "z_slices",
]
