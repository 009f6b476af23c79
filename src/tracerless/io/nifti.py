"""Volumes and series as NIfTI with a JSON sidecar; the sidecar comes last and marks them complete.

Bytes are deterministic. ``sform`` and ``qform`` are both set, code 1 (scanner) in native space and
4 (a standard space) in template space; units are mm and s. The quantity and the contrast live in
the sidecar (``Units``, ``Contrast``); numbers are float32, labels whole numbers (int16).
"""

import gzip
import io
import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from numpy.typing import NDArray

from tracerless.core.errors import DatasetError
from tracerless.core.grid import Grid
from tracerless.core.session import NativeSeries
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io import atomic

SYNTHETIC_MARK = "AI-SYNTH NOT PET"
"""In the header of every volume that no scanner acquired."""
NATIVE = "native"
"""The space whose axes are the scanner's."""
FOR_BIDS = ("IntendedFor", "TotalAcquiredPairs")
"""Fields that BIDS wants to read and that follow from others: written, and left out when read."""
_SCANNER, _STANDARD = 1, 4
_GZIP_LEVEL = 6


def write_series(
    path_without_suffix: Path, series: NativeSeries, *, extra: Mapping[str, Any] | None = None
) -> tuple[Path, Path]:
    """Write ``.nii.gz`` (I, J, K) or (I, J, K, T), then ``.json``; both paths.

    ``extra`` holds fields among ``FOR_BIDS``, which `read_series` leaves out again.
    """
    fields = {
        **series.sidecar,
        "FrameOfReference": series.frame_of_reference,
        **{name: value for name, value in (extra or {}).items() if name in FOR_BIDS},
    }
    base = path_without_suffix
    return _write(base.with_name(base.name + ".nii.gz"), series.volumes, fields, NATIVE)


def write_volume(
    path: Path,
    volume: Volume,
    *,
    extra: Mapping[str, Any] | None = None,
    space: str = NATIVE,
) -> tuple[Path, Path]:
    """Write one volume to ``path`` (``….nii.gz``) and its sidecar beside it; both paths.

    Args:
        path: ends in ``.nii.gz``.
        volume: what to write.
        extra: more fields for the sidecar.
        space: `NATIVE`, or the key of a template.
    """
    return _write(path, (volume,), dict(extra or {}), space)


def read_volume(path: Path) -> Volume:
    """The volume at ``path``; quantity and contrast from its sidecar, else signal and unknown.

    Raises:
        DatasetError: the file is absent, damaged, or holds more than one frame.
    """
    frames, grid = _load(path)
    if len(frames) != 1:
        raise DatasetError(f"{path.name} holds {len(frames)} frames, one expected.")
    return _volumes(frames, grid, read_sidecar(path))[0]


def read_series(path_without_suffix: Path) -> NativeSeries:
    """What `write_series` wrote.

    Raises:
        DatasetError: the volume is absent or damaged, or the sidecar that completes it is missing.
    """
    path = path_without_suffix.with_name(path_without_suffix.name + ".nii.gz")
    frames, grid = _load(path)
    fields = read_sidecar(path)
    if not fields:
        raise DatasetError(
            f"{path.name} has no sidecar, so it may be incomplete.",
            hint="Run the command that made it again.",
        )
    volumes = _volumes(frames, grid, fields)
    frame_of_reference = str(fields.pop("FrameOfReference", ""))
    fields = {name: value for name, value in fields.items() if name not in FOR_BIDS}
    return NativeSeries(volumes[0].contrast, volumes, frame_of_reference, fields)


def sidecar_path(path: Path) -> Path:
    """The ``.json`` that belongs to a ``.nii.gz`` or ``.nii``."""
    return path.with_name(path.name.removesuffix(".gz").removesuffix(".nii") + ".json")


def read_sidecar(path: Path) -> dict[str, Any]:
    """The fields beside a volume; empty where there are none."""
    beside = sidecar_path(path)
    if not beside.is_file():
        return {}
    fields: dict[str, Any] = json.loads(beside.read_text("utf-8"))
    return fields


def is_complete(path: Path) -> bool:
    """Whether both the volume and the sidecar, which is written last, are there."""
    return path.is_file() and sidecar_path(path).is_file()


def _write(
    path: Path, volumes: Sequence[Volume], fields: Mapping[str, Any], space: str
) -> tuple[Path, Path]:
    first = volumes[0]
    arrays = [volume.array for volume in volumes]
    stacked = arrays[0] if len(arrays) == 1 else np.stack(arrays, axis=-1)
    stored = np.int16 if first.quantity is Quantity.LABEL else np.float32
    nifti = nib.Nifti1Image(stacked.astype(stored), first.grid.affine, dtype=stored)
    nifti.header.set_data_dtype(stored)
    nifti.header.set_xyzt_units("mm", "sec")
    code = _SCANNER if space == NATIVE else _STANDARD
    nifti.set_sform(first.grid.affine, code)
    nifti.set_qform(first.grid.affine, code)
    synthetic = first.contrast is Contrast.SYNTHETIC_FDG
    nifti.header["descrip"] = (SYNTHETIC_MARK if synthetic else f"tracerless {first.contrast}")[:79]
    record = {**fields, "Contrast": first.contrast.value, "Units": first.quantity.value}
    if space != NATIVE:
        record.setdefault("SpatialReference", space)
    if synthetic:
        record |= {"SyntheticData": True, "SyntheticNote": SYNTHETIC_MARK}
    beside = sidecar_path(path)
    beside.unlink(missing_ok=True)  # an old mark must not vouch for the new volume
    atomic.write_bytes(path, _gzipped(nifti.to_bytes()))
    atomic.write_json(beside, record)
    return path, beside


def _gzipped(content: bytes) -> bytes:
    """Compressed without a name or a time, so that equal content gives equal bytes."""
    sink = io.BytesIO()
    with gzip.GzipFile("", "wb", _GZIP_LEVEL, sink, mtime=0) as packer:
        packer.write(content)
    return sink.getvalue()


def _load(path: Path) -> tuple[list[NDArray[np.float32]], Grid]:
    if not path.is_file():
        raise DatasetError(f"There is no {path.name}.", hint="Run the step that makes it.")
    try:
        nifti = nib.load(path)
        numbers = np.asarray(nifti.dataobj, dtype=np.float32)
    except (ImageFileError, EOFError, OSError, ValueError, zlib.error) as error:
        raise DatasetError(
            f"{path.name} is damaged ({type(error).__name__}).",
            hint="Delete it and run the step that makes it again.",
        ) from None
    if numbers.ndim not in (3, 4):
        raise DatasetError(f"{path.name} has {numbers.ndim} axes, 3 or 4 expected.")
    i, j, k = numbers.shape[:3]
    frames = [numbers] if numbers.ndim == 3 else [numbers[..., t] for t in range(numbers.shape[3])]
    return frames, Grid((i, j, k), nifti.affine)


def _volumes(
    frames: Sequence[NDArray[np.float32]], grid: Grid, fields: Mapping[str, Any]
) -> tuple[Volume, ...]:
    contrast, quantity = _contrast(fields.get("Contrast")), _quantity(fields.get("Units"))
    return tuple(Volume(frame, grid, quantity, contrast) for frame in frames)


def _contrast(text: Any) -> Contrast:
    return Contrast(text) if text in set(Contrast) else Contrast.UNKNOWN


def _quantity(text: Any) -> Quantity:
    return Quantity(text) if text in set(Quantity) else Quantity.SIGNAL
