"""DICOM pixels become volumes: the one place where patient axes turn from LPS to RAS+."""

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array

from tracerless.core.errors import DicomError, GeometryError, QuantityError
from tracerless.core.grid import Grid
from tracerless.core.session import NativeSeries
from tracerless.core.source import Problem
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io import dicom_gate, dicom_read, external, headers, mosaic, sidecar, suv_note, tags
from tracerless.io.arrange import Stack, arrange, by_geometry
from tracerless.io.slices import NO_SLOPE, Slice
from tracerless.io.suv_note import Judge

BQ_PER_KBQ = 1000.0
_CBF_UNITS = ("ML/100G/MIN", "ML/100 G/MIN", "ML/MIN/100G", "ML/(100G*MIN)")


@dataclass(frozen=True, slots=True)
class _File:
    """One file read whole: header, planes, and stored numbers (frames, rows, columns)."""

    dataset: Dataset
    slices: tuple[Slice, ...]
    stored: NDArray[np.generic]


def load(files: Sequence[Path], contrast: Contrast, *, suv: Judge | None = None) -> NativeSeries:
    """The volumes that the files of one series hold.

    Rows and columns stay as stored, the rescale slope is applied slice by slice, and one missing
    slice is filled from its neighbors and recorded (``InterpolatedSlices``). PET in Bq/mL becomes
    kBq/mL. What the installed codecs cannot decode is tried with dcm2niix, and the sidecar says so.
    ``NonFiniteVoxels`` counts voxels without a number; ``EmptyFrames`` and ``EmptySlices`` list
    frames, and places between others, that hold one single value.

    Args:
        files: of one series, in any order (for frames that nothing else tells apart: in the order
            of `SourceSeries.files`).
        contrast: what it shows, decided before.
        suv: tells the factor to SUV from a header (`deidentify.suv.present`); without it only a
            mapping that crossed the border counts.

    Raises:
        DicomError: a file is rejected, no reader can decode the pixels, or files of one series do
            not say alike what their numbers mean.
        QuantityError: every voxel holds one and the same value.
        GeometryError: the slices do not form one stack, or more than one is missing.
    """
    datasets = {path: _whole(path, len(files)) for path in dict.fromkeys(files)}
    note = _suv(tuple(datasets.values()), contrast, suv)
    try:
        read = [_decoded(dataset, path) for path, dataset in datasets.items()]
    except DicomError as failure:
        first = next(iter(datasets.values()))
        converted = external.convert(tuple(datasets))
        if converted is None:
            raise
        arrays, affine = converted
        note |= {"ConversionSoftware": "dcm2niix", "ConversionReason": failure.message}
        return _native(first, contrast, list(arrays), affine, note)
    return _assembled(read, contrast, note)


def _suv(datasets: Sequence[Dataset], contrast: Contrast, judge: Judge | None) -> dict[str, Any]:
    """What the sidecar says of SUV, once every file says alike what its numbers mean.

    Raises:
        DicomError: units differ.
    """
    units = {tags.text(each, "Units").upper() for each in datasets}
    if len(units) > 1:
        raise DicomError(
            f"Files of one series state {len(units)} units of activity.", hint="Export it again."
        )
    return suv_note.fields(datasets, _meaning(datasets[0], contrast)[1], judge)


def _whole(path: Path, n_files: int) -> Dataset:
    found = dicom_read.read(path, pixels=True)
    if isinstance(found, dicom_read.Rejection):
        raise DicomError(
            f"One of {n_files} files of a series is rejected ({found.kind}): {found.text}",
            hint="Scan the folder again: the files have changed since.",
        )
    return found


def _decoded(dataset: Dataset, path: Path) -> _File:
    """Stored numbers as (frames, rows, columns); a mosaic's tiles are its frames."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stored = pixel_array(dataset)
    except tags.MISREAD as error:
        syntax = dicom_gate.transfer_syntax(dataset)
        raise DicomError(
            f"Pixels of transfer syntax {syntax or 'unknown'} cannot be decoded "
            f"({type(error).__name__})."
        ) from None
    slices = headers.slices(dataset, path)
    if not slices:
        raise GeometryError("The tiles of a mosaic cannot be laid out: their number is unknown.")
    if mosaic.is_mosaic(dataset) and stored.ndim == 2:
        side, count = mosaic.tiling(dataset)
        stored = mosaic.unroll(stored, side, count)
        if not mosaic.is_counted(dataset):
            slices = slices[: _n_filled(stored)]
    return _File(dataset, slices, stored.reshape(-1, *stored.shape[-2:]))


def _n_filled(tiles: NDArray[np.generic]) -> int:
    """Tiles up to the last that is not empty."""
    filled = np.flatnonzero(tiles.reshape(len(tiles), -1).any(axis=1))
    return int(filled[-1]) + 1 if filled.size else len(tiles)


def _assembled(files: Sequence[_File], contrast: Contrast, told: dict[str, Any]) -> NativeSeries:
    stack = _stacked(tuple(chain.from_iterable(each.slices for each in files)))
    stored = {s.path: each.stored for each in files for s in each.slices[:1]}
    arrays = [_array(frame, stored) for frame in stack.frames]
    for array in arrays:
        for k in stack.missing:
            array[:, :, k] = (array[:, :, k - 1] + array[:, :, k + 1]) / 2
    first = next(each for each in stack.frames[0] if each is not None)
    datasets = {s.path: each.dataset for each in files for s in each.slices[:1]}
    firsts = [next(each for each in frame if each is not None) for frame in stack.frames]
    note = sidecar.of_frames(
        [datasets[each.path] for each in firsts], [each.clock.label for each in firsts]
    )
    whole = [(datasets[each.path], each.frame) for each in stack.frames[0] if each is not None]
    note |= sidecar.slice_timing(whole, contrast)
    note |= {"ConversionSoftware": "tracerless"} | dict.fromkeys(first.assumed, True) | told
    if stack.missing:
        note["InterpolatedSlices"] = list(stack.missing)
    return _native(datasets[first.path], contrast, arrays, stack.affine, note)


def _stacked(slices: Sequence[Slice]) -> Stack:
    geometries = by_geometry(slices)
    if len(geometries) > 1:
        sizes = ", ".join(str(len(each)) for each in geometries)
        raise GeometryError(
            f"One series holds {len(geometries)} geometries of {sizes} slices.",
            hint="Scan the folder: it splits them.",
        )
    stack = arrange(slices)
    flaws = [stack] if isinstance(stack, Problem) else [p for p in stack.problems if p.blocking]
    if isinstance(stack, Problem) or flaws:
        raise GeometryError(" ".join(each.text for each in flaws), hint="Export the series again.")
    return stack


def _array(
    frame: Sequence[Slice | None], stored: dict[Path, NDArray[np.generic]]
) -> NDArray[np.float32]:
    """(columns, rows, places) of one frame in output numbers; 0 where a slice is missing.

    Raises:
        DicomError: a slice has no usable slope.
    """
    first = next(each for each in frame if each is not None)
    rows, columns = first.shape
    array = np.zeros((columns, rows, len(frame)), dtype=np.float32)
    for k, each in enumerate(frame):
        if each is not None:
            if each.scale == NO_SLOPE:
                raise DicomError(
                    "A slice has no usable rescale slope: it is zero, no number, or not in a PET.",
                    hint="Export the series again with RescaleSlope (0028,1053).",
                )
            slope, intercept = each.scale
            plane = stored[each.path][each.frame].astype(np.float64) * slope + intercept
            with np.errstate(over="ignore"):  # what no voxel can hold becomes infinite, and is told
                array[:, :, k] = plane.T
    return array


def _native(
    dataset: Dataset,
    contrast: Contrast,
    arrays: Sequence[NDArray[np.float32]],
    affine: NDArray[np.float64],
    note: dict[str, Any],
) -> NativeSeries:
    quantity, factor = _meaning(dataset, contrast)
    i, j, k = arrays[0].shape
    grid = Grid((i, j, k), affine)
    note |= _flaws(arrays, contrast)
    scaled = (array * np.float32(factor) if factor != 1.0 else array for array in arrays)
    volumes = tuple(Volume(array, grid, quantity, contrast) for array in scaled)
    fields = sidecar.of_series(dataset, contrast, quantity)
    origins = {**fields.get("ValueOrigins", {}), **note.pop("ValueOrigins", {})}
    fields |= note | ({"ValueOrigins": origins} if origins else {})
    return NativeSeries(contrast, volumes, frame_digest(dataset), fields)


def _flaws(arrays: Sequence[NDArray[np.float32]], contrast: Contrast) -> dict[str, Any]:
    """Voxels without a number, frames and slices that hold one value; infinities become NaN.

    Raises:
        QuantityError: no frame holds more than one value.
    """
    n_without, empty = 0, []
    blank: set[int] = set()
    for t, array in enumerate(arrays):
        finite = np.isfinite(array)
        n_without += int(array.size - np.count_nonzero(finite))
        array[~finite] = np.nan
        if not finite.any() or array[finite].min() == array[finite].max():
            empty.append(t)
        blank.update(_blank(array))
    if len(empty) == len(arrays):
        raise QuantityError(
            f"Every voxel of a {contrast} series of {len(arrays)} frames holds one and the same "
            "value: nothing was measured, or the pixels are lost.",
            hint="Export the series again, or leave it out.",
        )
    found = {
        "NonFiniteVoxels": n_without,
        "EmptyFrames": empty,
        "EmptySlices": sorted(blank),
    }
    return {name: value for name, value in found.items() if value}


def _blank(array: NDArray[np.float32]) -> list[int]:
    """Places of slices of one value that lie between others; ends of a field of view may be."""
    varied = np.flatnonzero((array != array[:1, :1]).any(axis=(0, 1)))
    inside = range(varied[0], varied[-1]) if varied.size else range(0)
    return sorted(set(inside) - set(varied.tolist()))


def frame_digest(dataset: Dataset) -> str:
    """16 hex digits from FrameOfReferenceUID; equal digests share a space. Empty when absent."""
    frame = tags.text(dataset, "FrameOfReferenceUID")
    return hashlib.sha256(f"frame of reference {frame}".encode()).hexdigest()[:16] if frame else ""


def _meaning(dataset: Dataset, contrast: Contrast) -> tuple[Quantity, float]:
    """What the numbers mean, and the factor that brings them to that unit."""
    if dicom_gate.MODALITY.get(dicom_gate.sop_class(dataset)) in {"PT", "NM"}:
        units = tags.text(dataset, "Units").upper()
        if units == "GML" and tags.text(dataset, "SUVType").upper() in {"", "BW"}:
            return Quantity.SUV, 1.0
        return (Quantity.ACTIVITY, 1 / BQ_PER_KBQ) if units == "BQML" else (Quantity.COUNTS, 1.0)
    if contrast is Contrast.CBF and tags.text(dataset, "RescaleType").upper() in _CBF_UNITS:
        return Quantity.CBF, 1.0
    by_contrast = {Contrast.T1W: Quantity.T1W, Contrast.T2W: Quantity.T2W}
    return by_contrast.get(contrast, Quantity.SIGNAL), 1.0
