"""How many slices a volume should have, by what its scanner says of it.

A gap inside a stack shows by itself; a slice that lacks at an end does not. Classic MR has no
attribute for the number of slices, but scanners write it into fields of their own.
"""

import re
from pathlib import Path

from pydicom.dataset import Dataset

from tracerless.io import csa, dicom_read, tags

_PHILIPS = (0x2001, "Philips Imaging DD 001", 0x18)
"""Number of slices."""
_GE = (0x0021, "GEMS_RELA_01", 0x4F)
"""Locations in acquisition."""
_SIEMENS = (0x0029, "SIEMENS CSA HEADER", 0x20)
"""Series header, in which the protocol lies."""
_SLABS, _PER_SLAB = "sSliceArray.lSize", "sKSpace.lImagesPerSlab"
_PROTOCOL = re.compile(r"sSliceArray\.lSize|sKSpace\.lImagesPerSlab")

MOST = 10_000
"""No volume has more slices; a larger number is none."""

_GROUPS = ((0x2001, 0x18), (0x0021, 0x4F), (0x0029, 0x20))
_TAGS = (
    0x00080008, 0x00080016, 0x00180023, 0x00280010, 0x00280011,
    *((group << 16) + block for group, _ in _GROUPS for block in range(0x10, 0x30)),
    *((group << 16) + (block << 8) + at for group, at in _GROUPS for block in range(0x10, 0x30)),
)  # fmt: skip


def n_places(path: Path) -> int:
    """Slices of the volume to which a file of classic MR belongs, as declared; 0 when it is not.

    Derived series (projections, reformats, maps) count otherwise than the scan that they repeat in
    their headers, and declare nothing.

    Args:
        path: one file of the series.
    """
    found = dicom_read.read(path, tags=_TAGS)
    if isinstance(found, dicom_read.Rejection) or "DERIVED" in tags.words(found, "ImageType"):
        return 0
    return _by_number(found, _PHILIPS) or _by_number(found, _GE) or _siemens(found)


def _by_number(dataset: Dataset, field: tuple[int, str, int]) -> int:
    found = tags.private(dataset, *field)
    return _whole(found) if isinstance(found, int) else 0


def _siemens(dataset: Dataset) -> int:
    """Slices of a 2D scan, or partitions kept of the single slab of a 3D scan."""
    raw = tags.private(dataset, *_SIEMENS)
    lines = csa.protocol(raw, _PROTOCOL) if isinstance(raw, bytes) else {}
    slabs, per_slab = (_whole(csa.number(lines, key)) for key in (_SLABS, _PER_SLAB))
    acquired = tags.text(dataset, "MRAcquisitionType").upper()
    if acquired == "2D":
        return slabs
    return per_slab if acquired == "3D" and slabs == 1 else 0


def _whole(found: float | None) -> int:
    return int(found) if found is not None and 0 < found < MOST else 0
