"""A randomised visit as prepared scans would show it, in template space."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tracerless.core.grid import Grid, points_mm
from tracerless.core.seeds import generator
from tracerless.core.transform import PointMap, Points
from tracerless.core.volume import Contrast, Volume, with_array
from tracerless.simulate.acquire import Head, receive_field
from tracerless.simulate.person import Person
from tracerless.simulate.randomise import Cut, Variation
from tracerless.simulate.rendered import enlargement, lattice_for, render, residual, sampled
from tracerless.simulate.shape import Shape


def rendered_varied(person: Person, grid: Grid, variation: Variation) -> Mapping[Contrast, Volume]:
    """T1w, T2w, CBF (mL/100 g/min) and FDG (kBq/mL) of a randomised visit; what is missing is not.

    Args:
        person: whom.
        grid: of the template; isotropic.
        variation: the site and the day.

    Returns:
        By contrast, as ``rendered.rendered``; NaN where a field of view is cut.
    """
    plan = variation.plan
    lattice = lattice_for(grid, person.ground.anatomy.grid.spacing_mm[0])
    drawn = residual(lattice, variation.residual_mm, plan.seed)

    def found_at(points: Points) -> Points:
        return drawn(left_in(person.shape, points, variation.unregistered))

    head = Head(lattice, sampled(person, lattice, found_at))
    enlarged = enlargement(person)
    volumes = render(head, grid, plan, enlarged=enlarged, motions=variation.motions)
    return {
        contrast: _seen(volume, variation, plan.seed)
        for contrast, volume in volumes.items()
        if contrast not in variation.missing
    }


def left_in(shape: Shape, points: Points, share: float) -> Points:
    """Where a template point is really found when registration misses a share of the shape.

    Args:
        shape: of the person.
        points: (..., 3) template mm.
        share: 0 = registration was perfect, 1 = it did nothing but scale the head.

    Returns:
        (..., 3) template mm of the base head.
    """
    if share <= 0:
        return points
    bend, unbend = _bends(shape)
    reached: Points = bend(points + np.float32(1 - share) * (unbend(points) - points))
    return reached


def _bends(shape: Shape) -> tuple[PointMap, PointMap]:
    """The warps of a shape without its affine part: into the base head, and out of it."""
    return _last(shape.to_template), _first(shape.to_native)


def _last(point_map: PointMap) -> PointMap:
    maps: Sequence[PointMap] = getattr(point_map, "maps", (point_map,))
    return maps[-1]


def _first(point_map: PointMap) -> PointMap:
    maps: Sequence[PointMap] = getattr(point_map, "maps", (point_map,))
    return maps[0]


def _seen(volume: Volume, variation: Variation, seed: str) -> Volume:
    """The volume under what is left of the receive field, inside its field of view."""
    array = volume.array
    strength = variation.receive_fields.get(volume.contrast, 0.0)
    if strength > 0:
        rng = generator("left-field", volume.contrast, seed)
        array = array * receive_field(volume.grid, strength, rng)
    cuts = variation.cuts.get(volume.contrast, ())
    if cuts:
        array = np.where(_inside(volume.grid, cuts), array, np.float32(np.nan))
    return with_array(volume, array)


def _inside(grid: Grid, cuts: Sequence[Cut]) -> NDArray[np.bool_]:
    points = points_mm(grid)
    inside = np.ones(grid.shape, dtype=bool)
    for cut in cuts:
        inside &= points @ cut.normal.astype(np.float32) >= cut.offset_mm
    return inside
