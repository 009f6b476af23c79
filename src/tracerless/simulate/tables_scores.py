"""A battery of tests of many people at once, from what they have lost."""

import numpy as np
import pandas as pd

from tracerless.simulate.tables_kernels import Array
from tracerless.simulate.tables_model import TableModel
from tracerless.simulate.tables_traits import Traits

DOMAINS = ("memory", "executive", "language", "visuospatial", "attention")

STAGED = ("CDRSB", "CDR")
SCREENS = ("MMSE", "CASI")
"""Scores that follow `scores` of the voxel simulator."""

_CDR_STAGES = np.array([0.0, 0.5, 1.0, 2.0, 3.0])
_REFERENCE_EDUCATION_YEARS = 9.0
_REFERENCE_AGE = 70.0
_LARGEST_LOSS = 1.2
_OTHERS: dict[str, tuple[str, str, str]] = {
    "MMSE": ("mmse", "global", "low"),
    "CASI": ("casi", "global", "low"),
    "CDR": ("cdr", "global", "high"),
    "CDRSB": ("cdr", "global", "high"),
    "CVVLT_TOTAL": ("cvvlt", "memory", "none"),
}
"""Instrument, domain and leak of the scores that the battery's table does not hold."""
_TRIALS = ("CVVLT_T1", "CVVLT_T2", "CVVLT_T3", "CVVLT_T4")


def draw_scores(model: TableModel, traits: Traits, rng: np.random.Generator) -> pd.DataFrame:
    """The whole battery, nothing missing: one row a person, one column a code.

    MMSE and CASI follow `scores` of the voxel simulator; CDR and its boxes follow the informant.
    """
    latent = _latent(model, traits, rng)
    scores = {code: _screen(model, traits, code, rng) for code in SCREENS}
    scores |= _staged(model, traits, rng)
    for code, row in model.battery.iterrows():
        scores[str(code)] = _score(row, latent[str(row["latent"])], traits, rng)
    scores["CVVLT_TOTAL"] = np.sum([scores[trial] for trial in _TRIALS], axis=0)
    return pd.DataFrame(scores)


def tool(model: TableModel, code: str) -> str:
    """The instrument that a score belongs to."""
    return _OTHERS[code][0] if code in _OTHERS else str(model.battery.loc[code, "tool"])


def domain_of(model: TableModel, code: str) -> str:
    """The cognitive domain of a score."""
    return _OTHERS[code][1] if code in _OTHERS else str(model.battery.loc[code, "domain"])


def leak_of(model: TableModel, code: str) -> str:
    """How far a score goes into the diagnosis: none, low or high."""
    return _OTHERS[code][2] if code in _OTHERS else str(model.battery.loc[code, "leak"])


def draw_missing(
    model: TableModel, scores: pd.DataFrame, severity: Array, share: float, rng: np.random.Generator
) -> pd.DataFrame:
    """The scores with whole instruments not taken, the more often the worse a person is.

    Args:
        model: says which scores belong together.
        scores: complete.
        severity: (n,) of the people.
        share: of instruments not taken at mean severity, 0 to below 1.
        rng: random numbers.
    """
    tools = {code: tool(model, code) for code in scores.columns}
    names = sorted(set(tools.values()))
    if share <= 0:
        return scores
    slope = model.settings["cognition"]["missing_with_severity"]
    odds = np.log(share / (1 - share)) + slope * (severity - severity.mean())
    absent = rng.random((len(scores), len(names))) < 1 / (1 + np.exp(-odds))[:, None]
    hidden = {code: absent[:, names.index(each)] for code, each in tools.items()}
    return scores.mask(pd.DataFrame(hidden, index=scores.index))


def draw_gaps(model: TableModel, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Days from the scan to each instrument, negative = before; tests of one day share theirs."""
    about = model.settings["cognition"]
    names = sorted({tool(model, code) for code in (*model.battery.index, *SCREENS, *STAGED)})
    limit = about["gap_limit_days"]

    def days() -> Array:
        drawn = rng.normal(about["gap_mean_days"], about["gap_sd_days"], n)
        return np.asarray(np.round(np.clip(drawn, -limit, limit)))

    tested, asked = days(), days()
    return pd.DataFrame(
        {name: tested if name in about["one_day"] else asked for name in names}, dtype=np.int64
    )


def impairment(scores: pd.DataFrame) -> Array:
    """Loss as a clinician reads it off the tests, about the scale of severity."""
    screen = (29.0 - scores["MMSE"]) / 20.0
    memory = (7.2 - scores["CVVLT_10M"]) / 9.5
    return np.asarray((screen + memory) / 2, dtype=np.float64)


def _latent(model: TableModel, traits: Traits, rng: np.random.Generator) -> dict[str, Array]:
    """Loss by domain and what informants tell, (n,) each."""
    n, sd = len(traits), model.settings["cognition"]["domain_sd"]
    weights = [model.settings["domains"][str(each.disease)] for each in model.subtypes]
    latent: dict[str, Array] = {}
    for domain in DOMAINS:
        hit = np.array([weight[domain] for weight in weights])[traits.subtype]
        loss = hit * traits.cognition + rng.normal(0, sd, n)
        latent[domain] = np.clip(loss, 0, _LARGEST_LOSS)
    latent["global"] = np.clip(traits.cognition + rng.normal(0, sd / 2, n), 0, _LARGEST_LOSS)
    latent["informant"] = np.clip(traits.informant, 0, _LARGEST_LOSS)
    latent["mood"] = np.clip(rng.gamma(1.0, 0.4, n) + 0.4 * traits.severity, 0, 4)
    latent["behavior"] = np.clip(traits.severity * rng.gamma(2.0, 0.5, n), 0, 3)
    return latent


def _screen(model: TableModel, traits: Traits, code: str, rng: np.random.Generator) -> Array:
    about, n = model.parameters.scores, len(traits)
    seen = np.clip(traits.cognition + rng.normal(0, about.test_sd, n), 0, 1.05) ** about.curve
    missing_years = np.maximum(about.low_schooling_years - traits.education_years, 0)
    penalty = about.low_schooling_penalty * missing_years
    if code == "MMSE":
        score = about.mmse_top - penalty - about.mmse_drop * seen + rng.normal(0, about.mmse_sd, n)
        return np.clip(np.round(score), 0, 30)
    score = about.casi_top - about.casi_schooling * penalty - about.casi_drop * seen
    return np.clip(np.round(score + rng.normal(0, about.casi_sd, n)), 0, 100)


def _staged(model: TableModel, traits: Traits, rng: np.random.Generator) -> dict[str, Array]:
    about = model.parameters.scores
    told = np.maximum(traits.informant - about.boxes_from, 0)
    boxes = about.boxes_slope * told**about.boxes_curve
    boxes = np.clip(np.round(2 * (boxes + rng.normal(0, about.boxes_sd, len(traits)))) / 2, 0, 18)
    return {"CDRSB": boxes, "CDR": _CDR_STAGES[np.digitize(boxes, about.cdr_cuts)]}


def _score(row: pd.Series, latent: Array, traits: Traits, rng: np.random.Generator) -> Array:
    expected = (
        row["per_education"] * (traits.education_years - _REFERENCE_EDUCATION_YEARS)
        + row["per_age"] * (traits.age - _REFERENCE_AGE)
        + row["female"] * (traits.sex == "F")
        + row["change"] * latent ** row["curve"]
        + rng.normal(0, row["sd"], len(traits))
    )
    if row["scale"] == "log":
        score = row["top"] * np.exp(np.minimum(expected, 4))
    else:
        score = row["top"] + expected
    stepped = np.round(score / row["step"]) * row["step"]
    clipped = np.clip(stepped, row["low"], row["high"]) + 0.0  # no negative zero
    return np.asarray(clipped, dtype=np.float64)
