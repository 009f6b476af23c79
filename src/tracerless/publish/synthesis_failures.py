"""Where synthetic PET failed worst: pictures of acquired, synthetic, and what the interval said."""

from collections.abc import Mapping

from tracerless.core.prediction import Prediction
from tracerless.core.session import Prepared, Template
from tracerless.core.volume import Contrast
from tracerless.publish.assessment_numbers import View
from tracerless.publish.charts_data import records
from tracerless.publish.markup import figure, paragraph, text
from tracerless.publish.panel import session_panels
from tracerless.publish.picture import picture
from tracerless.publish.slices import default_slices
from tracerless.publish.synthesis_parts import section

_SHOWN = (Contrast.T1W, Contrast.CBF, Contrast.FDG, Contrast.SYNTHETIC_FDG)


def failure_picture(prepared: Prepared, prediction: Prediction, template: Template) -> bytes:
    """PNG of one person: MR, acquired and synthetic FDG, their difference; synthetic marked.

    Args:
        prepared: with acquired FDG.
        prediction: of the same session.
        template: on their grid.

    Raises:
        RecipeMismatchError: the prediction belongs to another session.
        GeometryError: a volume is not on the grid of the template.
    """
    names = {str(contrast) for contrast in _SHOWN}
    panels = session_panels(prepared, template, prediction)
    chosen = [p for p in panels if str(p.volume.contrast) in names or "difference" in p.key]
    return picture(chosen or panels, default_slices(template.brain)[1:4], px_per_mm=1.0)


def failures(look: View, pictures: Mapping[str, bytes]) -> str:
    """The worst people in order, each with its region, its error, why, and a picture.

    Args:
        look: the evaluation; its table ``failures``.
        pictures: PNG by ``<person>/<visit>``.
    """
    parts = []
    for at in records(look.table("failures")):
        who = f"sub-{at['person']} ses-{at['visit']}"
        said = (
            f"{who} ({at['diagnosis'] or 'diagnosis unknown'}), {at['region']}: error "
            f"{float(at['error']):+.2f} SUVR, interval ±{float(at['half_width']):.2f}. {at['why']}"
        )
        parts.append(paragraph(said, kind="plainly"))
        png = pictures.get(f"{at['person']}/{at['visit']}")
        if png:
            alt = f"{who}: MR, acquired FDG, SYNTHETIC FDG and their difference"
            parts.append(f'<div class="pictures single">{figure(png, text(alt))}</div>')
    lead = paragraph(
        "The largest regional errors, one person each; whether the interval held is said.",
        "誤差最大者，每人一列，並註明區間是否成立。",
        kind="lead",
    )
    return section(("Failure gallery", "失敗案例"), lead, *parts) if parts else ""
