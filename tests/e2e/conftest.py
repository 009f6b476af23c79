"""Folders that are made once for every worker of a run, by the commands."""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of a run see."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(autouse=True)
def _one_config_folder(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vaults of shared folders are opened by every worker: their keys lie in one place."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(shared / "config"))


@pytest.fixture(scope="session")
def once(shared: Path) -> Once:
    """Makes a folder once for all workers of a run: whoever comes first makes it, others wait."""

    def make_once(name: str, make: Callable[[Path], None]) -> Path:
        folder, made = shared / name, shared / f"{name}.made"
        with (shared / f"{name}.lock").open("w") as lock, pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_CONFIG_HOME", str(shared / "config"))
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                make(folder)
                made.touch()
        return folder

    return make_once


@pytest.fixture(scope="session")
def one_person(scans: Path, once: Once) -> Path:
    """The volunteer's scans without the folder of missing slices."""

    def make(folder: Path) -> None:
        away = shutil.ignore_patterns("missing-slices", "SOURCE.txt")
        shutil.copytree(scans / "mr-one-person", folder, ignore=away)

    return once("incoming", make)
