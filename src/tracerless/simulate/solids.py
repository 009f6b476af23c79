"""Simple solids by their distance to a surface, and how they flow into one another.

Distances are in mm, negative inside. A point's x is taken without its sign: every solid stands on
both sides of the head.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from tracerless.core.grid import Grid
from tracerless.simulate.fields import Field, axes_mm

Vector = tuple[float, float, float]


class Solid(Protocol):
    """Anything that knows how far its surface is."""

    def distance(self, grid: Grid) -> Field:
        """Distance of every voxel center to the surface, mm, negative inside."""
        ...


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """An ellipsoid, ``center`` and ``radii`` in mm; the distance is exact only near a sphere's."""

    center: Vector
    radii: Vector

    def distance(self, grid: Grid) -> Field:
        """Distance to the surface, first order in the distance."""
        near: Field = np.zeros((1, 1, 1), dtype=np.float32)
        far: Field = near
        places = _mirrored(grid)
        for place, center, radius in zip(places, self.center, self.radii, strict=True):
            unit = (place - np.float32(center)) / np.float32(radius)
            near = near + unit**2
            far = far + (unit / np.float32(radius)) ** 2
        norm = np.sqrt(near)
        to_mm = np.full_like(norm, min(self.radii))
        np.divide(norm, np.sqrt(far), out=to_mm, where=norm > 0)
        distance: Field = (norm - 1) * to_mm
        return distance


@dataclass(frozen=True, slots=True)
class Capsule:
    """A rod with round ends from ``start`` to ``end``, its radius running between two, mm."""

    start: Vector
    end: Vector
    start_radius: float
    end_radius: float

    def distance(self, grid: Grid) -> Field:
        """Distance to the surface."""
        axis = np.subtract(self.end, self.start).astype(np.float32)
        along: Field = np.zeros((1, 1, 1), dtype=np.float32)
        places = _mirrored(grid)
        for place, start, step in zip(places, self.start, axis, strict=True):
            along = along + (place - np.float32(start)) * step
        share = np.clip(along / np.float32(axis @ axis), 0, 1)
        square: Field = np.zeros((1, 1, 1), dtype=np.float32)
        for place, start, step in zip(places, self.start, axis, strict=True):
            square = square + (place - np.float32(start) - share * step) ** 2
        radius = self.start_radius + share * (self.end_radius - self.start_radius)
        distance: Field = np.sqrt(square) - radius.astype(np.float32)
        return distance


@dataclass(frozen=True, slots=True)
class Column:
    """An upright elliptic column below ``top_mm``, about (0, ``y``), radii along x and y, mm."""

    y: float
    radii: tuple[float, float]
    top_mm: float

    def distance(self, grid: Grid) -> Field:
        """Distance to the surface, first order in the distance."""
        x, y, z = _mirrored(grid)
        norm = np.hypot(x / self.radii[0], (y - self.y) / self.radii[1])
        distance: Field = np.maximum((norm - 1) * min(self.radii), z - self.top_mm)
        return distance


def union(solids: Iterable[Solid], grid: Grid, blend_mm: float = 0.0) -> Field:
    """Distance to all of the solids together; edges closer than ``blend_mm`` are rounded."""
    joined: Field | None = None
    for solid in solids:
        distance = solid.distance(grid)
        joined = distance if joined is None else blend(joined, distance, blend_mm)
    if joined is None:
        return np.full(grid.shape, np.inf, dtype=np.float32)
    return joined


def blend(one: Field, other: Field, blend_mm: float) -> Field:
    """Distance to either; where both surfaces are close the groove is rounded (smooth minimum)."""
    nearest: Field = np.minimum(one, other)
    if blend_mm <= 0:
        return nearest
    close = np.maximum(blend_mm - np.abs(one - other), 0) / np.float32(blend_mm)
    rounded: Field = nearest - close**2 * np.float32(blend_mm / 4)
    return rounded


def carve(one: Field, other: Field, blend_mm: float) -> Field:
    """Distance to the first without the second, with a rounded rim."""
    rest: Field = -blend(-one, other, blend_mm)
    return rest


def filled(distance: Field, voxel_mm: float) -> Field:
    """Share of each voxel inside the surface, 0-1."""
    share: Field = np.clip(0.5 - distance / np.float32(voxel_mm), 0, 1)
    return share


def band(distance: Field, low_mm: Field | float, high_mm: Field | float, voxel_mm: float) -> Field:
    """Share of each voxel between two distances from a surface, 0-1."""
    return filled(distance - high_mm, voxel_mm) * filled(low_mm - distance, voxel_mm)


def _mirrored(grid: Grid) -> tuple[Field, Field, Field]:
    x, y, z = axes_mm(grid)
    return np.abs(x), y, z
