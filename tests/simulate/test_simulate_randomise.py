"""Randomised sites and visits stay physical, reproducible, and within what was declared."""

import dataclasses

import click.testing
import numpy as np
import pytest
from simulate_people import base_head, parameters
from simulate_phantom import scanners

from tracerless.cli.simulate import command
from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import DatasetError, RecipeError
from tracerless.core.grid import points_mm
from tracerless.core.recipe import PrepareRecipe, Recipe
from tracerless.core.transform import Affine
from tracerless.core.volume import Contrast
from tracerless.io.resources import template_grid
from tracerless.io.simulate_tables import read_toml
from tracerless.simulate.ground import ground
from tracerless.simulate.hospital import setup
from tracerless.simulate.mr import mprage, turbo_spin_echo
from tracerless.simulate.person import person_on
from tracerless.simulate.randomise import Variation, vary
from tracerless.simulate.randomise_people import wider
from tracerless.simulate.randomise_ranges import Ranges, ranges
from tracerless.simulate.randomise_render import left_in, rendered_varied
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.rendered_people import write_prepared_people

SCANNERS = scanners()


@pytest.fixture(scope="module")
def declared() -> Ranges:
    return ranges(read_toml("randomise"))


@pytest.fixture(scope="module")
def variations(declared: Ranges) -> list[Variation]:
    return [_variation(declared, f"dev-{number}") for number in range(120)]


@pytest.fixture(scope="module")
def base():
    return ground(base_head(), parameters())


@pytest.fixture(scope="module")
def person(base):
    return person_on(base, seed="dev-varied", diagnosis=Diagnosis.AD)


def _variation(declared: Ranges, name: str) -> Variation:
    plan = setup(SCANNERS, size="demo", seed=name, weight_kg=61.0)
    return vary(plan, declared, cohort="dev")


def test_equal_names_give_equal_visits(declared):
    one, same = _variation(declared, "dev-a"), _variation(declared, "dev-a")
    assert one.plan.petmr == same.plan.petmr
    assert (one.site, one.missing, one.residual_mm) == (same.site, same.missing, same.residual_mm)
    for contrast, motion in one.motions.items():
        np.testing.assert_array_equal(motion.matrix, same.motions[contrast].matrix)


def test_visits_of_one_site_share_their_sequences_and_differ_in_the_day(variations):
    by_site: dict[str, list[Variation]] = {}
    for each in variations:
        by_site.setdefault(each.site, []).append(each)
    shared = [visits for visits in by_site.values() if len(visits) > 1]
    assert len(shared) > 10
    for first, second, *_ in shared:
        one, two = first.plan.petmr, second.plan.petmr
        assert dataclasses.replace(one.t1w, snr=0) == dataclasses.replace(two.t1w, snr=0)
        assert dataclasses.replace(one.asl, snr_m0=0) == dataclasses.replace(two.asl, snr_m0=0)
        assert first.plan.size == second.plan.size
        assert one.t1w.snr != two.t1w.snr
        assert first.residual_mm != second.residual_mm
    sequences = {(visits[0].plan.petmr.t1w.flip_deg) for visits in by_site.values()}
    assert len(sequences) == len(by_site)


def test_draws_stay_within_the_declared_limits_and_use_them(variations, declared):
    checked = {
        "pld_s": ([v.plan.petmr.asl.pld_s for v in variations], declared.asl.pld_s),
        "slice": ([v.plan.size.t2w_mm[2] for v in variations], declared.t2w.slice_mm),
        "pet": ([v.plan.petmr.pet.post_fwhm_mm for v in variations], declared.pet.post_fwhm_mm),
        "residual": ([v.residual_mm for v in variations], declared.visit.residual_mm),
    }
    for name, (values, (low, high)) in checked.items():
        assert low <= min(values) < max(values) <= high, name
        assert max(values) - min(values) > 0.7 * (high - low), name
    n_low = sum(v.plan.petmr.asl.t1_blood_s < 1.5 for v in variations)
    assert 0.2 < n_low / len(variations) < 0.5
    n_cut = sum(Contrast.CBF in v.cuts for v in variations)
    assert 0.25 < n_cut / len(variations) < 0.55


def test_no_site_turns_a_contrast_around(variations):
    for each in variations:
        tissues = each.plan.scanners.tissues
        t1w = {k: mprage(tissues[k], each.plan.petmr.t1w) for k in ("white", "grey", "csf")}
        t2w = {k: turbo_spin_echo(tissues[k], each.plan.petmr.t2w) for k in t1w}
        assert t1w["white"] > 1.1 * t1w["grey"] > 1.1 * t1w["csf"]
        assert t2w["csf"] > t2w["grey"] > t2w["white"]


def test_sites_differ_more_than_the_three_machines_of_the_hospital(variations):
    def ratio(tissues, protocol):
        return mprage(tissues["grey"], protocol) / mprage(tissues["white"], protocol)

    ours = [ratio(SCANNERS.tissues, machine.t1w) for machine in SCANNERS.petmr]
    theirs = [ratio(v.plan.scanners.tissues, v.plan.petmr.t1w) for v in variations]
    assert np.ptp(theirs) > 3 * np.ptp(ours)
    assert min(theirs) < min(ours) < max(ours) < max(theirs)


def test_what_registration_leaves_runs_from_nothing_to_the_whole_shape(person):
    grid = template_grid(6.0)
    points = points_mm(grid)[4:-4, 4:-4, 4:-4]
    bend = person.shape.to_template.maps[-1]
    np.testing.assert_array_equal(left_in(person.shape, points, 0.0), points)
    np.testing.assert_allclose(left_in(person.shape, points, 1.0), bend(points), atol=1e-3)
    moved = [
        float(np.linalg.norm(left_in(person.shape, points, share) - points, axis=-1).mean())
        for share in (0.0, 0.1, 0.3, 1.0)
    ]
    assert moved == sorted(moved)
    assert moved[1] == pytest.approx(0.1 * moved[3], rel=0.35)


def test_wider_people_keep_the_base_head_and_spread_more(base, declared):
    drawn = [wider(base, declared.anatomy, seed=f"dev-{i}").parameters for i in range(40)]
    assert all(wider(base, declared.anatomy, seed="x").anatomy is base.anatomy for _ in range(1))
    ventricles = [each.shape.ventricle_log_jacobian for each in drawn]
    assert np.std(ventricles) == pytest.approx(declared.anatomy.ventricle_sd, rel=0.4)
    assert all(each.metabolism == parameters().metabolism for each in drawn)
    assert all(each.covariance == parameters().covariance for each in drawn)


def test_a_cut_takes_its_part_and_leaves_the_rest_as_it_was(person, declared):
    grid = template_grid(6.0)
    whole = dataclasses.replace(_variation(declared, "dev-b"), cuts={}, missing=frozenset())
    donor = next(
        v.cuts[Contrast.CBF]
        for v in (_variation(declared, f"dev-{i}") for i in range(60))
        if Contrast.CBF in v.cuts
    )
    cut = dataclasses.replace(whole, cuts={Contrast.CBF: donor}, missing=frozenset({Contrast.T2W}))
    full, less = rendered_varied(person, grid, whole), rendered_varied(person, grid, cut)
    assert set(full) - set(less) == {Contrast.T2W}
    lost = np.isnan(less[Contrast.CBF].array)
    assert 0 < lost.mean() < 0.5
    assert np.isfinite(full[Contrast.CBF].array).all()
    np.testing.assert_array_equal(less[Contrast.CBF].array[~lost], full[Contrast.CBF].array[~lost])
    for contrast in (Contrast.T1W, Contrast.FDG):
        np.testing.assert_array_equal(less[contrast].array, full[contrast].array)


def test_a_series_that_lies_one_voxel_off_is_seen_one_voxel_off(person, declared):
    grid = template_grid(6.0)
    still = dataclasses.replace(
        _variation(declared, "dev-c"), cuts={}, missing=frozenset(), motions={}
    )
    matrix = np.eye(4)
    matrix[0, 3] = 6.0
    moved = dataclasses.replace(
        still, motions={Contrast.T2W: Affine("template", "template", matrix)}
    )
    here, there = rendered_varied(person, grid, still), rendered_varied(person, grid, moved)
    t2w, off = here[Contrast.T2W].array, there[Contrast.T2W].array
    agree = np.corrcoef(off[:-1].ravel(), t2w[1:].ravel())[0, 1]
    assert agree > 0.97
    assert agree > np.corrcoef(off.ravel(), t2w.ravel())[0, 1] + 0.03
    np.testing.assert_array_equal(here[Contrast.FDG].array, there[Contrast.FDG].array)


def test_a_range_that_runs_backwards_or_has_no_source_is_refused():
    tables = read_toml("randomise")
    tables["asl"]["pld_s"] = [2.0, 1.0]
    with pytest.raises(RecipeError, match="pld_s"):
        ranges(tables)
    tables = read_toml("randomise")
    tables["pet"]["source"] = ""
    with pytest.raises(RecipeError, match="pet"):
        ranges(tables)


def test_options_of_rendered_people_are_refused_elsewhere(tmp_path):
    for words in (["--workers", "2"], ["--randomise"], ["--voxel-mm", "2", "--tables-only"]):
        result = click.testing.CliRunner().invoke(command, [str(tmp_path / "d"), *words])
        assert result.exit_code == 2
        assert "goes with --prepared" in result.output
    assert not (tmp_path / "d").exists()


def test_people_on_another_grid_are_not_mixed_in(tmp_path):
    Dataset.create_or_open(tmp_path, Recipe(prepare=PrepareRecipe(voxel_mm=4.0)))
    with pytest.raises(DatasetError, match="at 4 mm, not at 2 mm"):
        next(write_prepared_people(tmp_path, n=1, seed="dev", voxel_mm=2.0))


@pytest.mark.slow
def test_two_processes_make_the_same_people_as_one(tmp_path):
    for name, workers in (("one", 1), ("two", 2)):
        made = write_prepared_people(
            tmp_path / name, n=3, seed="dev-w", randomise=True, workers=workers
        )
        assert sum(1 for _ in made) == 3
    files = [p for p in sorted((tmp_path / "one").rglob("*")) if p.is_file()]
    assert len(files) > 20
    for file in files:
        twin = tmp_path / "two" / file.relative_to(tmp_path / "one")
        assert file.read_bytes() == twin.read_bytes(), file.name
