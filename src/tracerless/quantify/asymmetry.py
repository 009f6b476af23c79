"""Left against right."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

LEFT, RIGHT = "_left", "_right"


def pairs(keys: Iterable[str]) -> tuple[str, ...]:
    """Names of the regions that stand on both sides, in the order of the left ones.

    A pair is ``<name>_left`` and ``<name>_right``.
    """
    keys = list(keys)
    known = set(keys)
    stems = (key.removesuffix(LEFT) for key in keys if key.endswith(LEFT))
    return tuple(stem for stem in stems if stem + RIGHT in known)


def asymmetry(means: pd.Series) -> pd.Series:
    """200 (L - R) / (L + R) of every pair, percent, by its name; + = more on the left.

    NaN where a side was not seen or the sides do not add up to more than zero.

    Args:
        means: mean per region, by key; a pair is ``<name>_left`` and ``<name>_right``.
    """
    names = list(pairs(map(str, means.index)))
    left = means.reindex([name + LEFT for name in names]).to_numpy(dtype=np.float64)
    right = means.reindex([name + RIGHT for name in names]).to_numpy(dtype=np.float64)
    both = np.where(left + right > 0, left + right, np.nan)
    return pd.Series(200.0 * (left - right) / both, index=names, dtype=np.float64)
