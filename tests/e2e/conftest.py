"""One small hospital and one model for every end-to-end test; made once, by the commands."""

import shutil
from pathlib import Path

import pytest
from e2e_commands import tracerless


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a synthesizer trained on a few simulated people."""
    training = tmp_path_factory.mktemp("e2e") / "training"
    tracerless("simulate", training, "--people", "18", "--seed", "tests", "--prepared")
    tracerless("synthesize", "fit", training, "--name", "tiny", "--steps", "120")
    return training / "models" / "tiny"


@pytest.fixture(scope="session")
def one_person(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The volunteer's scans without the folder of missing slices."""
    folder = tmp_path_factory.mktemp("one") / "incoming"
    source = scans / "mr-one-person"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("missing-slices", "SOURCE.txt"))
    return folder
