"""How risk is learned and judged."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import RecipeError, did_you_mean
from tracerless.core.risk import HORIZONS, Clock, RiskKind, require_bands
from tracerless.core.steps import Harmonizer, ZStep
from tracerless.core.study import Arm

ARMS = (Arm.DEMOGRAPHICS, Arm.IMAGE, Arm.COGNITION, Arm.BOTH)
"""Of every evaluation; scores that stage the illness never predict it."""
STARTS = (Diagnosis.CN.value, Diagnosis.MCI.value)
"""Who can still fall ill."""
REVERTED = ("censor", "refuse")
"""What to do with people whose dementia a later visit takes back."""


class ScannerStep(Protocol):
    """Takes out of regions what scanners add and stretch."""

    def fit(
        self,
        values: pd.DataFrame,
        people: pd.DataFrame,
        *,
        scanner: NDArray[np.str_],
        truth: NDArray[np.intp],
    ) -> tuple[Harmonizer | None, str]:
        """The fitted step, None where there is nothing to tell apart, and what to know."""

    def apply(
        self,
        step: Harmonizer,
        values: pd.DataFrame,
        people: pd.DataFrame,
        *,
        scanner: NDArray[np.str_],
    ) -> pd.DataFrame:
        """Regions without it."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Steps of other rooms that work on regions inside a fold.

    Args:
        z: makes z; needed where regions are asked for as z.
        scanners: harmonizes over scanners; None leaves regions as they are.
    """

    z: ZStep | None = None
    scanners: ScannerStep | None = None


NO_TOOLS = Tools()
"""Ratios as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSettings:
    """Settings of fitting and of evaluation.

    Raises:
        RecipeError: a setting is out of range or unknown.
        ModelError: bands are none.
    """

    arm: Arm = Arm.BOTH
    """What the kept model sees."""
    kind: RiskKind = RiskKind.COX
    """How the kept model learns."""
    kinds: tuple[RiskKind, ...] = (RiskKind.INCIDENCE, RiskKind.COX, RiskKind.DISCRETE)
    """What is judged side by side."""
    clock: Clock = Clock.SCAN
    """Count from the scan, or from birth with late entry at the scan."""
    features: str = "z"
    """Regions as ``z`` against the training controls, or as ``ratio``."""
    starts: tuple[str, ...] = STARTS
    """Diagnoses at the scan that are followed."""
    with_stage: bool = False
    """Whether the model is told who has MCI."""
    reverted: str = "censor"
    """``censor`` before a dementia that was taken back, or ``refuse`` the person."""
    death_gap_years: float = 2.0
    """A death longer after the last visit tells nothing of dementia: lost at that visit instead."""
    horizons: tuple[float, ...] = ()
    """Years at which risks are told; none named = 1, 2, 3, 5 as far as the follow-up goes."""
    bands: tuple[float, ...] = (0.1, 0.3)
    """Absolute risks where the next band begins."""
    band_years: float = 0.0
    """At which horizon the bands are told; 0 = 3 years, or the last before."""
    step_years: float = 0.5
    """Length of a period of the baseline hazard."""
    penalties: tuple[float, ...] = (1.0, 10.0, 30.0, 100.0, 300.0, 3000.0)
    """Ridge penalties tried for each kind of predictor (in its standard deviations)."""
    folds: int = 5
    """Parts of the people that are held out in turn."""
    inner_folds: int = 4
    """Parts of the training people that choose the penalty."""
    repeats: int = 2
    """How often the people are dealt anew."""
    n_bootstrap: int = 100
    """Bootstrap models behind the interval of a risk."""
    n_draws: int = 1000
    """Bootstrap draws behind the interval of a score."""
    missing_limit: float = 0.3
    """Share of the model's weight on missing values beyond which it does not answer."""
    seed: str = "1"
    """Of every draw."""

    def __post_init__(self) -> None:
        """Check once."""
        if self.features not in {"z", "ratio"}:
            raise RecipeError(f"features={self.features!r} is neither z nor ratio.")
        if self.reverted not in REVERTED:
            raise RecipeError(
                f"reverted={self.reverted!r} is not known.",
                hint=did_you_mean(self.reverted, REVERTED),
            )
        strangers = set(self.starts) - set(STARTS)
        if strangers or not self.starts:
            raise RecipeError(
                f"starts={', '.join(self.starts) or 'none'}: only CN and MCI can still fall ill."
            )
        if any(h <= 0 for h in self.horizons):
            raise RecipeError(f"horizons={self.horizons} must be years above 0.")
        if min(self.folds, self.inner_folds) < 2 or min(self.repeats, self.n_bootstrap) < 1:
            raise RecipeError("Two folds and one repeat are the least.")
        require_bands(self.bands)
        if not self.penalties or min(self.penalties) <= 0:
            raise RecipeError(f"penalties={self.penalties} must be above 0.")

    @property
    def wanted(self) -> tuple[float, ...]:
        """Horizons asked for, ascending; the usual ones where none were."""
        return tuple(sorted(set(self.horizons))) or HORIZONS
