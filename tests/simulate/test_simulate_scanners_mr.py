"""Magnitude volumes follow the signal equations, and scanners see what lies where."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulate_phantom import CENTER, LEFT_LESION, head_lattice, interior, phantom_head, scanners

from tracerless.core.errors import RecipeError
from tracerless.core.transform import Affine
from tracerless.io.simulate_scanners import scanner_tables
from tracerless.simulate import mr
from tracerless.simulate.acquire import acquire, random_pose, receive_field, rician, scanner_grid
from tracerless.simulate.catalog import catalog
from tracerless.simulate.scanners import TISSUES, machines

SCANNERS = scanners()
PROTOCOL = SCANNERS.petmr[1].t1w
QUIET = dataclasses.replace(PROTOCOL, snr=1e6, bias=1e-9)


@pytest.fixture(scope="module")
def head():
    return phantom_head(head_lattice(3.0))


def _shots(tissue, protocol, n=40):
    """The MPRAGE steady state, by playing one shot after the other."""
    flip = np.deg2rad(protocol.flip_deg)
    n_before = protocol.n_echoes // 2
    before = protocol.inversion_s - n_before * protocol.echo_spacing_s
    after = protocol.shot_s - before - protocol.n_echoes * protocol.echo_spacing_s
    mz = 1.0
    for _ in range(n):
        mz = -mr.INVERSION_EFFICIENCY * mz
        mz = 1 + (mz - 1) * np.exp(-before / tissue.t1_s)
        for echo in range(protocol.n_echoes):
            if echo == n_before:
                center = mz
            mz *= np.cos(flip)
            mz = 1 + (mz - 1) * np.exp(-protocol.echo_spacing_s / tissue.t1_s)
        mz = 1 + (mz - 1) * np.exp(-after / tissue.t1_s)
    return abs(tissue.pd * np.sin(flip) * center)


@pytest.mark.parametrize("key", [key for key in TISSUES if key != "air"])
def test_closed_form_agrees_with_playing_the_pulses(key):
    tissue = SCANNERS.tissues[key]
    assert mr.mprage(tissue, PROTOCOL) == pytest.approx(_shots(tissue, PROTOCOL), rel=1e-6)


@pytest.mark.parametrize("scanner", SCANNERS.petmr, ids=lambda s: s.key)
def test_contrast_is_that_of_t1_and_t2_weighting(scanner):
    t1 = {k: mr.mprage(t, scanner.t1w) for k, t in SCANNERS.tissues.items()}
    t2 = {k: mr.turbo_spin_echo(t, scanner.t2w) for k, t in SCANNERS.tissues.items()}
    assert t1["fat"] > t1["white"] > t1["deep_grey"] > t1["grey"] > t1["csf"] > t1["air"]
    assert 0.5 < t1["grey"] / t1["white"] < 0.85
    assert t1["lesion"] < t1["white"]
    assert t2["csf"] > t2["lesion"] > t2["grey"] > t2["white"] > t2["bone"]


@pytest.mark.parametrize("plane", ["axial", "sagittal"])
def test_lesion_on_the_left_is_found_on_the_left(head, plane):
    grid = scanner_grid((80, 80, 70), (2.8, 2.8, 2.8), CENTER, plane)
    tissues = SCANNERS.tissues
    volume = mr.t2w(
        head, grid, dataclasses.replace(SCANNERS.petmr[1].t2w, bias=1e-9), tissues=tissues, seed="a"
    )
    left = np.array([*LEFT_LESION[0], 1.0])
    right = left * (-1, 1, 1, 1)
    values = [
        volume.array[tuple(np.rint(np.linalg.inv(grid.affine) @ point)[:3].astype(int))]
        for point in (left, right)
    ]
    assert values[0] > 1.5 * values[1]


def test_noise_in_air_is_rayleigh_and_in_tissue_as_stated(head):
    grid = head.lattice
    protocol = dataclasses.replace(PROTOCOL, bias=1e-9)
    volume = mr.t1w(head, grid, protocol, tissues=SCANNERS.tissues, seed="noise")
    white = volume.array[interior(grid, "white", 6.0)]
    assert white.mean() / white.std() == pytest.approx(protocol.snr, rel=0.05)
    corner = volume.array[:6, :6, :6]
    sigma = protocol.scale / protocol.snr
    assert corner.mean() == pytest.approx(sigma * np.sqrt(np.pi / 2), rel=0.1)


def test_own_t1_moves_the_signal_as_the_equation_says():
    lattice = head_lattice(6.0)
    longer = phantom_head(lattice, t1_factor=1.05)
    usual = phantom_head(lattice)
    pick = interior(lattice, "grey", 6.0)
    tissues = SCANNERS.tissues
    seen = [mr.t1w_signal(h.sample, tissues, PROTOCOL)[pick].mean() for h in (longer, usual)]
    grey = tissues["grey"]
    expected = mr.mprage(grey, PROTOCOL, 1.05) / mr.mprage(grey, PROTOCOL)
    assert seen[0] / seen[1] == pytest.approx(expected, rel=5e-3)  # taken to first order


def test_equal_seed_gives_equal_volume_and_another_seed_another(head):
    grid = scanner_grid((40, 40, 30), (5.0, 5.0, 5.0), CENTER)
    made = [
        mr.t1w(head, grid, PROTOCOL, tissues=SCANNERS.tissues, seed=seed).array
        for seed in ("one", "one", "two")
    ]
    np.testing.assert_array_equal(made[0], made[1])
    assert not np.allclose(made[0], made[2])


def test_motion_moves_what_is_seen(head):
    grid = scanner_grid((60, 60, 60), (3.0, 3.0, 3.0), CENTER)
    signal = mr.t1w_signal(head.sample, SCANNERS.tissues, QUIET)
    shift = np.eye(4)
    shift[0, 3] = 3.0
    still = acquire(signal, head.lattice, grid)
    moved = acquire(signal, head.lattice, grid, motion=Affine("a", "a", shift))
    np.testing.assert_allclose(moved[1:-1], still[:-2], atol=0.02)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 5), st.floats(0, 10))
def test_a_pose_is_rigid_and_has_an_inverse(seed, degrees, mm):
    pose = random_pose(np.random.default_rng(seed), degrees, mm, CENTER, ("a", "b"))
    turn = pose.matrix[:3, :3]
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(turn) == pytest.approx(1)
    points = np.random.default_rng(seed).normal(0, 80, (5, 3)).astype(np.float32)
    np.testing.assert_allclose(pose.inverse(pose(points)), points, atol=1e-3)


def test_receive_field_has_the_strength_asked_for_and_mean_one():
    grid = scanner_grid((30, 32, 28), (6.0, 6.0, 6.0), CENTER)
    field = receive_field(grid, 0.12, np.random.default_rng(3))
    assert np.log(field).std() == pytest.approx(0.12, rel=1e-3)
    assert field.mean() == pytest.approx(1, abs=1e-4)


def test_rician_noise_of_zero_leaves_the_magnitude():
    signal = np.linspace(0, 1, 27, dtype=np.float32).reshape(3, 3, 3)
    np.testing.assert_allclose(rician(signal, 0.0, np.random.default_rng(1)), signal)


def test_blur_keeps_the_total_and_widens_a_point_to_the_resolution():
    lattice = scanner_grid((41, 41, 41), (1.0, 1.0, 1.0), CENTER)
    point = np.zeros(lattice.shape, dtype=np.float32)
    point[20, 20, 20] = 1
    seen = acquire(point, lattice, lattice, fwhm_mm=(6.0, 6.0, 6.0))
    assert seen.sum() == pytest.approx(1, rel=1e-3)
    line = seen[:, 20, 20] / seen.max()
    assert np.interp(0.5, line[20:30][::-1], np.arange(10)[::-1]) == pytest.approx(3.0, abs=0.15)


def test_every_machine_is_met_and_equal_seeds_meet_the_same():
    seen = {machines(SCANNERS, f"p{i}") for i in range(60)}
    assert len({petmr.key for petmr, _ in seen}) == len(SCANNERS.petmr)
    assert len({spect.key for _, spect in seen}) == len(SCANNERS.spect)
    assert machines(SCANNERS, "p1") == machines(SCANNERS, "p1")


def test_every_number_has_a_source():
    tables = scanner_tables()
    assert all(row["source"] for row in tables.tissues)
    del tables.settings["petmr"][0]["asl"]["source"]
    with pytest.raises(RecipeError, match="no source"):
        catalog(tables.tissues, tables.settings)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"snr": "high"}, "should be of type"),
        ({"snr_typo": 1.0}, "missing or unknown"),
    ],
)
def test_a_wrong_table_is_refused_by_name(change, what):
    tables = scanner_tables()
    tables.settings["petmr"][2]["t1w"].update(change)
    with pytest.raises(RecipeError, match=what):
        catalog(tables.tissues, tables.settings)


def test_unknown_size_is_refused_with_the_nearest_one():
    with pytest.raises(RecipeError, match="demo"):
        SCANNERS.size("dem")
