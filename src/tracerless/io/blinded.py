"""Volumes of a reader study as NIfTI: their headers say that some are synthetic, not which."""

import gzip
import io
from pathlib import Path

import nibabel as nib
import numpy as np

from tracerless.core.volume import Volume
from tracerless.io.atomic import write_bytes

MARK = "READER STUDY SOME ARE AI-SYNTH NOT PET"
"""In the header of every volume of the set, acquired or synthetic."""
_STANDARD, _LEVEL = 4, 6


def write_blinded(path: Path, volume: Volume) -> None:
    """Write one volume with the header that all of the set share; no sidecar, no date, no name.

    Args:
        path: ends in ``.nii.gz``.
        volume: in template space.
    """
    nifti = nib.Nifti1Image(volume.array.astype(np.float32), volume.grid.affine)
    nifti.header.set_xyzt_units("mm", "sec")
    nifti.set_sform(volume.grid.affine, _STANDARD)
    nifti.set_qform(volume.grid.affine, _STANDARD)
    nifti.header["descrip"] = MARK
    sink = io.BytesIO()
    with gzip.GzipFile("", "wb", _LEVEL, sink, mtime=0) as packer:
        packer.write(nifti.to_bytes())
    write_bytes(path, sink.getvalue())
