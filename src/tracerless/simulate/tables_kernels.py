"""What a region's mean is made of: the weight that every point of a head has in it.

The mean over a region of a blurred activity is a weighted sum of the activity itself; the weight is
the region, blurred. So regional uptake follows from the voxel simulator's own fields by sums, with
spill-over and partial volume in them, and no picture needs to be made.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.atlas import Atlas
from tracerless.core.grid import Grid, points_mm
from tracerless.simulate.brain import with_wider_sulci
from tracerless.simulate.emission import retention
from tracerless.simulate.fields import FWHM_PER_SIGMA, Field, Stack, sample_stack
from tracerless.simulate.ground import FIELD_GRID, Ground
from tracerless.simulate.parameters import PeopleParameters
from tracerless.simulate.scanners import Scanners

TRACERS = ("FDG", "ECD", "HMPAO")
HEAD = "head"
"""Grey matter of the whole head, unblurred: what retention of a perfusion tracer is relative to."""

REFERENCE = "ref_"

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Kernels:
    """Weights of points in regional means.

    Args:
        names: of the measures: regions, composites, ``ref_<reference>``.
        blurred: (M, I, J, K) float32; each sums to 1.
        sharp: like ``blurred``, before the blur.
        grid: of the atlas, template mm.
        fwhm_mm: of the blur, template mm.
    """

    names: tuple[str, ...]
    blurred: NDArray[np.float32]
    sharp: NDArray[np.float32]
    grid: Grid
    fwhm_mm: float


@dataclass(frozen=True, slots=True, eq=False)
class Matter:
    """A usual control on the grid of the atlas; every field (I, J, K).

    Args:
        tissues: fractions, sulci as wide as at ``thinning``.
        reach: share of thinning that reaches a place, 0-1.
        level: relative level of grey matter, ``fdg`` and ``cbf``.
    """

    tissues: Mapping[str, Field]
    reach: Field
    level: Mapping[str, Field]


def kernels(atlas: Atlas, fwhm_mm: float) -> Kernels:
    """Weights in the means over every region, composite and reference region.

    Args:
        atlas: on the grid that weights are wanted on.
        fwhm_mm: resolution, template mm.
    """
    masks = {region.key: atlas.labels == region.index for region in atlas.regions}
    masks |= dict(atlas.composites)
    masks |= {REFERENCE + name: mask for name, mask in atlas.references.items()}
    sharp = np.stack([mask.astype(np.float32) / np.float32(mask.sum()) for mask in masks.values()])
    return Kernels(tuple(masks), _blurred(sharp, atlas.grid, fwhm_mm), sharp, atlas.grid, fwhm_mm)


def _blurred(sharp: NDArray[np.float32], grid: Grid, fwhm_mm: float) -> NDArray[np.float32]:
    sigma_vox = fwhm_mm / FWHM_PER_SIGMA / np.array(grid.spacing_mm)
    return np.stack([ndimage.gaussian_filter(one, sigma_vox, mode="constant") for one in sharp])


def matter(ground: Ground, grid: Grid, thinning: float) -> Matter:
    """What there is at every point of a usual control.

    Args:
        ground: base head and levels.
        grid: where.
        thinning: log-odds of CSF against tissue where thinning reaches fully.
    """
    points = points_mm(grid)
    levels = sample_stack(ground.levels, points)
    found = sample_stack(ground.tissues, points)
    tissues = with_wider_sulci(found, np.float32(thinning) * levels["thinning"])
    return Matter(tissues, levels["thinning"], {"fdg": levels["fdg"], "cbf": levels["cbf"]})


def usual_thinning(parameters: PeopleParameters, age: float) -> float:
    """Log-odds of CSF of an average person of that age."""
    return parameters.thinning.at_65 + parameters.thinning.per_year * (age - 65)


def grey_of(tissues: Mapping[str, Field]) -> Field:
    """Cortical and deep grey matter, (I, J, K)."""
    grey: Field = tissues["grey"] + tissues["deep_grey"]
    return grey


def grey_signal(found: Matter, tracer: str, scanners: Scanners) -> Field:
    """Uptake of pure grey matter at every point, (I, J, K).

    FDG: over its mean level. Perfusion tracers: retention at the place's flow, which is relative to
    mean flow of grey matter.
    """
    if tracer == "FDG":
        return found.level["fdg"]
    alpha = alphas(scanners)[tracer]
    return retention(found.level["cbf"] / np.float32(head_flow(found)), alpha)


def head_flow(found: Matter) -> float:
    """Mean relative flow of grey matter over the head."""
    grey = grey_of(found.tissues)
    return float((grey * found.level["cbf"]).sum() / grey.sum())


def alphas(scanners: Scanners) -> dict[str, float]:
    """Constant of the retention model by perfusion tracer."""
    return {"ECD": scanners.emission.lassen_ecd, "HMPAO": scanners.emission.lassen_hmpao}


def white_signal(tracer: str, parameters: PeopleParameters) -> float:
    """FDG in pure white matter over mean grey; for perfusion tracers flow over grey matter's."""
    if tracer == "FDG":
        return parameters.metabolism.white_ratio
    return parameters.flow.white / parameters.flow.grey


def other_signal(
    tissues: Mapping[str, Field], tracer: str, parameters: PeopleParameters, scanners: Scanners
) -> Field:
    """Uptake of all that is no brain, (I, J, K), in the unit of ``grey_signal``."""
    key = "fdg_suv" if tracer == "FDG" else "perfusion_share"
    scale = 1 / parameters.metabolism.grey if tracer == "FDG" else 1.0
    total = np.zeros_like(tissues["grey"])
    for name, value in scanners.values(key).items():
        if np.isfinite(value) and name in tissues:
            total += tissues[name] * np.float32(value * scale)
    return total


def on_grid(field: Field, grid: Grid) -> Field:
    """A field of ``FIELD_GRID`` at the points of another grid."""
    stack = Stack(("field",), FIELD_GRID, field[None], "zeros")
    return sample_stack(stack, points_mm(grid))["field"]


def sums(weights: NDArray[np.float32], field: Field) -> Array:
    """(M,) sum of the field under each weight."""
    flat = weights.reshape(len(weights), -1).astype(np.float64)
    return np.asarray(flat @ field.astype(np.float64).ravel())
