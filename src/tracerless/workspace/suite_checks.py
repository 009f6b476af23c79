"""Sections ``geometry`` and ``memorisation``: what must hold before a number means anything."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.assessment import TABLES
from tracerless.core.session import Prepared
from tracerless.core.transform import resample
from tracerless.core.volume import Contrast, Volume
from tracerless.evaluate.memorisation import nearness
from tracerless.synthesize.output import output as output_of
from tracerless.workspace import suite_people as people
from tracerless.workspace.section import Advance
from tracerless.workspace.trial import Subject, Trial

N_GEOMETRY = 6
"""People whose grids and units are checked."""
N_TRAINING, N_UNSEEN = 120, 80
"""Training people, and unseen ones, at most that predictions are compared with."""
UNIT_LIMIT = 1e-3
"""How far the reference mean may lie from 1, SUVR."""
IDENTITY_LIMIT = 0.03
"""What a region may lose on the way to the network's grid and back, SUVR; 4 mm under 2 mm: 0.02."""
SAME_SUVR = 1e-3
"""Two volumes that differ by less in every voxel looked at are one scan."""
FOUND = "found"
"""Verdict of a check that something is wrong; the other one is ``pass``."""
_EVERY = 3
"""Every so many voxels along each axis stand for all when volumes are compared."""


def geometry(
    trial: Trial, *, progress: Advance | None = None
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Predictions come back on the grid and in the unit of the session.

    An identity model, which says exactly what was acquired, shows what the network's grid alone
    costs.

    Args:
        trial: model and people.
        progress: told of every person.
    """
    subjects = trial.subjects[:N_GEOMETRY]
    grids, levels, lost = [], [], []
    for at, subject in enumerate(subjects):
        prepared = trial.prepared(subject)
        try:
            made = trial.predict(subject, prepared).volume
        except people.REFUSALS:
            made = None
        if made is not None:
            grids.append(made.grid == prepared.grid)
            levels.append(abs(_level(trial, made) - 1))
        truth = prepared.require(Contrast.FDG)
        lost.append(trial.regions(identity_model(trial, truth)) - trial.regions(truth))
        if progress is not None:
            progress(at + 1, len(subjects), str(subject.key))
    largest = float(np.nanmax(np.abs(np.stack(lost))))
    row = ("identity model on the network's grid", "acquired", largest, IDENTITY_LIMIT)
    verdict = "pass" if largest <= IDENTITY_LIMIT else "fail"
    return {
        "parity": pd.DataFrame([(*row, verdict)], columns=[*TABLES["parity"]]),
        "findings": pd.DataFrame(_findings(grids, levels), columns=[*TABLES["findings"]]),
    }, []


def identity_model(trial: Trial, truth: Volume) -> Volume:
    """What a model makes of a session that says exactly what was acquired, on its own grid."""
    made = trial.checkpoint
    output = output_of(made.grid, trial.template, trial.atlas, made.reference)
    said = truth if truth.grid == output.grid else resample(truth, output.grid)
    return output.volume(said.array, truth.grid)


def memorisation(
    trial: Trial, *, progress: Advance | None = None
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Whether predictions lie nearer to training people than to others.

    Args:
        trial: with the training dataset at hand.
        progress: told of every person.
    """
    brain = trial.template.brain.array > 0.5
    taught = _taught(trial, brain)
    if not taught:
        return {}, [
            "Whether the model repeats training people could not be told: they are not at hand "
            "(name their dataset with --training)."
        ]
    made, real = [], []
    firsts = {each.person: each for each in reversed(trial.limited(N_UNSEEN).subjects)}
    subjects = list(reversed(firsts.values()))
    for at, subject in enumerate(subjects):
        found = _both(trial, subject, brain)
        if found is not None:
            made.append(found[0])
            real.append(found[1])
        if progress is not None:
            progress(at + 1, len(subjects), str(subject.key))
    if not made:
        return {}, ["The model predicted nobody, so nothing can be said of repeated people."]
    rows = []
    for place, distance in enumerate(("regions", "voxels")):
        arrays = [np.stack([each[place] for each in side]) for side in (made, real, taught)]
        known = np.logical_and.reduce([np.isfinite(each).all(axis=0) for each in arrays])
        known_arrays = [each[:, known] for each in arrays]
        rows.append((trial.name, distance, *nearness(*known_arrays)))
    findings = [_twins(*known_arrays[1:])]
    return {
        "memorisation": pd.DataFrame(rows, columns=[*TABLES["memorisation"]]),
        "findings": pd.DataFrame(findings, columns=[*TABLES["findings"]]),
    }, []


def _twins(real: NDArray[np.float64], taught: NDArray[np.float64]) -> tuple[str, str, str, str]:
    """Whether somebody is evaluated who was trained on under another name: one PET, twice."""
    n = sum(bool((np.abs(taught - each).max(axis=1) < SAME_SUVR).any()) for each in real)
    return (
        "people",
        FOUND if n else "pass",
        f"The acquired PET of {n} of {len(real)} people is also that of a training person "
        f"({len(taught)} looked at).",
        "These people were trained on under another name: evaluate without them." if n else "",
    )


Vectors = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Of one volume: its regions, and a thinned set of its brain voxels; SUVR."""


def _taught(trial: Trial, brain: NDArray[np.bool_]) -> list[Vectors]:
    found: dict[str, Vectors] = {}
    for session in trial.taught():
        if len(found) == N_TRAINING:
            break
        if session.grid == trial.template.grid:
            found.setdefault(str(session.key.person), _vectors(trial, _fdg(session), brain))
    return list(found.values())


def _both(
    trial: Trial, subject: Subject, brain: NDArray[np.bool_]
) -> tuple[Vectors, Vectors] | None:
    prepared = trial.prepared(subject)
    try:
        made = trial.predict(subject, prepared).volume
    except people.REFUSALS:
        return None
    return _vectors(trial, made, brain), _vectors(trial, _fdg(prepared), brain)


def _fdg(session: Prepared) -> Volume:
    return session.require(Contrast.FDG)


def _vectors(trial: Trial, volume: Volume, brain: NDArray[np.bool_]) -> Vectors:
    thin = (slice(None, None, _EVERY),) * 3
    return trial.regions(volume), volume.array[thin][brain[thin]].astype(np.float64)


def _level(trial: Trial, volume: Volume) -> float:
    seen = volume.array[trial.atlas.reference(trial.checkpoint.reference)]
    return float(seen[np.isfinite(seen)].mean(dtype=np.float64))


def _findings(grids: Sequence[bool], levels: Sequence[float]) -> Iterator[tuple[str, ...]]:
    n = len(grids)
    if not n:
        return
    same = sum(grids)
    yield (
        "grid",
        "pass" if same == n else FOUND,
        f"{same} of {n} predictions lie on the session's own grid, shape and affine.",
        "" if same == n else "Nothing measured on them can be trusted; report this.",
    )
    far = max(levels)
    yield (
        "unit",
        "pass" if far <= UNIT_LIMIT else FOUND,
        f"The reference mean of {n} predictions lies within {far:.1e} of 1 SUVR.",
        "" if far <= UNIT_LIMIT else "The unit is not SUVR; report this.",
    )
