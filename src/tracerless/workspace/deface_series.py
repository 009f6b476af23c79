"""The files of one staged series: read, cleared, stamped, written back."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tracerless import deface as faces
from tracerless.core.errors import DicomError, GeometryError
from tracerless.core.grid import Grid
from tracerless.deface import Knife
from tracerless.deidentify import to_bytes
from tracerless.io import dicom_read, headers, mosaic
from tracerless.io.atomic import disk_errors
from tracerless.io.slices import LPS_TO_RAS, Slice, plane

_LOOK = (*headers.SCAN_TAGS, 0x00280002, 0x00280010, 0x00280011, 0x00280100)
"""What tells places and how pixels are stored: samples, rows, columns, bits."""

_Key = tuple[float | int, ...]


def require_whole(folder: Path) -> tuple[Path, ...]:
    """The series' files, each with a place for every frame.

    Raises:
        DicomError: there is no file, one is rejected, a mosaic, or has pixels that cannot be
            cleared.
        GeometryError: a frame has no place in the patient.
    """
    files = tuple(sorted(folder.glob("*.dcm")))
    if not files:
        raise DicomError("A staged series without a file.")
    for number, path in enumerate(files, start=1):
        header = dicom_read.read(path, tags=_LOOK)
        if isinstance(header, dicom_read.Rejection):
            raise DicomError(f"Instance {number} is rejected ({header.kind}): {header.text}")
        if mosaic.is_mosaic(header):
            raise DicomError(f"Instance {number} is a mosaic.", hint="Unroll it into slices first.")
        faces.require_clearable(header)
        for each in headers.slices(header, path):
            _grid(each)
    return files


def rewrite(folder: Path, knife: Knife | None, *, is_changed: bool) -> int:
    """Clear and stamp every file of a series in place; how many voxels were overwritten.

    Args:
        folder: that ``require_whole`` let through.
        knife: what takes the face; None stamps only.
        is_changed: any voxel of the series goes.

    Raises:
        DicomError: a file is rejected, or its pixels cannot be cleared.
        StorageError: the disk refused.
    """
    seen: dict[_Key, NDArray[np.bool_]] = {}
    n_voxels = 0
    with disk_errors(folder):
        for path in sorted(folder.glob("*.dcm")):
            dataset = dicom_read.read(path, pixels=True)
            if isinstance(dataset, dicom_read.Rejection):
                raise DicomError(f"A staged file is rejected ({dataset.kind}): {dataset.text}")
            if knife is not None:
                slices = sorted(headers.slices(dataset, path), key=lambda each: each.frame)
                taken = np.stack([_taken(each, knife, seen) for each in slices])
                scales = [each.scale for each in slices]
                n_voxels += faces.clear(dataset, taken, scales)
            faces.stamp(dataset, is_changed=is_changed)
            path.write_bytes(to_bytes(dataset))
    return n_voxels


def _taken(each: Slice, knife: Knife, seen: dict[_Key, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """(rows, columns) of one slice; slices at one place share it."""
    key = (*(each.position or ()), *(each.orientation or ()), *each.spacing_mm, *each.shape)
    if key not in seen:
        seen[key] = knife(_grid(each))[:, :, 0].T
    return seen[key]


def _grid(each: Slice) -> Grid:
    """(columns, rows, 1) of one slice, RAS+ mm.

    Raises:
        GeometryError: it has no place in the patient.
    """
    rows, columns = each.shape
    if each.position is None or each.orientation is None or not min(each.spacing_mm) > 0:
        raise GeometryError("A slice has no place in the patient.")
    across, down, normal = plane(each.orientation)
    affine = np.eye(4)
    affine[:3, 0] = across * each.spacing_mm[1]
    affine[:3, 1] = down * each.spacing_mm[0]
    affine[:3, 2] = normal * (each.depth_mm or 1.0)
    affine[:3, 3] = each.position
    return Grid((columns, rows, 1), LPS_TO_RAS @ affine)
