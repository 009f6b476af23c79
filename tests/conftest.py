"""What every test may ask for."""

import os
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
