"""Whether MR and PET of each session belong together, before anything learns from them.

A session is looked at once (``look``: in a worker, small enough to keep) and all are judged
together (``judged``), because what is usual only a cohort can tell.
"""

import functools
import hashlib
import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.grid import Grid, with_spacing
from tracerless.core.people import SessionKey
from tracerless.core.session import Prepared
from tracerless.core.transform import resample
from tracerless.core.volume import MR_INPUTS, Contrast, Quantity, Volume
from tracerless.synthesize.channels import to_grid
from tracerless.synthesize.pairing_alone import alone
from tracerless.synthesize.pairing_finding import DOUBT, REFUSE, PairFinding
from tracerless.synthesize.pairing_people import (
    DOUBTFUL_Z,
    LEAST_PEOPLE,
    STRANGE_Z,
    Agreement,
    agreement,
    copies,
)
from tracerless.synthesize.pairing_shift import Shift, halves, off_mm, shift
from tracerless.synthesize.space import Space

SHIFT_MM = 4.0
"""Voxel edge on which MR and PET are moved against each other."""
LIKENESS_MM = 6.0
"""Voxel edge on which people are told apart."""
Meeting = tuple[Contrast, Contrast]
"""Two contrasts of one session: the second is moved against the first."""

LIMITS_MM: Mapping[Meeting, tuple[float, float]] = {
    (Contrast.T1W, Contrast.FDG): (3.0, 4.5),
    (Contrast.T1W, Contrast.T2W): (3.0, 4.5),
    (Contrast.T2W, Contrast.FDG): (4.5, math.inf),
    (Contrast.CBF, Contrast.FDG): (5.0, math.inf),
}
"""From what distance on two contrasts are doubted, and refused. Measured on simulated people: FDG
on T1w 1.0 mm and less where nothing was moved, 5.2 mm and more where it was moved by 6 mm. T2w
(asked where there is no T1w) and noisy flow tell less, and only raise a doubt."""
LEAST_AGREEMENT = 0.15
"""A contrast that explains less of PET's variance wherever it lies says nothing of its place."""
USUAL_FROM = 8
"""From so many sessions on, the median of their shifts counts as none."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What is kept of one session to judge it among others; half precision.

    Args:
        key: whose.
        alone: what is wrong with the session by itself.
        shifts: by pair of contrasts, where the second lies against the first: over the whole brain,
            then in the halves of it (right, left, front, back, top, bottom) that were asked, so
            that a turn shows too.
        maps: by contrast, (V,) float16 in the brain at ``LIKENESS_MM``: MR as robust z, FDG over
            its mean; NaN where nothing is known.
        digests: by contrast, of the volume's own bytes.
    """

    key: SessionKey
    alone: tuple[PairFinding, ...]
    shifts: Mapping[Meeting, tuple[Shift, ...]]
    maps: Mapping[Contrast, NDArray[np.float16]]
    digests: Mapping[Contrast, str]


def check_pairs(sessions: Iterable[Prepared], where: Space) -> tuple[PairFinding, ...]:
    """What is wrong with the pairs of a cohort; see ``look`` and ``judged``."""
    return judged([look(session, where) for session in sessions])


def look(session: Prepared, where: Space) -> Look:
    """What is needed to judge a session; a bad picture becomes a finding, never an error.

    Args:
        session: prepared, in the template space of ``where``.
        where: the network's grid, brain and reference region.
    """
    found = tuple(alone(session, where))
    seen = {c: v for c, v in session.volumes.items() if c in {*MR_INPUTS, Contrast.FDG}}
    is_picture = all(each.verdict != REFUSE or each.kind == "units" for each in found)
    usable = seen if is_picture else {}
    return Look(
        key=session.key,
        alone=found,
        shifts=_shifts(usable, where),
        maps=_maps(usable, where),
        digests={contrast: _digest(volume) for contrast, volume in seen.items()},
    )


def judged(looks: Sequence[Look]) -> tuple[PairFinding, ...]:
    """Everything that is wrong with a cohort's pairs, by session.

    Args:
        looks: one a session, every session once.
    """
    findings = [finding for each in looks for finding in each.alone]
    for meeting in LIMITS_MM:
        findings += _misplaced(looks, meeting)
    findings += _duplicates(looks)
    refused = {each.key for each in findings if each.verdict == REFUSE}
    findings += _strangers([each for each in looks if each.key not in refused])
    return tuple(sorted(findings, key=lambda each: (each.key, each.kind, each.reason)))


def _misplaced(looks: Sequence[Look], meeting: Meeting) -> Iterator[PairFinding]:
    """Sessions of which one contrast does not lie on the other."""
    told = [each for each in looks if _tells(each.shifts.get(meeting, ()))]
    found = [each.shifts[meeting] for each in told]
    doubtful_mm, far_mm = LIMITS_MM[meeting]
    still, moved = meeting
    for each, mm in zip(told, off_mm(found, usual_from=USUAL_FROM), strict=True):
        if mm > doubtful_mm:
            verdict = REFUSE if mm > far_mm else DOUBT
            reason = f"{moved} lies {mm:.1f} mm off {still}, more than {doubtful_mm:g} mm."
            yield PairFinding(each.key, "misregistered", verdict, reason)


def _tells(found: tuple[Shift, ...]) -> bool:
    return bool(found) and found[0].agreement >= LEAST_AGREEMENT


def _duplicates(looks: Sequence[Look]) -> Iterator[PairFinding]:
    """Sessions that show the same picture as another one."""
    same: dict[tuple[Contrast, str], list[SessionKey]] = {}
    for each in looks:
        for contrast, digest in each.digests.items():
            same.setdefault((contrast, digest), []).append(each.key)
    groups = [(contrast, keys) for (contrast, _), keys in same.items() if len(keys) > 1]
    groups += [(Contrast.FDG, keys) for keys in _near_copies(looks)]
    told: set[tuple[SessionKey, SessionKey]] = set()
    for contrast, keys in groups:
        for key in keys:
            other = next(each for each in keys if each != key)
            if (key, other) not in told:
                told.add((key, other))
                verdict = DOUBT if other.person == key.person else REFUSE
                reason = f"Its {contrast} is that of {other}."
                yield PairFinding(key, "duplicate", verdict, reason)


def _near_copies(looks: Sequence[Look]) -> list[list[SessionKey]]:
    """Pairs of sessions whose uptake is the same but for rounding."""
    having = [each for each in looks if Contrast.FDG in each.maps]
    if len(having) < LEAST_PEOPLE:
        return []
    found = copies(_rows(having, Contrast.FDG))
    return [[having[i].key, having[j].key] for i, j in found]


def _strangers(looks: Sequence[Look]) -> Iterator[PairFinding]:
    """Sessions whose PET is somebody else's, by the first contrast that tells people apart.

    Where none does, and nobody agrees with themselves by any, all are doubted.
    """
    left = [each for each in looks if Contrast.FDG in each.maps]
    untold = []
    for contrast in MR_INPUTS:
        having = [each for each in left if contrast in each.maps]
        if len(having) < LEAST_PEOPLE:
            continue
        found = agreement(_rows(having, contrast), _rows(having, Contrast.FDG))
        if not found.can_tell:
            logger.info("%s does not tell the people of this cohort apart.", contrast)
            untold.append((contrast, having, found))
            continue
        yield from _told_apart(having, contrast, found)
        left = [each for each in left if contrast not in each.maps]
    if untold and left and all(found.is_shuffled for _, _, found in untold):
        contrast, having, found = untold[0]
        yield from _told_apart(having, contrast, found)


def _rows(looks: Sequence[Look], contrast: Contrast) -> NDArray[np.float32]:
    return np.stack([each.maps[contrast] for each in looks]).astype(np.float32)


def _told_apart(
    looks: Sequence[Look], contrast: Contrast, found: Agreement
) -> Iterator[PairFinding]:
    for place in found.strange():
        other = looks[found.better(place)].key
        yield _stranger(looks[place].key, contrast, found, place, other)


def _stranger(
    key: SessionKey, contrast: Contrast, found: Agreement, place: int, other: SessionKey
) -> PairFinding:
    z = float(found.z[place])
    verdict = REFUSE if found.can_tell and z < STRANGE_Z else DOUBT
    better = f" The FDG of {other} agrees better." if other != key else ""
    reason = (
        f"FDG agrees with its {contrast} only {z:.1f} SD better than with those of other people, "
        f"less than {DOUBTFUL_Z:g}.{better}"
    )
    if not found.can_tell:
        reason += " It is so in most of this cohort: its pairs may be shuffled."
    return PairFinding(key, "other-person", verdict, reason)


def _shifts(volumes: Mapping[Contrast, Volume], where: Space) -> dict[Meeting, tuple[Shift, ...]]:
    grid, brain = _brain(where, SHIFT_MM)
    arrays = {contrast: to_grid(volume, grid) for contrast, volume in volumes.items()}
    edge_mm = grid.spacing_mm[0]
    found = {}
    for still, moved in LIMITS_MM:
        if not {still, moved} <= set(arrays) or (still is Contrast.T2W and Contrast.T1W in arrays):
            continue
        parts = [brain, *(halves(brain) if still is Contrast.T1W else ())]
        pair = arrays[still], arrays[moved]
        each = [shift(*pair, part, spacing_mm=edge_mm) for part in parts]
        if None not in each:
            found[still, moved] = tuple(part for part in each if part is not None)
    return found


def _maps(volumes: Mapping[Contrast, Volume], where: Space) -> dict[Contrast, NDArray[np.float16]]:
    if Contrast.FDG not in volumes:
        return {}
    grid, brain = _brain(where, LIKENESS_MM)
    found = {}
    for contrast, volume in volumes.items():
        values = to_grid(volume, grid)[brain].astype(np.float64)
        if contrast is Contrast.FDG:
            scaled = values / np.nanmean(values)
        else:
            low, middle, high = np.nanpercentile(values, (25, 50, 75))
            scaled = np.clip((values - middle) / max(high - low, 1e-6), -4, 4)
        found[contrast] = scaled.astype(np.float16)
    return found


@functools.lru_cache(maxsize=4)
def _brain(where: Space, edge_mm: float) -> tuple[Grid, NDArray[np.bool_]]:
    """The template's grid at that voxel edge or the network's, and the brain on it."""
    edge_mm = max(edge_mm, where.grid.spacing_mm[0])
    if edge_mm == where.grid.spacing_mm[0]:
        return where.grid, where.brain
    grid = with_spacing(where.grid, edge_mm)
    inside = where.brain.astype(np.float32)
    share = Volume(inside, where.grid, Quantity.PROBABILITY, Contrast.UNKNOWN)
    brain: NDArray[np.bool_] = np.nan_to_num(resample(share, grid).array) > 0.5
    brain.setflags(write=False)
    return grid, brain


def _digest(volume: Volume) -> str:
    return hashlib.sha256(np.ascontiguousarray(volume.array).tobytes()).hexdigest()
