"""From the network's grid back to the session's, with the reference region pinned there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.atlas import Atlas
from tracerless.core.errors import GeometryError
from tracerless.core.grid import Grid
from tracerless.core.scaling import suvr as divide
from tracerless.core.session import Template
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.synthesize.desk import fill

SURROUNDINGS_MM = 6.0
"""A prediction reaches this far beyond the template's brain, mm; NaN farther out."""


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """How predictions leave the network's grid; made by ``output``.

    Args:
        grid: of the network.
        template: its brain, on the grid of the sessions.
        atlas: its reference region, on the same grid.
        reference: name of the reference region.
        near: (I, J, K) of the sessions' grid: voxels that get a value.
        places: (3, n) voxel coordinates of these on the network's grid.
    """

    grid: Grid
    template: Template
    atlas: Atlas
    reference: str
    near: NDArray[np.bool_]
    places: NDArray[np.float32]

    def volume(self, suvr: NDArray[np.float32], grid: Grid) -> Volume:
        """Synthetic SUVR on the session's grid.

        Interpolated by cubic splines: linear interpolation from a coarse grid would flatten the
        cortex. Never negative.

        Args:
            suvr: (I, J, K) on the network's grid; NaN where the expected map was not seen.
            grid: of the prepared session, same space.

        Returns:
            SUVR with reference mean 1 on ``grid``; NaN beyond ``SURROUNDINGS_MM`` and where the
            network's grid or the expected map ends.

        Raises:
            GeometryError: template and atlas lie on another grid than the session, or too little
                of the reference region is seen.
            QuantityError: the reference mean is not positive.
        """
        if not grid == self.template.grid == self.atlas.grid:
            raise GeometryError(
                f"The session lies on {grid.shape}, template {self.template.key} on "
                f"{self.template.grid.shape}, atlas {self.atlas.key} on {self.atlas.grid.shape}.",
                hint="Load template and atlas at the session's spacing (prepare.voxel_mm).",
            )
        made = np.maximum(self._carried(fill(suvr), 3), 0)
        seen = self._carried(np.isfinite(suvr).astype(np.float32), 0) > 0.5
        array = self._laid(np.where(seen, made, np.nan))
        whole = Volume(array, grid, Quantity.SUVR, Contrast.SYNTHETIC_FDG)
        return divide(whole, self.atlas.reference(self.reference))

    def width(self, error: NDArray[np.float32], made: Volume) -> Volume:
        """Half-widths on the grid of a prediction, SUVR; NaN where the prediction is.

        Args:
            error: (I, J, K) on the network's grid; NaN outside the brain.
            made: as `volume` returned it.
        """
        wide = self._laid(self._carried(fill(error), 1))
        array = np.where(np.isfinite(made.array), wide, np.nan).astype(np.float32)
        return Volume(array, made.grid, Quantity.SUVR, Contrast.SYNTHETIC_FDG)

    def _carried(self, array: NDArray[np.float32], order: int) -> NDArray[np.float32]:
        """(n,) values at the near voxels; 0 where the network's grid ends."""
        if self.grid == self.template.grid:
            return array[self.near]
        values = ndimage.map_coordinates(
            array, self.places, order=order, mode="nearest", output=np.float32
        )
        limits = np.array(self.grid.shape, dtype=np.float32)[:, None] - 0.5
        inside = ((self.places >= -0.5) & (self.places <= limits)).all(axis=0)
        return np.where(inside, values, 0).astype(np.float32)

    def _laid(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        array = np.full(self.near.shape, np.nan, dtype=np.float32)
        array[self.near] = values
        return array


def output(grid: Grid, template: Template, atlas: Atlas, reference: str) -> Output:
    """The way out of a network's grid.

    Args:
        grid: of the network.
        template: on the sessions' grid.
        atlas: on the same grid.
        reference: name of the reference region.
    """
    brain, fine = template.brain.array > 0.5, template.grid
    far_mm = ndimage.distance_transform_edt(~brain, sampling=fine.spacing_mm)
    near = far_mm <= SURROUNDINGS_MM
    step = np.linalg.inv(grid.affine) @ fine.affine
    voxels = np.stack(np.nonzero(near))
    places = step[:3, :3] @ voxels + step[:3, 3:]
    return Output(grid, template, atlas, reference, near, places.astype(np.float32))
