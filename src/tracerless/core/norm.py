"""What is normal: expected values and spreads of measures, given age, sex and schooling."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import ModelError, RecipeMismatchError

MIN_FOR_Z = 10
"""Fewer normal people than this carry ratios only."""
MIN_FOR_NORMAL = 30
"""Fewer normal people than this carry z with a banner."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a table must share with a norm to be held against it.

    Args:
        contrast: what was measured (``FDG``, ``ECD``, ``synthFDG`` …), or ``cognition``.
        atlas: key of the atlas; empty for cognition.
        reference: reference region of the ratios; empty for cognition.
        pvc: partial-volume correction; empty for none.
        fingerprint: of the recipe that prepared and measured.
        domain: ``acquired``, ``simulated``, or ``synthetic:<model>``.
    """

    contrast: str
    atlas: str
    reference: str
    pvc: str
    fingerprint: str
    domain: str


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """How covariates become a row of the regression, and where the norm holds.

    Args:
        covariates: among ``age``, ``sex``, ``education_years``; in the order of the row.
        center: subtracted from each numeric covariate.
        knots: ages of a natural cubic spline, years; empty where age counts linearly.
        low, high: range of each numeric covariate among the norm's people.
        sexes: words that the norm's people have.
    """

    covariates: tuple[str, ...]
    center: Mapping[str, float]
    knots: tuple[float, ...]
    low: Mapping[str, float]
    high: Mapping[str, float]
    sexes: tuple[str, ...]

    def __post_init__(self) -> None:
        """Lock."""
        for name in ("center", "low", "high"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """One regression for f measures on p columns.

    A new person's measure j is expected at ``row @ coefficients[:, j] + shift[j]`` with variance
    ``spread² (1 + ratio[j] row @ leverage @ row + extra[j])``, where ``spread`` is
    ``sd[j] exp(sd_slope[j] (age - center) / 10)``, and follows Student's t with ``dof[j]``.

    Args:
        coefficients: (p, f).
        sd: (f,) residual standard deviation at the center of age.
        sd_slope: (f,) change of its logarithm a decade; zeros where the spread is one.
        leverage: (p, p) inverse of the normal equations.
        max_leverage: the largest of the norm's own people.
        dof: (f,) degrees of freedom of the spread.
        shift, extra, ratio: (f,) of a transfer to another scanner; 0, 0 and 1 without one.

    Raises:
        ModelError: shapes do not fit, or a spread is not positive.
    """

    coefficients: Array
    sd: Array
    sd_slope: Array
    leverage: Array
    max_leverage: float
    dof: Array
    shift: Array
    extra: Array
    ratio: Array

    def __post_init__(self) -> None:
        """Check once, copy, and lock."""
        for name in ("coefficients", "leverage", *_PER_MEASURE):
            array = np.array(getattr(self, name), dtype=np.float64)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        p, f = self.coefficients.shape
        shapes = {"leverage": (p, p), **dict.fromkeys(_PER_MEASURE, (f,))}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ModelError(f"A norm's {name} of {getattr(self, name).shape}, {shape} needed.")
        if not (self.sd > 0).all() or not (self.dof > 0).all():
            raise ModelError("A norm needs a positive spread and degrees of freedom everywhere.")


_PER_MEASURE = ("sd", "sd_slope", "dof", "shift", "extra", "ratio")


@dataclass(frozen=True, slots=True, eq=False)
class NormModel(Regression):
    """A regression whose measures are known to hang together.

    Args:
        correlation: (f, f) of the residuals; the other arguments are those of `Regression`.

    Raises:
        ModelError: as `Regression`.
    """

    correlation: Array

    def __post_init__(self) -> None:
        """Check once, copy, and lock."""
        Regression.__post_init__(self)
        correlation = np.array(self.correlation, dtype=np.float64)
        f = len(self.sd)
        if correlation.shape != (f, f):
            raise ModelError(f"A norm's correlation of {correlation.shape}, {(f, f)} needed.")
        correlation.setflags(write=False)
        object.__setattr__(self, "correlation", correlation)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the norm does on its own people, each left out of it once.

    Args:
        n: people.
        coverage_90, coverage_95: share of all their measures within the middle 90 and 95 %.
        below_2: share of z below -2; 2.3 % is meant.
        beyond_family: share of people with any measure below the family-wise cut; 5 % is meant.
        pit: how many z fall into each tenth of what is expected; equal counts are meant.
    """

    n: int
    coverage_90: float
    coverage_95: float
    below_2: float
    beyond_family: float
    pit: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A score that many normal people reach: its percentile is counted, not computed.

    Args:
        limit: the best score there is; residuals are censored at it.
        share: of the normal people who reach it, 0-1.
        residuals: of the normal people, sorted, in units of the score.
    """

    limit: float
    share: float
    residuals: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Norm:
    """Expected values of f measures, and how far to trust them.

    Args:
        key: its name.
        measured: what it was made from; tables of anything else are refused.
        names: of the measures, in the order of the models' columns.
        design: covariates.
        models: by reference region; the one named in ``measured`` is the norm, the others tell how
            much hangs on the choice. Cognition has one, under the empty name.
        n: normal people behind it.
        n_local: of these, people of the new scanner when the norm was carried over; 0 otherwise.
        family_cut: z below which one region in a normal brain falls with a chance of 5 %.
        data_driven: regions that make the data-driven reference.
        confirmed_years: for how long after the scan the people were known to stay normal; 0 when
            nobody looked.
        seed: of the family-wise cut's draws.
        people: ``person_digest`` of everyone behind it, local people included.
        robust: whether outlying people counted less.
        calibration: on its own people; None for a norm that was carried over.
        ceilings: of scores with a ceiling that many reach, by measure.
        turned: measures of which more is worse: their z is turned, so that negative is worse.
        shapes: by measure, the curve that makes z normal in normal people (`score.shape`).

    Raises:
        ModelError: the model of its own reference is missing, or a model has other measures.
    """

    key: str
    measured: Measured
    names: tuple[str, ...]
    design: Design
    models: Mapping[str, NormModel]
    n: int
    n_local: int
    family_cut: float
    data_driven: tuple[str, ...]
    confirmed_years: float
    seed: str
    people: tuple[str, ...] = ()
    robust: bool = False
    calibration: Calibration | None = None
    ceilings: Mapping[str, Ceiling] = field(default_factory=dict)
    turned: tuple[str, ...] = ()
    shapes: Mapping[str, tuple[float, float, float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check once, and lock."""
        if self.measured.reference not in self.models:
            raise ModelError(f"Norm {self.key} has no model for {self.measured.reference!r}.")
        for model in self.models.values():
            if model.coefficients.shape[1] != len(self.names):
                raise ModelError(
                    f"Norm {self.key}: {model.coefficients.shape[1]} columns for "
                    f"{len(self.names)} measures."
                )
        object.__setattr__(self, "models", MappingProxyType(dict(self.models)))
        object.__setattr__(self, "ceilings", MappingProxyType(dict(self.ceilings)))
        object.__setattr__(self, "shapes", MappingProxyType(dict(self.shapes)))

    @property
    def signs(self) -> Array:
        """(f,) -1 for a measure of which more is worse, else 1."""
        return np.array([-1.0 if name in self.turned else 1.0 for name in self.names])

    @property
    def has_z(self) -> bool:
        """Whether there are enough normal people for z."""
        return self.n >= MIN_FOR_Z

    @property
    def banner(self) -> str:
        """What stands above every number of this norm; empty when nothing needs to."""
        if not self.has_z:
            return f"{self.n} normal people: ratios only, z needs {MIN_FOR_Z}."
        if self.n < MIN_FOR_NORMAL:
            return f"{self.n} normal people: read z with its interval; {MIN_FOR_NORMAL} are usual."
        return ""

    def require(self, table: Measured) -> None:
        """Refuse a table that was not measured as the norm was.

        Raises:
            RecipeMismatchError: it differs; the message names the first difference.
        """
        for name in ("contrast", "domain", "atlas", "reference", "pvc", "fingerprint"):
            mine, theirs = getattr(self.measured, name), getattr(table, name)
            if mine != theirs:
                raise RecipeMismatchError(
                    f"Norm {self.key} was made from {name} {mine or 'none'!r}, the table has "
                    f"{theirs or 'none'!r}.",
                    hint=_HINTS.get(name, "Fit a norm from tables measured the same way."),
                )


_HINTS = {
    "contrast": "Tracers are never pooled; fit a norm for this one.",
    "domain": "Synthetic, simulated and acquired scans have norms of their own.",
    "fingerprint": "Prepare both with one recipe, then fit the norm again.",
}
