"""Numbers that clinicians read: severity, extent, ratio, island of the cingulate, convergence."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.norm import Array

EXTENT_CUT = -2.0
ISLAND = "cingulate_island_ratio"
CONVERGENCE = "convergence_AD"
MIN_PATTERN = 10
"""People with Alzheimer's disease that a pattern needs."""
_ISLAND_SHORE = ("precuneus", "medial_occipital")
_SIDES = ("left", "right")

MEANINGS = {
    "severity": "mean of -z over the voxels of the AD meta-region where z is negative; larger is "
    "worse, 0.8 in a normal brain",
    "extent": "percent of the meta-region's voxels with z below -2; 2.3 in a normal brain",
    "ratio": "extent in the meta-region over extent in the whole brain; 1 in a normal brain",
    ISLAND: "posterior cingulate over the mean of precuneus and medial occipital cortex, both "
    "sides; higher in dementia with Lewy bodies. Other regions than published, so other cut-offs",
    CONVERGENCE: "how far the pattern of z is that of the dataset's people with AD (the person "
    "left out); standard normal in normal people, larger is more alike. It describes only",
}


def of_map(z: Array, meta: NDArray[np.bool_]) -> tuple[float, float, float]:
    """`norm_maps.INDICES` of a map of z: severity, extent in percent, ratio.

    Args:
        z: (m,) over the whole brain; NaN is left out.
        meta: (m,) the AD meta-region.

    Returns:
        The ratio is NaN where nothing of the whole brain is below -2.

    Source:
        The definitions of eZIS (mean positive z, share beyond 2, share over that of the brain) with
        the sign turned, over another region: its cut-offs do not hold here.
    """
    known = np.isfinite(z)
    inside = z[meta & known]
    below = inside[inside < 0]
    severity = float(-below.mean()) if below.size else 0.0
    extent = float((inside < EXTENT_CUT).mean()) if inside.size else float("nan")
    whole = float((z[known] < EXTENT_CUT).mean())
    ratio = extent / whole if whole > 0 else float("nan")
    return severity, 100 * extent, ratio


def island(values: pd.DataFrame) -> pd.Series | None:
    """Cingulate island ratio of every scan; None where the atlas has not its regions.

    Source:
        Lim et al. 2009, J Nucl Med 50:1638 (posterior cingulate over precuneus and cuneus).
        Deviates: the whole medial occipital cortex stands for the cuneus.
    """
    needed = [
        f"{name}_{side}" for name in ("posterior_cingulate", *_ISLAND_SHORE) for side in _SIDES
    ]
    if not set(needed) <= set(values.columns):
        return None
    cingulate = values[needed[:2]].mean(axis=1, skipna=False)
    ratio = cingulate / values[needed[2:]].mean(axis=1, skipna=False)
    return ratio.rename(ISLAND)


def convergence(
    z: Array, correlation: Array, ill: NDArray[np.bool_], person: Sequence[str]
) -> Array:
    """(n,) how far each scan's z goes the way of the ill; standard normal in normal people.

    The weights are the mean z of the ill, each person's own scans left out; the sum of weighted z
    is divided by its standard deviation in normal people.

    Args:
        z: (n, f); a row with NaN gives NaN.
        correlation: (f, f) of normal people.
        ill: (n,) scans of people with the disease.
        person: of each scan.

    Source:
        After the hypometabolic convergence index of Chen et al. 2011, NeuroImage 56:52; regions for
        voxels, and scaled to the normal people.
    """
    who, known = np.asarray(person), np.isfinite(z).all(axis=1)
    found = np.full(len(z), np.nan)
    for row in np.flatnonzero(known):
        others = ill & known & (who != who[row])
        if len(set(who[others])) >= MIN_PATTERN:
            weight = z[others].mean(axis=0)
            found[row] = weight @ z[row] / np.sqrt(weight @ correlation @ weight)
    return found
