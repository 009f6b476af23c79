"""What can be seen to be wrong with one session by itself."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.people import SessionKey
from tracerless.core.scaling import MIN_REFERENCE_ML
from tracerless.core.session import Prepared
from tracerless.core.volume import MR_INPUTS, Contrast, Quantity, Volume
from tracerless.synthesize.channels import MIN_COVERAGE, to_grid
from tracerless.synthesize.material import MOST_SUVR, REFERENCE_TOLERANCE
from tracerless.synthesize.pairing_finding import DOUBT, REFUSE, PairFinding
from tracerless.synthesize.space import Space

MOST_ZERO = 0.5
"""A contrast with more of the brain exactly 0 holds no picture of it."""
MOST_HOLES = 0.01
"""Share of the brain that may be unknown in the midst of a field of view."""
LEAST_PET = 0.9
"""PET that shows less of the brain than this is doubted; less than ``MIN_COVERAGE`` is refused."""
MEDIAN_SUVR = (0.3, 5.0)
"""Within which the median SUVR of a brain lies, whatever the reference region."""
MEAN_FLOW = (0.7, 1.4)
"""Within which the mean of relative flow over what is seen of the brain lies; 1 is meant."""


def alone(session: Prepared, where: Space) -> Iterator[PairFinding]:
    """Everything that is wrong with a session's own volumes.

    Args:
        session: prepared.
        where: the network's grid, brain and reference region.
    """
    for contrast in (*MR_INPUTS, Contrast.FDG):
        volume = session.volumes.get(contrast)
        if volume is not None:
            yield from _picture(session.key, volume, where)
    pet = session.volumes.get(Contrast.FDG)
    if pet is not None:
        yield from _uptake(session.key, pet, where)
    flow = session.volumes.get(Contrast.CBF)
    if flow is not None:
        yield from _flow(session.key, flow, where)


def _picture(key: SessionKey, volume: Volume, where: Space) -> Iterator[PairFinding]:
    """Whether there is a picture at all, and how much of the brain it shows."""
    name, least = volume.contrast, LEAST_PET if volume.contrast is Contrast.FDG else MIN_COVERAGE
    if np.isinf(volume.array).any():
        yield PairFinding(key, name, "not-finite", REFUSE, f"The {name} holds infinite values.")
        return
    holes = _holes(volume, where)
    if holes > MOST_HOLES:
        reason = f"{holes:.0%} of the brain is unknown in the midst of the {name}."
        yield PairFinding(key, name, "not-finite", REFUSE, reason)
    inside = to_grid(volume, where.grid)[where.brain]
    seen = inside[np.isfinite(inside)]
    coverage = seen.size / inside.size
    if coverage < least:
        verdict = REFUSE if coverage < MIN_COVERAGE else DOUBT
        least = min(least, MIN_COVERAGE) if verdict == REFUSE else least
        reason = f"The {name} shows {coverage:.0%} of the brain, less than {least:.0%}."
        yield PairFinding(key, name, "cut", verdict, reason)
    if not seen.size:
        return
    if float(seen.max()) <= float(seen.min()):
        reason = f"The {name} is {seen[0]:.4g} in the whole brain."
        kind = "constant" if seen[0] else "empty"
        yield PairFinding(key, name, kind, REFUSE, reason)
    elif (seen == 0).mean() > MOST_ZERO:
        reason = f"The {name} is exactly 0 in {(seen == 0).mean():.0%} of the brain."
        yield PairFinding(key, name, "empty", REFUSE, reason)


def _holes(volume: Volume, where: Space) -> float:
    """Share of the brain that is unknown but surrounded by what is known.

    Flow is unknown where M0 was too low to divide by; that is no defect.
    """
    unknown = np.isnan(volume.array)
    if volume.contrast is Contrast.CBF or not unknown.any():
        return 0.0
    enclosed: NDArray[np.bool_] = ndimage.binary_fill_holes(~unknown) & unknown
    brain_voxels = where.brain.sum() * where.grid.voxel_ml / volume.grid.voxel_ml
    return float(enclosed.sum() / brain_voxels)


def _uptake(key: SessionKey, pet: Volume, where: Space) -> Iterator[PairFinding]:
    """Whether PET is the ratio to the reference region that training takes."""
    if pet.quantity is not Quantity.SUVR:
        yield PairFinding(
            key, pet.contrast, "units", REFUSE, f"The FDG is in {pet.quantity}, not SUVR."
        )
        return
    array = to_grid(pet, where.grid)
    reference = array[where.reference]
    reference = reference[np.isfinite(reference)]
    if reference.size * where.grid.voxel_ml < MIN_REFERENCE_ML:
        reason = f"The FDG does not show the reference region ({where.reference_name})."
        yield PairFinding(key, pet.contrast, "cut", REFUSE, reason)
        return
    level = float(reference.mean())
    if not abs(level - 1) <= REFERENCE_TOLERANCE:
        reason = f"The FDG has mean {level:.3g} in the reference region, not 1."
        yield PairFinding(key, pet.contrast, "units", REFUSE, reason)
        return
    inside = array[where.brain & np.isfinite(array)]
    median, highest = float(np.median(inside)), float(inside.max())
    if not MEDIAN_SUVR[0] <= median <= MEDIAN_SUVR[1] or highest > MOST_SUVR:
        reason = f"The FDG of the brain has median {median:.3g} and maximum {highest:.3g} SUVR."
        yield PairFinding(
            key, pet.contrast, "units", REFUSE, f"{reason} This is no uptake of a brain."
        )


def _flow(key: SessionKey, flow: Volume, where: Space) -> Iterator[PairFinding]:
    """Whether flow is relative to the brain's mean."""
    if flow.quantity is not Quantity.RELATIVE_CBF:
        reason = f"The cbf is in {flow.quantity}, not relative to the brain's mean."
        yield PairFinding(key, flow.contrast, "units", REFUSE, reason)
        return
    array = to_grid(flow, where.grid)
    inside = array[where.brain & np.isfinite(array)]
    mean = float(inside.mean()) if inside.size else 0.0
    if mean and not MEAN_FLOW[0] <= mean <= MEAN_FLOW[1]:
        reason = f"The cbf has mean {mean:.3g} in the brain, not 1."
        yield PairFinding(key, flow.contrast, "units", DOUBT, reason)
