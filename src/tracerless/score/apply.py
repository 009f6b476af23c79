"""One person against a norm: expectation, t-predictive z, its interval, its place in the family."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special, stats

from tracerless.core.norm import Array, Norm, NormModel
from tracerless.score.ceilings import percentiles
from tracerless.score.design import outside
from tracerless.score.fit import other_references
from tracerless.score.predict import Held, Predicted, predict
from tracerless.score.shape import bent

SCORE_COLUMNS = (
    "value", "expected", "ratio", "z", "z_low", "z_high", "percentile",
    "z_reference_low", "z_reference_high", "below_2", "below_family", "reason",
)  # fmt: skip
MEANINGS = {
    "participant_id": {"Description": "pseudonym of the person"},
    "session_id": {"Description": "visit; n/a for cognition"},
    "measure": {"Description": "region, composite or test"},
    "value": {"Description": "as measured"},
    "expected": {"Description": "mean of normal people of that age, sex and schooling"},
    "ratio": {"Description": "value over expected"},
    "z": {
        "Description": "normal score of the predictive t; negative = lower than expected, and of a "
        "test of which more is worse, higher"
    },
    "z_low": {"Description": "lower end of the 95 % interval of the true distance in SD"},
    "z_high": {"Description": "upper end of that interval"},
    "percentile": {
        "Description": "share of normal people below, percent; counted, ties by half, where many "
        "reach the best score"
    },
    "z_reference_low": {"Description": "lowest z over all reference regions"},
    "z_reference_high": {"Description": "highest z over all reference regions"},
    "below_2": {"Description": "z below -2"},
    "below_family": {"Description": "z below the cut that any measure passes with 5 % chance"},
    "reason": {"Description": "why there is no z, or how few normal people there are"},
    "fingerprint": {"Description": "of everything that made the values; n/a for cognition"},
    "in_norm": {"Description": "yes: the scan is one of the norm's, and was left out of it here"},
    "norm": {"Description": "name of the norm"},
    "contrast": {"Description": "what was measured, or cognition"},
    "n_normal": {"Description": "normal people behind the norm"},
    "family_cut": {"Description": "z that any measure of a normal person passes with 5 % chance"},
}
"""Of the columns of the table of scores that a dataset keeps."""
USUAL_CUT = -2.0
INTERVAL = 0.95


def scores(
    norm: Norm,
    values: pd.DataFrame,
    people: pd.DataFrame,
    reference_means: pd.DataFrame | None = None,
    *,
    members: Array | None = None,
) -> pd.DataFrame:
    """Every measure of every person against the norm.

    Args:
        norm: what is normal; `Norm.require` has let the table through.
        values: (n people, the norm's measures); NaN where nothing was measured.
        people: same index; the norm's covariates.
        reference_means: same index, mean in each other reference region, in units of ``values``.
        members: (n,) 1 for a scan that the norm was fitted on, which is then left out of it.

    Returns:
        Index (person, measure), columns `SCORE_COLUMNS`. ``z`` is the normal score of Student's
        predictive t, so that z < -2 is as rare in a normal person as it says whatever n was;
        ``z_low``-``z_high`` is the exact 95 % interval of the person's true distance from the mean
        in standard deviations; ``z_reference_*`` the range of z over all reference regions. Where
        the norm does not reach, everything but ``value`` is NaN and ``reason`` says why.

    Source:
        Crawford, Howell 1998, Clin Neuropsychol 12:482 (t for one person); Crawford, Garthwaite
        2002, Neuropsychologia 40:1196 (interval by the noncentral t).
    """
    values = values[list(norm.names)]
    main = norm.models[norm.measured.reference]
    reasons = outside(norm.design, main, people)
    inside = np.array([not reason for reason in reasons])
    shape = values.shape
    cells = {name: np.full(shape, np.nan) for name in SCORE_COLUMNS[1:9]}
    if inside.any():
        there, who = values[inside], people[inside]
        own = np.zeros(len(there)) if members is None else np.asarray(members)[inside]
        found = predicted(norm, main, there, who, own)
        cells["expected"][inside] = found.expected
        cells["ratio"][inside] = there.to_numpy() / found.expected
        if norm.has_z:
            _fill(norm, cells, inside, found, _Scans(there, who, own, reference_means))
    return _long(norm, values, cells, reasons)


@dataclass(frozen=True, slots=True)
class _Scans:
    """Scans within reach of a norm: measures, covariates, membership, means of references."""

    values: pd.DataFrame
    people: pd.DataFrame
    members: Array
    reference_means: pd.DataFrame | None


def predicted(
    norm: Norm,
    model: NormModel,
    values: pd.DataFrame,
    people: pd.DataFrame,
    members: Array | None = None,
) -> Predicted:
    """Expectation and predictive z by one of the norm's models; ``members`` as for `scores`."""
    value = values.to_numpy(dtype=np.float64)
    return predict(norm.design, model, value, people, members)


def _fill(
    norm: Norm,
    cells: dict[str, Array],
    inside: NDArray[np.bool_],
    found: Predicted,
    scans: _Scans,
) -> None:
    signs, curves, names = norm.signs, norm.shapes, norm.names
    z = bent(curves, names, found.z) * signs
    ends = np.stack([bent(curves, names, end) * signs for end in interval(found)])
    cells["z"][inside] = z
    cells["z_low"][inside], cells["z_high"][inside] = ends.min(axis=0), ends.max(axis=0)
    counted = percentiles(norm.ceilings, norm.names, found.expected, scans.values.to_numpy())
    counted = np.where(signs < 0, 100 - counted, counted)
    by_z = 100 * special.ndtr(z)
    cells["percentile"][inside] = np.where(np.isfinite(counted), counted, by_z)
    every = [z]
    if scans.reference_means is not None:
        means = scans.reference_means.loc[scans.values.index]
        for name, divided in other_references(scans.values, means, norm.data_driven).items():
            if name in norm.models and name != norm.measured.reference:
                model = norm.models[name]
                other = predicted(norm, model, divided, scans.people, scans.members).z
                every.append(bent(curves, names, other) * signs)
    cells["z_reference_low"][inside] = np.min(every, axis=0)
    cells["z_reference_high"][inside] = np.max(every, axis=0)


def interval(found: Held) -> tuple[Array, Array]:
    """(low, high) of the true distance from the mean, in standard deviations, each (n, f).

    Were the true distance D, the measured one would be D plus the error of the expectation, over
    an estimated spread; the interval holds every D under which the measured distance lies between
    the tails.
    """
    tail = (1 - INTERVAL) / 2
    width = _spread_quantiles(found.dof)
    return _truth(found, width, 1 - tail), _truth(found, width, tail)


def _truth(found: Held, width: Array, chance: float) -> Array:
    """D under which a distance as low or lower has that chance, by bisection; (n, f)."""
    root = np.sqrt(found.share)
    reach = 12 * root + 4 * np.abs(found.distance)
    low, high = found.distance - reach, found.distance + reach
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        deviate = (found.distance[..., None] * width - middle[..., None]) / root[..., None]
        is_above = special.ndtr(deviate) @ _WEIGHTS < chance
        low, high = np.where(is_above, low, middle), np.where(is_above, middle, high)
    truth: Array = (low + high) / 2
    return truth


def _spread_quantiles(dof: Array) -> Array:
    """(n, f, nodes) estimated over true spread at the nodes of a quadrature over its chances."""
    different, place = np.unique(dof, return_inverse=True)
    nodes = np.sqrt(stats.chi2.ppf(_NODES, different[:, None]) / different[:, None])
    quantiles: Array = nodes[place.reshape(dof.shape)]
    return quantiles


_LEGENDRE = np.polynomial.legendre.leggauss(48)
_NODES, _WEIGHTS = (_LEGENDRE[0] + 1) / 2, _LEGENDRE[1] / 2
"""Of Gauss-Legendre quadrature over 0-1; interval ends are exact to 1e-3 SD from 5 people on."""
_BISECTIONS = 40


def _long(
    norm: Norm, values: pd.DataFrame, cells: dict[str, Array], reasons: list[str]
) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([values.index, norm.names], names=["row", "measure"])
    numbers = {"value": values.to_numpy(dtype=np.float64), **cells}
    table = pd.DataFrame({name: array.ravel() for name, array in numbers.items()}, index=index)
    table["below_2"] = table["z"] < USUAL_CUT
    table["below_family"] = table["z"] < norm.family_cut
    table["reason"] = np.repeat([_reason(norm, reason) for reason in reasons], len(norm.names))
    return table[list(SCORE_COLUMNS)]


def _reason(norm: Norm, outside: str) -> str:
    return outside or norm.banner
