"""One process of several that learn together: ``python one_of_two.py WHERE`` under torchrun."""

import sys
from dataclasses import replace
from pathlib import Path

from phantom_sessions import REFERENCE, atlas_of, grid_of, people, template_of

from tracerless.core.recipe import SynthesizeRecipe
from tracerless.synthesize import Checkpoint, fit
from tracerless.synthesize.distributed import is_leader
from tracerless.synthesize.fit import Watch

SHARED = SynthesizeRecipe(
    network="unet-tiny", voxel_mm=8.0, steps=8, held_out=0.25, batch=4, learning_rate=4e-3
)


def trained(watch: Watch | None = None) -> Checkpoint:
    grid = grid_of(8.0)
    return fit(
        people(12, grid),
        template=template_of(grid),
        atlas=atlas_of(grid),
        recipe=replace(SHARED),
        reference=REFERENCE,
        training_domain="simulated",
        watch=watch or Watch(device="cpu"),
    )


if __name__ == "__main__":
    made = trained()
    if is_leader():
        Path(sys.argv[1]).write_bytes(made.to_bytes())
