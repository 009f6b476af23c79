"""Simulated people as tables: what must hold of every cohort."""

import functools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import RecipeError
from tracerless.core.study import Followup, Kind
from tracerless.io.cognition import dictionary
from tracerless.simulate.tables import SimulatedTables, TableOptions
from tracerless.simulate.tables_study import as_study, regions
from tracerless.workspace.simulate_tables import draw_tables, table_model

ALL = tuple(str(each) for each in Diagnosis)


@functools.cache
def cohort() -> SimulatedTables:
    return draw_tables(3000, seed="properties", diagnoses=ALL, retest=0.5)


def first_visits(tracer: str) -> pd.DataFrame:
    return cohort().scans[tracer].iloc[: len(cohort())].reset_index(drop=True)


def both_sides(scans: pd.DataFrame, region: str) -> pd.Series:
    return (scans[f"{region}_left"] + scans[f"{region}_right"]) / 2


def change(tracer: str, region: str, diagnosis: str) -> float:
    """Group mean over that of normal people, less 1."""
    values = both_sides(first_visits(tracer), region)
    means = values.groupby(cohort().people["diagnosis"]).mean()
    return float(means[diagnosis] / means["CN"] - 1)


def frames(tables: SimulatedTables) -> list[pd.DataFrame]:
    return [
        tables.people, tables.scores, tables.gap_days, tables.followup, tables.truth,
        *(tables.scans[tracer] for tracer in sorted(tables.scans)),
    ]  # fmt: skip


def test_equal_arguments_give_equal_tables() -> None:
    again = [draw_tables(40, seed="same", scanners=2, retest=0.2) for _ in range(2)]
    for one, other in zip(*map(frames, again), strict=True):
        assert_frame_equal(one, other)


def test_another_seed_gives_other_people() -> None:
    ages = [draw_tables(40, seed=seed).people["age"] for seed in ("one", "two")]
    assert not ages[0].equals(ages[1])


def test_diagnoses_are_taken_in_turn() -> None:
    people = draw_tables(7, seed="turns", diagnoses=("CN", "AD", "DLB")).people
    assert list(people["diagnosis"]) == ["CN", "AD", "DLB", "CN", "AD", "DLB", "CN"]


def test_diagnoses_follow_the_declared_prevalences_otherwise() -> None:
    shares = draw_tables(3000, seed="shares").people["diagnosis"].value_counts(normalize=True)
    for diagnosis, clinic in table_model().parameters.clinic.items():
        assert shares[str(diagnosis)] == pytest.approx(clinic.prevalence, abs=0.03)


def test_severity_within_labels_is_what_the_voxel_simulator_declares() -> None:
    severity = cohort().truth["severity"].groupby(cohort().people["diagnosis"])
    assert severity.mean()["CN"] == pytest.approx(0.10, abs=0.03)
    assert severity.mean()["MCI"] == pytest.approx(0.27, abs=0.03)
    assert severity.mean()["AD"] == pytest.approx(0.51, abs=0.03)


def test_every_tracer_is_a_ratio_to_its_reference() -> None:
    for tracer, reference in {"FDG": "pons", "ECD": "cerebellum", "HMPAO": "cerebellum"}.items():
        np.testing.assert_allclose(cohort().scans[tracer][f"ref_{reference}"], 1.0)
        assert (cohort().scans[tracer][regions(table_model())] > 0.2).all(axis=None)


def test_typical_ad_loses_what_was_published() -> None:
    truth, people, scans = cohort().truth, cohort().people, first_visits("FDG")
    ill = (people["diagnosis"] == "AD") & (truth["pathology"] == "AD")
    ill &= truth["subtype"] != "minimal"
    well = (people["diagnosis"] == "CN") & (truth["severity"] < 0.1)
    losses = []
    for region in ("precuneus", "posterior_cingulate"):
        ratio = both_sides(scans, region) / scans["ref_cerebellum"]
        losses.append(ratio[ill].mean() / ratio[well].mean() - 1)
    assert np.mean(losses) == pytest.approx(-0.20, abs=0.03)


def test_each_disease_strikes_its_own_places() -> None:
    for tracer in ("FDG", "ECD"):
        assert change(tracer, "precuneus", "AD") < change(tracer, "putamen", "AD") - 0.05
        assert change(tracer, "lateral_occipital", "DLB") < change(tracer, "insula", "DLB") - 0.02
        assert change(tracer, "orbitofrontal", "FTD") < change(tracer, "precuneus", "FTD") - 0.05
        assert change(tracer, "thalamus", "VaD") < change(tracer, "thalamus", "AD") - 0.005


def test_ad_and_dlb_differ_in_the_occipital_lobe_only() -> None:
    def apart(region: str) -> float:
        return change("HMPAO", region, "DLB") - change("HMPAO", region, "AD")

    assert abs(apart("lateral_temporal")) < 0.03
    assert abs(apart("dorsolateral_parietal")) < 0.03
    assert apart("medial_occipital") < -0.03


def test_normal_people_spread_as_published() -> None:
    normal = (cohort().people["diagnosis"] == "CN").to_numpy()
    scans = first_visits("ECD")[normal]
    shares = scans[regions(table_model())].div(scans["ref_whole_brain"], axis=0)
    assert 4.0 < float((100 * shares.std() / shares.mean()).median()) < 6.0


def test_a_second_scan_differs_less_than_a_second_person() -> None:
    scans = cohort().scans["ECD"]
    keys = regions(table_model())
    logs = np.log(scans[keys].div(scans["ref_whole_brain"], axis=0))
    first = logs[scans["visit"] == "01"].set_axis(scans["participant"][scans["visit"] == "01"])
    again = logs[scans["visit"] == "02"].set_axis(scans["participant"][scans["visit"] == "02"])
    assert len(again) == 1500
    within = (first.loc[again.index] - again).std() / np.sqrt(2)
    assert 2.0 < float(100 * within.median()) < 4.2
    assert (within < first.std()).all()


def test_tracers_of_one_person_agree_but_not_wholly() -> None:
    normal = (cohort().people["diagnosis"] == "CN").to_numpy()
    keys = regions(table_model())

    def within(tracer: str) -> pd.DataFrame:
        scans = first_visits(tracer)[normal]
        return scans[keys].div(scans["ref_whole_cortex"], axis=0)

    across = within("FDG").corrwith(within("ECD")).median()
    assert 0.1 < across < 0.7


def test_machines_differ_by_what_is_asked() -> None:
    def apart(shift: float) -> float:
        tables = draw_tables(600, seed="machines", diagnoses=("CN",), scanners=3, shift=shift)
        scans = tables.scans["ECD"]
        assert scans["scanner"].nunique() == 3
        keys = regions(table_model())
        means = scans.groupby("scanner")[keys].mean()
        return float(((means.max() - means.min()) / scans[keys].std()).median())

    assert apart(0.0) < 0.25
    assert 0.4 < apart(1.0) < 2.0


def test_scores_are_possible_scores_of_the_dictionary() -> None:
    tests = dictionary()
    for code, values in cohort().scores.items():
        test = tests.test(str(code))
        assert test.code == code
        known = values.dropna()
        assert known.between(test.low, test.high).all()
        if test.integer:
            assert (known == known.round()).all()


def test_battery_says_of_leaks_and_domains_what_the_dictionary_says() -> None:
    study = as_study(cohort(), table_model(), "ECD")
    for each in study.predictors:
        if each.kind is Kind.TEST:
            test = dictionary().test(each.key)
            assert (each.leak, each.group) == (test.leak, test.domain)


def test_trials_add_up() -> None:
    scores = cohort().scores
    trials = scores[[f"CVVLT_T{trial}" for trial in range(1, 5)]].sum(axis=1, skipna=False)
    assert trials.equals(scores["CVVLT_TOTAL"])


def test_as_many_instruments_are_missing_as_asked() -> None:
    absent = draw_tables(800, seed="absent", missing=0.2).scores["BNT30"].isna()
    assert absent.mean() == pytest.approx(0.2, abs=0.05)
    assert not draw_tables(50, seed="absent", missing=0.0).scores.isna().any(axis=None)


def test_hazards_are_those_of_the_taipei_series() -> None:
    tables = draw_tables(8000, seed="hazards", diagnoses=("CN", "MCI"))
    truth = tables.truth
    last = Followup(tables.followup).visits.groupby("participant_id")["years"].max()
    end = last.reindex(truth["participant"]).fillna(0.0).to_numpy()
    dementia = truth["years_to_dementia"].to_numpy()
    rates = {}
    for group, rows in truth.groupby("group").groups.items():
        seen = dementia[rows] <= end[rows]
        rates[group] = 100 * seen.sum() / np.minimum(dementia, end)[rows].sum()
    for group, published in {"normal": 1.61, "early": 4.41, "late": 21.98}.items():
        assert rates[group] == pytest.approx(published, rel=0.25)
    early = truth[truth["group"] == "early"]
    assert (early["years_to_reversion"] < 2).mean() == pytest.approx(0.31, abs=0.06)


def test_followup_is_valid_and_holds_every_ending() -> None:
    visits = Followup(cohort().followup).visits
    assert set(visits["status"]) == {"seen", "dead", "lost"}
    assert (visits.loc[visits["status"] == "seen", "diagnosis"] != "").all()
    first = cohort().people.set_index("participant")["diagnosis"]
    dementia = visits[visits["participant_id"].map(first).isin(["AD", "DLB", "FTD", "VaD"])]
    kept = dementia["diagnosis"].isin(["", "AD", "DLB", "FTD", "VaD"])
    assert kept.all()


def test_no_followup_when_none_is_wanted() -> None:
    assert draw_tables(50, seed="none", years=0.0).followup.empty


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scanners": 0}, "scanners=0"),
        ({"missing": 0.95}, "missing=0.95"),
        ({"retest": -0.1}, "retest=-0.1"),
        ({"diagnoses": ("PD",)}, "'PD'"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        TableOptions(**options)


def test_nobody_is_no_cohort() -> None:
    with pytest.raises(RecipeError, match="n=0"):
        draw_tables(0, seed="nobody")


@settings(max_examples=15, deadline=None)
@given(n=st.integers(1, 12), seed=st.text(max_size=8), scanners=st.integers(1, 5))
def test_any_small_cohort_is_whole(n: int, seed: str, scanners: int) -> None:
    tables = draw_tables(n, seed=seed, scanners=scanners, retest=1.0)
    assert len(tables) == n
    assert tables.people["participant"].is_unique
    for scans in tables.scans.values():
        assert len(scans) == 2 * n
        assert np.isfinite(scans.select_dtypes("number")).all(axis=None)
    Followup(tables.followup)


def test_a_machine_is_the_same_in_every_cohort() -> None:
    def against_base(seed: str) -> pd.Series:
        tables = draw_tables(4000, seed=seed, diagnoses=("CN",), scanners=2)
        scans = tables.scans["ECD"]
        keys = regions(table_model())
        means = scans.groupby("scanner")[keys].mean()
        return means.iloc[0] / means.iloc[1] - 1

    one, other = against_base("site-a"), against_base("site-b")
    assert np.corrcoef(one, other)[0, 1] > 0.9


def test_another_first_machine_makes_another_site() -> None:
    names = [
        set(draw_tables(30, seed="sites", scanners=2, first_scanner=first).scans["FDG"]["scanner"])
        for first in (1, 3)
    ]
    assert not names[0] & names[1]
