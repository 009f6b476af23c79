"""A simulated cohort as a study and as the dataset's own tables."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from tracerless.core.cognition import Leak
from tracerless.core.errors import RecipeError, did_you_mean
from tracerless.core.norm import Measured
from tracerless.core.study import Kind, Predictor, Study
from tracerless.simulate.tables import SimulatedTables
from tracerless.simulate.tables_kernels import REFERENCE
from tracerless.simulate.tables_model import TableModel
from tracerless.simulate.tables_scan import OWN_REFERENCE
from tracerless.simulate.tables_scores import domain_of, leak_of

ATLAS = "fdg36"
DOMAIN = "simulated"
_LEFT, _RIGHT = "_left", "_right"
_PERSON = ("age", "sex", "education_years")
_HEAD = ("participant", "visit", "scanner")
_LOBES: Mapping[str, str] = {
    "frontal": "frontal", "orbitofrontal": "frontal", "parietal": "parietal",
    "precuneus": "parietal", "sensorimotor": "parietal", "cingulate": "cingulate",
    "temporal": "temporal", "occipital": "occipital", "insula": "insula",
    "brainstem": "brainstem",
}  # fmt: skip


def as_study(tables: SimulatedTables, model: TableModel, tracer: str) -> Study:
    """First visits of one tracer with everybody's scores.

    Args:
        tables: the cohort.
        model: what it was drawn from.
        tracer: FDG, ECD or HMPAO.

    Raises:
        RecipeError: there is no such tracer.
    """
    if tracer not in tables.scans:
        raise RecipeError(f"No tracer {tracer!r}.", hint=did_you_mean(tracer, tables.scans))
    scans = tables.scans[tracer].iloc[: len(tables)].reset_index(drop=True)
    known = tables.people[list(_PERSON)].reset_index(drop=True)
    keys = regions(model)
    predictors = [Predictor(name, Kind.PERSON, "demographics") for name in _PERSON]
    predictors += [Predictor(key, Kind.REGION, _lobe(key)) for key in keys]
    predictors += [
        Predictor(code, Kind.TEST, domain_of(model, code), Leak(leak_of(model, code)))
        for code in tables.scores.columns
    ]
    sex = known["sex"].map({"F": 0.0, "M": 1.0})
    table = pd.concat([known.assign(sex=sex), scans[keys], tables.scores], axis=1)
    references = scans[[name for name in scans if str(name).startswith(REFERENCE)]]
    return Study(
        predictors=tuple(predictors),
        table=table.astype(np.float64),
        people=known,
        references=references.rename(columns=lambda name: name.removeprefix(REFERENCE)),
        diagnosis=tuple(tables.people["diagnosis"]),
        person=tuple(tables.people["participant"]),
        visit=tuple(scans["visit"]),
        scanner=tuple(scans["scanner"]),
        measured=Measured(tracer, ATLAS, OWN_REFERENCE[tracer], "none", tables.fingerprint, DOMAIN),
    )


def regions(model: TableModel) -> list[str]:
    """Keys of the atlas' regions, without composites and references."""
    return [name for name in model.measures if not name.startswith((REFERENCE, "meta_"))]


def asymmetries(model: TableModel, scans: pd.DataFrame) -> pd.DataFrame:
    """200 (L - R) / (L + R) of every pair of regions, percent; + = more on the left."""
    keys = regions(model)
    stems = [key.removesuffix(_LEFT) for key in keys if key.endswith(_LEFT)]
    found = {}
    for stem in stems:
        left, right = scans[stem + _LEFT], scans[stem + _RIGHT]
        found[f"AI_{stem}"] = 200.0 * (left - right) / (left + right)
    return pd.DataFrame(found)


def _lobe(key: str) -> str:
    """The lobe of a region of this atlas; whatever is not named so lies below the cortex."""
    stem = key.removesuffix(_LEFT).removesuffix(_RIGHT)
    return next((lobe for word, lobe in _LOBES.items() if stem.endswith(word)), "subcortical")
