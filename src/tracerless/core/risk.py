"""The risk of dementia with death as its rival: hazards, a model that is kept, what it says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import numpy as np

from tracerless.core.errors import ModelError, RecipeMismatchError
from tracerless.core.norm import Array, Design, Measured, NormModel
from tracerless.core.steps import Harmonizer, Imputer, Scaler
from tracerless.core.study import Arm, Kind, Predictor

HORIZONS = (1.0, 2.0, 3.0, 5.0)
"""Years at which a risk is told, unless the follow-up is shorter."""
BANDS = ("low", "intermediate", "high")
"""Names of the bands of absolute risk, from below."""


STAGE = Predictor("stage", Kind.PERSON, "demographics")
"""Whether somebody has MCI at the scan: a predictor only where it is asked for."""


class RiskKind(StrEnum):
    """How a model learns its hazards."""

    INCIDENCE = "incidence"
    """Everybody alike: the cumulative incidence of the training people."""
    COX = "cox"
    """Proportional rates, ridge partial likelihood; onset in the middle between two visits."""
    DISCRETE = "discrete"
    """Multinomial logistic hazards by period; onset anywhere between two visits."""


class Clock(StrEnum):
    """What time is counted from."""

    SCAN = "scan"
    """Years since the scan."""
    AGE = "age"
    """Years of life: people enter late, at the age of their scan."""


@dataclass(frozen=True, slots=True, eq=False)
class Hazards:
    """Hazards of dementia and of death without it: log-linear, by period.

    In period k a person with predictors x has ``a = dementia[k] exp(x @ dementia_weights)`` and
    ``b`` likewise for death. Rates add (``is_odds`` False): free of both after the period with
    ``exp(-a - b)``. Odds compete (True): with ``1 / (1 + a + b)``. Of those who leave, the share
    ``a / (a + b)`` does so by dementia.

    Args:
        edges: (k + 1,) years, ascending; the periods lie between them.
        dementia, death: (k,) baseline of a period, not below 0.
        dementia_weights, death_weights: (p,).
        is_odds: whether the hazards are those of the multinomial logistic.

    Raises:
        ModelError: shapes do not fit, edges do not ascend, or a baseline is negative.
    """

    edges: Array
    dementia: Array
    death: Array
    dementia_weights: Array
    death_weights: Array
    is_odds: bool = False

    def __post_init__(self) -> None:
        """Check once, copy, and lock."""
        for name in ("edges", "dementia", "death", "dementia_weights", "death_weights"):
            array = np.array(getattr(self, name), dtype=np.float64)
            if array.ndim != 1 or not np.isfinite(array).all():
                raise ModelError(f"Hazards need finite numbers in {name}, in one row.")
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        periods = len(self.edges) - 1
        if periods < 1 or (np.diff(self.edges) <= 0).any():
            raise ModelError("Hazards need edges that ascend.")
        if len(self.dementia) != periods or len(self.death) != periods:
            raise ModelError(f"Hazards of {periods} periods need as many baselines of both kinds.")
        if len(self.dementia_weights) != len(self.death_weights):
            raise ModelError("Hazards of dementia and death see the same predictors.")
        if (self.dementia < 0).any() or (self.death < 0).any():
            raise ModelError("A baseline hazard is negative.")


@dataclass(frozen=True, slots=True, eq=False)
class RegionNorm:
    """The norm that turns regions into z before the model sees them.

    Args:
        names: of the regions.
        how: covariates.
        norm: the regression, fitted on the training people's controls.
    """

    names: tuple[str, ...]
    how: Design
    norm: NormModel


@dataclass(frozen=True, slots=True, eq=False)
class RiskModel:
    """A model of risk that is done learning.

    Args:
        key: its name.
        kind: how it learned.
        arm: which predictors it sees.
        clock: what its time is counted from.
        predictors: what it needs, in the order of the imputer; `STAGE` is 1 for MCI.
        imputer, scaler: steps before the hazards; weights go by the scaler's names.
        hazards: fitted on everybody.
        replicates: fitted on bootstrap samples of the people; the interval.
        horizons: years that the follow-up supports.
        bands: risks at ``band_years`` where the next band begins.
        band_years: at which years the bands are told.
        measured: what regions must share with the training scans; None without regions.
        norm: makes z of the regions; None where the model sees ratios.
        harmonizer: takes out of regions what scanners add; None where it could not be told.
        reach: lowest and highest training value of age and schooling.
        scanners: on which it was trained.
        missing_limit: share of the weight on missing values beyond which it does not answer.
        facts: plain values of the training: ``n``, ``dementia``, ``death``, ``penalty``,
            ``follow_up_years``, ``starts``, ``seed``, ``version`` …
        notes: sentences that stand beside its numbers.
        people: ``person_digest`` of everyone behind it.

    Raises:
        ModelError: shapes do not fit, or bands do not ascend.
    """

    key: str
    kind: RiskKind
    arm: Arm
    clock: Clock
    predictors: tuple[Predictor, ...]
    imputer: Imputer
    scaler: Scaler
    hazards: Hazards
    replicates: tuple[Hazards, ...]
    horizons: tuple[float, ...]
    bands: tuple[float, ...]
    band_years: float
    measured: Measured | None
    norm: RegionNorm | None
    harmonizer: Harmonizer | None
    reach: Mapping[str, tuple[float, float]]
    scanners: tuple[str, ...]
    missing_limit: float
    facts: Mapping[str, object]
    notes: tuple[str, ...] = ()
    people: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        """Check once, and lock."""
        if self.imputer.names != tuple(each.key for each in self.predictors):
            raise ModelError(f"Risk model {self.key} imputes other columns than it needs.")
        if any(len(h.dementia_weights) != len(self.scaler.names) for h in self._all):
            raise ModelError(f"Risk model {self.key} has not one weight a column.")
        require_bands(self.bands)
        for name in ("reach", "facts"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def _all(self) -> tuple[Hazards, ...]:
        return (self.hazards, *self.replicates)

    def band(self, risk: float) -> str:
        """The band of an absolute risk at ``band_years``."""
        return band_names(len(self.bands))[sum(risk >= cut for cut in self.bands)]

    def require(self, table: Measured) -> None:
        """Refuse regions that were not measured as the training scans were.

        Raises:
            RecipeMismatchError: they differ; the message names the first difference.
        """
        if self.measured is None:
            return
        for name in ("contrast", "domain", "atlas", "reference", "pvc", "fingerprint"):
            mine, theirs = getattr(self.measured, name), getattr(table, name)
            if mine != theirs:
                raise RecipeMismatchError(
                    f"Risk model {self.key} was made from {name} {mine or 'none'!r}, these scans "
                    f"have {theirs or 'none'!r}.",
                    hint="Use a model trained on scans measured the same way.",
                )


def require_bands(cuts: tuple[float, ...]) -> None:
    """Refuse borders of bands that are none.

    Raises:
        ModelError: they do not ascend, or lie outside 0-1.
    """
    if not cuts or list(cuts) != sorted(set(cuts)) or not all(0 < cut < 1 for cut in cuts):
        raise ModelError(
            f"Bands at {', '.join(f'{cut:g}' for cut in cuts) or 'none'} are not ascending risks "
            "between 0 and 1.",
            hint="Name them like --band 0.1 --band 0.3.",
        )


def band_names(n_cuts: int) -> tuple[str, ...]:
    """Names of the bands between that many cuts."""
    if n_cuts == len(BANDS) - 1:
        return BANDS
    return tuple(f"band {number}" for number in range(1, n_cuts + 2))


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a risk model says of one scan.

    Args:
        model: its name.
        person, visit: whose scan.
        years: horizons.
        risk, low, high: of dementia by then, and the 95 % interval; empty where it abstains.
        death, death_low, death_high: the same of death without dementia.
        band: of the risk at the model's ``band_years``.
        abstains: why it does not answer; empty where it does.
        notes: what to know beside the numbers.

    Raises:
        ModelError: a risk falls with time, or is none.
    """

    model: str
    person: str
    visit: str
    years: tuple[float, ...]
    risk: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    death: tuple[float, ...]
    death_low: tuple[float, ...]
    death_high: tuple[float, ...]
    band: str
    abstains: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check once."""
        if self.abstains:
            if self.risk or self.band:
                raise ModelError("A model that abstains tells no risk.")
            return
        both = np.array([self.risk, self.death])
        if both.shape != (2, len(self.years)):
            raise ModelError(f"{len(self.risk)} risks for {len(self.years)} horizons.")
        if both.min() < 0 or both.sum(axis=0).max() > 1 + 1e-9 or (np.diff(self.risk) < 0).any():
            raise ModelError("Risks rise with time and stay between 0 and 1, with death together.")
