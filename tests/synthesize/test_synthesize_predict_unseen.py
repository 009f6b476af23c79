"""People that a model never saw: held by their intervals, well or ill, and not called strange."""

import numpy as np
import pytest
from phantom_sessions import (
    REFERENCE,
    atlas_of,
    grid_of,
    people,
    region_means,
    template_of,
    without,
)

from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import ModelError
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.volume import MR_INPUTS, Contrast
from tracerless.synthesize import fit, synthesizer
from tracerless.synthesize.calibration import subset_key, subsets
from tracerless.synthesize.fit import Watch

GRID = grid_of(6.0)
T1W, T2W, CBF = MR_INPUTS
N_FRESH = 30


@pytest.fixture(scope="module")
def solved():
    """Every second phantom is ill (``phantom_sessions.people``); T1 and T2 tell nothing of it."""
    taught = people(40, GRID)
    facts = {s.key.person: PersonFacts("AD" if i % 2 else "CN") for i, s in enumerate(taught)}
    return fit(
        taught,
        template=template_of(GRID),
        atlas=atlas_of(GRID),
        recipe=SynthesizeRecipe(network="ridge", voxel_mm=6.0),
        reference=REFERENCE,
        training_domain="simulated",
        facts=facts,
        watch=Watch(threads=1),
    )


@pytest.fixture(scope="module")
def network(solved):
    return synthesizer(solved, template_of(GRID), atlas_of(GRID))


@pytest.fixture(scope="module")
def fresh(network):
    """(session, prediction) of people of another family."""
    return [(s, network.predict(s)) for s in people(N_FRESH, GRID, family="fresh")]


def inside(session, made):
    truth = session.volumes[Contrast.FDG].array
    widths = np.array([made.half_widths[each.key] for each in atlas_of(GRID).regions])
    gone = region_means(truth, GRID) - region_means(made.volume.array, GRID)
    return np.abs(gone) <= widths


def test_the_well_and_the_ill_are_held_region_by_region(solved, fresh) -> None:
    held = np.array([inside(*each) for each in fresh])
    assert dict(solved.intervals["T1w+T2w+cbf"].held.groups) == {"CN": 20, "AD": 20}
    for group in (held[::2], held[1::2]):
        assert 0.8 <= group.mean() <= 0.99
    assert held.mean(axis=0).min() > 0.6


def test_they_are_held_voxel_by_voxel(fresh) -> None:
    shares = []
    for session, made in fresh:
        truth = session.volumes[Contrast.FDG].array
        within = np.isfinite(made.half_width.array) & (template_of(GRID).brain.array > 0.5)
        error = np.abs(truth - made.volume.array)
        shares.append((error <= made.half_width.array)[within].mean())
    assert 0.82 <= np.mean(shares) <= 0.98
    assert min(shares) > 0.5


def test_few_of_them_are_called_strange(fresh) -> None:
    verdicts = [made.reach.verdict for _, made in fresh]
    assert verdicts.count("outside") <= 1
    assert verdicts.count("inside") >= 0.8 * N_FRESH


def test_inputs_are_refused_exactly_where_they_tell_nothing(solved, network, fresh) -> None:
    session = fresh[1][0]
    for inputs in subsets():
        works = solved.calibration[subset_key(inputs)].works
        assert works == (CBF in inputs), inputs
        if not works:
            with pytest.raises(ModelError, match="was not shown to know more than the mean"):
                network.predict(session, inputs)


def test_what_a_session_lacks_is_refused_like_what_is_not_asked_for(network, fresh) -> None:
    with pytest.raises(ModelError, match="From T1w and T2w alone"):
        network.predict(without(fresh[1][0], CBF))


def test_the_narrower_view_has_the_wider_interval(network, fresh) -> None:
    """T2w adds nothing here, so leaving it out costs nothing; the mean of widths must not fall."""
    session, whole = fresh[1]
    part = network.predict(session, (CBF,))
    both = [np.mean(list(p.half_widths.values())) for p in (whole, part)]
    assert both[1] == pytest.approx(both[0], rel=0.35)
