"""One dataset with everything in it, for the tests of what lies on disk."""

import pytest
from derivative_cases import World, fill, whole_session, world

from tracerless.core.session import Prepared
from tracerless.workspace.dataset import Dataset


@pytest.fixture(scope="module")
def where() -> World:
    return world()


@pytest.fixture(scope="module")
def session(where: World) -> Prepared:
    return whole_session(where)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory, session: Prepared, where: World) -> Dataset:
    return fill(tmp_path_factory.mktemp("full") / "dataset", session, where)
