"""Where a network works: a template's grid, its brain, and the regions that errors count in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.atlas import Atlas
from tracerless.core.errors import GeometryError
from tracerless.core.grid import Grid
from tracerless.core.session import Template

_MIRROR_MM = 8.0
"""A region and its mirror image: their centers lie within this of each other, mm."""


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """The network's space.

    Args:
        template: key of the template space.
        grid: of the network.
        brain: (I, J, K).
        atlas: key of the atlas.
        atlas_digest: its fingerprint.
        reference_name: of the reference region.
        reference: (I, J, K) reference region.
        labels: (I, J, K) 0, or 1 + the place of the region in ``keys``; 0 outside the brain.
        keys: of the regions that have a voxel in the brain.
        mirror: (P, 2) places in ``keys`` of the left and the right of one region.
    """

    template: str
    grid: Grid
    brain: NDArray[np.bool_]
    atlas: str
    atlas_digest: str
    reference_name: str
    reference: NDArray[np.bool_]
    labels: NDArray[np.int16]
    keys: tuple[str, ...]
    mirror: NDArray[np.int64]


def space(template: Template, atlas: Atlas, reference: str) -> Space:
    """The network's space.

    Args:
        template: on the network's grid.
        atlas: on the same grid.
        reference: name of the reference region.

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
    inside = np.where(brain, atlas.labels, 0)
    there = set(np.unique(inside).tolist())
    regions = [region for region in atlas.regions if region.index in there]
    labels = np.zeros(template.grid.shape, dtype=np.int16)
    for place, region in enumerate(regions):
        labels[inside == region.index] = 1 + place
    sides = tuple(region.hemisphere for region in regions)
    return Space(
        template=template.key,
        grid=template.grid,
        brain=brain,
        atlas=atlas.key,
        atlas_digest=atlas.fingerprint,
        reference_name=reference,
        reference=atlas.reference(reference),
        labels=labels,
        keys=tuple(region.key for region in regions),
        mirror=_mirror(labels, sides, template.grid),
    )


def _mirror(labels: NDArray[np.int16], sides: tuple[str, ...], grid: Grid) -> NDArray[np.int64]:
    """(P, 2) left and right regions whose centers mirror each other across x = 0, mutually."""
    if not sides:
        return np.zeros((0, 2), dtype=np.int64)
    index = np.array(ndimage.center_of_mass(labels > 0, labels, range(1, len(sides) + 1)))
    center = index @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    left = [i for i, side in enumerate(sides) if side == "L"]
    right = [i for i, side in enumerate(sides) if side == "R"]
    if not left or not right:
        return np.zeros((0, 2), dtype=np.int64)
    flipped = center[right] * (-1, 1, 1)
    apart = np.linalg.norm(center[left][:, None] - flipped[None], axis=2)
    pairs = [
        (left[a], right[b])
        for a, b in enumerate(apart.argmin(axis=1))
        if apart[:, b].argmin() == a and apart[a, b] <= _MIRROR_MM
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
