"""Norms of whole maps: the algebra of a regional norm at every place, one scan read at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.errors import DatasetError
from tracerless.core.norm import MIN_FOR_NORMAL, MIN_FOR_Z, Array, Design, Regression
from tracerless.core.norm_maps import MapNorm
from tracerless.score.design import decades, design, outside, rows
from tracerless.score.fit import MIN_FOR_SPREAD, SD_LOG_NORMAL, shrunken
from tracerless.score.pooling import Mean, pooled
from tracerless.score.predict import predict
from tracerless.score.transfer import MIN_LOCAL, moved

MIN_SHARE_SEEN = 0.5
"""Less than this share of the places seen in every normal scan, and no map is fitted."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Maps of n scans that are read one at a time, so that memory holds one of them.

    Args:
        n: scans.
        read: of the row, (m,) values at the places; NaN where nothing was measured.
    """

    n: int
    read: Callable[[int], Array]

    def __iter__(self) -> Iterator[tuple[int, Array]]:
        """Row and map, in order."""
        return ((row, np.asarray(self.read(row), dtype=np.float64)) for row in range(self.n))

    def at(self, kept: NDArray[np.bool_]) -> "Stack":
        """The same scans at some of the places."""
        return Stack(self.n, lambda row: self.read(row)[kept])


def seen_everywhere(stack: Stack) -> NDArray[np.bool_]:
    """(m,) places that were measured in every scan.

    Raises:
        DatasetError: they are too few; one scan then covers too little.
    """
    seen, least = np.ones(0, dtype=bool), 1.0
    for _, values in stack:
        known = np.isfinite(values)
        least = min(least, float(known.mean()))
        seen = known if not seen.size else seen & known
    if seen.mean() < MIN_SHARE_SEEN:
        raise DatasetError(
            f"Only {seen.mean():.0%} of the brain was seen in all {stack.n} normal scans (the "
            f"smallest covers {least:.0%}); {MIN_SHARE_SEEN:.0%} are needed.",
            hint="Leave out the scans that end within the brain.",
        )
    return seen


def regression(
    stack: Stack, people: pd.DataFrame, covariates: Sequence[str], mean: Mean
) -> tuple[Design, Regression]:
    """Expected value and spread at every place; each scan is read twice, or four times.

    Args:
        stack: of complete maps.
        people: one row a scan.
        covariates: as for `fit.norm`.
        mean: of the neighbors of every place; spreads are pooled over them below 30 people.

    Raises:
        DatasetError: too few people, or a place where all scans are alike.
    """
    n = stack.n
    if n < max(MIN_FOR_Z, len(covariates) + 4):
        raise DatasetError(
            f"{n} normal people; a map of z needs {max(MIN_FOR_Z, len(covariates) + 4)}.",
            hint="Add normal people, or fit without --voxels.",
        )
    how = design(people, covariates)
    x, along = rows(how, people), decades(how, people)
    dof = n - x.shape[1]
    leverage: Array = np.linalg.pinv(x.T @ x).astype(np.float64)
    coefficients = leverage @ _summed(stack, x)
    slope = np.zeros(coefficients.shape[1])
    variance = _squares(stack, (x, coefficients), along, slope) / dof
    if not (variance > 0).all():
        raise DatasetError(
            f"{int((variance <= 0).sum())} voxels are the same in all {n} normal scans.",
            hint="Check that the scans differ: a map was copied or blanked.",
        )
    if n >= MIN_FOR_SPREAD and "age" in covariates:
        slope = _slopes(stack, (x, coefficients), along, variance)
        variance = _squares(stack, (x, coefficients), along, slope) / dof
    sd, freedom = np.sqrt(variance), float(dof)
    if n < MIN_FOR_NORMAL:
        shared = pooled(variance, dof, mean)
        sd, freedom = shared.sd, shared.dof
    zeros = np.zeros(len(sd))
    return how, Regression(
        coefficients=coefficients,
        sd=sd,
        sd_slope=slope,
        leverage=leverage,
        max_leverage=float(np.einsum("np,pq,nq->n", x, leverage, x).max()),
        dof=zeros + freedom,
        shift=zeros,
        extra=zeros,
        ratio=zeros + 1,
    )


def z_map(norm: MapNorm, values: Array, person: pd.DataFrame, *, member: bool = False) -> Array:
    """(m,) predictive z of one scan at the norm's places; NaN where nothing was measured.

    Args:
        norm: what is normal.
        values: (m,) at the norm's places.
        person: one row with the covariates, within the norm's reach (`unreached` is empty).
        member: whether the norm was fitted on this scan, which is then left out of it.
    """
    members = np.array([float(member)])
    z: Array = predict(norm.design, norm.regression, values[None], person, members).z[0]
    return z


def unreached(norm: MapNorm, person: pd.DataFrame) -> str:
    """Why the norm does not reach this person (one row); empty where it does."""
    if norm.n < MIN_FOR_Z:
        return norm.banner
    return outside(norm.design, norm.regression, person)[0]


def carried(
    norm: MapNorm, key: str, stack: Stack, people: pd.DataFrame, digests: Sequence[str] = ()
) -> MapNorm:
    """The norm with location and spread of another scanner, from its local normal people.

    Args:
        norm: of the old scanner.
        key: name of the new norm.
        stack: maps of k local people at the norm's places, complete.
        people: one row a scan.
        digests: ``person_digest`` of each.

    Raises:
        DatasetError: fewer than `MIN_LOCAL` people, or places that a local scan does not cover.
    """
    if stack.n < MIN_LOCAL:
        raise DatasetError(f"{stack.n} local people; a transfer needs {MIN_LOCAL}.")
    total, squares = np.zeros(len(norm.places)), np.zeros(len(norm.places))
    for row, values in stack:
        one = people.iloc[[row]]
        distance = predict(norm.design, norm.regression, values[None], one).distance[0]
        total += distance
        squares += distance**2
    mean = total / stack.n
    variance = np.maximum(squares / stack.n - mean**2, 1e-12) * stack.n / (stack.n - 1)
    if not np.isfinite(mean).all():
        raise DatasetError(
            f"{np.isnan(mean).mean():.1%} of the norm's places were not seen in every local scan.",
            hint="Leave out the scans that end within the brain.",
        )
    return replace(
        norm,
        key=key,
        regression=moved(norm.regression, mean, variance, stack.n),
        n_local=stack.n,
        own=np.zeros((0, 3)),
        people=tuple(sorted({*norm.people, *digests})),
    )


def _summed(stack: Stack, x: Array) -> Array:
    total = np.zeros((x.shape[1], 0))
    for row, values in stack:
        part = np.outer(x[row], values)
        total = part if not total.size else total + part
    return total


def _squares(stack: Stack, fit: tuple[Array, Array], along: Array, slope: Array) -> Array:
    total = np.zeros(len(slope))
    for row, values in stack:
        total += ((values - fit[0][row] @ fit[1]) / np.exp(along[row] * slope)) ** 2
    return total


def _slopes(stack: Stack, fit: tuple[Array, Array], along: Array, variance: Array) -> Array:
    """Change of log spread a decade at every place, as `fit.spread_slopes` has it for regions."""
    centered = along - along.mean()
    own = np.zeros(len(variance))
    for row, values in stack:
        square = np.maximum((values - fit[0][row] @ fit[1]) ** 2 / variance, 1e-12)
        own += centered[row] * np.log(square) / 2
    width = float((centered**2).sum())
    return shrunken(own / width, SD_LOG_NORMAL / np.sqrt(width))
