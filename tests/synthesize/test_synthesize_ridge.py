"""The linear map: solved, not descended to; it says no more than it knows."""

from dataclasses import replace

import numpy as np
import pytest
from phantom_sessions import (
    GRID,
    RECIPE,
    REFERENCE,
    atlas_of,
    people,
    region_means,
    template_of,
    without,
)

from tracerless.core.volume import Contrast
from tracerless.synthesize import Checkpoint, fit, synthesizer
from tracerless.synthesize.closed_form import _left_out
from tracerless.synthesize.fit import Watch

RIDGE = replace(RECIPE, network="ridge")


def solve(sessions):
    return fit(
        sessions,
        template=template_of(GRID),
        atlas=atlas_of(GRID),
        recipe=RIDGE,
        reference=REFERENCE,
        training_domain="simulated",
        watch=Watch(threads=1),
    )


@pytest.fixture(scope="module")
def solved():
    return solve(people(40, GRID))


def test_it_finds_what_flow_shows_and_admits_what_anatomy_does_not(solved) -> None:
    assert solved.calibration["cbf"].skill > 0.3
    assert solved.calibration["T1w+T2w+cbf"].skill > 0.3
    assert solved.calibration["T1w"].slope == 0


def test_held_out_skill_is_what_new_people_get(solved) -> None:
    network = synthesizer(solved, template_of(GRID), atlas_of(GRID))
    error = base = 0.0
    mean = region_means(solved.mean, GRID)
    for session in people(16, GRID, family="fresh"):
        truth = region_means(session.volumes[Contrast.FDG].array, GRID)
        made = region_means(network.predict(session).volume.array, GRID)
        error += np.abs(truth - made).sum()
        base += np.abs(truth - mean).sum()
    assert solved.calibration["T1w+T2w+cbf"].skill == pytest.approx(1 - error / base, abs=0.2)


def test_where_pet_has_nothing_to_do_with_mr_there_is_no_skill() -> None:
    got = solve(people(24, GRID, coupling=0.0, family="uncoupled"))
    assert all(c.slope == 0 or c.skill < 0.15 for c in got.calibration.values())


def test_same_people_same_bytes_and_they_read_back(solved) -> None:
    assert solve(people(40, GRID)).to_bytes() == solved.to_bytes()
    assert Checkpoint.from_bytes(solved.to_bytes()).digest == solved.digest


def test_people_without_a_contrast_teach_the_sets_that_they_have() -> None:
    some = [
        without(each, Contrast.CBF) if i % 3 == 0 else each
        for i, each in enumerate(people(24, GRID))
    ]
    assert solve(some).calibration["cbf"].skill > 0.2


def test_two_scans_of_one_person_do_not_vouch_for_each_other() -> None:
    """Left out one scan at a time, a person's second scan would make noise look predictable."""
    random = np.random.default_rng(3)
    x, y = (np.repeat(random.standard_normal((20, n)), 2, axis=0) for n in (60, 4))
    x = x - x.mean(axis=0)
    values, vectors = np.linalg.eigh(x @ x.T)
    wanted = y - y.mean(axis=0)
    scans = [np.arange(40) == row for row in range(40)]
    persons = [np.arange(40) // 2 == person for person in range(20)]
    of = {
        name: _left_out(vectors, np.maximum(values, 0), 1e-2, wanted, owners)
        for name, owners in (("scans", scans), ("persons", persons))
    }
    assert of["scans"] < 0.1 * np.abs(wanted).sum() < np.abs(wanted).sum() < of["persons"]
