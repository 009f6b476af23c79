"""Steps of regions that risk borrows from diagnosis and norms: scanners, then z."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless import foresee
from tracerless.core.steps import Harmonizer
from tracerless.diagnose.harmonize import fit_harmonizer, harmonize
from tracerless.workspace.diagnosis import Z


class Scanners:
    """What scanners add to regions, as diagnosis takes it out."""

    def fit(
        self,
        values: pd.DataFrame,
        people: pd.DataFrame,
        *,
        scanner: NDArray[np.str_],
        truth: NDArray[np.intp],
    ) -> tuple[Harmonizer | None, str]:
        """The fitted step, None where there is nothing to tell apart, and what to know."""
        return fit_harmonizer(values, people, scanner=scanner, truth=truth)

    def apply(
        self,
        step: Harmonizer,
        values: pd.DataFrame,
        people: pd.DataFrame,
        *,
        scanner: NDArray[np.str_],
    ) -> pd.DataFrame:
        """Regions without it."""
        return harmonize(step, values, people, scanner=scanner)


TOOLS = foresee.Tools(Z(), Scanners())
"""Of every model and evaluation of risk."""
