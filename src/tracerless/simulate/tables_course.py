"""What happens after the first scan: conversion, reversion, dropout, death, and yearly visits.

Rates of conversion are those of the Taipei series by group; within a group, hazards rise with
severity and age. They are solved for in a large fixed population, so that they hold on average.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq

from tracerless.core.cohort import Diagnosis
from tracerless.core.study import VISIT_COLUMNS
from tracerless.simulate.tables_kernels import Array
from tracerless.simulate.tables_model import TableModel
from tracerless.simulate.tables_traits import Traits

GROUPS = ("normal", "early", "late")
_REFERENCE_AGE = 75.0
_NEVER = np.inf


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """Hazards a year at the mean severity of each group, and where early and late MCI part.

    Args:
        convert: to dementia, by group.
        revert: from MCI to normal, by group.
        recall: delayed recall below which MCI is late, education and age taken off.
    """

    convert: Mapping[str, float]
    revert: Mapping[str, float]
    recall: float


def groups(diagnosis: NDArray[np.str_], recall: Array, cut: float) -> NDArray[np.str_]:
    """``normal``, ``early`` or ``late``; empty for dementia."""
    mci = np.where(recall < cut, "late", "early")
    return np.where(diagnosis == "CN", "normal", np.where(diagnosis == "MCI", mci, ""))


def calibrate(
    model: TableModel, traits: Traits, diagnosis: NDArray[np.str_], recall: Array,
    rng: np.random.Generator,
) -> Rates:  # fmt: skip
    """Hazards that give the declared rates in this population under the declared follow-up."""
    about = model.settings["course"]
    cut = float(np.quantile(recall[diagnosis == "MCI"], about["late_share"]))
    group = groups(diagnosis, recall, cut)
    unit = rng.exponential(size=len(traits)) / _relative(model, traits, diagnosis, rng)
    back = rng.exponential(size=len(traits)) / _back(model, traits, diagnosis)
    end = _end(model, traits, rng)
    convert, revert = dict.fromkeys(GROUPS, 0.1), {"early": 0.1, "late": 0.025}
    for _ in range(_ROUNDS):
        for name in GROUPS:
            rows = group == name
            returned = back[rows] / revert[name] if name in revert else np.full(rows.sum(), _NEVER)
            later = functools.partial(_dementia, unit[rows], returned, about["after_reversion"])
            convert[name] = _solve(
                functools.partial(_incidence, later, end[rows]), about[f"{name}_rate"] / 100
            )
        early = group == "early"
        reverted = functools.partial(_reverted, back[early], unit[early] / convert["early"])
        revert["early"] = _solve(reverted, about["reverted_by_2"])
        revert["late"] = revert["early"] * about["late_reverts"]
    return Rates(convert, revert, cut)


_ROUNDS = 3
"""Conversion and reversion hang on one another; after three rounds neither moves."""


def _dementia(unit: Array, back: Array, slower: float, hazard: float) -> Array:
    """Years to dementia at a hazard; who went back to normal has ``slower`` of it from then on.

    Args:
        unit: (n,) years at hazard 1.
        back: (n,) years to reversion; one after dementia does not happen.
        slower: factor on the hazard, 0-1.
        hazard: a year.
    """
    first = unit / hazard
    returns = back < first
    left = np.subtract(first, back, out=np.zeros_like(first), where=returns)
    start: Array = np.where(returns, back, first)
    return start + left / slower


def _incidence(later: Callable[[float], Array], end: Array, hazard: float) -> float:
    """Dementias a person-year."""
    times = later(hazard)
    return float((times < end).sum() / np.minimum(times, end).sum())


def _reverted(back: Array, dementia: Array, hazard: float) -> float:
    """Share that goes back to normal within two years, before any dementia."""
    return float(np.mean((back / hazard < 2) & (back / hazard < dementia)))


def draw_course(
    model: TableModel,
    traits: Traits,
    diagnosis: NDArray[np.str_],
    group: NDArray[np.str_],
    *,
    rates: Rates,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """The true course of everybody, one row a person, years since the first scan (inf = never).

    Columns: ``years_to_mci``, ``years_to_reversion``, ``years_to_relapse``,
    ``years_to_dementia`` (0 for those who have it), ``dementia`` (its kind), ``years_to_death``,
    ``years_to_dropout``.
    """
    about, n = model.settings["course"], len(traits)
    relative = _relative(model, traits, diagnosis, rng)
    hazard = np.array([rates.convert.get(each, 0.0) for each in group]) * relative
    first = _times(hazard, rng)
    reversion = np.array([rates.revert.get(each, 0.0) for each in group])
    back = _times(reversion * _back(model, traits, diagnosis), rng)
    back = np.where(back < first, back, _NEVER)
    relapse = back + rng.exponential(1 / about["relapse_rate"], n)
    dementia = _dementia(first, back, about["after_reversion"], 1.0)
    is_ill = group == ""
    dementia = np.where(is_ill, 0.0, dementia)
    return pd.DataFrame(
        {
            "years_to_mci": _to_mci(model, traits, group, dementia, rng),
            "years_to_reversion": back,
            "years_to_relapse": np.minimum(relapse, dementia),
            "years_to_dementia": dementia,
            "dementia": _kind(model, traits, diagnosis, rng),
            "years_to_death": _to_death(model, traits, dementia, rng),
            "years_to_dropout": _times(_dropout(model, traits), rng),
        }
    )


def draw_visits(
    model: TableModel,
    participants: NDArray[np.str_],
    diagnosis: NDArray[np.str_],
    course: pd.DataFrame,
    *,
    years: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """What was seen of these courses at yearly visits: columns of ``core.study.Followup``.

    Args:
        model: recruitment and jitter.
        participants: pseudonyms.
        diagnosis: at the first scan.
        course: from ``draw_course``.
        years: of follow-up at most.
        rng: random numbers.
    """
    about = model.settings["exit"]
    ends = np.minimum(rng.uniform(0, about["recruitment_years"], len(course)), years)
    rows: list[tuple[str, float, str, str]] = []
    lives = course.to_dict("records")
    for name, first, life, end in zip(participants, diagnosis, lives, ends, strict=True):
        gone, dead = float(life["years_to_dropout"]), float(life["years_to_death"])
        until = min(float(end), gone, dead)
        jitter = np.clip(rng.normal(0, about["visit_jitter_years"], int(until)), -0.3, 0.3)
        when = np.arange(1, int(until) + 1) + jitter
        rows.extend(
            (str(name), _rounded(year), state(str(first), life, year), "seen")
            for year in when[when <= until]
        )
        if dead <= min(end, gone):
            rows.append((str(name), _rounded(dead + _LATER), "", "dead"))
        elif end <= gone and end > 0:
            rows.append((str(name), _rounded(end + _LATER), "", "lost"))
    return pd.DataFrame(rows, columns=list(VISIT_COLUMNS))


_LATER = 0.005
"""Half of the last digit: death is not rounded to before a visit."""


def _rounded(years: float) -> float:
    return round(float(years), 2)


def state(first: str, course: Mapping[Any, Any], when: float) -> str:
    """The diagnosis that holds at some year of a course; ``first`` is the first scan's."""
    if when >= course["years_to_dementia"]:
        return str(course["dementia"])
    if first == "CN":
        return "MCI" if when >= course["years_to_mci"] else "CN"
    back = course["years_to_reversion"] <= when < course["years_to_relapse"]
    return "CN" if back else first


def _relative(
    model: TableModel, traits: Traits, diagnosis: NDArray[np.str_], rng: np.random.Generator
) -> Array:
    """Hazard of dementia over that of a usual person of the group."""
    about = model.settings["course"]
    log = about["per_severity"] * _centered(traits.severity, diagnosis)
    log = log + about["age_per_year"] * (traits.age - _REFERENCE_AGE)
    log = log + rng.normal(0, about["frailty_sd"], len(traits))
    return np.asarray(np.exp(log) * np.where(traits.is_mimic, about["mimic_factor"], 1.0))


def _back(model: TableModel, traits: Traits, diagnosis: NDArray[np.str_]) -> Array:
    slope = model.settings["course"]["revert_per_severity"]
    return np.asarray(np.exp(slope * _centered(traits.severity, diagnosis)))


_CENTERS = {"CN": 0.10, "MCI": 0.26}
"""Severity that group hazards are stated at: near the groups' means."""


def _centered(severity: Array, diagnosis: NDArray[np.str_]) -> Array:
    centers = np.array([_CENTERS.get(str(each), 0.5) for each in diagnosis], dtype=np.float64)
    return np.asarray(severity - centers)


def _times(hazard: Array, rng: np.random.Generator) -> Array:
    chance = rng.exponential(size=len(hazard))
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(hazard > 0, chance / hazard, _NEVER))


def _end(model: TableModel, traits: Traits, rng: np.random.Generator) -> Array:
    """When somebody without dementia is last heard of, years."""
    n = len(traits)
    admin = rng.uniform(0, model.settings["exit"]["recruitment_years"], n)
    death = _to_death(model, traits, np.full(n, _NEVER), rng)
    gone = np.minimum(admin, _times(_dropout(model, traits), rng))
    return np.asarray(np.minimum(gone, death))


def _dropout(model: TableModel, traits: Traits) -> Array:
    about = model.settings["exit"]
    worse = about["dropout_per_severity"] * (traits.severity - 0.25)
    return np.asarray(about["dropout_rate"] * np.exp(worse))


def _solve(found: Callable[[float], float], wanted: float) -> float:
    """The hazard at which ``found`` is what is wanted; it rises with the hazard."""
    return float(np.exp(brentq(lambda log: found(float(np.exp(log))) - wanted, -12.0, 4.0)))


def _to_mci(
    model: TableModel, traits: Traits, group: NDArray[np.str_], dementia: Array,
    rng: np.random.Generator,
) -> Array:  # fmt: skip
    """Normal people pass through MCI: before dementia, or without it."""
    about, n = model.settings["course"], len(traits)
    before = dementia - about["prodrome_low_years"] - about["prodrome_span_years"] * rng.random(n)
    alone = _times(np.full(n, about["mci_rate"]), rng)
    mci = np.minimum(np.maximum(before, 0.01), alone)
    return np.where(group == "normal", mci, np.where(group == "", _NEVER, 0.0))


def _kind(
    model: TableModel, traits: Traits, diagnosis: NDArray[np.str_], rng: np.random.Generator
) -> NDArray[np.str_]:
    """What a dementia to come will be called; those who have one keep its name."""
    is_vascular = rng.random(len(traits)) < model.settings["course"]["mimic_is_vascular"]
    later = np.where(traits.is_mimic & is_vascular, str(Diagnosis.VAD), str(Diagnosis.AD))
    return np.where(np.isin(diagnosis, ["CN", "MCI"]), later, diagnosis)


def _to_death(
    model: TableModel, traits: Traits, dementia: Array, rng: np.random.Generator
) -> Array:
    """Hazards grow with age, and by a factor from dementia on."""
    about = model.settings["exit"]
    at_75 = np.where(traits.sex == "F", about["death_women"], about["death_men"])
    slope = about["death_per_year"]
    hazard = at_75 * np.exp(slope * (traits.age - _REFERENCE_AGE))
    wanted = rng.exponential(size=len(traits))
    until = np.where(np.isfinite(dementia), dementia, 1e3)
    before = hazard * np.expm1(slope * np.minimum(until, 200.0)) / slope
    early = np.log1p(wanted * slope / hazard) / slope
    left = np.maximum(wanted - before, 0) / about["death_dementia"]
    there = hazard * np.exp(slope * np.minimum(until, 200.0))
    late = until + np.log1p(left * slope / there) / slope
    return np.asarray(np.where(wanted < before, early, late))
