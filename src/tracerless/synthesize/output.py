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
from tracerless.core.transform import resample
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.synthesize.desk import fill

SURROUNDINGS_MM = 6.0
"""A prediction reaches this far beyond the template's brain, mm; NaN farther out."""


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """How predictions leave the network's grid.

    Args:
        grid: of the network.
        template: its brain, on the grid of the sessions.
        atlas: its reference region, on the same grid.
        reference: name of the reference region.
    """

    grid: Grid
    template: Template
    atlas: Atlas
    reference: str

    def volume(self, suvr: NDArray[np.float32], grid: Grid) -> Volume:
        """Synthetic SUVR on the session's grid.

        Interpolated by cubic splines: linear interpolation from a coarse grid would flatten the
        cortex. Never negative.

        Args:
            suvr: (I, J, K) on the network's grid; NaN where the training mean was not seen.
            grid: of the prepared session, same space.

        Returns:
            SUVR with reference mean 1 on ``grid``; NaN beyond ``SURROUNDINGS_MM`` and where the
            network's grid or the training mean ends.

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
        made = Volume(fill(suvr), self.grid, Quantity.SUVR, Contrast.SYNTHETIC_FDG)
        seen = np.isfinite(suvr)
        if grid != self.grid:
            known = Volume(seen.astype(np.float32), self.grid, Quantity.LABEL, Contrast.UNKNOWN)
            made, known = resample(made, grid, order=3), resample(known, grid, order=0)
            seen = known.array > 0.5
        brain = self.template.brain.array > 0.5
        far_mm = ndimage.distance_transform_edt(~brain, sampling=grid.spacing_mm)
        array = np.where(seen & (far_mm <= SURROUNDINGS_MM), np.maximum(made.array, 0), np.nan)
        whole = Volume(array, grid, Quantity.SUVR, Contrast.SYNTHETIC_FDG)
        return divide(whole, self.atlas.reference(self.reference))

    def width(self, error: NDArray[np.float32], made: Volume) -> Volume:
        """Half-widths on the grid of a prediction, SUVR; NaN where the prediction is.

        Args:
            error: (I, J, K) on the network's grid; NaN outside the brain.
            made: as `volume` returned it.
        """
        wide = Volume(fill(error), self.grid, Quantity.SUVR, Contrast.SYNTHETIC_FDG)
        if made.grid != self.grid:
            wide = resample(wide, made.grid)
        array = np.where(np.isfinite(made.array), wide.array, np.nan)
        return Volume(array.astype(np.float32), made.grid, Quantity.SUVR, Contrast.SYNTHETIC_FDG)
