"""Whether z is as rare as it says, on the norm's own people, each left out once."""

import numpy as np
from scipy import special, stats

from tracerless.core.norm import Array, Calibration

N_TENTHS = 10


def calibration(z: Array, family_cut: float) -> Calibration:
    """How the norm does.

    Args:
        z: (n people, f measures), of each person by the norm without that person.
        family_cut: the norm's.
    """
    size = np.abs(z)
    pit, _ = np.histogram(special.ndtr(z), bins=N_TENTHS, range=(0, 1))
    return Calibration(
        n=len(z),
        coverage_90=float((size < special.ndtri(0.95)).mean()),
        coverage_95=float((size < special.ndtri(0.975)).mean()),
        below_2=float((z < -2).mean()),
        beyond_family=float((z.min(axis=1) < family_cut).mean()),
        pit=tuple(int(count) for count in pit),
    )


def lines(found: Calibration) -> list[str]:
    """The calibration in words, for the norm's card.

    The interval of a share of people is that of Clopper and Pearson; measures of one person hang
    together, so shares of measures have none.
    """
    hit = round(found.beyond_family * found.n)
    low, high = stats.binomtest(hit, found.n).proportion_ci(0.95)
    counts = " ".join(str(count) for count in found.pit)
    return [
        f"Each of the {found.n} people held against the norm without them:",
        "",
        f"- within the middle 90 %: {found.coverage_90:.1%}; within 95 %: {found.coverage_95:.1%}",
        f"- z below -2: {found.below_2:.1%} (2.3 % is meant)",
        f"- people with any measure below the family-wise cut: {found.beyond_family:.1%} "
        f"(95 % interval {low:.1%} to {high:.1%}; 5 % is meant)",
        f"- z by expected tenths, lowest first: {counts} (equal counts are meant)",
    ]
