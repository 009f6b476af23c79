"""Whether MR and PET of each session belong together, before anything learns from them.

A session is looked at once (``look``: in a worker, small enough to keep) and all are judged
together (``judged``), because what is usual only a cohort can tell. Every finding says which
contrast is to blame: a pair goes on without a bad T2w, and ends without its FDG.
"""

import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.people import SessionKey
from tracerless.core.session import Prepared
from tracerless.core.volume import MR_INPUTS, Contrast
from tracerless.synthesize.pairing_finding import DOUBT, REFUSE, PairFinding
from tracerless.synthesize.pairing_look import Look, Meeting, look
from tracerless.synthesize.pairing_people import (
    DOUBTFUL_Z,
    LEAST_PEOPLE,
    STRANGE_Z,
    Agreement,
    agreement,
    copies,
)
from tracerless.synthesize.pairing_shift import Shift, off_mm
from tracerless.synthesize.space import Space

__all__ = ["Look", "check_pairs", "judged", "look"]

LIMITS_MM: Mapping[Meeting, tuple[float, float]] = {
    (Contrast.T1W, Contrast.FDG): (3.0, 4.5),
    (Contrast.T1W, Contrast.T2W): (3.0, 4.5),
    (Contrast.T2W, Contrast.FDG): (4.5, math.inf),
    (Contrast.CBF, Contrast.FDG): (5.0, 7.0),
}
"""From what distance on two contrasts are doubted, and refused. Measured on simulated people, most
of them randomised: FDG lay on T1w within 1.9 mm where nothing was moved, and 4.5 mm and more off
where it was moved by 6 mm; flow within 4.9 mm. FDG on T2w (asked where there is no T1w) tells less
and only raises a doubt."""
SURELY_MIRRORED = 0.01
"""By so much better or worse a contrast must fit with left and right exchanged, in the logarithm of
the variance that is not explained; less on either side is doubted."""
LEAST_AGREEMENT = 0.15
"""A contrast that explains less of PET's variance wherever it lies says nothing of its place."""
USUAL_FROM = 8
"""From so many sessions on, the median of their shifts counts as none."""
ANATOMY = (Contrast.T1W, Contrast.T2W)
"""They show best whose brain it is; flow is asked where they cannot tell."""

logger = logging.getLogger(__name__)


def check_pairs(sessions: Iterable[Prepared], where: Space) -> tuple[PairFinding, ...]:
    """What is wrong with the pairs of a cohort; see ``look`` and ``judged``."""
    return judged([look(session, where) for session in sessions])


def judged(looks: Sequence[Look]) -> tuple[PairFinding, ...]:
    """Everything that is wrong with a cohort's pairs, by session.

    Args:
        looks: one a session, every session once.
    """
    findings = [finding for each in looks for finding in each.alone]
    for meeting in LIMITS_MM:
        findings += _misplaced(looks, meeting)
    for each in looks:
        findings += _mirrored(each)
        findings += _apart(each)
    findings += _duplicates(looks)
    findings += _strangers(looks, _unusable(findings))
    return tuple(sorted(findings, key=lambda each: (each.key, each.kind, each.reason)))


def _unusable(findings: Iterable[PairFinding]) -> set[tuple[SessionKey, Contrast]]:
    """Pictures that cannot tell whose they are; a mirrored one may well be somebody else's."""
    return {(f.key, f.contrast) for f in findings if f.verdict == REFUSE and f.kind != "mirrored"}


def _misplaced(looks: Sequence[Look], meeting: Meeting) -> Iterator[PairFinding]:
    """Sessions of which one contrast does not lie on the other."""
    told = [each for each in looks if _tells(each.shifts.get(meeting, ()))]
    found = [each.shifts[meeting] for each in told]
    doubtful_mm, far_mm = LIMITS_MM[meeting]
    still, moved = meeting
    for each, mm in zip(told, off_mm(found, usual_from=USUAL_FROM), strict=True):
        if mm > doubtful_mm:
            verdict, limit_mm = (REFUSE, far_mm) if mm > far_mm else (DOUBT, doubtful_mm)
            blame = _blamed(each, meeting)
            other = still if blame is moved else moved
            reason = f"{blame} lies {mm:.1f} mm off {other}, more than {limit_mm:g} mm."
            yield PairFinding(each.key, blame, "misregistered", verdict, reason)


def _apart(each: Look) -> Iterator[PairFinding]:
    """FDG of which T1w explains so little that its place cannot be judged: far turned, perhaps."""
    found = each.shifts.get((Contrast.T1W, Contrast.FDG), ())
    if found and not _tells(found):
        reason = (
            f"T1w explains {found[0].agreement:.0%} of FDG's variance wherever FDG is moved, less "
            f"than {LEAST_AGREEMENT:.0%}: whether they lie on each other cannot be told."
        )
        yield PairFinding(each.key, Contrast.FDG, "misregistered", DOUBT, reason)


def _tells(found: tuple[Shift, ...]) -> bool:
    return bool(found) and found[0].agreement >= LEAST_AGREEMENT


def _blamed(each: Look, meeting: Meeting) -> Contrast:
    """Flow; T1w where T2w and FDG lie upon each other and both off it; else what is moved."""
    still, moved = meeting
    if still is Contrast.CBF:
        return still
    found = [each.shifts.get((Contrast.T1W, other), ()) for other in (Contrast.FDG, Contrast.T2W)]
    if not all(_tells(shifts) for shifts in found):
        return moved
    doubtful_mm = LIMITS_MM[Contrast.T1W, Contrast.FDG][0]
    pet, other = (np.array(shifts[0].mm) for shifts in found)
    off_t1w_mm = min(np.linalg.norm(pet), np.linalg.norm(other))
    is_alone = np.linalg.norm(pet - other) < doubtful_mm < off_t1w_mm
    return Contrast.T1W if is_alone else moved


def _mirrored(each: Look) -> Iterator[PairFinding]:
    """Contrasts that fit better, or as well, with left and right exchanged."""
    told = {pair: worse for pair, worse in each.mirrored.items() if _tells(each.shifts[pair])}
    odd = sorted(pair for pair, worse in told.items() if worse < SURELY_MIRRORED)
    is_t1w = {(Contrast.T1W, Contrast.FDG), (Contrast.T1W, Contrast.T2W)} <= set(odd)
    for still, moved in odd:
        is_sure = told[still, moved] < -SURELY_MIRRORED
        fits = "better" if is_sure else "as well"
        blame, other = (still, moved) if is_t1w else (moved, still)
        reason = f"{blame} fits {other} {fits} with left and right exchanged."
        verdict = REFUSE if is_sure else DOUBT
        yield PairFinding(each.key, blame, "mirrored", verdict, reason)


def _duplicates(looks: Sequence[Look]) -> Iterator[PairFinding]:
    """Sessions that show the same picture as another one."""
    same: dict[tuple[Contrast, str], list[SessionKey]] = {}
    for each in looks:
        for contrast, digest in each.digests.items():
            same.setdefault((contrast, digest), []).append(each.key)
    groups = [(contrast, keys) for (contrast, _), keys in same.items() if len(keys) > 1]
    groups += [(Contrast.FDG, keys) for keys in _near_copies(looks)]
    told: set[tuple[SessionKey, SessionKey, Contrast]] = set()
    for contrast, keys in groups:
        for key in keys:
            other = next(each for each in keys if each != key)
            if (key, other, contrast) not in told:
                told.add((key, other, contrast))
                verdict = DOUBT if other.person == key.person else REFUSE
                reason = f"Its {contrast} is that of {other}."
                yield PairFinding(key, contrast, "duplicate", verdict, reason)


def _near_copies(looks: Sequence[Look]) -> list[list[SessionKey]]:
    """Pairs of sessions whose uptake is the same but for rounding."""
    having = [each for each in looks if Contrast.FDG in each.maps]
    if len(having) < LEAST_PEOPLE:
        return []
    found = copies(_rows(having, Contrast.FDG))
    return [[having[i].key, having[j].key] for i, j in found]


def _strangers(
    looks: Sequence[Look], refused: Set[tuple[SessionKey, Contrast]]
) -> Iterator[PairFinding]:
    """Sessions whose PET is somebody else's.

    T1w and T2w are both asked, flow where neither can tell. Where all that tell agree that PET is a
    stranger's, PET is to blame; where one of them knows PET, the other contrast is the stranger.
    Where none tells, and nobody agrees with themselves by any, all are refused.
    """
    asked = [each for contrast in MR_INPUTS if (each := _asked(looks, contrast, refused))]
    able = [each for each in asked if each.found.can_tell]
    for each in asked:
        if each not in able:
            logger.info("%s does not tell the people of this cohort apart.", each.contrast)
    yield from _told_apart(able)
    if not able and asked and all(each.found.is_shuffled for each in asked):
        yield from _shuffled(asked[0])


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """One contrast of those who have it, against everybody's PET."""

    contrast: Contrast
    keys: tuple[SessionKey, ...]
    found: Agreement


def _asked(
    looks: Sequence[Look], contrast: Contrast, refused: Set[tuple[SessionKey, Contrast]]
) -> _Asked | None:
    """None where too few people have both to judge them among each other."""
    having = [
        each
        for each in looks
        if {contrast, Contrast.FDG} <= set(each.maps)
        and not {(each.key, contrast), (each.key, Contrast.FDG)} & refused
    ]
    people = [each.key.person for each in having]
    if len(set(people)) < LEAST_PEOPLE:
        return None
    mr, pet = _rows(having, contrast), _rows(having, Contrast.FDG)
    return _Asked(contrast, tuple(each.key for each in having), agreement(mr, pet, people))


def _rows(looks: Sequence[Look], contrast: Contrast) -> NDArray[np.float32]:
    return np.stack([each.maps[contrast] for each in looks]).astype(np.float32)


def _told_apart(asked: Sequence[_Asked]) -> Iterator[PairFinding]:
    """What the contrasts that can tell say of each session, together."""
    strange: dict[SessionKey, list[tuple[_Asked, int]]] = {}
    known: set[SessionKey] = set()
    for each in asked:
        places = set(each.found.strange())
        is_last = each.contrast not in ANATOMY
        for place, key in enumerate(each.keys):
            if is_last and (key in known or key in strange):
                continue
            if place in places:
                strange.setdefault(key, []).append((each, place))
            else:
                known.add(key)
    for key, said in strange.items():
        worst = max(said, key=lambda one: one[0].found.is_refused(one[1]))
        for each, place in said if key in known else [worst]:
            blame = each.contrast if key in known else Contrast.FDG
            yield _stranger(each, place, blame)


def _shuffled(asked: _Asked) -> Iterator[PairFinding]:
    """Everybody of a cohort in which own pairs are no better than those of two strangers."""
    reason = (
        f"FDG agrees with its own {asked.contrast} no better than with those of other people in "
        "most of this cohort: its pairs may be shuffled."
    )
    for key in asked.keys:
        yield PairFinding(key, Contrast.FDG, "other-person", REFUSE, reason)


def _stranger(asked: _Asked, place: int, blame: Contrast) -> PairFinding:
    found, key = asked.found, asked.keys[place]
    verdict = REFUSE if found.is_refused(place) else DOUBT
    limit_z = STRANGE_Z if found.z[place] < STRANGE_Z else DOUBTFUL_Z
    reason = (
        f"FDG agrees with its {asked.contrast} only {found.z[place]:.1f} SD better than with those "
        f"of other people, less than {limit_z:g}."
    )
    owner = found.owner(place)
    if owner is not None:
        reason += f" The FDG of {asked.keys[owner]} agrees better."
    return PairFinding(key, blame, "other-person", verdict, reason)
