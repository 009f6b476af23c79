"""What a synthesizer learns from: pairs of MR and FDG on the network's grid."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.atlas import Atlas
from tracerless.core.errors import GeometryError, ModelError, QuantityError, RecipeMismatchError
from tracerless.core.grid import Grid
from tracerless.core.people import Pseudonym
from tracerless.core.session import Prepared, Template
from tracerless.core.transform import resample
from tracerless.core.volume import Contrast, Quantity
from tracerless.synthesize.channels import Normalisation, channels, choose
from tracerless.synthesize.head import box_of

REFERENCE_TOLERANCE = 0.15
"""A training PET whose reference mean lies farther from 1 was divided by something else, SUVR."""
MIN_PAIRS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Where the network works.

    Args:
        template: key of the template space.
        grid: of the network.
        brain: (I, J, K).
        reference: (I, J, K) reference region.
        regions: (R, I, J, K) regions, cut to the brain; those without a voxel in it are left out.
        keys: of these regions.
    """

    template: str
    grid: Grid
    brain: NDArray[np.bool_]
    reference: NDArray[np.bool_]
    regions: NDArray[np.bool_]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """N sessions.

    Args:
        people: whose, one entry a session.
        values: (N, 3, i, j, k) normalised MR in the brain's box.
        present: (N, 3) which contrasts there are.
        suvr: (N, I, J, K) acquired FDG; NaN outside its field of view.
    """

    people: tuple[Pseudonym, ...]
    values: NDArray[np.float32]
    present: NDArray[np.bool_]
    suvr: NDArray[np.float32]

    def of(self, people: Iterable[Pseudonym]) -> NDArray[np.int64]:
        """Which sessions belong to these people."""
        wanted = set(people)
        return np.array([i for i, p in enumerate(self.people) if p in wanted], dtype=np.int64)


def space(template: Template, atlas: Atlas, reference: str) -> Space:
    """The network's space.

    Raises:
        GeometryError: template and atlas lie on different grids.
        RecipeError: the atlas has no such reference region.
    """
    if template.grid != atlas.grid:
        raise GeometryError(
            f"Template {template.key} {template.grid.shape} and atlas {atlas.key} "
            f"{atlas.grid.shape} lie on different grids.",
            hint="Load both at synthesize.voxel_mm.",
        )
    brain = template.brain.array > 0.5
    whole = {region.key: (atlas.labels == region.index) & brain for region in atlas.regions}
    masks = {key: mask for key, mask in whole.items() if mask.any()}
    return Space(
        template.key,
        template.grid,
        brain,
        atlas.reference(reference),
        np.stack([*masks.values()]),
        tuple(masks),
    )


def gather(sessions: Iterable[Prepared], where: Space, normalisation: Normalisation) -> Material:
    """Walk the sessions once and keep what training needs; the volumes may be dropped after.

    Raises:
        ModelError: fewer than two sessions, or one that failed quality control.
        ContrastError: a session without FDG, or without MR.
        QuantityError: FDG that is not SUVR of this reference region, or a contrast without picture.
        RecipeMismatchError: a session in another template space.
    """
    people, values, present, suvr = [], [], [], []
    box = box_of(where.brain)
    for session in sessions:
        require_fit(session, where.template)
        suvr.append(_target(session, where))
        seen = channels(
            session,
            choose(session, None),
            grid=where.grid,
            brain=where.brain,
            normalisation=normalisation,
        )
        people.append(session.key.person)
        values.append(seen.values[(slice(None), *box)].copy())
        present.append(seen.present)
    if len(people) < MIN_PAIRS:
        raise ModelError(
            f"{len(people)} pairs of MR and FDG are too few to train on.",
            hint="Prepare sessions that have FDG and at least one of T1w, T2w and cbf.",
        )
    return Material(tuple(people), np.stack(values), np.array(present), np.stack(suvr))


def require_fit(session: Prepared, template: str) -> None:
    """Refuse a session that a model must not see.

    Raises:
        RecipeMismatchError: another template space.
        ModelError: the session failed quality control.
    """
    if session.template != template:
        raise RecipeMismatchError(
            f"{session.key} lies in {session.template}, the synthesizer in {template}.",
            hint="Prepare the session with the model's template, or train on this one.",
        )
    if session.verdict == "fail":
        reasons = " ".join(session.reasons) or "no reason was kept"
        raise ModelError(
            f"{session.key} failed quality control: {reasons}",
            hint="Leave the session out, or mend its scans and prepare it again.",
        )


def _target(session: Prepared, where: Space) -> NDArray[np.float32]:
    """FDG on the network's grid.

    It is sampled, not blurred: prepared PET is smooth already, and a blur would pull every region
    toward its surroundings.
    """
    volume = session.require(Contrast.FDG)
    if volume.quantity != Quantity.SUVR:
        raise QuantityError(
            f"The FDG of {session.key} is in {volume.quantity}, not SUVR.",
            hint="Prepare the session again.",
        )
    array = volume.array if volume.grid == where.grid else resample(volume, where.grid).array
    inside = array[where.reference]
    level = float(np.nanmean(inside)) if np.isfinite(inside).any() else float("nan")
    if not abs(level - 1) <= REFERENCE_TOLERANCE:
        raise QuantityError(
            f"The FDG of {session.key} has mean {level:.2f} in the reference region, not 1.",
            hint="Prepare all sessions with one reference region, and train with the same.",
        )
    return array
