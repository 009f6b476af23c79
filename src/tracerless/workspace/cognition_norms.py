"""Every score of a dataset against published norms and cut-offs."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from tracerless.core.cognition import Test
from tracerless.core.cognition_check import checked
from tracerless.core.cognition_norms import Cutoff, Examinee, Standing, cutoff, standing
from tracerless.core.errors import DatasetError
from tracerless.io.atomic import write_json, write_text
from tracerless.io.cognition_norms import Norms, cutoffs
from tracerless.workspace.cognition import read_scores
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.tables import read_cohort

FILE = "cognition_published.tsv"
"""Of the dataset's derivatives."""

MEANINGS: Mapping[str, str] = {
    "participant_id": "pseudonym of the person",
    "session_id": "visit of the score; n/a when bound to none",
    "code": "test",
    "score": "in units of the test",
    "norm": "published norm; n/a where none is known",
    "expected": "score of normal people of that age, sex and schooling",
    "sd": "their standard deviation",
    "z": "standard deviations from expectation, + = better",
    "percentile": "of normal people at or below, by the normal curve",
    "bound": "best or cap: the test ends at this score, so that z would go on; else n/a",
    "no_z": "why there is no z",
    "cut": "published cut-off for that schooling and age",
    "beyond_cut": "yes: on the side of those who are ill",
    "no_cut": "why there is no cut-off",
}
"""Columns of the table."""


def against_published(dataset: Dataset, norms: Norms) -> tuple[pd.DataFrame, Path]:
    """Hold every score against every published norm of its test, and keep the table.

    Args:
        dataset: whose scores.
        norms: by code of the test; ``io.cognition_norms`` reads them.

    Raises:
        DatasetError: the dataset has no score.
    """
    scores = read_scores(dataset)
    people = read_cohort(dataset).table
    rows: list[dict[str, object]] = []
    for cells in scores.table.to_dict("records"):
        person = examinee(people, str(cells["person"]))
        visit = f"ses-{cells['visit']}" if cells["visit"] else None
        own = {"participant_id": f"sub-{cells['person']}", "session_id": visit}
        for test in scores.tests:
            score = float(cells[test.code])
            if not np.isnan(score):
                rows += [{**own, **row} for row in held(test, score, person, norms)]
    if not rows:
        raise DatasetError(
            f"{dataset.root} holds no cognitive score.",
            hint="Import a table with `tracerless cognition import`.",
        )
    table = pd.DataFrame(rows, columns=list(MEANINGS))
    path = dataset.derivatives / FILE
    write_json(path.with_suffix(".json"), dict(MEANINGS))
    text = table.to_csv(
        sep="\t", index=False, na_rep="n/a", lineterminator="\n", float_format="%.6g"
    )
    write_text(path, text)
    return table, path


def held(test: Test, score: float, person: Examinee, norms: Norms) -> Iterator[dict[str, object]]:
    """One row for each published norm of a test, or one where there is none."""
    band, why = cutoff(cutoffs(), test.code, person)
    standings = [standing(norm, test, score, person) for norm in norms.get(test.code, ())]
    for one in standings or [_NO_NORM]:
        own = {"code": test.code, "score": score, "bound": _end(test, score)}
        yield {**own, **_standing(one), **_cut(band, score, why)}


def _end(test: Test, score: float) -> str | None:
    """Where a test can tell no further."""
    if score == test.cap:
        return "cap"
    return "best" if score == test.best else None


def require_possible(test: Test, score: float) -> None:
    """Refuse a score that the test cannot have.

    Raises:
        DatasetError: it is outside the test's range, or between two scores.
    """
    found = checked([f"{score:.12g}"], test)
    if np.isnan(found.values[0]):
        raise DatasetError(
            f"{test.code} = {score:g} is no possible score: {test.range_text} ({test.version}).",
            hint="Check the value and the version of the test.",
        )


_NO_NORM = Standing("", np.nan, np.nan, np.nan, np.nan, "no norm is known")


def _standing(one: Standing) -> dict[str, object]:
    return {
        "norm": one.norm or None,
        "expected": one.expected,
        "sd": one.sd,
        "z": one.z,
        "percentile": one.percentile,
        "no_z": one.reason or None,
    }


def _cut(band: Cutoff | None, score: float, why: str) -> dict[str, object]:
    if band is None:
        return {"cut": np.nan, "beyond_cut": None, "no_cut": why}
    beyond = "yes" if band.is_beyond(score) else "no"
    return {"cut": band.cut, "beyond_cut": beyond, "no_cut": None}


def examinee(people: pd.DataFrame, person: str) -> Examinee:
    """What the table of people knows of one; NaN and empty where nothing."""
    known = people.loc[[person]].to_dict("records") if person in people.index else [{}]
    row = known[0]
    sex = row.get("sex", "")
    return Examinee(
        age=float(row.get("age", np.nan)),
        sex=sex if isinstance(sex, str) else "",
        education_years=float(row.get("education_years", np.nan)),
    )
