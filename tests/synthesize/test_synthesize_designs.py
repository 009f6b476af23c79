"""Every design of the zoo trains and predicts behind one interface; so will a new row."""

from dataclasses import replace

import numpy as np
import pytest
from phantom_sessions import (
    REFERENCE,
    atlas_of,
    grid_of,
    people,
    person,
    pons,
    template_of,
    without,
)

from tracerless.cli.synthesize_fit import DESIGN_NAMES
from tracerless.core.cohort import PersonFacts
from tracerless.core.designs import DESIGNS, designed
from tracerless.core.errors import ModelError
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.volume import Contrast, Quantity
from tracerless.synthesize import Checkpoint, learn, synthesizer
from tracerless.synthesize.fit import Watch
from tracerless.synthesize.material import gather
from tracerless.synthesize.space import space

GRID = grid_of(10.0)
PEOPLE = [without(each, Contrast.T2W, Contrast.CBF) for each in people(32, GRID)]
FACTS = {
    each.key.person: PersonFacts(diagnosis=("CN", "CN", "AD")[i % 3], age=60.0 + i, sex="FM"[i % 2])
    for i, each in enumerate(PEOPLE)
}
WHERE = space(template_of(GRID), atlas_of(GRID), REFERENCE)
TINY = SynthesizeRecipe(voxel_mm=8.0, steps=2, flow_steps=2, held_out=0.3)
WHO = PersonFacts(age=70.0, sex="F")


@pytest.fixture(scope="module")
def material():
    return gather(PEOPLE, WHERE, facts=FACTS)


@pytest.fixture(params=sorted(DESIGNS))
def made(request, material) -> Checkpoint:
    """Trained for two steps; that it is no better than the mean yet must not stop it here."""
    got = learn(
        material,
        WHERE,
        recipe=designed(TINY, request.param),
        training_domain="simulated",
        watch=Watch(device="cpu"),
    )
    allowed = {key: replace(each, works=True) for key, each in got.calibration.items()}
    return replace(got, calibration=allowed)


def test_every_design_keeps_the_contract_of_a_prediction(made) -> None:
    again = Checkpoint.from_bytes(made.to_bytes())
    assert again.to_bytes() == made.to_bytes()
    n_samples = 2 if made.recipe.objective == "flow" else 0
    asked = synthesizer(again, template_of(GRID), atlas_of(GRID))
    session = without(person(99, 1.0, GRID, family="fresh"), Contrast.T2W, Contrast.CBF)
    got = asked.predict(session, person=WHO, n_samples=n_samples)
    volume = got.volume
    assert (volume.grid, volume.quantity) == (session.grid, Quantity.SUVR)
    assert volume.contrast == Contrast.SYNTHETIC_FDG
    assert np.nanmean(volume.array[pons(GRID)]) == pytest.approx(1, abs=1e-3)
    assert set(got.half_widths) == set(WHERE.keys)
    assert all(width > 0 for width in got.half_widths.values())
    assert got.half_width.grid == volume.grid
    assert np.nanmin(got.half_width.array) > 0
    assert len(got.samples) == n_samples
    assert got.model == made.name
    assert got.training_domain == "simulated"
    assert "The model was trained on simulated people only." in got.notes
    assert {"model", "template", "prepared", "backend", "members"} <= set(got.provenance)
    looks = made.recipe.network != "none"
    assert (got.reach is not None) == looks
    assert got.covariates == (("age", "sex") if made.recipe.covariates == "age-sex" else ())
    if n_samples == 0:
        with pytest.raises(ModelError, match="makes no samples"):
            asked.predict(session, person=WHO, n_samples=1)


def test_the_help_names_every_design() -> None:
    assert DESIGN_NAMES.split(", ") == list(DESIGNS)
