"""Is a cohort of tables as hard as published ones? Seeds never used while the model was built."""

import functools

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tracerless.core.study import Arm, Study
from tracerless.simulate.tables import SimulatedTables
from tracerless.simulate.tables_study import as_study
from tracerless.workspace.simulate_tables import draw_tables, table_model

SEEDS = tuple(f"holdout-tables-{number}" for number in range(1, 5))
N = 400


@functools.cache
def cohort(seed: str, *diagnoses: str, circular: bool = False) -> SimulatedTables:
    return draw_tables(N, seed=seed, diagnoses=diagnoses, circular=circular)


def auc(values: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    model = make_pipeline(
        SimpleImputer(), StandardScaler(), LogisticRegression(C=0.05, max_iter=500)
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    told = cross_val_predict(model, values, positive, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(positive, told))


def regional(seed: str, tracer: str, first: str, second: str) -> float:
    study = as_study(cohort(seed, first, second), table_model(), tracer)
    keys = [each.key for each in study.predictors if each.kind == "region"]
    return auc(study.table[keys].to_numpy(), np.array(study.diagnosis) == second)


def mean_auc(tracer: str, first: str, second: str) -> float:
    return float(np.mean([regional(seed, tracer, first, second) for seed in SEEDS]))


def arm(study: Study, arm: Arm) -> NDArray[np.float64]:
    return study.table[list(study.keys(arm))].to_numpy()


def test_fdg_tells_ad_from_normal_as_published() -> None:
    assert 0.88 <= mean_auc("FDG", "CN", "AD") <= 0.95


@pytest.mark.parametrize("tracer", ["ECD", "HMPAO"])
def test_spect_tells_ad_from_normal_as_published(tracer: str) -> None:
    assert 0.75 <= mean_auc(tracer, "CN", "AD") <= 0.88


@pytest.mark.parametrize("tracer", ["ECD", "HMPAO"])
def test_spect_hardly_tells_ad_from_dlb(tracer: str) -> None:
    assert 0.55 <= mean_auc(tracer, "AD", "DLB") <= 0.75


def test_image_and_cognition_foretell_conversion_as_published() -> None:
    found = []
    for seed in SEEDS:
        tables = cohort(seed, "MCI")
        years = tables.truth["years_to_dementia"].to_numpy()
        converts = (years < 3) & (years < tables.truth["years_to_death"].to_numpy())
        study = as_study(tables, table_model(), "ECD")
        found.append(auc(arm(study, Arm.BOTH), converts))
    assert 0.65 <= float(np.mean(found)) <= 0.80


def test_circular_labels_make_the_tests_look_better() -> None:
    def cognition(*, circular: bool) -> float:
        study = as_study(cohort(SEEDS[0], "CN", "MCI", circular=circular), table_model(), "ECD")
        return auc(arm(study, Arm.COGNITION), np.array(study.diagnosis) == "MCI")

    assert cognition(circular=True) > cognition(circular=False) + 0.05


def test_shuffled_labels_foretell_nothing() -> None:
    study = as_study(cohort(SEEDS[0], "CN", "AD"), table_model(), "FDG")
    shuffled = np.random.default_rng(1).permutation(np.array(study.diagnosis) == "AD")
    assert abs(auc(arm(study, Arm.BOTH), shuffled) - 0.5) < 0.1
