"""The scans that identities are planted in: real series of several vendors, and simulated ones.

Each half of the benchmark, ``tune`` and ``heldout``, gets its own files of every series.
"""

import os
import subprocess
import sys
import tarfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom

TUNE, HELD_OUT = "tune", "heldout"


@dataclass(frozen=True, slots=True)
class Series:
    """Files of one series, in order; series of one ``group`` are given to one person."""

    group: str
    name: str
    files: tuple[Path, ...]


_REAL = (
    ("siemens-volunteer", "mr-one-person/3[67]*", 6),
    ("fdg", "fdg-whole-body/PET/*", 12),
    ("philips-asl", "asl-philips-phantom/201_pCASL/*", 4),
    ("philips-asl", "asl-philips-phantom/402*/*", 4),
    ("ge", "vendor-headers/ge/*/*/*", 2),
    ("siemens-headers", "vendor-headers/siemens/*/*/*", 2),
    ("siemens-headers", "vendor-headers/siemens_multiframe/*/*/*", 1),
    ("philips-headers", "vendor-headers/philips/*/*/*", 2),
    ("philips-headers", "vendor-headers/philips_enhanced/*/*/*", 1),
    ("hitachi", "vendor-headers/hitachi/*/*/*", 2),
    ("hyperfine", "vendor-headers/hyperfine/*/*/*", 1),
    ("jpegls", "vendor-headers/generic/*/*/*", 2),
    ("pseudo-identity", "deid-pseudo-identities/tcia/dicom/*", 4),
)

PACKED = (
    ("petmr-pair", "petmr-simulated-pair.tar.xz", 4),
    ("t1-defaced", "t1-defaced/dicoms.tar.xz", 4),
    ("asl-siemens", "asl-siemens.tar.xz", 2),
)

_CLASSES = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1", "1.2.840.10008.5.1.4.1.1.20",
        "1.2.840.10008.5.1.4.1.1.128", "1.2.840.10008.5.1.4.1.1.130",
    }
)  # fmt: skip


def scans() -> Path | None:
    """The folder of real scans, found as the tests find it; None where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("TRACERLESS_TEST_DATA", beside))
    return folder if folder.is_dir() else None


def real(folder: Path, unpacked: Path, half: str) -> list[Series]:
    """That half's files of every real series.

    Args:
        folder: of the real scans.
        unpacked: where archives are unpacked, or have been.
        half: ``tune`` or ``heldout``.
    """
    found = []
    for group, pattern, n in _REAL:
        found += _series(group, sorted(p for p in folder.glob(pattern) if p.is_file()), n, half)
    for group, archive, n in PACKED:
        place = unpack(folder, unpacked, group, archive)
        found += _series(group, sorted(p for p in place.rglob("*") if p.is_file()), n, half)
    return found


def unpack(folder: Path, unpacked: Path, group: str, archive: str) -> Path:
    """The folder into which an archive of the scans is unpacked, unless it was already."""
    place = unpacked / group
    if not place.is_dir():
        place.mkdir(parents=True)
        with tarfile.open(folder / archive) as packed:
            packed.extractall(place, filter="data")
    return place


def simulated(folder: Path, half: str) -> list[Series]:
    """That half's files of two simulated people: MR, PET and one NM file each."""
    if not folder.is_dir():
        code = "from tracerless.cli import main; main()"
        line = [sys.executable, "-c", code, "simulate", str(folder), "--people", "2"]
        subprocess.run([*line, "--seed", "bench"], check=True, stdout=subprocess.DEVNULL)
    found = []
    for number, place in enumerate(sorted((folder / "dicom").iterdir())):
        files = sorted(p for p in place.rglob("*") if p.is_file())
        found += _series(f"simulated-{number}", files, 3, half)
    return found


def _series(group: str, files: Sequence[Path], n: int, half: str) -> Iterator[Series]:
    """Up to ``n`` neighboring files of each series; a series of one file is in both halves."""
    by_series: dict[str, list[tuple[float, Path]]] = {}
    for path in files:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                header = pydicom.dcmread(path, stop_before_pixels=True)
            except pydicom.errors.InvalidDicomError:
                continue
        if str(header.get("SOPClassUID", "")) in _CLASSES:
            order = float(header.get("InstanceNumber") or 0)
            by_series.setdefault(str(header.SeriesInstanceUID), []).append((order, path))
    for number, uid in enumerate(sorted(by_series)):
        ordered = [path for _, path in sorted(by_series[uid])]
        middle = len(ordered) // 2
        n_taken = min(n, max(1, middle))
        chosen = ordered[middle - n_taken : middle] if half == TUNE else ordered[middle:][:n_taken]
        yield Series(group, f"{group}-{number}", tuple(chosen or ordered[:1]))
