"""Eight views of the template brain: what each pixel of a picture sees of its surface."""

import functools
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from tracerless.core.errors import GeometryError
from tracerless.core.norm_maps import Surface
from tracerless.core.session import Template

PIXEL_MM = 1.0
_TISSUE_FWHM_MM, _TISSUE_SHARE = 3.0, 0.45
_NEAREST, _WIDTH_MM, _REACH_MM = 6, 3.0, 12.0
_RELIEF_VOX = 0.8
_AMBIENT = 0.42

Floats = NDArray[np.float64]
Kind = TypeVar("Kind", bound=np.generic)


@dataclass(frozen=True, slots=True)
class View:
    """A way to look at the brain.

    Args:
        name: as nuclear physicians call it.
        axis: the viewer looks along this axis (0 = right, 1 = anterior, 2 = superior) …
        toward: … in its direction (+1) or against it (-1).
        part: of the surface that is seen: 0 outside, -1 and +1 medial wall of the left and right.
        left, right: what lies at the edges of the picture.
    """

    name: str
    axis: int
    toward: int
    part: int
    left: str
    right: str


VIEWS = (
    View("RT-LAT", 0, -1, 0, "P", "A"),
    View("LT-LAT", 0, 1, 0, "A", "P"),
    View("RT-MED", 0, 1, 1, "A", "P"),
    View("LT-MED", 0, -1, -1, "P", "A"),
    View("SUP", 2, -1, 0, "L", "R"),
    View("INF", 2, 1, 0, "R", "L"),
    View("ANT", 1, -1, 0, "R", "L"),
    View("POST", 1, 1, 0, "L", "R"),
)
"""The eight views of three-dimensional stereotactic surface projections."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What the pixels of a view see.

    Args:
        seen: (rows, columns) whether a pixel shows brain.
        shade: (rows, columns) 0-1, brightness of the relief.
        near: (pixels seen, k) the nearest surface points.
        weight: (pixels seen, k) how much each counts; rows sum to 1, or 0 where none is near.
    """

    seen: NDArray[np.bool_]
    shade: Floats
    near: NDArray[np.intp]
    weight: Floats

    def values(self, at_points: Floats) -> Floats:
        """(rows, columns) weighted mean of the known near points; NaN where there is none."""
        of = at_points[self.near]
        known = np.isfinite(of) * self.weight
        total = known.sum(axis=1)
        mean = (np.where(np.isfinite(of), of, 0) * known).sum(axis=1) / np.maximum(total, 1e-12)
        picture = np.full(self.seen.shape, np.nan)
        picture[self.seen] = np.where(total > 1e-3, mean, np.nan)
        return picture


@functools.lru_cache(maxsize=2)
def sights(template: Template, surface: Surface) -> tuple[Sight, ...]:
    """What every pixel of the eight `VIEWS` sees, one pixel a mm.

    Raises:
        GeometryError: the template does not run along right, anterior and superior.
    """
    if template.grid.axcodes != "RAS":
        raise GeometryError(f"Views are made of an RAS template, got {template.grid.axcodes}.")
    spacing = np.array(template.grid.spacing_mm)
    tissue = template.grey.array + template.white.array
    sigma = _TISSUE_FWHM_MM / 2.354820045 / spacing
    fine = ndimage.zoom(ndimage.gaussian_filter(tissue, sigma), spacing / PIXEL_MM, order=1)
    steps = spacing * (np.array(tissue.shape) - 1) / (np.array(fine.shape) - 1)
    origin = template.grid.affine[:3, 3]
    return tuple(_sight(view, fine, steps, origin, surface) for view in VIEWS)


def _sight(
    view: View, fine: NDArray[np.float32], steps: Floats, origin: Floats, surface: Surface
) -> Sight:
    """One view: the first tissue along each ray, its relief, and the surface points near it."""
    half, start = _half(view, fine, steps, origin)
    rays = np.moveaxis(half, view.axis, -1)
    if view.toward < 0:
        rays = rays[..., ::-1]
    is_tissue = rays >= _TISSUE_SHARE
    seen: NDArray[np.bool_] = np.asarray(is_tissue.any(axis=-1))
    first = is_tissue.argmax(axis=-1)
    along = first if view.toward > 0 else rays.shape[-1] - 1 - first
    others = [axis for axis in range(3) if axis != view.axis]
    a, b = np.nonzero(seen)
    hit = np.empty((len(a), 3))
    hit[:, view.axis], hit[:, others[0]], hit[:, others[1]] = along[a, b], a, b
    hit = (hit + start) * steps + origin
    chosen = np.flatnonzero(_visible(view, surface))
    apart, which = cKDTree(surface.points[chosen]).query(hit, k=_NEAREST)
    weight = np.where(apart <= _REACH_MM, np.exp(-0.5 * (apart / _WIDTH_MM) ** 2), 0) + 1e-9
    weight /= weight.sum(axis=1, keepdims=True)
    weight[apart[:, 0] > _REACH_MM] = 0
    shade = _relief(np.where(seen, first, rays.shape[-1]).astype(np.float64), seen)
    return _upright(view, seen, shade, chosen[which], weight)


def _visible(view: View, surface: Surface) -> NDArray[np.bool_]:
    """Points that a view can see: of a medial one, the wall and all outside of that half."""
    own = surface.part == view.part
    if view.part:
        own |= (surface.part == 0) & (surface.points[:, 0] * view.part > 0)
    return np.asarray(own)


def _half(
    view: View, fine: NDArray[np.float32], steps: Floats, origin: Floats
) -> tuple[NDArray[np.float32], Floats]:
    """The half of the brain that a medial view looks at, or all of it; and where it starts."""
    start = np.zeros(3)
    if view.part == 0:
        return fine, start
    middle = round(float(-origin[0] / steps[0]))
    if view.part > 0:
        start[0] = middle
        return fine[middle:], start
    return fine[: middle + 1], start


def _relief(depth: Floats, seen: NDArray[np.bool_]) -> Floats:
    """Brightness of each pixel, lit from the viewer; 0-1."""
    weight = ndimage.gaussian_filter(seen.astype(np.float64), _RELIEF_VOX)
    smooth = ndimage.gaussian_filter(np.where(seen, depth, 0), _RELIEF_VOX)
    smooth = smooth / np.maximum(weight, 1e-6)
    down, across = np.gradient(smooth)
    facing = 1 / np.sqrt(1 + down**2 + across**2)
    shade: Floats = _AMBIENT + (1 - _AMBIENT) * facing
    return np.where(seen, shade, 0)


def _upright(
    view: View, seen: NDArray[np.bool_], shade: Floats, near: NDArray[np.intp], weight: Floats
) -> Sight:
    """Rows from the top, columns from the left, as `View.left` and `View.right` say."""
    number = np.full(seen.shape, -1)
    number[seen] = np.arange(int(seen.sum()))
    order = _turned(view, number)[_turned(view, seen)]
    return Sight(_turned(view, seen), _turned(view, shade), near[order], weight[order])


def _turned(view: View, plane: NDArray[Kind]) -> NDArray[Kind]:
    """(first other axis, second other axis) -> rows down, columns to the right."""
    shown = plane[:, ::-1].T  # the second axis points up
    runs_right = {"A": 1, "R": 1, "P": -1, "L": -1}[view.right]
    return shown if runs_right > 0 else shown[:, ::-1]
