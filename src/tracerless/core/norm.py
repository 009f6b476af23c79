"""What is normal: expected values and spreads of measures, given age, sex and schooling."""

from collections.abc import Mapping
from dataclasses import dataclass
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
class NormModel:
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
        correlation: (f, f) of the residuals.

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
    correlation: Array

    def __post_init__(self) -> None:
        """Check once, copy, and lock."""
        for name in ("coefficients", "leverage", "correlation", *_PER_MEASURE):
            array = np.array(getattr(self, name), dtype=np.float64)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        p, f = self.coefficients.shape
        shapes = {"leverage": (p, p), "correlation": (f, f), **dict.fromkeys(_PER_MEASURE, (f,))}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise ModelError(f"A norm's {name} of {getattr(self, name).shape}, {shape} needed.")
        if not (self.sd > 0).all() or not (self.dof > 0).all():
            raise ModelError("A norm needs a positive spread and degrees of freedom everywhere.")


_PER_MEASURE = ("sd", "sd_slope", "dof", "shift", "extra", "ratio")


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
