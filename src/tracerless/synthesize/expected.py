"""What is known of a person's uptake before any MR is looked at: the mean, or what age and sex say.

Every design starts from such a map and predicts how far the person lies from it. Its numbers are
those of float16: memory holds what the file holds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import ModelError

STRENGTHS = (0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
"""Ridge strengths tried, in people: how many are needed before the data outweigh "no effect"."""
_JUDGED_VOXELS = 4000
_FEWEST = 10
"""With fewer people nothing is said of age or sex."""

Map = NDArray[np.float32]
Array = NDArray[np.float64]

_READ: Mapping[str, Callable[[PersonFacts], float]] = MappingProxyType(
    {
        "age": lambda facts: facts.age,
        "sex": lambda facts: {"F": 1.0, "M": 0.0}.get(facts.sex, float("nan")),
        "mmse": lambda facts: facts.mmse,
    }
)
SHOWN_AS: Mapping[str, str] = MappingProxyType({"age": "age", "sex": "sex", "mmse": "MMSE"})
"""Covariates as a reader meets them."""
_SETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"none": (), "age-sex": ("age", "sex"), "cognition": ("age", "sex", "mmse")}
)


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """SUVR = ``mean`` + sum over covariates of ``effects`` x (value - center).

    Args:
        mean: (I, J, K) of a person in the center; NaN where fewer than half were seen.
        effects: (C, I, J, K) SUVR per unit: a year, a point, women minus men.
        names: of the covariates, among age, sex (F = 1, M = 0), mmse.
        centers: their mean over the training people; an unknown value counts as this.
        limits: lowest and highest value of the training people; beyond them nothing is known, and
            the limit stands for the value.

    Raises:
        ModelError: an unknown covariate, or shapes that do not fit.
    """

    mean: Map
    effects: Map
    names: tuple[str, ...] = ()
    centers: tuple[float, ...] = ()
    limits: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        """Check once."""
        count = len(self.names)
        if set(self.names) - set(_READ) or {count} != {len(self.centers), len(self.limits)}:
            raise ModelError(f"Covariates {self.names} with {len(self.centers)} centers.")
        if self.effects.shape != (count, *self.mean.shape):
            raise ModelError(f"Effects {self.effects.shape} on a mean of {self.mean.shape}.")

    def of(self, facts: PersonFacts | None) -> Map:
        """(I, J, K) SUVR expected of this person; NaN where the mean is."""
        suvr = self.mean.astype(np.float32, copy=True)
        for amount, effect in zip(self.amounts(facts), self.effects, strict=True):
            if amount:
                suvr += amount * effect
        return suvr

    def amounts(self, facts: PersonFacts | None) -> NDArray[np.float32]:
        """(C,) how far this person lies from the center; 0 where nothing is known."""
        found = np.zeros(len(self.names), dtype=np.float32)
        if facts is None:
            return found
        for place, (name, (low, high)) in enumerate(zip(self.names, self.limits, strict=True)):
            value = float(np.clip(_READ[name](facts), low, high))
            found[place] = value - self.centers[place] if np.isfinite(value) else 0.0
        return found

    def known(self, facts: PersonFacts | None) -> tuple[str, ...]:
        """Covariates that are looked at for this person: those that the map has and that are known.

        Named as a reader meets them, e.g. ``MMSE``.
        """
        if facts is None:
            return ()
        return tuple(SHOWN_AS[name] for name in self.names if np.isfinite(_READ[name](facts)))

    @property
    def plain(self) -> "Expected":
        """The mean alone."""
        return Expected(self.mean, self.effects[:0])


def fit_expected(
    suvr: NDArray[np.floating], facts: Sequence[PersonFacts], covariates: str
) -> Expected:
    """The map of the training people.

    One ridge strength for all voxels, chosen by leaving out one session at a time; strong enough,
    it leaves the mean alone. Covariates that nobody or everybody shares are dropped, and all of
    them where fewer than ten people were seen.

    Args:
        suvr: (N, I, J, K) acquired, float16 or wider; NaN where not seen.
        facts: of each session's person.
        covariates: ``none``, ``age-sex`` or ``cognition``.

    Raises:
        ModelError: no session, not one set of facts for each, or covariates of another name.

    Source:
        Allen 1974, Technometrics 16:125 (leaving out from one solution).
    """
    if covariates not in _SETS:
        raise ModelError(f"covariates={covariates!r} is none of {', '.join(_SETS)}.")
    if not len(suvr) or len(suvr) != len(facts):
        raise ModelError(f"{len(suvr)} maps with the facts of {len(facts)} people.")
    names = [] if len(suvr) < _FEWEST else [n for n in _SETS[covariates] if _varies(n, facts)]
    values = np.array([[_READ[name](each) for name in names] for each in facts], dtype=np.float64)
    values = values.reshape(len(facts), len(names))
    centers = np.array([np.nanmean(column) for column in values.T])
    limits = tuple((float(np.nanmin(c)), float(np.nanmax(c))) for c in values.T)
    gone = np.where(np.isfinite(values), values - centers, 0.0)
    spread = np.sqrt((gone**2).mean(axis=0))
    mean, effects = _regress(suvr, gone / spread)
    scaled = effects / spread.reshape(-1, 1, 1, 1)
    return Expected(
        half(mean), half(scaled), tuple(names), tuple(float(c) for c in centers), limits
    )


def half(array: NDArray[np.floating]) -> Map:
    """The nearest float16 numbers, as float32."""
    return np.asarray(array, dtype=np.float16).astype(np.float32)


def _varies(name: str, facts: Sequence[PersonFacts]) -> bool:
    values = np.array([_READ[name](each) for each in facts])
    known = values[np.isfinite(values)]
    return 2 * len(known) >= len(values) and len(known) > 1 and float(known.std()) > 0


def _regress(suvr: NDArray[np.floating], design: Array) -> tuple[Array, Array]:
    """(I, J, K) mean and (C, I, J, K) effects of standardized covariates, slab by slab."""
    n, shape = len(suvr), suvr.shape[1:]
    n_effects = design.shape[1]
    mean, effects = np.full(shape, np.nan), np.zeros((n_effects, *shape))
    strength = _strength(suvr, design) if n_effects else 0.0
    for i in range(shape[0]):
        slab = suvr[:, i].reshape(n, -1)
        seen = np.isfinite(slab)
        enough = 2 * seen.sum(axis=0) >= n
        known = np.flatnonzero(enough)
        if not len(known):
            continue
        solved = _solve(np.where(seen, slab, 0)[:, known], seen[:, known], design, strength)
        mean[i].reshape(-1)[known] = solved[0]
        for c in range(n_effects):
            effects[c, i].reshape(-1)[known] = solved[1 + c]
    return mean, effects


def _solve(
    values: NDArray[np.floating], seen: NDArray[np.bool_], design: Array, strength: float
) -> Array:
    """(1 + C, V) coefficients by voxel; the mean is not shrunk."""
    whole = np.hstack([np.ones((len(design), 1)), design])
    penalty = np.diag([0.0] + [strength + 1e-9] * design.shape[1])
    right = whole.T @ values.astype(np.float64)
    if seen.all():
        solved: Array = np.linalg.solve(whole.T @ whole + penalty, right)
        return solved
    left = np.einsum("nv,na,nb->vab", seen.astype(np.float64), whole, whole, optimize=True)
    each: Array = np.linalg.solve(left + penalty, right.T[:, :, None])[:, :, 0].T
    return each


def _strength(suvr: NDArray[np.floating], design: Array) -> float:
    """The strength whose left-out errors are smallest over some thousand voxels."""
    flat = suvr.reshape(len(suvr), -1)
    some = flat[:, :: max(1, flat.shape[1] // (4 * _JUDGED_VOXELS))].astype(np.float64)
    judged = some[:, np.isfinite(some).all(axis=0)]
    if not judged.shape[1]:
        return STRENGTHS[-1]
    errors = [_left_out(judged, design, strength) for strength in (*STRENGTHS, np.inf)]
    best = int(np.argmin(errors))
    return float((*STRENGTHS, 1e9)[best])


def _left_out(values: Array, design: Array, strength: float) -> float:
    n = len(values)
    smoother = np.full((n, n), 1 / n)
    if np.isfinite(strength):
        gram = design.T @ design + (strength + 1e-9) * np.eye(design.shape[1])
        smoother = smoother + design @ np.linalg.solve(gram, design.T)
    residual = (values - smoother @ values) / (1 - np.diag(smoother))[:, None]
    return float((residual**2).sum())
