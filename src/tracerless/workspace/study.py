"""A dataset as a study: every scan of one contrast with what is known of its person."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tracerless.core.errors import DatasetError
from tracerless.core.norm import Measured
from tracerless.core.study import Kind, Predictor, Study
from tracerless.io.atlases import regions
from tracerless.workspace import norms
from tracerless.workspace.cognition import Scores, read_scores
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.domain import training_domain
from tracerless.workspace.tables import read_cohort

NO_IMAGE = "none"
"""Instead of a contrast: people and scores alone, one row a person."""
MAX_GAP_DAYS = 183
"""Scores taken longer before or after the scan do not go with it."""
DEMOGRAPHICS = "demographics"
_PERSON = ("age", "sex", "education_years")
_CODE = {"F": 0.0, "M": 1.0}


def study(dataset: Dataset, contrast: str, *, max_gap_days: int = MAX_GAP_DAYS) -> Study:
    """Every scan of that contrast, its regions, the person's scores at that visit, the diagnosis.

    Scores that are not bound to a visit go with the person's first one. A diagnosis is the
    person's, as ``participants.tsv`` says it.

    Args:
        dataset: quantified, with a people's table.
        contrast: ``FDG``, ``ECD`` …, or ``none`` for people and scores alone.
        max_gap_days: between score and scan.

    Raises:
        DatasetError: nothing of that contrast was measured.
        RecipeMismatchError: scans of that contrast were measured in more than one way.
    """
    scores = read_scores(dataset, max_gap_days=max_gap_days)
    if contrast == NO_IMAGE:
        return _without_image(dataset, scores)
    found = norms.scans(dataset, contrast)
    named = {region.key: region for region in regions(found.measured.atlas, dataset.root)}
    keys = [str(name) for name in found.values.columns if name in named]
    image = _Image(
        found.values[keys].reset_index(drop=True),
        tuple(Predictor(key, Kind.REGION, named[key].lobe) for key in keys),
        None if found.references is None else found.references.reset_index(drop=True),
        found.scanners,
    )
    made = _assembled(dataset, found.keys, image, found.measured, scores)
    return replace(made, left_out=(*found.left_out, *made.left_out))


@dataclass(frozen=True, slots=True, eq=False)
class _Image:
    """Regions of every row, what they are, means of every reference region, and the scanners."""

    values: pd.DataFrame
    predictors: tuple[Predictor, ...]
    references: pd.DataFrame | None
    scanners: tuple[str, ...] = ()


def _without_image(dataset: Dataset, scores: Scores) -> Study:
    people = sorted(str(person) for person in read_cohort(dataset).table.index)
    if not people:
        raise DatasetError(
            f"{dataset.root} has no people's table.",
            hint="Give one with `tracerless deidentify --phenotype`.",
        )
    pairs = scores.table[["person", "visit"]].to_numpy()
    visits: dict[str, str] = {}
    for person, visit in sorted((str(p), str(v)) for p, v in pairs if v):
        visits.setdefault(person, visit)
    keys = tuple((person, visits.get(person, "")) for person in people)
    measured = Measured(norms.COGNITION, "", "", "", "", training_domain(dataset))
    nothing = _Image(pd.DataFrame(index=range(len(people))), (), None)
    return _assembled(dataset, keys, nothing, measured, scores)


def _assembled(
    dataset: Dataset,
    keys: tuple[tuple[str, str], ...],
    image: _Image,
    measured: Measured,
    scores: Scores,
) -> Study:
    people = read_cohort(dataset).table.reindex([key[0] for key in keys]).reset_index(drop=True)
    known = people.reindex(columns=[*_PERSON])
    taken = _taken(scores, keys)
    tests = {test.code: test for test in scores.tests}
    predictors = [Predictor(name, Kind.PERSON, DEMOGRAPHICS) for name in _PERSON]
    predictors += image.predictors
    predictors += [
        Predictor(code, Kind.TEST, tests[code].domain, tests[code].leak)
        for code in map(str, taken.columns)
    ]
    table = pd.concat([_numbers(known), image.values, taken], axis=1)
    diagnosis = people["diagnosis"].fillna("") if "diagnosis" in people else [""] * len(keys)
    return Study(
        predictors=tuple(predictors),
        table=table.astype(np.float64),
        people=known,
        references=image.references,
        diagnosis=tuple(str(each) for each in diagnosis),
        person=tuple(key[0] for key in keys),
        visit=tuple(key[1] for key in keys),
        scanner=image.scanners or ("",) * len(keys),
        measured=measured,
        left_out=tuple(dict.fromkeys(each.text for each in scores.findings)),
    )


def _numbers(people: pd.DataFrame) -> pd.DataFrame:
    numbers = {name: pd.to_numeric(people[name], errors="coerce") for name in _PERSON}
    return pd.DataFrame({**numbers, "sex": people["sex"].map(_CODE)})


def _taken(scores: Scores, keys: tuple[tuple[str, str], ...]) -> pd.DataFrame:
    """Scores by row: of that visit, else those that are bound to none, at the first visit."""
    first: dict[str, str] = {}
    for person, visit in sorted(keys):
        first.setdefault(person, visit)
    is_first = [first[person] == visit for person, visit in keys]
    return scores.at(keys, is_first).dropna(axis=1, how="all")
