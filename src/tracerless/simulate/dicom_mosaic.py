"""Siemens mosaics: a volume as one picture of tiles, with the private header that unrolls it."""

import struct
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset

from tracerless.core.grid import Grid
from tracerless.core.volume import Volume
from tracerless.simulate.dicom_common import (
    LPS,
    add_pixels,
    add_window,
    copy_of,
    decimals,
    place,
    ready,
)

_CHECK = 77
"""Sync mark of the private header."""


def mosaics(common: Dataset, volumes: Sequence[Volume]) -> Iterator[FileDataset]:
    """One object per volume, tiles row by row from the first slice; pixels unsigned."""
    grid = volumes[0].grid
    tiles = int(np.ceil(np.sqrt(grid.shape[2])))
    _frame(common, grid, tiles)
    common.NumberOfTemporalPositions = len(volumes)
    for index, volume in enumerate(volumes):
        obj = copy_of(common)
        picture = mosaic(volume.array, tiles)
        add_pixels(obj, picture)
        add_window(obj, float(np.percentile(picture, 99)))
        obj.InstanceNumber = obj.AcquisitionNumber = index + 1
        obj.TemporalPositionIdentifier = index + 1
        obj.ImagesInAcquisition = len(volumes)
        yield ready(obj, index + 1)


def mosaic(array: NDArray[np.float32], tiles: int) -> NDArray[np.float32]:
    """(I, J, K) -> (tiles * J, tiles * I): slice ``k`` at row ``k // tiles``; empty tiles are 0."""
    columns, rows, n = array.shape
    picture = np.zeros((tiles * rows, tiles * columns), dtype=np.float32)
    for k in range(n):
        top, left = (k // tiles) * rows, (k % tiles) * columns
        picture[top : top + rows, left : left + columns] = array[:, :, k].T
    return picture


def _frame(obj: Dataset, grid: Grid, tiles: int) -> None:
    """Position of the whole picture, as if it were one slice centered where the first slice is."""
    place(obj, grid, 0)
    columns, rows, n = grid.shape
    shift = ((1 - tiles) * columns / 2, (1 - tiles) * rows / 2, 0, 1)
    corner = LPS @ (grid.affine @ shift)[:3]
    obj.ImagePositionPatient = decimals(corner)
    normal = LPS @ grid.affine[:3, 2] / grid.spacing_mm[2]
    obj.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0A, "US", n)
    values = {
        "NumberOfImagesInMosaic": ("US", [f"{n:d}"]),
        "SliceNormalVector": ("FD", [f"{v + 0.0:.8f}" for v in normal]),
        "ProtocolSliceNumber": ("IS", ["0"]),
        "MosaicRefAcqTimes": ("FD", ["0.00000000"] * n),
    }
    block = obj.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x08, "CS", "IMAGE NUM 4")
    block.add_new(0x10, "OB", csa_header(values))


def csa_header(values: Mapping[str, tuple[str, Sequence[str]]]) -> bytes:
    """A private header of version 2 that holds texts by name.

    Args:
        values: name -> (value representation, texts).

    Source:
        Layout as described in nibabel's documentation of Siemens DICOM.
    """
    parts = [b"SV10", b"\x04\x03\x02\x01", struct.pack("<II", len(values), _CHECK)]
    for name, (kind, texts) in values.items():
        n_items = max(6, len(texts))
        parts.append(name.encode().ljust(64, b"\x00"))
        parts.append(struct.pack("<i4siii", len(texts), kind.encode(), 0, n_items, _CHECK))
        for text in (*texts, *[""] * (n_items - len(texts))):
            content = text.encode() + b"\x00" if text else b""
            size = len(content)
            parts.append(struct.pack("<iiii", size, size, _CHECK, size))
            parts.append(content + b"\x00" * (-size % 4))
    header = b"".join(parts)
    return header + b"\x00" * (len(header) % 2)
