"""Simulated tables as a study, without a dataset on disk."""

import numpy as np
import pandas as pd

from tracerless.core.norm import Measured
from tracerless.core.study import Kind, Predictor, Study
from tracerless.io import cognition
from tracerless.io.atlases import regions
from tracerless.simulate.tables import SimulatedTables
from tracerless.workspace.simulate_tables import draw_tables

ATLAS, REFERENCES = "fdg36", {"FDG": "pons", "ECD": "cerebellum", "HMPAO": "cerebellum"}
PERSON = ("age", "sex", "education_years")


def drawn(n: int, seed: str, contrast: str, **options: object) -> Study:
    """A simulated cohort of one tracer."""
    return study_of(draw_tables(n, seed=seed, **options), contrast)


def study_of(tables: SimulatedTables, contrast: str) -> Study:
    """Scans of a tracer, whole battery, first visits and retests."""
    scans = tables.scans[contrast].reset_index(drop=True)
    row = pd.Index(tables.people["participant"]).get_indexer(scans["participant"])
    people = tables.people.iloc[row].reset_index(drop=True)
    scores = tables.scores.iloc[row].reset_index(drop=True)
    named = {r.key: r.lobe for r in regions(ATLAS) if r.key in scans}
    known = people[list(PERSON)]
    person = known.assign(sex=known["sex"].map({"F": 0.0, "M": 1.0}))
    tests = cognition.dictionary()
    predictors = (
        *(Predictor(name, Kind.PERSON, "demographics") for name in PERSON),
        *(Predictor(key, Kind.REGION, lobe) for key, lobe in named.items()),
        *(Predictor(str(c), Kind.TEST, tests.test(c).domain, tests.test(c).leak) for c in scores),
    )
    means = scans[[name for name in scans if name.startswith("ref_")]]
    return Study(
        predictors=predictors,
        table=pd.concat([person, scans[list(named)], scores], axis=1).astype(np.float64),
        people=known,
        references=means.rename(columns=lambda name: str(name).removeprefix("ref_")),
        diagnosis=tuple(people["diagnosis"]),
        person=tuple(scans["participant"]),
        visit=tuple(scans["visit"]),
        scanner=tuple(scans["scanner"]),
        measured=Measured(
            contrast, ATLAS, REFERENCES[contrast], "", tables.fingerprint, "simulated"
        ),
    )


def narrowed(study: Study, tests: int) -> Study:
    """The same without scores that stage, and with so many of the others."""
    scores = [p for p in study.predictors if p.kind is Kind.TEST and p.leak != "high"][:tests]
    kept = tuple(p for p in study.predictors if p.kind is not Kind.TEST or p in scores)
    return Study(
        predictors=kept,
        table=study.table[[p.key for p in kept]],
        people=study.people,
        references=study.references,
        diagnosis=study.diagnosis,
        person=study.person,
        visit=study.visit,
        scanner=study.scanner,
        measured=study.measured,
    )
