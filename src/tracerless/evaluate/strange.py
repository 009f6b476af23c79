"""Heads and series that a model must not speak of: flagged or refused they should be, every one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tracerless.core.errors import RecipeError, did_you_mean
from tracerless.core.seeds import generator
from tracerless.core.session import Prepared, Template
from tracerless.core.volume import MR_INPUTS, Contrast
from tracerless.evaluate import strange_lesions, strange_series
from tracerless.evaluate.stress_parts import Changes, Scene, altered

Change = Callable[[Scene], Changes]


@dataclass(frozen=True, slots=True)
class Strange:
    """One case.

    Args:
        meaning: one line, English.
        needs: contrasts without which there is nothing to change.
        apply: makes it of a usual session.
    """

    meaning: str
    needs: tuple[Contrast, ...]
    apply: Change


_BOTH = (Contrast.T1W, Contrast.T2W)
_T1W = (Contrast.T1W,)
_FLOW = (Contrast.CBF,)

STRANGE: Mapping[str, Strange] = MappingProxyType(
    {
        "stroke": Strange("old infarct of one middle cerebral artery", (), strange_lesions.stroke),
        "tumor": Strange("mass of 45 mm with swelling", (), strange_lesions.tumor),
        "resection": Strange("front of a temporal lobe removed", (), strange_lesions.resection),
        "hydrocephalus": Strange("very wide ventricles", (), strange_lesions.hydrocephalus),
        "metal": Strange("no signal around a clip or valve", (), strange_lesions.metal),
        "exchanged": Strange("T1w and T2w exchanged", _BOTH, strange_series.exchanged),
        "wrong-t1w": Strange("T2w in the place of T1w", _BOTH, strange_series.wrong_t1w),
        "mirrored": Strange("left and right exchanged", (), strange_series.mirrored),
        "upside-down": Strange("top and bottom exchanged", (), strange_series.upside_down),
        "ghost": Strange("ghost of half the brightness in T1w", _T1W, strange_series.ghosted),
        "only-noise": Strange("T1w without a picture", _T1W, strange_series.only_noise),
        "absolute-flow": Strange("CBF of another unit", _FLOW, strange_series.absolute_flow),
        "empty-flow": Strange("CBF of zeros", _FLOW, strange_series.empty_flow),
        "half-head": Strange("field of view ends in the brain", (), strange_series.half_head),
    }
)
"""A new case is a row here."""


def strange_head(session: Prepared, case: str, template: Template) -> Prepared:
    """The session as one of the cases; same session and case: same bytes.

    Args:
        session: prepared.
        case: among `STRANGE`.
        template: on the session's grid.

    Raises:
        RecipeError: no case of that name.
        GeometryError: the template lies on another grid.
    """
    if case not in STRANGE:
        raise RecipeError(f"No strange case {case!r}.", hint=did_you_mean(case, STRANGE))
    scene = Scene(session, template, generator("strange", case, str(session.key)))
    return altered(session, STRANGE[case].apply(scene), "strange", case)


def can_be(session: Prepared, case: str) -> bool:
    """Whether the session has what this case changes."""
    wanted = STRANGE[case].needs
    return (
        set(wanted) <= set(session.volumes)
        if wanted
        else bool(set(MR_INPUTS) & set(session.volumes))
    )
