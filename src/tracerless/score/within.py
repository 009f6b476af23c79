"""Regions as z inside a fold: the norm is fitted on the training people's controls only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.errors import DatasetError
from tracerless.core.norm import MIN_FOR_Z, Design, NormModel
from tracerless.score.design import design
from tracerless.score.fit import model
from tracerless.score.predict import hold


@dataclass(frozen=True, slots=True, eq=False)
class Within:
    """A norm that serves as a step of a model: no reference range, no family-wise cut.

    Args:
        names: of the measures.
        how: covariates.
        norm: the regression.
    """

    names: tuple[str, ...]
    how: Design
    norm: NormModel

    def z(
        self,
        values: pd.DataFrame,
        people: pd.DataFrame,
        members: NDArray[np.bool_] | None = None,
    ) -> pd.DataFrame:
        """Distance from the expectation in predictive standard deviations; index of ``values``.

        Covariates beyond the controls' are taken at their edge, so that no extrapolation enters a
        model; a missing one is taken at the controls' mean. ``members`` are rows that the norm was
        fitted on: they are held against it without themselves, since otherwise controls would be
        nearer to their own norm than anybody later.
        """
        measured = values[list(self.names)].to_numpy(dtype=np.float64)
        own = None if members is None else np.asarray(members, dtype=np.float64)
        found = hold(self.how, self.norm, measured, _edged(self.how, people), own)
        return pd.DataFrame(found.t, index=values.index, columns=list(self.names))


def within(
    values: pd.DataFrame, people: pd.DataFrame, covariates: Sequence[str] = ("age", "sex")
) -> Within:
    """Fit the step on normal people.

    Args:
        values: (n, f); rows with anything missing are left out.
        people: same index.
        covariates: those that do not vary or are missing in these people are left out.

    Raises:
        DatasetError: fewer than ten complete normal people.
    """
    known = values.notna().all(axis=1)
    used = [name for name in covariates if _varies(people.loc[known, name])]
    for name in used:
        known &= people[name].notna() & (people[name].astype(str) != "")
    n = int(known.sum())
    if n < MIN_FOR_Z:
        raise DatasetError(
            f"{n} normal people with every region; z needs {MIN_FOR_Z}.",
            hint="Use ratios (--features ratio), or add normal people.",
        )
    how = design(people[known], used)
    names = tuple(str(name) for name in values.columns)
    return Within(names, how, model(values[known], people[known], how))


def _varies(column: pd.Series) -> bool:
    return len(column.replace("", np.nan).dropna().unique()) > 1


def _edged(how: Design, people: pd.DataFrame) -> pd.DataFrame:
    edged = people.copy()
    for name in how.covariates:
        if name != "sex":
            numbers = pd.to_numeric(edged[name], errors="coerce").fillna(how.center[name])
            edged[name] = numbers.clip(how.low[name], how.high[name])
    return edged
