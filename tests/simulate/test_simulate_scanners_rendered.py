"""The fast way to training pairs looks like the long way through scanner matrices."""

import dataclasses
import functools

import numpy as np
import pytest
from simulate_phantom import (
    CENTER,
    SUV_GREY,
    SUV_WHITE,
    interior,
    phantom_head,
    phantom_sample,
    scanners,
)

from tracerless.core.grid import Grid, with_spacing
from tracerless.core.transform import resample
from tracerless.core.volume import Contrast, Quantity, with_array
from tracerless.io import resources
from tracerless.simulate import hospital
from tracerless.simulate.acquire import scanner_grid
from tracerless.simulate.emission import kbq_per_suv
from tracerless.simulate.person import make_person
from tracerless.simulate.rendered import render, rendered
from tracerless.workspace.simulate_world import world

SCANNERS = scanners()
GRID = scanner_grid((44, 54, 44), (4.0, 4.0, 4.0), CENTER)
CONTRASTS = (Contrast.T1W, Contrast.T2W, Contrast.CBF, Contrast.FDG)


def _plan(seed):
    """A machine whose field is flat, for the fast way leaves it out, and a head that is calm.

    (Physiology shifts the whole difference by chance; each way draws its own.)
    """
    machine = SCANNERS.petmr[1]
    flat = {
        name: dataclasses.replace(getattr(machine, name), bias=1e-9)
        for name in ("t1w", "t2w", "asl")
    }
    flat["asl"] = dataclasses.replace(flat["asl"], physiological=0.0)
    plan = hospital.setup(SCANNERS, size="demo", seed=seed, weight_kg=61.0)
    return dataclasses.replace(plan, petmr=dataclasses.replace(machine, **flat, has_cbf_map=True))


@functools.cache
def _long(seed):
    """The long way: measured on scanner matrices, through the true pose to 2 mm, averaged."""
    made = hospital.visit(phantom_sample, _plan(seed))
    pull = made.poses["petmr"]
    series = {Contrast.T1W: made.t1w, Contrast.T2W: made.t2w, Contrast.FDG: made.fdg}
    series[Contrast.CBF] = made.cbf
    fine = with_spacing(GRID, 2.0)
    return {k: _averaged(resample(v, fine, pull).array) for k, v in series.items()}


def _averaged(array):
    i, j, k = GRID.shape
    return array.reshape(i, 2, j, 2, k, 2).mean(axis=(1, 3, 5))


@functools.cache
def _fast(seed):
    lattice = with_spacing(GRID, 4.0 / 1.5)
    return {k: v.array for k, v in render(phantom_head(lattice), GRID, _plan(seed)).items()}


@pytest.mark.parametrize("contrast", CONTRASTS)
def test_regional_means_are_those_of_the_long_way(contrast):
    for region in ("grey", "white"):
        pick = interior(GRID, region, 8.0)
        long, fast = _long("n1")[contrast][pick], _fast("n1")[contrast][pick]
        tolerance = 0.05 if contrast is Contrast.CBF else 0.02
        assert np.nanmean(fast) == pytest.approx(np.nanmean(long), rel=tolerance), region


@pytest.mark.parametrize("contrast", CONTRASTS)
def test_noise_is_that_of_the_long_way(contrast):
    pick = interior(GRID, "white", 7.0) | interior(GRID, "grey", 7.0)

    def spread(way):
        one, two = way("n1")[contrast][pick], way("n2")[contrast][pick]
        return np.nanstd(one - two)

    assert spread(_fast) == pytest.approx(spread(_long), rel=0.35)


@pytest.mark.parametrize("contrast", CONTRASTS)
def test_edges_are_as_sharp_as_the_long_way(contrast):
    long, fast = _long("n1")[contrast], _fast("n1")[contrast]
    pick = np.isfinite(long) & (_fast("n1")[Contrast.FDG] > 1)
    assert np.corrcoef(long[pick], fast[pick])[0, 1] > (0.85 if contrast is Contrast.CBF else 0.97)


def test_known_suv_is_in_the_rendered_pet():
    plan = _plan("n2")
    fast = _fast("n2")[Contrast.FDG] / kbq_per_suv(plan.petmr.pet, SCANNERS, plan.weight_kg)
    assert fast[interior(GRID, "grey", 8.0)].mean() == pytest.approx(SUV_GREY, rel=0.02)
    assert fast[interior(GRID, "white", 8.0)].mean() == pytest.approx(SUV_WHITE, rel=0.02)


@pytest.fixture(scope="module")
def person():
    made_from = world()
    return make_person(made_from.anatomy, made_from.parameters, seed="rendered")


@pytest.fixture(scope="module")
def template_grid() -> Grid:
    return resources.template_grid(4.0)


def test_a_person_comes_out_in_four_contrasts_with_their_units(person, template_grid):
    volumes = rendered(person, template_grid, SCANNERS)
    assert tuple(volumes) == CONTRASTS
    assert [v.quantity for v in volumes.values()] == [
        Quantity.T1W,
        Quantity.T2W,
        Quantity.CBF,
        Quantity.ACTIVITY,
    ]
    assert all(v.grid == template_grid for v in volumes.values())
    assert all(np.isfinite(v.array).all() for v in volumes.values())


def test_brain_lies_where_the_template_has_it(person, template_grid):
    volumes = rendered(person, template_grid, SCANNERS)
    template = resources.template(4.0)
    grey, white = template.grey.array > 0.7, template.white.array > 0.9
    t1, fdg, flow = (volumes[c].array for c in (Contrast.T1W, Contrast.FDG, Contrast.CBF))
    assert t1[white].mean() > 1.15 * t1[grey].mean()
    assert fdg[grey].mean() > 1.25 * fdg[white].mean()
    assert flow[grey].mean() > 1.25 * flow[white].mean()
    outside = template.brain.array < 0.5
    assert fdg[outside].mean() < 0.2 * fdg[grey].mean()


def test_equal_seed_gives_equal_volumes_and_another_visit_other_noise(person, template_grid):
    one, same, other = (
        rendered(person, template_grid, SCANNERS, seed=seed)[Contrast.FDG].array
        for seed in ("v1", "v1", "v2")
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_residual_moves_edges_and_none_leaves_them(person, template_grid):
    quiet = dataclasses.replace(
        SCANNERS,
        petmr=tuple(
            dataclasses.replace(m, t1w=dataclasses.replace(m.t1w, snr=1e6)) for m in SCANNERS.petmr
        ),
    )
    still, moved, far = (
        rendered(person, template_grid, quiet, residual_mm=mm)[Contrast.T1W].array
        for mm in (0.0, 1.0, 3.0)
    )
    small, large = np.abs(moved - still).mean(), np.abs(far - still).mean()
    assert 0 < small < large
    assert (
        with_array(rendered(person, template_grid, quiet)[Contrast.T1W], still).grid
        == template_grid
    )
