"""One small trained model that many tests look at."""

import pytest
from phantom_sessions import REFERENCE, atlas_of, grid_of, people, template_of

from tracerless.core.recipe import SynthesizeRecipe
from tracerless.synthesize import Checkpoint, fit
from tracerless.synthesize.fit import Watch

GRID = grid_of(6.0)
RECIPE = SynthesizeRecipe(
    network="unet-tiny", voxel_mm=6.0, steps=240, held_out=0.3, learning_rate=4e-3
)


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
