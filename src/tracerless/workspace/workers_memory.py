"""Whether the workers fit into the memory that is free, asked before anything starts."""

from collections.abc import Iterable
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from tracerless.core.errors import RecipeError
from tracerless.core.people import SessionKey
from tracerless.io.bids import session_folder
from tracerless.workspace.dataset import Dataset

MB = 1 << 20
BASE_MB = 1100
"""What a worker takes at 4 mm before any scan is read: engines, template, maps."""
PER_TEMPLATE_MVOXEL_MB = 220
"""What each million voxels of the template grid adds (its maps, volumes and copies)."""
PER_SCAN_MB = 9.0
"""What each MB of the largest session's DICOM adds: float32 copies of 16-bit voxels."""
_TEMPLATE_ML = 8_600.0
"""Volume of the template grid, mL."""
_GROUPS = Path("/sys/fs/cgroup")


def needed_mb(dataset: Dataset, keys: Iterable[SessionKey]) -> int:
    """What a worker may come to take on these sessions, MB: an upper estimate, measured.

    Args:
        dataset: whose settings and scans count.
        keys: the sessions; the one with most bytes of DICOM counts.
    """
    voxels = _TEMPLATE_ML * 1000 / dataset.recipe.prepare.voxel_mm**3
    largest = max((_scan_mb(dataset.root, key) for key in keys), default=0.0)
    return round(BASE_MB + PER_TEMPLATE_MVOXEL_MB * voxels / 1e6 + PER_SCAN_MB * largest)


def share_mb(workers: int, each_mb: int) -> int:
    """What each worker may take at most, MB: its share of the memory that is free.

    Args:
        workers: processes of this machine.
        each_mb: what each may come to take, MB.

    Raises:
        RecipeError: they do not fit into the memory that is free.
    """
    free_mb = available_mb()
    if workers * each_mb <= free_mb:
        return int(free_mb / workers)
    fitting = int(free_mb // max(each_mb, 1))
    how = f"Use --workers {fitting}" if fitting else "Free memory, or use a larger machine"
    n = "1 worker needs" if workers == 1 else f"{workers} workers need together"
    raise RecipeError(
        f"{n} up to {workers * each_mb:,} MB of memory ({each_mb:,} MB each), "
        f"but only {free_mb:,.0f} MB are free.",
        hint=f"{how}; or state with --memory-mb how much each may take, if you know it is less.",
    )


def available_mb() -> float:
    """Memory that can be had now, MB: what the machine and every control group above leave."""
    free_mb: float = psutil.virtual_memory().available / MB
    return min([free_mb, *_left_by_groups()])


def resident_mb(pid: int | None) -> float:
    """Memory that a process holds, MB; 0 when it is no more."""
    try:
        return float(psutil.Process(pid).memory_info().rss / MB) if pid else 0.0
    except psutil.Error:
        return 0.0


def _scan_mb(root: Path, key: SessionKey) -> float:
    folder = session_folder(root / "sourcedata", key)
    return sum(path.stat().st_size for path in folder.glob("*/*.dcm")) / MB


def _left_by_groups() -> list[float]:
    """What each control group of this process (version 2) leaves, MB; none where there is none."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    own = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), "")
    folder = _GROUPS / own
    groups = [folder, *(each for each in folder.parents if each.is_relative_to(_GROUPS))]
    left = (_left_mb(group) for group in groups)
    return [mb for mb in left if mb is not None]


def _left_mb(group: Path) -> float | None:
    try:
        limit = (group / "memory.max").read_text(encoding="ascii").strip()
        used = int((group / "memory.current").read_text(encoding="ascii"))
        stat = (group / "memory.stat").read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    if limit == "max":
        return None
    cached = next((int(ln.split()[1]) for ln in stat.splitlines() if "inactive_file" in ln), 0)
    return max(int(limit) - used + cached, 0) / MB
