"""Missing values, scale and scanners: what is taken out, and what must stay."""

import model_studies as made
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracerless.core.errors import ModelError
from tracerless.core.seeds import generator
from tracerless.diagnose.harmonize import fit_harmonizer, harmonize
from tracerless.statistics.steps import (
    fit_imputer,
    fit_scaler,
    impute,
    scale,
    shrunk_correlation,
)


def related(n=300, noise=0.3):
    random = generator("test-steps", n)
    common = random.normal(size=(n, 1))
    return pd.DataFrame(common + noise * random.normal(size=(n, 3)), columns=list("abc"))


def test_a_missing_value_becomes_what_its_neighbors_say():
    whole = related()
    holes = whole.copy()
    holes.loc[:99, "b"] = np.nan
    filled = impute(fit_imputer(holes), holes)
    error = (filled["b"] - whole["b"])[:100].std()
    assert error < 0.5 * whole["b"].std()


def test_what_was_measured_is_left_as_it_is():
    holes = related().mask(generator("test-steps", "holes").random((300, 3)) < 0.3)
    filled = impute(fit_imputer(holes), holes)[list("abc")]
    assert not filled.isna().any().any()
    pd.testing.assert_frame_equal(filled.where(holes.notna()), holes)


def test_a_row_that_has_nothing_becomes_the_mean():
    table = related()
    imputer = fit_imputer(table)
    nothing = pd.DataFrame([[np.nan] * 3], columns=list("abc"))
    assert impute(imputer, nothing).iloc[0].to_numpy() == pytest.approx(table.mean().to_numpy())


def test_missing_itself_is_told_once_where_it_is_frequent():
    table = related()
    table.loc[:29, ["a", "b"]] = np.nan
    table.loc[200:203, "c"] = np.nan
    filled = impute(fit_imputer(table), table)
    assert list(filled.columns) == ["a", "b", "c", "missing_a"]
    assert filled["missing_a"].sum() == 30


def test_a_column_that_nobody_has_is_constant_and_never_an_error():
    table = related().assign(b=np.nan)
    filled = impute(fit_imputer(table), table)
    assert filled["b"].eq(0).all()
    assert scale(fit_scaler(filled), filled)["b"].eq(0).all()


def test_no_rows_are_refused():
    with pytest.raises(ModelError, match="no rows"):
        fit_imputer(related().iloc[:0])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 30), st.integers(1, 12), st.floats(0, 0.9))
def test_a_shrunk_correlation_can_always_be_inverted(seed, n, p, share):
    random = np.random.default_rng(seed)
    z = random.normal(size=(n, p)) + random.normal(size=(n, 1))
    z[random.random((n, p)) < share] = np.nan
    found = shrunk_correlation(z)
    assert np.linalg.eigvalsh(found)[0] > 1e-4
    assert np.diag(found) == pytest.approx(np.ones(p))


def fitted(study):
    classes = sorted(set(study.diagnosis))
    truth = np.array([classes.index(name) for name in study.diagnosis])
    values, scanner = study.table[list(made.REGIONS)], np.array(study.scanner)
    step, note = fit_harmonizer(values, study.people, scanner=scanner, truth=truth)
    return step, note, values, scanner, truth


def test_what_a_scanner_adds_and_stretches_is_taken_out():
    study = made.study(300, scanners=2, effect=0.8)
    step, _, values, scanner, truth = fitted(study)
    after = harmonize(step, values, study.people, scanner=scanner)
    second, well = scanner == "scanner 1", truth == 0
    gap = [table[second & well].mean().mean() - table[~second & well].mean().mean()
           for table in (values, after)]  # fmt: skip
    spread = [table[second & well].std().mean() / table[~second & well].std().mean()
              for table in (values, after)]  # fmt: skip
    assert gap[0] > 0.06
    assert abs(gap[1]) < 0.02
    assert spread[0] > 1.2
    assert abs(spread[1] - 1) < 0.08


def test_disease_stays_where_scanners_see_different_shares_of_it():
    study = made.study(400, scanners=1, effect=1.0)
    truth = np.array(study.diagnosis) == "AD"
    often = generator("test-steps", "referral").random(400) < np.where(truth, 0.8, 0.2)
    scanner = np.where(often, "memory clinic", "ward")
    values = study.table[list(made.REGIONS)]
    step, _ = fit_harmonizer(values, study.people, scanner=scanner, truth=truth.astype(int))
    after = harmonize(step, values, study.people, scanner=scanner)
    lowered = list(made.REGIONS[: made.PER_LOBE])
    before, kept = ((t[~truth].mean() - t[truth].mean())[lowered].mean() for t in (values, after))
    assert kept == pytest.approx(before, rel=0.1)


def test_scanners_that_are_alike_are_left_nearly_alone():
    study = made.study(300, scanners=1)
    scanner = generator("test-steps", "alike").choice(["a", "b", "c"], 300)
    values, truth = study.table[list(made.REGIONS)], np.arange(300) % 2
    step, _ = fit_harmonizer(values, study.people, scanner=scanner, truth=truth)
    after = harmonize(step, values, study.people, scanner=scanner)
    assert (after - values).to_numpy().std() < 0.2 * values.std().mean()


def test_an_unknown_scanner_passes_unchanged():
    study = made.study(200, scanners=2)
    step, _, values, _, _ = fitted(study)
    after = harmonize(step, values, study.people, scanner=np.full(200, "another"))
    pd.testing.assert_frame_equal(after, values)


def test_scanner_and_disease_that_coincide_are_said_and_left():
    study = made.study(100)
    truth = np.arange(100) % 2
    step, note = fit_harmonizer(
        study.table[list(made.REGIONS)],
        study.people,
        scanner=np.where(truth == 1, "a", "b"),
        truth=truth,
    )
    assert step is None
    assert "coincide" in note


def test_a_scanner_with_a_handful_of_people_is_not_harmonized():
    study = made.study(100)
    scanner = np.array(["a"] * 95 + ["b"] * 5)
    values, truth = study.table[list(made.REGIONS)], np.arange(100) % 2
    assert fit_harmonizer(values, study.people, scanner=scanner, truth=truth) == (None, "")
