"""Siemens mosaics: one file holds a volume as tiles on a sheet.

Source:
    The layout and the private elements are described in the manual of nibabel ("Siemens mosaic
    format"): tiles run row by row, the sheet is square in tiles, and ImagePositionPatient is where
    the corner of a sheet-sized slice would lie.
"""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from tracerless.io import csa, tags
from tracerless.io import slices as one

N_TILES = (0x0019, "SIEMENS MR HEADER", 0x0A)
"""NumberOfImagesInMosaic."""
TIMES = (0x0019, "SIEMENS MR HEADER", 0x29)
"""MosaicRefAcqTimes: when each tile was taken, ms after the start of the volume."""
CSA = (0x0029, "SIEMENS CSA HEADER", 0x10)
"""The image header in which SliceNormalVector tells which way the tiles run."""


def is_mosaic(dataset: Dataset) -> bool:
    """Whether the object is a sheet of tiles."""
    return "MOSAIC" in tags.words(dataset, "ImageType")


def is_counted(dataset: Dataset) -> bool:
    """Whether the number of tiles is stated."""
    count = tags.private(dataset, *N_TILES)
    return isinstance(count, int) and count > 0


def tiling(dataset: Dataset) -> tuple[int, int]:
    """Tiles along one side of the sheet, and tiles in use; (0, 0) when neither can be found out.

    Without the private count the side follows from AcquisitionMatrix, and every tile counts; the
    empty ones at the end are left out when the pixels are read.
    """
    rows, columns = one.shape_of(dataset)
    if is_counted(dataset):
        count = int(tags.private(dataset, *N_TILES))
        side = math.ceil(math.sqrt(count))
    else:
        largest = max(tags.numbers(dataset, "AcquisitionMatrix"), default=0.0)
        side = int(rows // largest) if largest else 0
        count = side * side
    if side < 1 or rows % side or columns % side:
        return 0, 0
    return side, count


def slices(dataset: Dataset, path: Path) -> tuple[one.Slice, ...]:
    """The tiles of one file as slices; none when the tiling cannot be found out."""
    side, count = tiling(dataset)
    if not side:
        return ()
    rows, columns = one.shape_of(dataset)
    shape = (rows // side, columns // side)
    position, orientation = one.position_of(dataset), one.orientation_of(dataset)
    spacing_mm, depth_mm = one.spacing_of(dataset), one.depth_of(dataset)
    known = position is not None and orientation is not None and (depth_mm > 0 or count == 1)
    places = np.zeros((count, 3))
    assumed: tuple[str, ...] = ()
    if position is not None and orientation is not None:
        across, down, normal = one.plane(orientation)
        stated = _normal(dataset)
        assumed = () if stated is not None else ("SliceOrientationAssumed",)
        sign = 1.0 if stated is None or stated @ normal > 0 else -1.0
        corner = np.array(position)
        corner = corner + across * spacing_mm[1] * (columns - shape[1]) / 2
        corner = corner + down * spacing_mm[0] * (rows - shape[0]) / 2
        places = corner + sign * normal * depth_mm * np.arange(count)[:, None]
    return tuple(
        one.Slice(
            path=path,
            frame=tile,
            shape=shape,
            position=tuple(places[tile].tolist()) if known else None,
            orientation=orientation,
            spacing_mm=spacing_mm,
            depth_mm=depth_mm,
            scale=one.scale_of(dataset),
            clock=one.clock_of(dataset),
            assumed=assumed,
        )
        for tile in range(count)
    )


def times_ms(dataset: Dataset) -> tuple[float, ...]:
    """When each tile was taken, ms after the start of the volume; empty when not stated."""
    found = tags.private(dataset, *TIMES)
    try:
        return tuple(float(each) for each in found or ())
    except tags.MISREAD:
        return ()


def unroll(sheet: NDArray[np.generic], side: int, count: int) -> NDArray[np.generic]:
    """(tiles, rows, columns) from a sheet (rows, columns) of ``side`` by ``side`` tiles."""
    rows, columns = sheet.shape[0] // side, sheet.shape[1] // side
    tiles = sheet.reshape(side, rows, side, columns).transpose(0, 2, 1, 3)
    return tiles.reshape(side * side, rows, columns)[:count]


def _normal(dataset: Dataset) -> NDArray[np.float64] | None:
    """The direction in which tiles follow each other, LPS, or None."""
    raw = tags.private(dataset, *CSA)
    found = csa.numbers(raw, "SliceNormalVector") if isinstance(raw, bytes) else ()
    return np.array(found) if len(found) == 3 else None
