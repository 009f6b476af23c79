"""What every test may ask for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = "1"
"""ITK counts its threads once a process: a test that calls it bare must not leave it at many."""


LONGEST_FIRST = (
    "e2e/test_e2e_real.py",
    "e2e/test_e2e_refused.py",
    "prepare/test_prepare_emission_only.py",
    "deface/test_deface_session.py",
    "workspace/test_workspace_batch_workers.py",
    "prepare/test_prepare_session.py",
    "prepare/test_prepare_asl_real.py",
    "prepare/test_prepare_ladder.py",
    "prepare/test_prepare_bad_input.py",
    "synthesize/test_synthesize_fit.py",
    "io/test_io_real.py",
    "workspace/test_workspace_bundles.py",
    "simulate/test_simulate_export_hospital.py",
    "prepare/test_prepare_engine.py",
    "deface/test_deface_face.py",
    "simulate/test_simulate_people_cohort.py",
)
"""A file's tests stay with one worker; the files that take longest begin, so that none is last."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; the order within a file stays."""
    rank = {name: n for n, name in enumerate(LONGEST_FIRST)}

    def place(item: pytest.Item) -> int:
        parts = Path(item.nodeid.split("::")[0]).parts
        return rank.get("/".join(parts[-2:]), len(rank))

    items.sort(key=place)


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
