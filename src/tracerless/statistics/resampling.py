"""Resampling people: bootstrap and jackknife as row weights, and the intervals made of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from tracerless.core.errors import ModelError
from tracerless.core.seeds import generator

Array = NDArray[np.float64]
Weighted = Callable[[Array], Array]
"""From row weights (k, n) to the k values of a statistic."""

DRAWS = 2000
"""Bootstrap draws behind an interval."""


class Interval(NamedTuple):
    """A number and the bounds it lies between."""

    value: float
    low: float
    high: float


def person_weights(
    person: Sequence[str],
    n_draws: int = DRAWS,
    *,
    seed: Sequence[str | int],
    strata: NDArray[np.int_] | None = None,
) -> Array:
    """Bootstrap of people: how often each row is drawn.

    Args:
        person: of each row (n,); all rows of a person are drawn together.
        n_draws: draws.
        seed: names of what the draws are for.
        strata: (n,) a number for each row; a person belongs where the first row does. Every draw
            holds as many people of each stratum as there are.

    Returns:
        (n_draws, n) whole numbers as float64.
    """
    people, rows = _people(person)
    random = generator("bootstrap", *seed)
    first = np.zeros(len(people), dtype=np.intp)
    first[rows[::-1]] = np.arange(len(rows))[::-1]
    stratum = np.zeros(len(people), dtype=np.int_) if strata is None else strata[first]
    counts = np.zeros((n_draws, len(people)))
    for each in np.unique(stratum):
        members = np.flatnonzero(stratum == each)
        share = np.full(len(members), 1 / len(members))
        counts[:, members] = random.multinomial(len(members), share, size=n_draws)
    drawn: Array = counts[:, rows]
    return drawn


def leave_one_out_weights(person: Sequence[str]) -> Array:
    """Jackknife of people: (n_people, n) ones, with zeros for the rows of the person left out."""
    people, rows = _people(person)
    weights: Array = (rows[None, :] != np.arange(len(people))[:, None]).astype(np.float64)
    return weights


def percentile(value: float, draws: Array, *, level: float = 0.95) -> Interval:
    """The middle share of the draws; draws that are not finite are left out."""
    good = draws[np.isfinite(draws)]
    if not len(good):
        return Interval(value, float("nan"), float("nan"))
    tail = (1 - level) / 2
    low, high = np.quantile(good, [tail, 1 - tail])
    return Interval(value, float(low), float(high))


def bca(value: float, draws: Array, jackknife: Array, *, level: float = 0.95) -> Interval:
    """Bias-corrected and accelerated bootstrap interval.

    Args:
        value: of the statistic on all rows.
        draws: its bootstrap values; those that are not finite are left out.
        jackknife: its values with one person left out.
        level: share of intervals that hold the truth.

    Returns:
        The interval; the value itself where the draws do not vary. Where the draws lie so far to
        one side that the interval would miss the value (as those of a calibration error do, which
        resampling makes larger), they are moved until their median is the value.

    Source:
        Efron, Better bootstrap confidence intervals, JASA 1987; acceleration from the jackknife.
    """
    good = draws[np.isfinite(draws)]
    if not len(good) or np.ptp(good) == 0:
        return percentile(value, draws, level=level)
    below = (np.sum(good < value) + np.sum(good == value) / 2) / len(good)
    edge = 1 / (len(good) + 1)
    bias = norm.ppf(np.clip(below, edge, 1 - edge))
    away = np.mean(jackknife[np.isfinite(jackknife)]) - jackknife[np.isfinite(jackknife)]
    square = float(np.sum(away**2))
    acceleration = float(np.sum(away**3)) / (6 * square**1.5) if square > 0 else 0.0
    tail = norm.ppf([(1 - level) / 2, (1 + level) / 2])
    shares = norm.cdf(bias + (bias + tail) / (1 - acceleration * (bias + tail)))
    low, high = np.quantile(good, shares)
    return (
        Interval(value, float(low), float(high))
        if low <= value <= high
        else centered(value, draws, level=level)
    )


def centered(value: float, draws: Array, *, level: float = 0.95) -> Interval:
    """The middle share of the draws, moved until their median is the value.

    For what resampling makes larger, as it does a calibration error.
    """
    return percentile(value, draws + (value - np.nanmedian(draws)), level=level)


@dataclass(frozen=True, slots=True, eq=False)
class Resample:
    """The same draws of people for many statistics, so that these can be compared.

    Args:
        weights: (1 + draws + people, n) all rows once, then bootstrap draws, then everybody but
            one.
        n_draws: bootstrap draws among them.
    """

    weights: Array
    n_draws: int

    def interval(self, statistic: Weighted, *, level: float = 0.95) -> tuple[Interval, float]:
        """BCa interval of a statistic, and its two-sided p against 0."""
        found = statistic(self.weights)
        value, draws = float(found[0]), found[1 : 1 + self.n_draws]
        if not np.isfinite(draws).any():
            return percentile(value, draws, level=level), float("nan")
        good = draws[np.isfinite(draws)]
        tail = min(np.sum(good <= 0), np.sum(good >= 0)) + 1
        p = min(2 * float(tail) / (len(good) + 1), 1.0)
        return bca(value, draws, found[1 + self.n_draws :], level=level), p

    def centered(self, statistic: Weighted, *, level: float = 0.95) -> Interval:
        """Interval of a statistic that resampling makes larger; see `centered`."""
        found = statistic(self.weights[: 1 + self.n_draws])
        return centered(float(found[0]), found[1:], level=level)


def resample(
    person: Sequence[str],
    *,
    seed: Sequence[str | int],
    n_draws: int = DRAWS,
    strata: NDArray[np.int_] | None = None,
) -> Resample:
    """Draws and jackknife of people; arguments as of `person_weights`."""
    drawn = person_weights(person, n_draws, seed=seed, strata=strata)
    everybody = np.ones((1, len(person)))
    return Resample(np.vstack([everybody, drawn, leave_one_out_weights(person)]), n_draws)


def bootstrap(
    statistic: Weighted,
    person: Sequence[str],
    *,
    seed: Sequence[str | int],
    n_draws: int = DRAWS,
    strata: NDArray[np.int_] | None = None,
    level: float = 0.95,
) -> Interval:
    """BCa interval of a statistic over people.

    Args:
        statistic: takes row weights (k, n), gives its k values; NaN where a draw cannot be had.
        person: of each row.
        seed: names of what the draws are for.
        n_draws: draws.
        strata: see `person_weights`.
        level: share of intervals that hold the truth.
    """
    drawn = resample(person, seed=seed, n_draws=n_draws, strata=strata)
    return drawn.interval(statistic, level=level)[0]


def wilson(hits: float, n: float, *, level: float = 0.95) -> Interval:
    """Interval of a share.

    Args:
        hits: how many of them; may be a mean over repeats.
        n: of how many; NaN comes out where there are none.
        level: share of intervals that hold the truth.

    Source:
        Wilson, Probable inference, JASA 1927.
    """
    if n <= 0:
        return Interval(float("nan"), float("nan"), float("nan"))
    z = float(norm.ppf((1 + level) / 2))
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low, high = max(middle - half, 0.0), min(middle + half, 1.0)
    return Interval(float(share), float(min(low, share)), float(max(high, share)))


def corrected_t(
    differences: Array, *, test_share: float, level: float = 0.95
) -> tuple[Interval, float]:
    """Mean difference over the folds of a repeated cross-validation, its interval and p.

    Folds share training people, so the plain t test is far too sure of itself; the variance of
    the mean is taken as ``variance (1 / J + test / train)``.

    Args:
        differences: (J,) one a fold and repeat.
        test_share: people tested in a fold / people, 0-1.
        level: share of intervals that hold the truth.

    Raises:
        ModelError: fewer than two folds.

    Source:
        Nadeau and Bengio, Inference for the generalization error, Machine Learning 2003.
    """
    known = differences[np.isfinite(differences)]
    if len(known) < 2:
        raise ModelError(f"{len(known)} folds; a corrected t test needs two.")
    mean = float(known.mean())
    variance = float(known.var(ddof=1)) * (1 / len(known) + test_share / (1 - test_share))
    if variance == 0:
        return Interval(mean, mean, mean), 1.0 if mean == 0 else 0.0
    error, dof = float(np.sqrt(variance)), len(known) - 1
    half = float(t.ppf((1 + level) / 2, dof)) * error
    return Interval(mean, mean - half, mean + half), float(2 * t.sf(abs(mean) / error, dof))


def _people(person: Sequence[str]) -> tuple[list[str], NDArray[np.intp]]:
    """Names in order of appearance, and the number of each row's person."""
    number: dict[str, int] = {}
    rows = np.array([number.setdefault(name, len(number)) for name in person], dtype=np.intp)
    return list(number), rows
