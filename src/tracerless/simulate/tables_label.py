"""From latent people to labeled ones: the label follows an informant, or the tests too."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.cohort import Diagnosis
from tracerless.core.seeds import generator
from tracerless.simulate.tables_course import Rates, calibrate
from tracerless.simulate.tables_kernels import Array
from tracerless.simulate.tables_model import TableModel
from tracerless.simulate.tables_scores import draw_scores, impairment
from tracerless.simulate.tables_traits import (
    SPECTRUM,
    Traits,
    draw_disease,
    draw_spectrum,
    joined,
)

_N_CALIBRATION = 40000
_SPARE = 1.4
_WORST_SHARE = 0.25

_TRUTH = (
    "severity", "metabolic", "perfusion", "atrophy", "asymmetry", "metabolic_asymmetry",
    "informant", "cognition", "is_mimic", "is_preclinical", "subtype",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Calibration:
    """What holds for every cohort: cuts of the label between CN, MCI and AD; hazards by group."""

    cuts: tuple[float, float]
    rates: Rates


@dataclass(frozen=True, slots=True, eq=False)
class Labeled:
    """n people with complete scores; ``recall`` is delayed recall with age and schooling off."""

    traits: Traits
    scores: pd.DataFrame
    recall: Array

    def traits_table(self) -> pd.DataFrame:
        """Age, sex and schooling."""
        names = ("age", "sex", "education_years")
        return pd.DataFrame({name: getattr(self.traits, name) for name in names})

    def truth_table(self) -> pd.DataFrame:
        """What only the simulator knows of the people at their first scan."""
        return pd.DataFrame({name: getattr(self.traits, name) for name in _TRUTH})


@functools.lru_cache(maxsize=4)
def calibration(model: TableModel, *, circular: bool) -> Calibration:
    """Cuts at the declared prevalences, hazards at the declared rates, in a large population."""
    rng = generator("tables", "calibration")
    traits = draw_spectrum(model, _N_CALIBRATION, rng)
    scores = draw_scores(model, traits, rng)
    shares = np.array([model.parameters.clinic[each].prevalence for each in SPECTRUM])
    told = _told(model, traits, scores, circular=circular)
    first, second = np.quantile(told, np.cumsum(shares / shares.sum())[:2])
    cuts = (float(first), float(second))
    recall = recalled(model, traits, scores)
    rates = calibrate(model, traits, _labels(told, cuts), recall, rng)
    return Calibration(cuts, rates)


def labeled(
    model: TableModel,
    diagnosis: NDArray[np.str_],
    fixed: Calibration,
    rng: np.random.Generator,
    *,
    circular: bool,
) -> Labeled:
    """People who come by these diagnoses.

    Args:
        model: constants.
        diagnosis: (n,) wanted, in order.
        fixed: cuts.
        rng: random numbers.
        circular: whether the label uses the tests.
    """
    wanted = {str(each): int((diagnosis == str(each)).sum()) for each in Diagnosis}
    parts: list[Traits] = []
    tables: list[pd.DataFrame] = []
    order: list[NDArray[np.intp]] = []
    for label, (traits, scores) in _groups(model, wanted, fixed, rng, circular=circular).items():
        parts.append(traits)
        tables.append(scores)
        order.append(np.flatnonzero(diagnosis == label))
    place = np.argsort(np.concatenate(order), kind="stable")
    people = joined(parts).taken(place)
    scores = pd.concat(tables, ignore_index=True).iloc[place].reset_index(drop=True)
    return Labeled(people, scores, recalled(model, people, scores))


def recalled(model: TableModel, traits: Traits, scores: pd.DataFrame) -> Array:
    """Delayed recall with age, sex and schooling taken off."""
    row = model.battery.loc["CVVLT_10M"]
    expected = (
        row["per_education"] * (traits.education_years - 9.0)
        + row["per_age"] * (traits.age - 70.0)
        + row["female"] * (traits.sex == "F")
    )
    return np.asarray(scores["CVVLT_10M"].to_numpy() - expected, dtype=np.float64)


def _groups(
    model: TableModel,
    wanted: Mapping[str, int],
    fixed: Calibration,
    rng: np.random.Generator,
    *,
    circular: bool,
) -> dict[str, tuple[Traits, pd.DataFrame]]:
    found: dict[str, tuple[Traits, pd.DataFrame]] = {}
    needed = {str(each): wanted[str(each)] for each in SPECTRUM}
    pool: dict[str, list[tuple[Traits, pd.DataFrame]]] = {label: [] for label in needed}
    while any(sum(len(t) for t, _ in pool[k]) < n for k, n in needed.items()):
        size = int(_SPARE * max(needed.values()) / _WORST_SHARE) + 50
        traits = draw_spectrum(model, size, rng)
        scores = draw_scores(model, traits, rng)
        labels = _labels(_told(model, traits, scores, circular=circular), fixed.cuts)
        for label in needed:
            rows = np.flatnonzero(labels == label)
            pool[label].append((traits.taken(rows), scores.iloc[rows]))
    for label, n in needed.items():
        if n:
            rows = np.arange(n)
            people = joined([traits for traits, _ in pool[label]]).taken(rows)
            found[label] = people, pd.concat([scores for _, scores in pool[label]]).iloc[rows]
    for disease in (each for each in Diagnosis if each not in SPECTRUM):
        if wanted[str(disease)]:
            traits = draw_disease(model, disease, wanted[str(disease)], rng)
            found[str(disease)] = traits, draw_scores(model, traits, rng)
    return found


def _told(model: TableModel, traits: Traits, scores: pd.DataFrame, *, circular: bool) -> Array:
    """What the label is cut from."""
    if not circular:
        return traits.informant
    weight = model.settings["informant"]["circular_weight"]
    told: Array = (1 - weight) * traits.informant + weight * impairment(scores)
    return told


def _labels(told: Array, cuts: tuple[float, float]) -> NDArray[np.str_]:
    names = np.array([str(each) for each in SPECTRUM])
    found: NDArray[np.str_] = names[np.digitize(told, cuts)]
    return found
