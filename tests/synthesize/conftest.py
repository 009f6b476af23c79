"""One small trained model that many tests look at."""

import pytest
from phantom_sessions import GRID, RECIPE, REFERENCE, atlas_of, people, template_of

from tracerless.synthesize import Checkpoint, fit
from tracerless.synthesize.fit import Watch


@pytest.fixture(scope="session")
def trained() -> Checkpoint:
    return fit(
        people(40, GRID),
        template=template_of(GRID),
        atlas=atlas_of(GRID),
        recipe=RECIPE,
        reference=REFERENCE,
        training_domain="simulated",
        watch=Watch(threads=1),
    )
