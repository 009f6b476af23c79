"""Tables of an evaluation of risk, in the shape of `core.assessment.TABLES`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise, product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.assessment import TABLES
from tracerless.core.norm import Array
from tracerless.core.risk import RiskKind, band_names
from tracerless.core.study import Arm, Study
from tracerless.foresee.nested import OutOfFold
from tracerless.foresee.scores import Jury, difference, judged
from tracerless.statistics import censored_scores as of

METRICS = ("c_index", "auc_t", "brier", "ibs", "slope", "intercept")
PAIRED = ("c_index", "auc_t", "brier", "ibs")
PAIRS = (
    (Arm.COGNITION, Arm.BOTH),
    (Arm.DEMOGRAPHICS, Arm.IMAGE),
    (Arm.DEMOGRAPHICS, Arm.COGNITION),
    (Arm.DEMOGRAPHICS, Arm.BOTH),
)
"""The first is the headline: what the image adds to cognition."""
EVERYBODY = "everybody"
THRESHOLDS = np.round(np.arange(0.02, 0.62, 0.02), 2)
_MIN_GROUP, _MIN_EVENTS, _BINS = 20, 10, 5
_NAN = float("nan")

Answers = Sequence[OutOfFold]


def performance(told: Answers, by: Jury) -> pd.DataFrame:
    """Every score of every arm and kind: AUC, Brier and calibration at the main horizon."""
    rows = [
        (each.arm.value, each.model, metric, *judged(each, by, metric, _years(by, metric))[0])
        for each in told
        for metric in METRICS
    ]
    return _table("performance", (row for row in rows if np.isfinite(row[3])))


def increments(told: Answers, by: Jury) -> pd.DataFrame:
    """Paired differences between arms on the same people."""
    known: dict[tuple[Arm, RiskKind], OutOfFold] = {
        (each.arm, each.kind): each for each in told if each.kind is not RiskKind.INCIDENCE
    }
    rows = []
    for (less, more), kind, metric in product(PAIRS, _kinds(known), PAIRED):
        if (less, kind) not in known or (more, kind) not in known:
            continue
        years = _years(by, metric)
        pair = (judged(known[arm, kind], by, metric, years) for arm in (less, more))
        gap, p = difference(*pair)
        rows.append((less.value, more.value, kind.value, metric, *gap, p))
    return _table("increments", rows)


def absolute_risk(told: Answers, by: Jury) -> pd.DataFrame:
    """Mean risk told and seen, AUC, Brier score and calibration at every horizon."""
    seen = by.seen.incidence()
    rows: list[tuple[Any, ...]] = []
    for each, years in product(told, by.horizons):
        name = each.model
        rows.append((name, years, "observed", *seen.at(years)))
        rows += [
            (name, years, quantity, *judged(each, by, quantity, years)[0])
            for quantity in ("predicted", "auc_t", "brier", "slope", "intercept")
        ]
    return _table("absolute_risk", (row for row in rows if np.isfinite(row[3])))


def calibration(told: Answers, by: Jury) -> pd.DataFrame:
    """Risk told against incidence seen, in groups of equal size, at every horizon."""
    rows = []
    for each, years in product(told, by.horizons):
        risk = each.at(years).mean(axis=0)
        for group in _groups(risk):
            seen = by.seen.incidence(group).at(years)
            mean, name = float(risk[group].mean()), f"{years:g} y"
            rows.append((each.arm.value, each.model, name, mean, *seen, len(group)))
    return _table("calibration", rows)


def decision_curve(told: Answers, by: Jury) -> pd.DataFrame:
    """Net benefit of acting on a risk at the main horizon, per person."""
    rows = []
    for each in told:
        risk = each.at(by.main).mean(axis=0)
        mine, everybody = of.net_benefit(by.seen, risk, by.main, THRESHOLDS)
        name = f"{each.model} @ {by.main:g} y"
        rows += [
            (each.arm.value, name, float(threshold), float(benefit), float(treated))
            for threshold, benefit, treated in zip(THRESHOLDS, mine, everybody, strict=True)
        ]
    return _table("decision_curve", rows)


def bands(risk: Array, by: Jury, cuts: Sequence[float], years: float) -> pd.DataFrame:
    """How many were told a risk of each band, and what was seen of them."""
    borders = (0.0, *cuts, 1.0)
    rows = []
    for name, (low, high), inside in _banded(risk, cuts, borders):
        events = int(((by.found.event == 1) & (by.found.time <= years) & inside).sum())
        seen = by.seen.incidence(inside).at(years)
        told = seen if inside.sum() >= _MIN_GROUP else (_NAN, _NAN, _NAN)
        rows.append((name, low, high, int(inside.sum()), events, *told))
    return _table("bands", rows)


def incidences(risk: Array, by: Jury, cuts: Sequence[float], times: Array) -> pd.DataFrame:
    """Cumulative incidence of dementia and of death, of everybody and by band."""
    everybody = np.ones(len(risk), dtype=np.bool_)
    parts = [(EVERYBODY, everybody)]
    parts += [(name, inside) for name, _, inside in _banded(risk, cuts, (0.0, *cuts, 1.0))]
    rows: list[tuple[Any, ...]] = []
    for name, inside in parts:
        if inside.sum() < _MIN_GROUP:
            continue
        seen = by.seen.incidence(inside)
        for years in times:
            rows.append((name, float(years), "dementia", *seen.at(float(years))))
            rows.append((name, float(years), "death", *seen.at(float(years), is_rival=True)))
    return _table("incidence", rows)


def subgroups(told: OutOfFold, by: Jury, groups: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """AUC at the main horizon in groups of people; too few of them, or of events, are not judged.

    Args:
        told: of one arm and kind.
        by: people.
        groups: by what, and the group of each person; empty where unknown.
    """
    rows: list[tuple[Any, ...]] = []
    for name, words in groups.items():
        labels = np.array(words)
        for label in sorted(set(words) - {""}):
            inside = np.flatnonzero(labels == label)
            found = by.found.taken(inside)
            events = int(((found.event == 1) & (found.time <= by.main)).sum())
            if len(inside) < _MIN_GROUP or events < _MIN_EVENTS:
                why = f"{len(inside)} people, {events} with dementia by then"
                rows.append((name, label, len(inside), "auc_t", _NAN, _NAN, _NAN, why))
                continue
            part = Jury(found, by.horizons, by.main, by.weights[:, inside])
            value = judged(_of(told, inside), part, "auc_t", by.main)[0]
            rows.append((name, label, len(inside), "auc_t", *value, ""))
    return _table("subgroups", rows)


def missingness(study: Study, by: Jury, keys: Sequence[str]) -> pd.DataFrame:
    """Share of people without a predictor, by what became of them."""
    words = np.array(["free", "dementia", "death"])[by.found.event]
    table = study.table.iloc[by.found.rows][list(keys)].isna()
    rows = []
    for key, word in product([k for k in keys if table[k].any()], ("free", "dementia", "death")):
        inside = words == word
        if inside.any():
            share = float(table[key].to_numpy()[inside].mean())
            rows.append((key, word, share, int(inside.sum())))
    return _table("missingness", rows)


def _banded(
    risk: Array, cuts: Sequence[float], borders: Sequence[float]
) -> Iterator[tuple[str, tuple[float, float], NDArray[np.bool_]]]:
    which = np.searchsorted(np.array(cuts), risk, side="right")
    for number, (name, span) in enumerate(
        zip(band_names(len(cuts)), pairwise(borders), strict=True)
    ):
        yield name, span, which == number


def _groups(risk: Array) -> list[NDArray[np.intp]]:
    """People in groups of like size by risk; equal risks stay together."""
    n_bins = max(min(_BINS * 2, len(risk) // 50), min(_BINS, len(risk) // _MIN_GROUP), 1)
    borders = np.unique(np.quantile(risk, np.linspace(0, 1, n_bins + 1)[1:-1]))
    which = np.searchsorted(borders, risk, side="right")
    return [np.flatnonzero(which == number) for number in np.unique(which)]


def _of(told: OutOfFold, inside: NDArray[np.intp]) -> OutOfFold:
    return replace(
        told,
        dementia=told.dementia[:, inside],
        death=told.death[:, inside],
        fold=told.fold[:, inside],
    )


def _years(by: Jury, metric: str) -> float:
    return by.horizons[-1] if metric in {"c_index", "ibs"} else by.main


def _kinds(known: Iterable[tuple[Arm, RiskKind]]) -> list[RiskKind]:
    return list(dict.fromkeys(kind for _, kind in known))


def _table(name: str, rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(TABLES[name]))
