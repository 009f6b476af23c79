"""A second reader for what the first cannot read: the dcm2niix binary that its wheel carries."""

import logging
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import dcm2niix
import nibabel as nib
import numpy as np
from numpy.typing import NDArray

_TIMEOUT_S = 300
_log = logging.getLogger(__name__)


def convert(files: Sequence[Path]) -> tuple[list[NDArray[np.float32]], NDArray[np.float64]] | None:
    """Frames (I, J, K) and affine (voxel -> RAS+ mm) of one series, or None where it fails too.

    Several volumes of different shapes, or fewer slices than files, count as a failure.
    """
    with tempfile.TemporaryDirectory() as place:
        source, target = Path(place, "in"), Path(place, "out")
        source.mkdir()
        target.mkdir()
        for index, path in enumerate(files):
            Path(source, f"{index:06d}").symlink_to(path.resolve())
        command = [dcm2niix.bin, "-b", "n", "-z", "n", "-f", "out", "-o", str(target), str(source)]
        try:
            subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            _log.warning("dcm2niix could not run: %s", type(error).__name__)
            return None
        made = sorted(target.glob("*.nii"))
        found = _frames(made[0]) if len(made) == 1 else None
    return found if found is not None and _is_whole(found[0], len(files)) else None


def _is_whole(frames: Sequence[NDArray[np.float32]], n_files: int) -> bool:
    """Whether files were frames, or slices along whichever axis dcm2niix made of them."""
    n_times = len(frames)
    return n_files in {1, n_times, *(n * n_times for n in frames[0].shape)}


def _frames(path: Path) -> tuple[list[NDArray[np.float32]], NDArray[np.float64]] | None:
    nifti = nib.load(path)
    numbers = np.asarray(nifti.dataobj, dtype=np.float32)
    if numbers.ndim not in (3, 4) or not np.isfinite(numbers).any():
        return None
    numbers = numbers if numbers.ndim == 4 else numbers[..., None]
    return [numbers[..., t] for t in range(numbers.shape[3])], np.array(nifti.affine, np.float64)
