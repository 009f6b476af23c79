"""What a synthesizer learns from: pairs of MR and FDG on the network's grid."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import ModelError, QuantityError, RecipeMismatchError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.session import Prepared
from tracerless.core.transform import resample
from tracerless.core.volume import MR_INPUTS, Contrast, Quantity
from tracerless.synthesize.channels import Normalisation, channels, choose
from tracerless.synthesize.head import box_of
from tracerless.synthesize.space import Space

REFERENCE_TOLERANCE = 0.15
"""A training PET whose reference mean lies farther from 1 was divided by something else, SUVR."""
MOST_SUVR = 20.0
"""No voxel of a brain takes up so many times the reference region."""
MIN_PAIRS = 2
UP_FOR_REVIEW = "The prepared session is up for review"
"""How a doubt about the preparation begins, wherever it is told."""
_STORED_SUVR = 1000.0
_UNKNOWN = PersonFacts()


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One session as training keeps it; half precision, for a cohort must fit into memory.

    Args:
        key: whose.
        values: (3, i, j, k) float16 normalised MR in the brain's box.
        present: which contrasts there are.
        suvr: (I, J, K) float16 acquired FDG; NaN outside its field of view.
    """

    key: SessionKey
    values: NDArray[np.float16]
    present: tuple[bool, ...]
    suvr: NDArray[np.float16]

    def without(self, contrasts: Container[Contrast]) -> "Pair":
        """The pair as if it had never had these MR contrasts."""
        bad = [contrast in contrasts for contrast in MR_INPUTS]
        if not any(bad):
            return self
        values = np.where(np.reshape(bad, (-1, 1, 1, 1)), np.float16(0), self.values)
        present = tuple(has and not out for has, out in zip(self.present, bad, strict=True))
        return replace(self, values=values, present=present)


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """N sessions.

    Args:
        people: whose, one entry a session.
        facts: what is known of that person, one entry a session.
        values: (N, 3, i, j, k) float16 normalised MR in the brain's box.
        present: (N, 3) which contrasts there are.
        suvr: (N, I, J, K) float16 acquired FDG; NaN outside its field of view.
    """

    people: tuple[Pseudonym, ...]
    facts: tuple[PersonFacts, ...]
    values: NDArray[np.float16]
    present: NDArray[np.bool_]
    suvr: NDArray[np.float16]

    def of(self, people: Iterable[Pseudonym]) -> NDArray[np.int64]:
        """Which sessions belong to these people."""
        wanted = set(people)
        return np.array([i for i, p in enumerate(self.people) if p in wanted], dtype=np.int64)

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> "Material":
        """Those sessions alone, in that order."""
        at = np.asarray(rows, dtype=np.int64)
        return replace(
            self,
            people=tuple(self.people[i] for i in at),
            facts=tuple(self.facts[i] for i in at),
            values=self.values[at],
            present=self.present[at],
            suvr=self.suvr[at],
        )


def gather(
    sessions: Iterable[Prepared],
    where: Space,
    normalisation: Normalisation | None = None,
    facts: Mapping[Pseudonym, PersonFacts] | None = None,
) -> Material:
    """Walk the sessions once and keep what training needs; the volumes may be dropped after.

    Raises:
        ModelError: fewer than two sessions, or one that failed quality control.
        ContrastError: a session without FDG, or without MR.
        QuantityError: FDG that is not SUVR of this reference region, or a contrast without picture.
        RecipeMismatchError: a session in another template space.
    """
    scale = normalisation or Normalisation()
    return gathered((pair(each, where, scale) for each in sessions), facts)


def gathered(
    pairs: Iterable[Pair], facts: Mapping[Pseudonym, PersonFacts] | None = None
) -> Material:
    """The pairs laid out for training.

    Raises:
        ModelError: fewer than two of them.
    """
    kept = list(pairs)
    if len(kept) < MIN_PAIRS:
        raise ModelError(
            f"{len(kept)} pairs of MR and FDG are too few to train on.",
            hint="Prepare sessions that have FDG and at least one of T1w, T2w and cbf.",
        )
    people = tuple(each.key.person for each in kept)
    known = facts or {}
    return Material(
        people,
        tuple(known.get(person, _UNKNOWN) for person in people),
        np.stack([each.values for each in kept]),
        np.array([each.present for each in kept]),
        np.stack([each.suvr for each in kept]),
    )


def pair(session: Prepared, where: Space, normalisation: Normalisation) -> Pair:
    """One session on the network's grid.

    Raises:
        ModelError: it failed quality control, or a contrast shows too little of the brain.
        ContrastError: no FDG, or no MR.
        QuantityError: FDG that is not SUVR of this reference region, or a contrast without picture.
        RecipeMismatchError: another template space.
    """
    require_fit(session, where.template)
    suvr = _target(session, where)
    seen = channels(
        session,
        choose(session, None),
        grid=where.grid,
        brain=where.brain,
        normalisation=normalisation,
    )
    values = seen.values[(slice(None), *box_of(where.brain))].astype(np.float16)
    return Pair(session.key, values, seen.present, suvr)


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


def doubts(session: Prepared) -> tuple[str, ...]:
    """Why a session is up for review, in sentences that stand beside what is made of it."""
    return tuple(f"{UP_FOR_REVIEW}: {r}" for r in session.reasons)


def _target(session: Prepared, where: Space) -> NDArray[np.float16]:
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
    highest = float(np.nanmax(array[where.brain]))
    if highest > MOST_SUVR:
        raise QuantityError(
            f"The FDG of {session.key} reaches {highest:.3g} in the brain; SUVR stays below "
            f"{MOST_SUVR:g}.",
            hint="Look at the PET: this is no uptake of a brain.",
        )
    return np.clip(array, -_STORED_SUVR, _STORED_SUVR).astype(np.float16)
