"""Real scans: the fast way makes what the slow way makes, and takes nearly all of them."""

import tarfile
from pathlib import Path

import pytest
from splice_cases import PROFILES, agree

from tracerless.deidentify import splice

pytestmark = pytest.mark.real_data

FOLDERS = {
    "mr-one-person": ("*", 30, 0.9),
    "fdg-whole-body": ("PET/*", 30, 1.0),
    "asl-philips-phantom": ("*/*.dcm", 30, 0.9),
    "vendor-headers": ("*/*/*/*.dcm", 30, 0.8),
    "deid-pseudo-identities": ("**/*.dcm", 20, 1.0),
    "deid-charset-names": ("*", 30, 0.0),
}
"""Pattern, about how many files, and how many of them the fast way has to take."""


@pytest.mark.parametrize("profile", ["seed", "research"])
@pytest.mark.parametrize("name", FOLDERS)
def test_real_files_come_out_the_same(scans: Path, tmp_path: Path, name: str, profile: str) -> None:
    pattern, n, least = FOLDERS[name]
    files = sorted(path for path in (scans / name).glob(pattern) if path.is_file())
    _all_agree(_some(files, n), tmp_path, profile, least)


def _some(files: list[Path], n: int) -> list[Path]:
    """Runs of neighbors, spread over the files: a series repeats itself from file to file."""
    step = max(1, len(files) * 3 // n)
    return [path for start in range(0, len(files), step) for path in files[start : start + 3]]


def _all_agree(files: list[Path], folder: Path, profile: str, least: float) -> None:
    memo = splice.Memo()
    contents = [path.read_bytes() for path in files]
    dicom = [each for each in contents if each[128:132] == b"DICM"]
    taken = sum(agree(each, folder, PROFILES[profile], memo) for each in dicom)
    assert taken >= least * len(dicom)
    assert dicom


ARCHIVES = {"petmr-simulated-pair": (40, 1.0), "t1-defaced/t1": (20, 0.9), "asl-siemens": (6, 0.0)}


@pytest.mark.parametrize("name", ["petmr-simulated-pair", "asl-siemens"])
def test_real_archives_come_out_the_same(scans: Path, tmp_path: Path, name: str) -> None:
    with tarfile.open(scans / f"{name}.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    n, least = ARCHIVES[name]
    _all_agree(_some(files, n), tmp_path, "research", least)


@pytest.mark.slow
@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_real_file_comes_out_the_same(scans: Path, tmp_path: Path, profile: str) -> None:
    for archive in scans.rglob("*.tar.xz"):
        with tarfile.open(archive) as opened:
            opened.extractall(tmp_path / archive.parent.name / archive.name, filter="data")
    for root in (scans, tmp_path):
        files = sorted(path for path in root.rglob("*") if path.is_file())
        _all_agree(files, tmp_path, profile, 0.5)
