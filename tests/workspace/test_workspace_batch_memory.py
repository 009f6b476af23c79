"""Memory is asked for before anything starts, and commands do not sweep each other's work."""

import os
from pathlib import Path

import numpy as np
import pytest
from batch_tasks import keys

from tracerless.core.errors import RecipeError
from tracerless.core.recipe import PrepareRecipe, Recipe
from tracerless.io.atomic import PARTIAL_PREFIX
from tracerless.workspace import workers_memory
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.workers_lock import at_work


def test_workers_that_do_not_fit_are_refused_with_the_number_that_does() -> None:
    free = workers_memory.available_mb()
    each = int(free / 2.5)
    assert each <= workers_memory.share_mb(2, each) <= free / 2 + 100, "its share, no more"
    with pytest.raises(RecipeError, match="3 workers need together up to") as refused:
        workers_memory.share_mb(3, each)
    assert "Use --workers 2" in refused.value.hint
    assert f"{each:,} MB each" in refused.value.message
    with pytest.raises(RecipeError, match="1 worker needs up to") as refused:
        workers_memory.share_mb(1, int(free * 1.5))
    assert "Free memory" in refused.value.hint


def test_free_memory_is_never_more_than_the_machine_has() -> None:
    total = next(
        int(line.split()[1]) / 1024
        for line in Path("/proc/meminfo").read_text().splitlines()
        if line.startswith("MemTotal")
    )
    assert 0 < workers_memory.available_mb() <= total


def test_what_a_worker_needs_grows_with_the_largest_session_and_the_grid(tmp_path: Path) -> None:
    coarse = Dataset.create_or_open(tmp_path / "4", Recipe(prepare=PrepareRecipe(voxel_mm=4.0)))
    fine = Dataset.create_or_open(tmp_path / "1", Recipe(prepare=PrepareRecipe(voxel_mm=1.0)))
    first, second = keys(2)
    assert workers_memory.needed_mb(fine, [first]) > workers_memory.needed_mb(coarse, [first])
    before = workers_memory.needed_mb(coarse, [first, second])
    folder = coarse.root / "sourcedata" / f"sub-{second.person}" / "ses-01" / "T1w_001"
    folder.mkdir(parents=True)
    (folder / "1.dcm").write_bytes(bytes(50 << 20))
    assert workers_memory.needed_mb(coarse, [first]) == before
    assert workers_memory.needed_mb(coarse, [first, second]) >= before + 150


def test_memory_of_a_process_is_seen_and_of_none_is_nothing() -> None:
    before = workers_memory.resident_mb(os.getpid())
    held = np.ones(200 << 20, dtype=np.uint8)
    assert workers_memory.resident_mb(os.getpid()) > before + 150
    del held
    assert workers_memory.resident_mb(None) == 0
    assert workers_memory.resident_mb(2**22 + 1) == 0


def test_only_who_comes_alone_sweeps_up(tmp_path: Path) -> None:
    dataset = Dataset.create_or_open(tmp_path / "d")
    left = tmp_path / "d" / "derivatives" / f"{PARTIAL_PREFIX}x-y.nii.gz"
    left.parent.mkdir()
    with at_work(dataset) as first:
        left.touch()
        with at_work(dataset) as second:
            assert (first, second) == (True, False)
            assert left.exists(), "another command may be writing it"
    with at_work(dataset) as again:
        assert again
        assert not left.exists()
    assert not (tmp_path / "d" / ".lock").exists()
