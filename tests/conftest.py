"""What every test may ask for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest


def shared_data() -> Path | None:
    """The folder of real scans, or None."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("TRACERLESS_TEST_DATA", beside))
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def scans() -> Path:
    """The folder of real scans; the test is skipped, with the reason, where it is absent."""
    folder = shared_data()
    if folder is None:
        pytest.skip("real scans are absent: set TRACERLESS_TEST_DATA to their folder")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _own_config_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """New vaults put their unlock keys into the user's config folder: not into the real one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield
