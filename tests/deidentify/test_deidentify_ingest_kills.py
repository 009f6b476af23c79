"""A command that is killed at any instant goes on to the same bytes."""

import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from ingest_made import hospital, run, tree

from tracerless.core.source import SourceSeries
from tracerless.io.vault import Vault

_EVENTS = ("os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.truncate")


def _die_at(count: int, root: Path, work: Callable[[], object]) -> None:
    """Run ``work`` and be killed at the n-th change of anything below ``root``."""
    left = [count]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & 3
        if (event in _EVENTS or writes) and str(root) in str(arguments[0]):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    work()
    os._exit(77)


def _killed_at(count: int, place: Path, found: tuple[SourceSeries, ...]) -> int:
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=_die_at, args=(count, place, lambda: run(place, *found)))
    child.start()
    child.join()
    return int(child.exitcode or 0)


def _after_every_kill(tmp_path: Path, step: int) -> int:
    found = hospital(tmp_path / "in")
    calm = tmp_path / "calm"
    Vault.create(calm / "vault", dataset=calm / "data")
    shutil.copytree(calm / "vault", tmp_path / "vault")
    run(calm, *found)
    expected = tree(calm / "data")
    count = 1
    while True:
        place = tmp_path / f"killed-{count}"
        shutil.copytree(tmp_path / "vault", place / "vault")
        code = _killed_at(count, place, found)
        if code == 77:
            return count
        assert code == -signal.SIGKILL
        run(place, *found)
        assert tree(place / "data") == expected, count
        shutil.rmtree(place)
        count += step


def test_killed_at_many_instants_it_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    assert _after_every_kill(tmp_path, 13) > 60


@pytest.mark.slow
def test_killed_at_every_instant_it_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    assert _after_every_kill(tmp_path, 1) > 60
