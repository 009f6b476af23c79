"""What was learned, as a checkpoint: calibrated, bounded, and with its record."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from tracerless.core.volume import MR_INPUTS, Contrast
from tracerless.synthesize.adapt import blended
from tracerless.synthesize.calibration import Calibration, calibrations, subset_key
from tracerless.synthesize.channels import Normalisation
from tracerless.synthesize.checkpoint import Checkpoint, manifest, people_digests
from tracerless.synthesize.expected import fit_expected
from tracerless.synthesize.head import box_of
from tracerless.synthesize.intervals import VoxelError, intervals, voxel_error
from tracerless.synthesize.learned import Learned, Ways
from tracerless.synthesize.manifest import History
from tracerless.synthesize.material import Material
from tracerless.synthesize.reach import ReachModel, fit_reach
from tracerless.synthesize.space import Space

CURVE_POINTS = 400
"""A longer curve of losses is kept as so many means."""


def checkpoint(
    material: Material, ways: Ways, learned: Learned, base: Checkpoint | None
) -> Checkpoint:
    """The trained model as a value.

    Args:
        material: all sessions.
        ways: where and how it learned.
        learned: what came of it.
        base: the model that was tuned, if one was.
    """
    where, trained = ways.where, learned.trained
    shown = tuple(c for i, c in enumerate(MR_INPUTS) if material.present[trained, i].any())
    calibration = calibrations(learned.evidence.pairs)
    if base is not None:
        calibration = blended(base.calibration, calibration)
    voxels = _voxels(learned, where, calibration[subset_key(shown)])
    bounds = intervals(learned.evidence.pairs, calibration, where.keys, voxels)
    known = people_digests(material.people)
    taught = {material.people[row] for row in trained}
    domains = {ways.training_domain, *(() if base is None else (base.training_domain,))}
    return Checkpoint(
        weights=learned.weights,
        expected=learned.expected,
        baseline=fit_expected(
            material.suvr[trained], [material.facts[row] for row in trained], "age-sex"
        ),
        brain=where.brain,
        reference_mask=where.reference,
        labels=where.labels,
        regions=where.keys,
        voxel_error=_map(voxels, base, where),
        grid=where.grid,
        residual_suvr=learned.residual_suvr,
        normalisation=Normalisation() if base is None else base.normalisation,
        template=where.template,
        atlas=where.atlas,
        reference=where.reference_name,
        recipe=ways.recipe,
        training_domain="simulated" if domains == {"simulated"} else "acquired",
        people=tuple(sorted({*known, *(() if base is None else base.people)})),
        n_trained=len(taught),
        n_held_out=len(set(material.people) - taught),
        inputs=_inputs(shown, base),
        calibration=calibration,
        intervals=bounds if base is None else {**base.intervals, **bounds},
        reach=_reach(material, where, trained) or (None if base is None else base.reach),
        manifest=manifest(material.people, material.facts, trained, split=ways.recipe.split_by),
        history=_history(ways, learned),
        base="" if base is None else base.name,
        origin=_origin(base),
    )


def _origin(base: Checkpoint | None) -> str:
    """Where a tuned model began: one that ever learned from simulated people stays marked."""
    if base is None:
        return ""
    return "simulated" if "simulated" in {base.training_domain, base.origin} else "acquired"


def _inputs(shown: tuple[Contrast, ...], base: Checkpoint | None) -> tuple[Contrast, ...]:
    known = set(shown) if base is None else {*shown, *base.inputs}
    return tuple(contrast for contrast in MR_INPUTS if contrast in known)


def _voxels(learned: Learned, where: Space, calibration: Calibration) -> VoxelError | None:
    seen = learned.evidence.volumes
    if not len(seen.truth):
        return None
    box = box_of(where.brain)
    return voxel_error(
        seen.truth,
        seen.predicted,
        calibration,
        labels=where.labels[box][where.brain[box]],
        people=seen.people,
        spread=seen.spread,
        groups=seen.groups,
    )


def _map(voxels: VoxelError | None, base: Checkpoint | None, where: Space) -> NDArray[np.float32]:
    """(I, J, K) errors of the brain's voxels; NaN elsewhere, and where nobody was held out."""
    if voxels is None and base is not None:
        return base.voxel_error
    array = np.full(where.grid.shape, np.nan, dtype=np.float32)
    if voxels is not None:
        array[where.brain] = voxels.size
    return array


def _reach(material: Material, where: Space, trained: NDArray[np.int64]) -> ReachModel | None:
    return fit_reach(
        (material.values[row].astype(np.float32) for row in trained),
        material.present[trained],
        where.brain[box_of(where.brain)],
        spacing_mm=float(where.grid.spacing_mm[0]),
        people=[material.people[row] for row in trained],
    )


def _history(ways: Ways, learned: Learned) -> History:
    return History(
        losses={part: _curve(each) for part, each in learned.losses.items()},
        checks={member: tuple(each) for member, each in learned.checks.items()},
        threads=ways.watch.threads,
        torch=torch.__version__,
        device=ways.crew.device.type,
        processes=ways.crew.size,
    )


def _curve(losses: Sequence[float]) -> tuple[float, ...]:
    """At most ``CURVE_POINTS`` means over equal stretches; steps without a loss do not count."""
    known = np.array(losses, dtype=np.float64)
    known = known[np.isfinite(known)]
    parts = np.array_split(known, min(CURVE_POINTS, max(len(known), 1)))
    return tuple(float(f"{part.mean():.6g}") for part in parts if len(part))
