"""The phantom head and its face, made once."""

import pytest
from deface_phantom import fdg_signal, scanner_grid, seen, t1_signal

from tracerless import deface
from tracerless.core.session import Template
from tracerless.core.volume import Contrast, Volume
from tracerless.io import resources


@pytest.fixture(scope="session")
def fine() -> Template:
    return resources.template(3.0)


@pytest.fixture(scope="session")
def coarse() -> Template:
    return resources.template(5.0)


@pytest.fixture(scope="session")
def t1(fine: Template) -> Volume:
    return seen(fine, t1_signal(fine), scanner_grid((2.4, 2.4, 2.4)), Contrast.T1W)


@pytest.fixture(scope="session")
def fdg(fine: Template) -> Volume:
    return seen(fine, fdg_signal(fine), scanner_grid((3.0, 3.0, 3.0)), Contrast.FDG)


@pytest.fixture(scope="session")
def face(fdg: Volume, coarse: Template) -> deface.Face:
    found = deface.fit(fdg, coarse)
    assert isinstance(found, deface.Face), found
    return found
