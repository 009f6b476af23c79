"""What is known before MR is looked at: true effects come back, chance ones do not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import ModelError
from tracerless.synthesize.expected import Expected, fit_expected

SHAPE = (6, 5, 4)
AGE_EFFECT, SEX_EFFECT, POINT_EFFECT = -0.004, 0.05, 0.02


def cohort(n: int = 80, seed: int = 1):
    draw = np.random.default_rng(seed)
    return [
        PersonFacts(age=draw.uniform(50, 90), sex="FM"[i % 2], mmse=float(draw.integers(10, 31)))
        for i in range(n)
    ]


def maps(facts, *, effect: float = 1.0, noise: float = 0.05, seed: int = 2):
    draw = np.random.default_rng(seed)
    known = [
        1.2
        + effect * AGE_EFFECT * (each.age - 70)
        + effect * SEX_EFFECT * (each.sex == "F")
        + effect * POINT_EFFECT * (each.mmse - 20)
        for each in facts
    ]
    return (
        np.array(known)[:, None, None, None] + draw.normal(0, noise, (len(facts), *SHAPE))
    ).astype(np.float32)


def test_planted_effects_come_back_in_their_units() -> None:
    facts = cohort(200)
    made = fit_expected(maps(facts), facts, "cognition")
    assert made.names == ("age", "sex", "mmse")
    got = [float(effect.mean()) for effect in made.effects]
    assert got == pytest.approx([AGE_EFFECT, SEX_EFFECT, POINT_EFFECT], rel=0.15)
    old, young = (made.of(PersonFacts(age=age)).mean() for age in (85, 55))
    assert old - young == pytest.approx(30 * AGE_EFFECT, rel=0.15)


def test_without_effects_the_map_is_the_mean_for_everyone() -> None:
    """Negative control: ridge shrinks chance away."""
    facts = cohort(60)
    made = fit_expected(maps(facts, effect=0.0), facts, "age-sex")
    spread = np.ptp([made.of(each).mean() for each in facts])
    assert spread < 0.004
    plain = fit_expected(maps(facts, effect=0.0), facts, "none")
    assert np.allclose(plain.of(facts[0]), made.mean, atol=2e-3)
    assert plain.names == ()


def test_the_unknown_count_as_the_center_and_are_not_said_to_be_known() -> None:
    facts = cohort()
    made = fit_expected(maps(facts), facts, "age-sex")
    for nobody in (None, PersonFacts()):
        assert np.array_equal(made.of(nobody), made.mean)
        assert made.known(nobody) == ()
    assert made.known(PersonFacts(age=70)) == ("age",)
    assert made.known(PersonFacts(age=70, sex="F", mmse=20)) == ("age", "sex")


def test_beyond_the_ages_of_training_nothing_more_is_claimed() -> None:
    facts = cohort()
    made = fit_expected(maps(facts), facts, "age-sex")
    oldest = max(each.age for each in facts)
    assert np.array_equal(made.of(PersonFacts(age=oldest)), made.of(PersonFacts(age=oldest + 40)))


def test_what_was_not_seen_does_not_count_and_is_not_invented() -> None:
    facts = cohort(40)
    seen = maps(facts)
    seen[:15, 0] = np.nan
    seen[:30, 1] = np.nan
    made = fit_expected(seen, facts, "age-sex")
    assert np.isfinite(made.mean[0]).all()
    assert np.isnan(made.mean[1]).all()
    assert np.isnan(made.of(facts[0])[1]).all()
    assert np.nanmax(np.abs(made.of(facts[0])[0] - made.of(facts[0])[3])) < 0.1


def test_a_diagnosis_is_never_looked_at() -> None:
    facts = cohort(40)
    told = [PersonFacts("AD", each.age, each.sex, each.mmse, "a") for each in facts]
    one, two = (fit_expected(maps(facts), known, "cognition") for known in (facts, told))
    assert np.array_equal(one.effects, two.effects)
    assert np.array_equal(one.of(facts[3]), one.of(told[3]))


def test_facts_that_few_or_all_share_are_dropped() -> None:
    women = [PersonFacts(age=each.age, sex="F") for each in cohort(30)]
    assert fit_expected(maps(cohort(30)), women, "cognition").names == ("age",)
    few = cohort(9)
    assert fit_expected(maps(few), few, "age-sex").names == ()
    rare = [PersonFacts(age=e.age if i < 10 else float("nan"), sex=e.sex) for i, e in
            enumerate(cohort(30))]  # fmt: skip
    assert fit_expected(maps(cohort(30)), rare, "age-sex").names == ("sex",)


@settings(max_examples=25, deadline=None)
@given(st.floats(20, 100), st.sampled_from(["F", "M", ""]))
def test_amounts_times_effects_make_the_map(age: float, sex: str) -> None:
    """What a training step computes from amounts is what a prediction starts from."""
    facts = cohort(30)
    made = fit_expected(maps(facts), facts, "age-sex")
    person = PersonFacts(age=age, sex=sex)
    whole = made.mean + np.einsum("c,cijk->ijk", made.amounts(person), made.effects)
    assert np.allclose(whole, made.of(person), atol=1e-6)


def test_the_numbers_are_those_of_float16() -> None:
    facts = cohort(30)
    made = fit_expected(maps(facts).astype(np.float16), facts, "age-sex")
    for array in (made.mean, made.effects):
        assert np.array_equal(array, array.astype(np.float16).astype(np.float32))


def test_nonsense_is_refused() -> None:
    facts = cohort(12)
    with pytest.raises(ModelError, match="covariates='blood'"):
        fit_expected(maps(facts), facts, "blood")
    with pytest.raises(ModelError, match="12 maps with the facts of 11"):
        fit_expected(maps(facts), facts[:-1], "none")
    mean = np.ones(SHAPE, np.float32)
    with pytest.raises(ModelError, match="Covariates"):
        Expected(mean, mean[None], ("height",), (1.0,), ((0.0, 1.0),))
    with pytest.raises(ModelError, match="Effects"):
        Expected(mean, mean[None])
