"""Scans that are worse than they should be, by physical amounts: what a model is stressed with.

An artifact is a function of a scene and a level; it changes MR and never the acquired PET. At every
level the same draw is used, so that a curve over levels shows one thing alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tracerless.core.errors import RecipeError, did_you_mean
from tracerless.core.seeds import generator
from tracerless.core.session import Prepared, Template
from tracerless.core.volume import MR_INPUTS, Contrast
from tracerless.evaluate import stress_flow, stress_mr, stress_place
from tracerless.evaluate.stress_parts import Changes, Scene, altered

Artifact = Callable[[Scene, float], Changes]


@dataclass(frozen=True, slots=True)
class Stress:
    """One artifact.

    Args:
        meaning: one line, English.
        unit: of the levels.
        levels: from mild to severe.
        contrasts: what it changes.
        apply: the artifact.
    """

    meaning: str
    unit: str
    levels: tuple[float, ...]
    contrasts: tuple[Contrast, ...]
    apply: Artifact


STRESSES: Mapping[str, Stress] = MappingProxyType(
    {
        "motion": Stress(
            "the head moves during T1w and T2w: ghosts and ripple", "mm", (1.0, 2.0, 4.0),
            stress_mr.STRUCTURAL, stress_mr.motion,
        ),
        "noise": Stress(
            "noise in T1w and T2w", "of white matter", (0.03, 0.06, 0.12),
            stress_mr.STRUCTURAL, stress_mr.noise,
        ),
        "receive-field": Stress(
            "brightness that differs over the brain", "brightest over darkest - 1",
            (0.2, 0.5, 1.0), stress_mr.STRUCTURAL, stress_mr.receive_field,
        ),
        "blur": Stress("all MR blurred", "mm FWHM", (4.0, 8.0, 12.0), MR_INPUTS, stress_mr.blur),
        "bitten": Stress(
            "brain extraction took cortex away", "mm radius", (10.0, 20.0, 30.0),
            stress_mr.STRUCTURAL, stress_mr.bitten,
        ),
        "slices": Stress(
            "upper slices of T2w missing", "of the brain", (0.1, 0.25, 0.4, 0.6),
            (Contrast.T2W,), stress_mr.cut_slices,
        ),
        "few-pairs": Stress(
            "labeled blood from fewer pairs", "of the pairs", (0.5, 0.2, 0.1),
            (Contrast.CBF,), stress_flow.few_pairs,
        ),
        "late-label": Stress(
            "blood arrives late and stands in vessels", "s", (0.3, 0.6, 1.0),
            (Contrast.CBF,), stress_flow.late_label,
        ),
        "short-delay": Stress(
            "post-labeling delay shorter than told", "s", (0.4, 0.8, 1.2),
            (Contrast.CBF,), stress_flow.short_delay,
        ),
        "shift": Stress(
            "T2w and CBF shifted against T1w", "mm", (1.0, 2.0, 4.0, 8.0),
            stress_place.BESIDE, stress_place.shift,
        ),
        "turn": Stress(
            "T2w and CBF turned against T1w", "degrees", (2.0, 5.0, 10.0),
            stress_place.BESIDE, stress_place.turn,
        ),
        "off-template": Stress(
            "all MR shifted against the template", "mm", (2.0, 4.0, 8.0),
            MR_INPUTS, stress_place.off_template,
        ),
    }
)  # fmt: skip
"""A new artifact is a row here."""


def stressed(session: Prepared, name: str, level: float, template: Template) -> Prepared:
    """The session as it would be with an artifact; same session, name and level: same bytes.

    Args:
        session: prepared.
        name: among `STRESSES`.
        level: in the unit of that artifact.
        template: on the session's grid.

    Raises:
        RecipeError: no artifact of that name.
        GeometryError: the template lies on another grid.
    """
    if name not in STRESSES:
        raise RecipeError(f"No stress {name!r}.", hint=did_you_mean(name, STRESSES))
    scene = Scene(session, template, generator("stress", name, str(session.key)))
    return altered(session, STRESSES[name].apply(scene, level), "stress", name, level)
