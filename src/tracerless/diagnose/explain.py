"""What a model goes by: groups of predictors, not single ones, since neighbors say the same."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from tracerless.core.classifier import Calibration, Preparation, Scorer
from tracerless.core.seeds import generator
from tracerless.core.steps import Array
from tracerless.core.study import Arm, Study
from tracerless.diagnose import models
from tracerless.diagnose.calibrate import calibrated
from tracerless.statistics.steps import indicator

N_SHUFFLES = 5
N_ORDERS = 32
_LEAST = 1e-12


def groups(study: Study, arm: Arm) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(groups of an arm's predictors in order, the kind of each)."""
    seen = set(study.keys(arm))
    found: dict[str, str] = {}
    for each in study.predictors:
        if each.key in seen:
            found.setdefault(each.group, each.kind.value)
    return tuple(found), tuple(found.values())


def columns(made: Preparation, study: Study, names: Sequence[str]) -> tuple[NDArray[np.intp], ...]:
    """For each group, its places among the inputs, indicators of missing values included."""
    return of_groups(made, {each.key: each.group for each in study.predictors}, names)


def of_groups(
    made: Preparation, group: dict[str, str], names: Sequence[str]
) -> tuple[NDArray[np.intp], ...]:
    """As `columns`, from predictor → group."""
    owner = {**group, **{indicator(key): name for key, name in group.items()}}
    owners = [owner[name] for name in made.scaler.names]
    return tuple(
        np.array([place for place, own in enumerate(owners) if own == name], dtype=np.intp)
        for name in names
    )


def importance(
    scorer: Scorer,
    calibration: Calibration,
    x: Array,
    truth: NDArray[np.intp],
    *,
    places: Sequence[NDArray[np.intp]],
    seed: tuple[str | int, ...],
) -> Array:
    """(groups,) rise of the log loss of held-out rows when a group is shuffled among them.

    Args:
        scorer: fitted on other rows.
        calibration: of the same.
        x: (n, q) inputs of the held-out rows.
        truth: (n,).
        places: of each group among the inputs.
        seed: names of what is shuffled.

    Source:
        Breiman, Mach Learn 2001; in groups: Gregorutti et al., Comput Stat Data Anal 2015.
    """
    random = generator("shuffle", *seed)
    usual = _loss(scorer, calibration, x, truth)
    found = np.zeros(len(places))
    for number, place in enumerate(places):
        for _ in range(N_SHUFFLES):
            mixed = x.copy()
            mixed[:, place] = x[random.permutation(len(x))][:, place]
            found[number] += (_loss(scorer, calibration, mixed, truth) - usual) / N_SHUFFLES
    return found


def stability(found: Array) -> float:
    """Mean rank correlation between the rows of (folds, groups) importance; NaN without any."""
    ranks = np.array([rankdata(row) for row in found if np.ptp(row) > 0])
    if len(ranks) < 2 or ranks.shape[1] < 2:
        return float("nan")
    correlation = np.corrcoef(ranks)
    return float(correlation[np.triu_indices(len(ranks), 1)].mean())


def contributions(
    scorer: Scorer,
    calibration: Calibration,
    x: Array,
    of_class: int,
    *,
    places: Sequence[NDArray[np.intp]],
    seed: tuple[str | int, ...],
) -> Array:
    """(groups,) Shapley values of one person's log odds of a class, against the average person.

    They sum to the log odds of the person minus those of the average. Orders of entering are drawn
    in pairs, one the reverse of the other.

    Args:
        scorer: fitted.
        calibration: of the same.
        x: (q,) inputs; 0 = average.
        of_class: whose log odds.
        places: of each group among the inputs.
        seed: names of the orders drawn.

    Source:
        Strumbelj and Kononenko, Knowl Inf Syst 2014; groups as players, absent = average.
    """
    random = generator("orders", *seed)
    n_groups = len(places)
    half = [random.permutation(n_groups) for _ in range(N_ORDERS // 2)]
    orders = [*half, *(order[::-1] for order in half)]
    steps = np.zeros((len(orders), n_groups + 1, len(x)))
    for number, order in enumerate(orders):
        for entered, group in enumerate(order, start=1):
            steps[number, entered] = steps[number, entered - 1]
            steps[number, entered, places[group]] = x[places[group]]
    odds = _log_odds(scorer, calibration, steps.reshape(-1, len(x)), of_class)
    gains = np.diff(odds.reshape(len(orders), n_groups + 1), axis=1)
    found = np.zeros(n_groups)
    for order, gain in zip(orders, gains, strict=True):
        found[order] += gain / len(orders)
    return found


def _log_odds(scorer: Scorer, calibration: Calibration, x: Array, of_class: int) -> Array:
    p = calibrated(calibration, models.log_probability(scorer, x))[:, of_class]
    p = np.clip(p, _LEAST, 1 - _LEAST)
    result: Array = np.log(p / (1 - p))
    return result


def _loss(scorer: Scorer, calibration: Calibration, x: Array, truth: NDArray[np.intp]) -> float:
    p = calibrated(calibration, models.log_probability(scorer, x))[np.arange(len(x)), truth]
    return -float(np.log(np.maximum(p, _LEAST)).mean())
