"""What the designs add to a prediction: members, covariates, samples, slopes of regions."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from phantom_sessions import atlas_of, grid_of, octants, person, region_means, template_of

from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import ModelError
from tracerless.synthesize import covariate_predictor, mean_predictor, synthesizer
from tracerless.synthesize.calibration import Calibration
from tracerless.synthesize.expected import Expected
from tracerless.synthesize.head import box_shape
from tracerless.synthesize.objectives import objective
from tracerless.synthesize.regional import regions_of

GRID = grid_of(6.0)
PER_YEAR, PER_POINT = 0.01, 0.02
OLD = PersonFacts(diagnosis="AD", age=80.0, sex="F", mmse=20.0)


@pytest.fixture(scope="module")
def ill():
    return person(3, 1.0, GRID, family="fresh")


def ready(checkpoint):
    return synthesizer(checkpoint, template_of(GRID), atlas_of(GRID))


def aged(trained, covariates: str = "age-sex"):
    """The model as if it had learned from age (and MMSE): the rest of the brain gains, not pons."""
    names = ("age",) if covariates == "age-sex" else ("age", "mmse")
    change = np.where(octants(GRID) > 0, 1.0, 0.0).astype(np.float32)
    effects = np.stack([amount * change for amount in (PER_YEAR, PER_POINT)[: len(names)]])
    centers, limits = (70.0, 25.0)[: len(names)], ((50.0, 90.0), (0.0, 30.0))[: len(names)]
    expected = Expected(trained.mean, effects.astype(np.float32), names, centers, limits)
    recipe = replace(trained.recipe, covariates=covariates)
    return replace(trained, expected=expected, baseline=expected, recipe=recipe)


def together(trained, change: float):
    """Two members: the trained one, and one whose last layer says more by a share."""
    second = {
        name.replace("0/", "1/", 1): weight * (1 + change if "last" in name else 1)
        for name, weight in trained.weights.items()
    }
    return replace(
        trained,
        recipe=replace(trained.recipe, members=2),
        weights={**trained.weights, **{n: w.astype(np.float32) for n, w in second.items()}},
        intervals={k: replace(each, gain_spread=2.0) for k, each in trained.intervals.items()},
    )


def test_equal_members_say_what_one_says(trained, ill) -> None:
    one, two = ready(trained).predict(ill), ready(together(trained, 0.0)).predict(ill)
    assert np.allclose(one.volume.array, two.volume.array, atol=1e-6, equal_nan=True)
    assert two.half_widths == pytest.approx(one.half_widths, rel=1e-5)


def test_members_that_disagree_are_averaged_and_widen_the_interval(trained, ill) -> None:
    one, two = ready(trained).predict(ill), ready(together(trained, 1.0)).predict(ill)
    assert all(two.half_widths[key] >= one.half_widths[key] - 1e-6 for key in one.half_widths)
    assert sum(two.half_widths.values()) > 1.02 * sum(one.half_widths.values())
    base = region_means(mean_predictor(trained, template_of(GRID), atlas_of(GRID)).predict(ill)
                        .volume.array, GRID)  # fmt: skip
    first, both = (region_means(p.volume.array, GRID) - base for p in (one, two))
    assert both == pytest.approx(1.5 * first, abs=0.03)


def test_age_is_looked_at_only_by_a_model_that_learned_it_and_is_told(trained, ill) -> None:
    blind = ready(trained)
    plain, with_facts = blind.predict(ill), blind.predict(ill, person=OLD)
    assert np.array_equal(plain.volume.array, with_facts.volume.array, equal_nan=True)
    assert with_facts.covariates == ()
    seeing = ready(aged(trained))
    old, unknown = seeing.predict(ill, person=OLD), seeing.predict(ill)
    gain = region_means(old.volume.array, GRID) - region_means(unknown.volume.array, GRID)
    assert gain == pytest.approx(np.full(8, 10 * PER_YEAR), abs=0.03)
    assert old.covariates == ("age",)
    assert "The model looked at age besides MR." in old.notes
    assert any("age is not known" in note for note in unknown.notes)
    assert old.fingerprint != unknown.fingerprint


def test_a_model_that_looks_at_cognition_is_marked_everywhere(trained, ill) -> None:
    got = ready(aged(trained, "cognition")).predict(ill, person=OLD)
    assert ".cognition" in got.model
    assert got.covariates == ("age", "MMSE")
    assert any("no evidence beside cognition" in note for note in got.notes)
    assert not any("cognition" in note for note in ready(aged(trained)).predict(ill).notes)


def test_a_diagnosis_changes_nothing(trained, ill) -> None:
    made = ready(aged(trained, "cognition"))
    one, two = (made.predict(ill, person=replace(OLD, diagnosis=d)) for d in ("CN", "AD"))
    assert np.array_equal(one.volume.array, two.volume.array, equal_nan=True)
    assert one.fingerprint == two.fingerprint


def test_the_baseline_of_age_and_sex_looks_at_the_person_and_at_no_mr(trained, ill) -> None:
    rival = covariate_predictor(aged(trained), template_of(GRID), atlas_of(GRID))
    other = person(8, 0.0, GRID, family="fresh")
    one, two = (rival.predict(p, person=OLD) for p in (ill, other))
    assert np.array_equal(one.volume.array, two.volume.array, equal_nan=True)
    assert not np.allclose(one.volume.array, rival.predict(ill).volume.array, equal_nan=True)
    assert one.model.startswith("age-sex:")
    assert "looks at no MR" in one.notes[0]


def test_a_model_without_a_network_gives_the_expected_map_and_refuses_nobody(trained, ill) -> None:
    silent = Calibration(0.0, 0.0, 12, works=False)
    bare = replace(
        aged(trained),
        recipe=replace(trained.recipe, network="none", covariates="age-sex"),
        weights={},
        calibration=dict.fromkeys(trained.calibration, silent),
    )
    got = ready(bare).predict(ill, person=OLD)
    rival = covariate_predictor(bare, template_of(GRID), atlas_of(GRID)).predict(ill, person=OLD)
    assert np.allclose(got.volume.array, rival.volume.array, atol=1e-5, equal_nan=True)
    assert got.model.startswith("none.age-sex:")
    assert got.half_widths


def test_baselines_say_whom_they_come_from_and_make_no_samples(trained, ill) -> None:
    twin = replace(trained, recipe=replace(trained.recipe, people="CN"))
    for maker in (mean_predictor, covariate_predictor):
        mean = maker(twin, template_of(GRID), atlas_of(GRID))
        made = mean.predict(ill)
        assert made.is_twin
        assert any("simulated people only" in note for note in made.notes)
        with pytest.raises(ModelError, match="no samples"):
            mean.predict(ill, n_samples=2)


def test_a_twin_says_whose_it_is(trained, ill) -> None:
    twin = replace(trained, recipe=replace(trained.recipe, people="CN"))
    made, plain = ready(twin).predict(ill), ready(trained).predict(ill)
    told = [note for note in made.notes if "learned from CN only" in note]
    assert told[0].startswith("NOT THIS PERSON")
    assert made.is_twin
    assert not plain.is_twin
    assert not any("NOT THIS PERSON" in note for note in plain.notes)


def flowing(trained):
    """The trained answer with a velocity network whose weights were drawn and never trained."""
    recipe = replace(trained.recipe, objective="flow")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        velocity = objective(recipe).parts(box_shape(trained.brain))["velocity"]
    drawn = {f"0/velocity/{n}": w.detach().numpy() for n, w in velocity.state_dict().items()}
    return replace(trained, recipe=recipe, weights={**trained.weights, **drawn})


def test_samples_vary_around_the_mean_and_leave_its_regions_alone(trained, ill) -> None:
    made = ready(flowing(trained))
    got = made.predict(ill, n_samples=3)
    assert len(got.samples) == 3
    mean = region_means(got.volume.array, GRID)
    samples = np.array([region_means(each.array, GRID) for each in got.samples])
    assert np.abs(samples.mean(axis=0) / mean - 1).max() < 0.005
    one, two = (each.array for each in got.samples[:2])
    assert np.nanstd(one - two) > 1e-4
    plain = made.predict(ill)
    assert plain.samples == ()
    assert np.array_equal(plain.volume.array, got.volume.array, equal_nan=True)
    again = made.predict(ill, n_samples=3)
    assert np.array_equal(again.samples[2].array, got.samples[2].array, equal_nan=True)


def test_samples_of_a_model_that_makes_none_are_refused(trained, ill) -> None:
    with pytest.raises(ModelError, match="makes no samples") as caught:
        ready(trained).predict(ill, n_samples=1)
    assert "flow" in caught.value.hint


@pytest.fixture(scope="module")
def regions(trained):
    return regions_of(trained.brain, trained.labels, len(trained.regions), trained.grid)


def test_each_region_gets_its_slope_exactly_and_no_seam_shows(trained, regions) -> None:
    draw = np.random.default_rng(1)
    residual = (0.1 + 0.02 * draw.standard_normal(len(regions.labels))).astype(np.float32)
    slopes = tuple(np.linspace(0.4, 1.4, 8))
    made = regions.calibrated(residual, Calibration(0.9, 0.5, 30, slopes))
    wanted = np.array(slopes) * regions.means(residual)
    assert regions.means(made) == pytest.approx(wanted, abs=1e-5)
    flat = np.full_like(residual, 0.1)
    smooth = np.zeros(trained.brain.shape, np.float32)
    smooth[trained.brain] = regions.calibrated(flat, Calibration(0.9, 0.5, 30, slopes))
    hard = np.zeros_like(smooth)
    hard[trained.brain] = 0.1 * np.array([0.9, *slopes])[regions.labels]

    def largest_step(array):
        both = trained.brain[1:] & trained.brain[:-1]
        return np.abs(np.diff(array, axis=0))[both].max()

    assert largest_step(smooth) < 0.6 * largest_step(hard)


def test_one_slope_for_all_is_a_plain_factor(regions) -> None:
    residual = np.random.default_rng(2).standard_normal(len(regions.labels)).astype(np.float32)
    assert np.allclose(regions.calibrated(residual, Calibration(0.7, 0.5, 9)), 0.7 * residual)
    equal = regions.calibrated(residual, Calibration(0.7, 0.5, 9, (0.7,) * 8))
    assert np.allclose(equal, 0.7 * residual, atol=1e-5)
