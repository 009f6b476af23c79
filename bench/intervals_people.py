"""People made of arrays: groups that err more than others, and inputs that tell so much."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tracerless.core.seeds import generator
from tracerless.synthesize.calibration import skill
from tracerless.synthesize.conformal import LEVEL

N_REGIONS = 36
N_PATTERNS = 3
PREDICTED_SUVR = 0.1
"""SD of predicted deviations from the expected map."""
DIFFER_SUVR = 0.08
"""About the SD of what is to be predicted."""
UNTOLD = 0.3
"""Size of a prediction that tells nothing, over that of what is to be predicted."""
LEVEL_SHARE = 0.3
"""Of how people differ: one value over all regions, beside patterns of regions."""
OWN_SPREAD = 0.25
"""SD of the logarithm of how much a person errs."""
_N_TRUTH = 4000

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cohort:
    """People in groups, some of whom are predicted worse.

    Args:
        name: of the table's row.
        counts: people by group.
        errs: by group, its errors over those of a group that is not named.
    """

    name: str
    counts: Mapping[str, int]
    errs: Mapping[str, float]
    groups: NDArray[np.str_] = field(init=False)

    def __post_init__(self) -> None:
        groups = np.repeat(list(self.counts), list(self.counts.values()))
        object.__setattr__(self, "groups", groups.astype(np.str_))

    def again(self, n: int) -> "Cohort":
        """As many of each group."""
        return Cohort(self.name, dict.fromkeys(self.counts, n), self.errs)

    def drawn(self, random: np.random.Generator, *, shared: float) -> tuple[Array, Array]:
        """Truth and prediction, (n, R) SUVR from the expected map.

        Args:
            random: draws.
            shared: share of a person's error, as variance, that is one over all regions.
        """
        n = len(self.groups)
        size = np.array([self.errs.get(str(g), 1.0) for g in self.groups])[:, None]
        size = size * np.exp(OWN_SPREAD * random.standard_normal((n, 1)))
        one, each = random.standard_normal((n, 1)), random.standard_normal((n, N_REGIONS))
        error = size * _base() * (np.sqrt(shared) * one + np.sqrt(1 - shared) * each)
        predicted = random.normal(0, PREDICTED_SUVR, (n, N_REGIONS))
        return predicted + error, predicted


def needed(cohort: Cohort) -> Array:
    """(R,) half-widths that hold the group that errs most, from the truth."""
    random = generator("bench-intervals", "needed")
    sizes = np.exp(OWN_SPREAD * random.standard_normal(400_000))
    tail = float(np.quantile(np.abs(sizes * random.standard_normal(len(sizes))), LEVEL))
    worst = max(cohort.errs.get(name, 1.0) for name in cohort.counts)
    return worst * tail * _base()


def _base() -> Array:
    """(R,) SD of the errors of a usual person, SUVR."""
    return 0.03 + 0.04 * generator("bench-intervals", "regions").random(N_REGIONS)


@dataclass(frozen=True, slots=True)
class Telling:
    """Inputs from which a share of how people differ is predicted.

    Args:
        share: correlation of truth and prediction, 0-1.
    """

    share: float

    def drawn(self, n: int, random: np.random.Generator) -> tuple[Array, Array]:
        """Truth and prediction, (n, R) SUVR from the expected map; 0 tells nothing."""
        told, rest = _differ(n, random), _differ(n, random)
        truth = DIFFER_SUVR * (self.share * told + np.sqrt(1 - self.share**2) * rest)
        return truth, DIFFER_SUVR * (self.share or UNTOLD) * told


def telling(wanted: float) -> Telling:
    """Inputs of a true skill (1 - MAE / MAE of the mean), found on a great many people."""
    if wanted == 0:
        return Telling(0.0)
    shares = np.linspace(0.05, 0.8, 60)
    reached = [
        skill(*Telling(float(share)).drawn(_N_TRUTH, generator("bench-refusals", "truth")))
        for share in shares
    ]
    return Telling(float(np.interp(wanted, reached, shares)))


def _differ(n: int, random: np.random.Generator) -> Array:
    """(n, R) how people differ: by patterns, by a level, and by region."""
    ways = generator("bench-refusals", "patterns").normal(size=(N_PATTERNS, N_REGIONS))
    patterns = 0.6 * random.standard_normal((n, N_PATTERNS)) @ ways
    level = 3 * LEVEL_SHARE * random.standard_normal((n, 1))
    own: Array = patterns + level + 0.5 * random.standard_normal((n, N_REGIONS))
    return own
