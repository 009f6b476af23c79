"""Steps that stand before a model, fitted on training rows: missing values, scale, scanner."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.errors import ModelError
from tracerless.core.norm import Design, NormModel

Array = NDArray[np.float64]


def locked(value: object) -> Array:
    """A read-only copy as float64: nobody else holds it."""
    array = np.array(value, dtype=np.float64)
    array.setflags(write=False)
    return array


def require_shape(what: str, array: Array, shape: Sequence[int]) -> None:
    """Refuse an array of another shape.

    Raises:
        ModelError: it has one.
    """
    if array.shape != tuple(shape):
        raise ModelError(f"{what} has the shape {array.shape}, {tuple(shape)} is needed.")


@dataclass(frozen=True, slots=True, eq=False)
class Imputer:
    """What stands for a missing value: its expectation, given what was measured.

    Args:
        names: (p,) columns.
        center: (p,) mean of what was measured in training.
        covariance: (p, p) shrunk, positive definite.
        indicators: columns that are missing so often that the missing itself is told to the model.

    Raises:
        ModelError: shapes do not fit.
    """

    names: tuple[str, ...]
    center: Array
    covariance: Array
    indicators: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check once, and lock."""
        n_columns = len(self.names)
        for name, shape in (("center", (n_columns,)), ("covariance", (n_columns, n_columns))):
            array = locked(getattr(self, name))
            require_shape(f"An imputer's {name}", array, shape)
            object.__setattr__(self, name, array)


@dataclass(frozen=True, slots=True, eq=False)
class Scaler:
    """Mean 0 and standard deviation 1 in training.

    Args:
        names: (p,) columns.
        mean: (p,).
        sd: (p,) positive; 1 where a column does not vary.

    Raises:
        ModelError: shapes do not fit, or a spread is not positive.
    """

    names: tuple[str, ...]
    mean: Array
    sd: Array

    def __post_init__(self) -> None:
        """Check once, and lock."""
        for name in ("mean", "sd"):
            array = locked(getattr(self, name))
            require_shape(f"A scaler's {name}", array, (len(self.names),))
            object.__setattr__(self, name, array)
        if not (self.sd > 0).all():
            raise ModelError("A scaler needs a positive spread in every column.")


@dataclass(frozen=True, slots=True, eq=False)
class Harmonizer:
    """What a scanner adds to every region, and by what it stretches it.

    A value y of scanner s becomes ``m + (y - m - shift[s]) / stretch[s]``, where ``m`` is what is
    expected at that age and sex over all scanners and diagnoses.

    Args:
        names: (f,) regions.
        scanners: (s,) known ones; values of any other pass unchanged.
        shift: (s, f) in units of the region.
        stretch: (s, f) 1 = as the others.
        expected: (3, f) intercept, change a year of age, men above women.
        center: age (years) and share of men at which the intercept holds.

    Raises:
        ModelError: shapes do not fit, or a stretch is not positive.
    """

    names: tuple[str, ...]
    scanners: tuple[str, ...]
    shift: Array
    stretch: Array
    expected: Array
    center: tuple[float, float]

    def __post_init__(self) -> None:
        """Check once, and lock."""
        size = (len(self.scanners), len(self.names))
        for name, shape in (("shift", size), ("stretch", size), ("expected", (3, size[1]))):
            array = locked(getattr(self, name))
            require_shape(f"A harmonizer's {name}", array, shape)
            object.__setattr__(self, name, array)
        if not (self.stretch > 0).all():
            raise ModelError("A harmonizer's stretch must be positive.")


class FittedZ(Protocol):
    """A norm that serves as a step (``score.within.Within``)."""

    @property
    def names(self) -> tuple[str, ...]:
        """Measures, in order."""
        ...

    @property
    def how(self) -> Design:
        """Covariates."""
        ...

    @property
    def norm(self) -> NormModel:
        """The regression."""
        ...

    def z(
        self,
        values: pd.DataFrame,
        people: pd.DataFrame,
        members: NDArray[np.bool_] | None = None,
    ) -> pd.DataFrame:
        """Standard deviations from the expectation; ``members`` are rows that it was fitted on."""
        ...


class ZStep(Protocol):
    """Fits a norm on the normal people of the training rows."""

    def fit(
        self, values: pd.DataFrame, people: pd.DataFrame, is_normal: NDArray[np.bool_]
    ) -> FittedZ:
        """A norm of (n, f) ``values``, from the rows that ``is_normal`` names."""
        ...
