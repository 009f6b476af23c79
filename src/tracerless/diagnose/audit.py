"""The leakage audit: six checks over one trial of a model."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.assessment import TABLES
from tracerless.core.study import Kind, Study
from tracerless.diagnose.audit_columns import label_defining_score, selection
from tracerless.diagnose.audit_duplicates import duplicate_person
from tracerless.diagnose.audit_people import norm_people, row_split, synthesizer
from tracerless.diagnose.audit_values import CHECKS, Finding, Known, Trial, Verdict

__all__ = ["CHECKS", "Finding", "Known", "Trial", "Verdict", "audit", "table", "trial_of"]


def audit(trial: Trial, known: Known) -> tuple[Finding, ...]:
    """Six findings, in the order of ``CHECKS``."""
    return (
        row_split(trial, known),
        selection(trial),
        norm_people(trial, known),
        label_defining_score(trial, known),
        duplicate_person(trial),
        synthesizer(trial, known),
    )


def trial_of(study: Study, fold: NDArray[np.intp] | NDArray[np.str_], keys: Iterable[str]) -> Trial:
    """The trial of a model that saw these columns of a study and chose among them inside folds.

    Args:
        study: n rows.
        fold: (repeats, n) or (n,) fold in which each row was tested; -1 or empty where it was not.
        keys: columns of the study's table.
    """
    keys = list(keys)
    regions = {each.key for each in study.predictors if each.kind is Kind.REGION}
    text = np.atleast_2d(np.array(fold)).astype(np.str_)
    features = study.table[keys]
    return Trial(
        person=study.person,
        truth=study.diagnosis,
        fold=np.where(text == "-1", "", text),
        features=features,
        candidates=features,
        selected={each: tuple(keys) for each in sorted(set(text.ravel()) - {"-1", ""})},
        regions=tuple(key for key in keys if key in regions),
    )


def table(findings: Iterable[Finding]) -> pd.DataFrame:
    """Findings as an evaluation keeps them."""
    rows = [(each.check, str(each.verdict), each.what, each.next) for each in findings]
    return pd.DataFrame(rows, columns=list(TABLES["findings"]))
