"""Cognitive tests and clinical ratings as functions of a person's severity."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from tracerless.simulate.sections import ScoreModel
from tracerless.simulate.traits import Traits

_REFERENCE_EDUCATION_YEARS = 9.0
_REFERENCE_AGE = 70.0
_CDR_STAGES = (0.0, 0.5, 1.0, 2.0, 3.0)


def draw_scores(model: ScoreModel, traits: Traits, rng: np.random.Generator) -> Mapping[str, float]:
    """MMSE 0-30, CASI 0-100 (both best high), CDR 0-3 and CDRSB 0-18 (both best low).

    Schooling protects cognition once disease is there (reserve) and lowers the tests of those with
    little of it whether or not they are ill, as the tests' norms in Taiwan do.
    """
    reserve = model.reserve_per_year * (traits.education_years - _REFERENCE_EDUCATION_YEARS)
    ill = traits.severity > model.reserve_from_severity
    cognition = traits.severity - reserve * ill
    cognition += model.age_per_year * (traits.age - _REFERENCE_AGE)
    cognition = float(np.clip(cognition + rng.normal(0, model.cognition_sd), 0, 1.05))
    seen = np.clip(cognition + rng.normal(0, model.test_sd, 2), 0, 1.05) ** model.curve
    missing_years = max(model.low_schooling_years - traits.education_years, 0)
    penalty = model.low_schooling_penalty * missing_years
    mmse = model.mmse_top - penalty - model.mmse_drop * seen[0] + rng.normal(0, model.mmse_sd)
    casi = model.casi_top - model.casi_schooling * penalty - model.casi_drop * seen[1]
    casi += rng.normal(0, model.casi_sd)
    boxes = model.boxes_slope * max(cognition - model.boxes_from, 0) ** model.boxes_curve
    boxes = float(np.clip(round(2 * (boxes + rng.normal(0, model.boxes_sd))) / 2, 0, 18))
    return MappingProxyType(
        {
            "MMSE": float(np.clip(round(mmse), 0, 30)),
            "CASI": float(np.clip(round(casi), 0, 100)),
            "CDR": _CDR_STAGES[int(np.digitize(boxes, model.cdr_cuts))],
            "CDRSB": boxes,
        }
    )
