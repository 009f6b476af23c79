"""What every change of a session shares: tissue levels, soft shapes, noise fields, and the mark."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.errors import GeometryError, QuantityError
from tracerless.core.grid import Grid, points_mm
from tracerless.core.recipe import fingerprint
from tracerless.core.session import Prepared, Template
from tracerless.core.transform import Affine
from tracerless.core.volume import MR_INPUTS, Contrast, Volume, with_array

FWHM_PER_SIGMA = 2.354820045
Array = NDArray[np.float32]
Changes = Mapping[Contrast, Volume]
"""Volumes that take the place of a session's own."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What a change of a session is made from.

    Args:
        session: prepared.
        template: on its grid.
        rng: every draw of the change comes from it.

    Raises:
        GeometryError: the grids differ.
    """

    session: Prepared
    template: Template
    rng: np.random.Generator

    def __post_init__(self) -> None:
        """Check once."""
        require_grid(self.session, self.template)

    @property
    def grid(self) -> Grid:
        """Of the session."""
        return self.session.grid

    @property
    def volumes(self) -> dict[Contrast, Volume]:
        """The MR contrasts that a synthesizer looks at, as far as there are."""
        return {c: self.session.volumes[c] for c in MR_INPUTS if c in self.session.volumes}

    @property
    def brain(self) -> NDArray[np.bool_]:
        """(I, J, K) of the template."""
        inside: NDArray[np.bool_] = self.template.brain.array > 0.5
        return inside


def altered(session: Prepared, changes: Changes, *names: str | float) -> Prepared:
    """The session with other volumes; its fingerprint tells that, and how, it was changed.

    Args:
        session: as it was prepared.
        changes: on the session's grid.
        *names: of the change, e.g. ``stress``, ``shift``, ``4.0``.
    """
    return replace(
        session,
        volumes={**session.volumes, **changes},
        fingerprint=fingerprint(session.fingerprint, *map(str, names)),
    )


def require_grid(session: Prepared, template: Template) -> None:
    """Refuse a template on another grid.

    Raises:
        GeometryError: the grids differ.
    """
    if session.grid != template.grid:
        raise GeometryError(
            f"{session.key} lies on {session.grid.shape}, template {template.key} on "
            f"{template.grid.shape}.",
            hint="Load the template at the session's spacing (prepare.voxel_mm).",
        )


def tissue_levels(volume: Volume, template: Template) -> dict[str, float]:
    """What pure grey matter, white matter and fluid show in a volume, by least squares.

    Args:
        volume: on the template's grid, any unit.
        template: its grey and white probabilities; the rest of the brain is fluid.

    Returns:
        ``grey``, ``white``, ``csf`` in the volume's unit.

    Raises:
        QuantityError: the volume shows nothing of the brain.
    """
    inside = (template.brain.array > 0.5) & np.isfinite(volume.array)
    if not inside.any():
        raise QuantityError(f"{volume!r} shows nothing of the brain.")
    grey, white = template.grey.array[inside], template.white.array[inside]
    shares = np.stack([grey, white, np.clip(1 - grey - white, 0, 1)], axis=1).astype(np.float64)
    seen = volume.array[inside].astype(np.float64)
    found = np.linalg.lstsq(shares, seen, rcond=None)[0]
    low, high = np.percentile(seen, (0.5, 99.5))
    levels = np.clip(found, low, high)
    return dict(zip(("grey", "white", "csf"), map(float, levels), strict=True))


def toward(volume: Volume, level: float, share: Array) -> Volume:
    """The volume with a share (I, J, K) 0-1 of every voxel replaced by a level."""
    return with_array(volume, volume.array + share * np.float32(level) - share * volume.array)


def soft(mask: NDArray[np.bool_], grid: Grid, fwhm_mm: float) -> Array:
    """A mask with a soft edge, 0-1."""
    sigma_vox = [fwhm_mm / FWHM_PER_SIGMA / mm for mm in grid.spacing_mm]
    edge = ndimage.gaussian_filter(mask.astype(np.float32), sigma_vox)
    return np.asarray(np.clip(edge, 0, 1), dtype=np.float32)


def ball(
    grid: Grid, center_mm: NDArray[np.float64], radii_mm: float | NDArray[np.float64]
) -> NDArray[np.bool_]:
    """(I, J, K) inside an ellipsoid with axes along the grid's space."""
    apart = (points_mm(grid) - center_mm) / np.broadcast_to(radii_mm, 3)
    inside: NDArray[np.bool_] = (apart**2).sum(axis=-1) <= 1
    return inside


def field(grid: Grid, grain_mm: float, rng: np.random.Generator) -> Array:
    """Random numbers of mean 0 and SD 1, smooth over ``grain_mm`` FWHM; white when that is 0."""
    white = rng.standard_normal(grid.shape).astype(np.float32)
    sigma_vox = [grain_mm / FWHM_PER_SIGMA / mm for mm in grid.spacing_mm]
    smooth = ndimage.gaussian_filter(white, sigma_vox, mode="wrap")
    return np.asarray(smooth / max(float(smooth.std()), 1e-12), dtype=np.float32)


def brain_center_mm(template: Template) -> NDArray[np.float64]:
    """(3,) mm: the middle of the brain."""
    index = np.argwhere(template.brain.array > 0.5).mean(axis=0)
    center: NDArray[np.float64] = (template.grid.affine @ [*index, 1.0])[:3]
    return center


def brain_radii_mm(template: Template) -> NDArray[np.float64]:
    """(3,) mm: half the brain's extent along each axis of space."""
    where = points_mm(template.grid)[template.brain.array > 0.5].astype(np.float64)
    radii: NDArray[np.float64] = (where.max(axis=0) - where.min(axis=0)) / 2
    return np.maximum(radii, 1.0)


def pull(scene: Scene, matrix: NDArray[np.float64]) -> Affine:
    """A map within the session's space, for ``resample``."""
    return Affine(scene.template.key, scene.template.key, matrix)
