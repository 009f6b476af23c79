"""PET and SPECT: known uptake comes back, in the image domain and through projections."""

import dataclasses

import numpy as np
import pytest
from simulate_phantom import (
    CBF_GREY,
    CBF_WHITE,
    CENTER,
    SUV_GREY,
    SUV_WHITE,
    head_lattice,
    interior,
    phantom_head,
    scanners,
)

from tracerless.core.errors import GeometryError, RecipeError
from tracerless.simulate import emission, projected, tomography
from tracerless.simulate.acquire import scanner_grid

SCANNERS = scanners()
SIZE = SCANNERS.size("demo")
PET_GRID = scanner_grid(SIZE.pet, SIZE.pet_mm, CENTER)
SPECT_GRID = scanner_grid(SIZE.spect, SIZE.spect_mm, CENTER)
WEIGHT_KG = 61.0


@pytest.fixture(scope="module")
def head():
    return phantom_head(head_lattice(2.5))


def _means(volume, fwhm_mm):
    grid = volume.grid
    return {k: volume.array[interior(grid, k, fwhm_mm)].mean() for k in ("grey", "white")}


@pytest.mark.parametrize("scanner", SCANNERS.petmr, ids=lambda s: s.key)
def test_projected_and_fast_pet_agree_in_regions_within_two_percent(head, scanner):
    common = {"scanners": SCANNERS, "weight_kg": WEIGHT_KG, "seed": "agree"}
    fast = _means(emission.fdg(head, PET_GRID, scanner.pet, **common), 6.0)
    counted = _means(
        projected.fdg_projected(head, PET_GRID, scanner.pet, n_angles=SIZE.pet_angles, **common),
        6.0,
    )
    for region, mean in fast.items():
        assert counted[region] == pytest.approx(mean, rel=0.02), region


def test_known_suv_comes_back_from_activity_dose_and_weight(head):
    protocol = SCANNERS.petmr[1].pet
    volume = emission.fdg(
        head, PET_GRID, protocol, scanners=SCANNERS, weight_kg=WEIGHT_KG, seed="suv"
    )
    half_life_s = SCANNERS.emission.half_life_f18_s
    dose_kbq = protocol.dose_mbq * 1000 * 2 ** (-protocol.uptake_s / half_life_s)
    suv = {k: v * WEIGHT_KG * 1000 / dose_kbq for k, v in _means(volume, 6.0).items()}
    assert suv["grey"] == pytest.approx(SUV_GREY, rel=0.02)
    assert suv["white"] == pytest.approx(SUV_WHITE, rel=0.02)


def test_fast_pet_has_the_noise_of_the_projected_one(head):
    scanner = SCANNERS.petmr[1]
    common = {"scanners": SCANNERS, "weight_kg": WEIGHT_KG}
    pick = interior(PET_GRID, "grey", 6.0)

    def spread(make):
        one, two = (make(seed) for seed in ("n1", "n2"))
        return (one[pick] - two[pick]).std() / np.sqrt(2) / one[pick].mean()

    fast = spread(lambda s: emission.fdg(head, PET_GRID, scanner.pet, seed=s, **common).array)
    assert fast == pytest.approx(scanner.pet.noise, rel=0.2)
    angles = SIZE.pet_angles
    counted = spread(
        lambda s: (
            projected.fdg_projected(
                head, PET_GRID, scanner.pet, n_angles=angles, seed=s, **common
            ).array
        )
    )
    assert fast == pytest.approx(counted, rel=0.3)


@pytest.mark.parametrize("scanner", SCANNERS.spect, ids=lambda s: s.key)
def test_projected_and_fast_spect_agree_in_contrast(head, scanner):
    fast = emission.spect(head, SPECT_GRID, scanner, scanners=SCANNERS, seed="agree")
    counted = projected.spect_projected(
        head, SPECT_GRID, scanner, scanners=SCANNERS, size=SIZE, seed="agree"
    )
    ratio = [m["grey"] / m["white"] for m in (_means(fast, 8.0), _means(counted, 8.0))]
    assert ratio[1] == pytest.approx(ratio[0], rel=0.10)
    inside = fast.array > 0.3 * fast.array.max()
    assert np.corrcoef(fast.array[inside], counted.array[inside])[0, 1] > 0.95


def test_retention_saturates_and_hmpao_more_than_ecd(head):
    flow = np.linspace(0, 2, 21, dtype=np.float32)
    constants = SCANNERS.emission
    hmpao, ecd = (
        emission.retention(flow, alpha) for alpha in (constants.lassen_hmpao, constants.lassen_ecd)
    )
    assert hmpao[0] == ecd[0] == 0
    assert hmpao[10] == pytest.approx(1)
    assert (np.diff(hmpao) > 0).all()
    assert (np.diff(hmpao, 2) < 0).all()
    assert hmpao[20] < ecd[20] < 2
    tracers = {
        name: emission.perfusion_tracer(head.sample, SCANNERS, name) for name in ("HMPAO", "ECD")
    }
    picks = {k: interior(head.lattice, k, 6.0) for k in ("grey", "white")}
    contrast = {n: a[picks["grey"]].mean() / a[picks["white"]].mean() for n, a in tracers.items()}
    assert contrast["HMPAO"] < contrast["ECD"] < CBF_GREY / CBF_WHITE


def test_another_tracer_is_refused(head):
    with pytest.raises(RecipeError, match="HMPAO or ECD"):
        emission.perfusion_tracer(head.sample, SCANNERS, "FDG")


def test_attenuation_correction_matters_and_is_right(head):
    """Without the factors in the model, the middle of the head would lose most of its counts."""
    grid = scanner_grid((48, 48, 4), (5.0, 5.0, 5.0), CENTER)
    disk = np.zeros((48, 48, 4), dtype=np.float32)
    x, y = np.meshgrid(*[np.arange(48) - 23.5] * 2, indexing="ij")
    disk[np.hypot(x, y) < 17] = 1
    system = tomography.projector(48, 5.0, n_angles=48, arc_deg=180.0)
    planes = disk.reshape(-1, 4)
    factors = np.exp(-system.forward(planes * np.float32(0.0096)) * np.float32(5.0))
    counts = system.forward(planes * np.float32(1000)) * factors
    nothing = np.zeros_like(counts)
    corrected, raw = (
        tomography.osem(counts, system, factors=f, background=nothing, iterations=6, subsets=8)
        for f in (factors, np.ones_like(factors))
    )
    middle = np.hypot(x, y) < 6
    assert corrected[middle].mean() == pytest.approx(1000, rel=0.02)
    assert raw[middle].mean() < 400
    assert grid.shape[:2] == (48, 48)


def test_projection_keeps_the_total_at_every_angle():
    system = tomography.projector(32, 4.0, n_angles=12, arc_deg=360.0)
    rng = np.random.default_rng(5)
    plane = np.zeros((32, 32, 1), dtype=np.float32)
    plane[10:22, 10:22] = rng.random((12, 12, 1))
    views = system.forward(plane.reshape(-1, 1))
    np.testing.assert_allclose(views.sum(axis=(1, 2)), plane.sum(), rtol=1e-4)


def test_collimator_blurs_more_the_farther_the_source():
    def sigma_mm(depth_mm):
        return 1 + 0.02 * depth_mm

    system = tomography.projector(
        64, 4.0, n_angles=2, arc_deg=360.0, orbit_mm=150.0, sigma_mm=sigma_mm
    )
    plane = np.zeros((64, 64), dtype=np.float32)
    plane[32, 50] = 1  # toward +y: near the detector at 0 degrees, far at 180
    near, far = system.forward(plane.reshape(-1, 1))[:, :, 0]
    assert near.max() > 1.5 * far.max()
    assert near.sum() == pytest.approx(far.sum(), rel=1e-3)


def test_photons_escape_toward_the_near_side():
    mu = np.zeros((40, 40, 1), dtype=np.float32)
    mu[8:32, 8:32] = 0.015
    share = tomography.escape(mu, 4.0, 0.0)
    depth_mm = 4.0 * (np.arange(31, 7, -1) - 8 + 0.5)[::-1]
    line = share[20, 8:32, 0]
    assert (np.diff(line) > 0).all()
    np.testing.assert_allclose(line[::-1], np.exp(-0.015 * depth_mm), rtol=0.02)


def test_chang_restores_a_uniform_cylinder():
    n = 40
    x, y = np.meshgrid(*[np.arange(n) - (n - 1) / 2] * 2, indexing="ij")
    truth = (np.hypot(x, y) < 15).astype(np.float32)[..., None] * np.ones(8, dtype=np.float32)
    mu = truth * np.float32(0.012)
    dimmed = np.mean([tomography.escape(mu, 4.0, a) for a in range(0, 360, 12)], axis=0) * truth
    restored = tomography.chang(dimmed, 4.0, 0.12)
    inner = (np.hypot(x, y) < 11)[..., None] & np.ones(8, dtype=bool)
    assert dimmed[20, 20, 4] < 0.85 * dimmed[20, 32, 4]
    assert restored[inner].std() / restored[inner].mean() < 0.06


def test_butterworth_passes_slow_and_stops_fast_waves():
    x = np.arange(64) * 4.0
    waves = {f: 2 + np.sin(2 * np.pi * f * x / 10) for f in (0.15625, 1.09375)}
    kept = {
        f: np.ptp(
            tomography.butterworth(
                np.broadcast_to(w[:, None, None], (64, 4, 4)).astype(np.float32), 4.0, 0.5, 8.0
            )
        )
        / np.ptp(w)
        for f, w in waves.items()
    }
    assert kept[0.15625] > 0.98
    assert kept[1.09375] < 0.01


def test_subsets_that_do_not_divide_the_angles_are_refused():
    system = tomography.projector(16, 4.0, n_angles=10, arc_deg=180.0)
    counts = np.ones((10, 16, 1), dtype=np.float32)
    with pytest.raises(GeometryError, match="10 angles"):
        tomography.osem(
            counts, system, factors=counts, background=counts * 0, iterations=1, subsets=4
        )


def test_counts_are_as_many_as_the_camera_collects(head):
    scanner = dataclasses.replace(SCANNERS.spect[0], noise=0.0)
    volume = emission.spect(head, SPECT_GRID, scanner, scanners=SCANNERS, seed="c")
    assert volume.array.sum(dtype=np.float64) == pytest.approx(scanner.counts, rel=1e-3)
