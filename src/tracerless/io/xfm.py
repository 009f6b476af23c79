"""Maps between spaces in the form that ITK, ANTs, 3D Slicer and elastix read.

An affine becomes ITK's transform text, everything else one displacement field as NIfTI. Those tools
count left and posterior as positive, so the signs of the first two axes are turned here and nowhere
else. As in those tools, the file takes *points* of the map's source to its target, and therefore
brings *volumes* from the target's space onto a grid in the source's space.
"""

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from numpy.typing import NDArray

from tracerless.core.errors import DatasetError, GeometryError
from tracerless.core.grid import Grid, points_mm
from tracerless.core.transform import Affine, Chain, Displacement, PointMap, affine_of
from tracerless.io.atomic import write_bytes, write_text

_TURNED = np.diag((-1.0, -1.0, 1.0, 1.0))
_HEADER = "#Insight Transform File V1.0"
_KINDS = ("AffineTransform_double_3_3", "MatrixOffsetTransformBase_double_3_3")
_VECTOR_INTENT = "vector"
_GZIP_LEVEL = 6


def write_itk(stem: Path, point_map: PointMap, *, grid: Grid | None = None) -> Path:
    """Write a map as ``stem.txt`` (affine) or ``stem.nii.gz`` (field); the path.

    Args:
        stem: the path without its ending.
        point_map: source mm -> target mm.
        grid: lattice of the field, in the source's space, its axes at right angles. None takes the
            lattice of the map's own first field, which keeps that field as it is. Beyond the
            lattice those tools move nothing.

    Raises:
        GeometryError: the map is no affine, starts with none of its fields, and no grid is given;
            or the axes of the grid are not at right angles.
    """
    affine = affine_of(point_map)
    if affine is not None:
        path = stem.with_name(stem.name + ".txt")
        write_text(path, _text(affine))
        return path
    lattice = grid or _own_grid(point_map)
    _require_right_angles(lattice)
    here = points_mm(lattice)
    vectors = (point_map(here) - here) * np.array((-1, -1, 1), dtype=np.float32)
    path = stem.with_name(stem.name + ".nii.gz")
    content = _field(vectors, lattice).to_bytes()
    write_bytes(path, gzip.compress(content, _GZIP_LEVEL, mtime=0))
    return path


def read_itk(path: Path, *, source: str, target: str) -> Affine | Displacement:
    """The map in such a file; the file does not know the names of its spaces.

    Raises:
        DatasetError: the file holds no affine text or displacement field.
    """
    try:
        if path.suffix == ".txt":
            return Affine(source, target, _matrix(path.read_text(encoding="ascii")))
        nifti = nib.load(path)
        vectors = np.asarray(nifti.dataobj, dtype=np.float32)
        if vectors.ndim != 5 or vectors.shape[3:] != (1, 3):
            raise ValueError(vectors.shape)
        grid = Grid(vectors.shape[:3], nifti.affine)
        turned = vectors[:, :, :, 0] * np.array((-1, -1, 1), dtype=np.float32)
        return Displacement(source, target, grid, turned)
    except (ValueError, KeyError, OSError, EOFError, ImageFileError) as error:
        raise DatasetError(
            f"{path.name} is not a map that ITK would read ({type(error).__name__}).",
            hint="Delete it and run `tracerless prepare` again.",
        ) from None


def _own_grid(point_map: PointMap) -> Grid:
    first = point_map
    while isinstance(first, Chain):
        first = first.maps[0]
    if not isinstance(first, Displacement):
        raise GeometryError(
            f"The map {point_map.source!r} to {point_map.target!r} has no lattice in "
            f"{point_map.source!r} that it could be written on.",
            hint="Give write_itk the grid that the map is wanted on.",
        )
    return first.grid


def _require_right_angles(grid: Grid) -> None:
    axes = grid.affine[:3, :3] / np.array(grid.spacing_mm)
    if not np.allclose(axes.T @ axes, np.eye(3), atol=1e-4):
        raise GeometryError(
            f"The axes of a {grid.shape} lattice are not at right angles, as ITK needs them.",
            hint="Give write_itk an upright lattice in the same space.",
        )


def _text(affine: Affine) -> str:
    matrix = _TURNED @ affine.matrix @ _TURNED
    numbers = (*matrix[:3, :3].ravel(), *matrix[:3, 3])
    lines = (
        _HEADER,
        "#Transform 0",
        f"Transform: {_KINDS[0]}",
        "Parameters: " + " ".join(repr(float(each)) for each in numbers),
        "FixedParameters: 0 0 0",
    )
    return "\n".join(lines) + "\n"


def _matrix(text: str) -> NDArray[np.float64]:
    """The (4, 4) RAS matrix of a transform text.

    Raises:
        ValueError: the text is of another kind.
    """
    fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    if not text.startswith(_HEADER) or fields["Transform"].strip() not in _KINDS:
        raise ValueError(text[: len(_HEADER)])
    numbers = np.array(fields["Parameters"].split(), dtype=np.float64)
    center = np.array(fields["FixedParameters"].split(), dtype=np.float64)
    matrix = np.eye(4)
    matrix[:3, :3] = numbers[:9].reshape(3, 3)
    matrix[:3, 3] = numbers[9:] + center - matrix[:3, :3] @ center
    turned: NDArray[np.float64] = _TURNED @ matrix @ _TURNED
    return turned


def _field(vectors: NDArray[np.float32], grid: Grid) -> nib.Nifti1Image:
    nifti = nib.Nifti1Image(vectors[:, :, :, None, :], grid.affine)
    nifti.set_sform(grid.affine, code=1)
    nifti.set_qform(grid.affine, code=1)
    nifti.header.set_intent(_VECTOR_INTENT)
    nifti.header.set_xyzt_units("mm")
    return nifti
