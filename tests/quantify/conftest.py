"""The phantom person of partial-volume correction, made once."""

import pandas as pd
import pytest
from quantify_phantom import FWHM_MM, Truth, anatomy, correct, labels_of, pet, prepared, truth

from tracerless.core.atlas import Atlas, RoiTable
from tracerless.core.session import Anatomy, NativeSeries, Prepared
from tracerless.io import resources
from tracerless.quantify.pvc_atoms import Atoms, atoms


@pytest.fixture(scope="session")
def made() -> Truth:
    return truth()


@pytest.fixture(scope="session")
def atlas() -> Atlas:
    return resources.atlas("fdg36", 2.0)


@pytest.fixture(scope="session")
def tissues(made: Truth) -> Anatomy:
    return anatomy(made)


@pytest.fixture(scope="session")
def session(tissues: Anatomy, atlas: Atlas) -> Prepared:
    return prepared(tissues, atlas)


@pytest.fixture(scope="session")
def fdg(made: Truth) -> NativeSeries:
    return pet(made, FWHM_MM)


@pytest.fixture(scope="session")
def expected(made: Truth, atlas: Atlas) -> pd.Series:
    """True SUVR of every region, to the pons."""
    return pd.Series(labels_of(atlas, made)) / made.region((16,))


@pytest.fixture(scope="session")
def gtm(fdg: NativeSeries, session: Prepared, atlas: Atlas) -> RoiTable:
    return correct(fdg, session, atlas, "gtm")


@pytest.fixture(scope="session")
def pieces(session: Prepared, atlas: Atlas) -> Atoms:
    assert session.anatomy is not None
    return atoms(atlas, session.anatomy, session.to_template)
