"""Low regions flagged on the synthetic PET against those flagged on the acquired one."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.assessment import TABLES
from tracerless.core.cohort import Diagnosis
from tracerless.evaluate.panel import Cells, Draws, draws, ordered

LOW_Z = -1.645
"""A region below this is flagged: 1 in 20 regions of normal people."""
PATIENTS = "patients"
"""Group of everyone with a diagnosis other than cognitively normal."""


def flags_table(
    truth: Cells,
    predicted: Mapping[str, Mapping[str, Cells]],
    *,
    people: tuple[str, ...],
    groups: tuple[str, ...],
) -> pd.DataFrame:
    """Sensitivity, positive predictive value and Dice of flags, by norm and group.

    Args:
        truth: (N, R) z of the acquired against acquired controls; NaN where unknown.
        predicted: z of the synthetic, (N, R), by who predicted and by norm: ``acquired`` (controls'
            acquired PET) or ``own`` (controls' synthetic PET by the same model).
        people: (N,) whose row.
        groups: (N,) diagnosis.

    Returns:
        ``chance``, ``sensitivity_chance`` and ``ppv_chance`` are what flags at random would reach
        if they were as many in each region; ``flagged`` is the share of regions flagged,
        ``flagged_acquired`` that of the truth. Of normal people the flags are false alarms,
        whatever their Dice.
    """
    rows = []
    for group, mine in _groups(groups):
        drawn = draws(tuple(p for p, own in zip(people, mine, strict=True) if own), "flags", group)
        for who, by_norm in predicted.items():
            for norm, z in by_norm.items():
                for metric, found in _metrics(truth[mine], z[mine], drawn).items():
                    rows.append((who, norm, group, metric, *drawn.share(found)))
    return pd.DataFrame(rows, columns=[*TABLES["z_flags"]])


def _groups(groups: tuple[str, ...]) -> list[tuple[str, NDArray[np.bool_]]]:
    names = np.array(groups)
    known = {str(each) for each in Diagnosis} - {str(Diagnosis.CN)}
    found = [(group, names == group) for group in ordered(groups)]
    patients = np.isin(names, sorted(known))
    return [(PATIENTS, patients), *found] if patients.any() else found


def _metrics(truth: Cells, z: Cells, drawn: Draws) -> dict[str, NDArray[np.float64]]:
    """(K,) of each metric by draw."""
    known = np.isfinite(truth) & np.isfinite(z)
    real, made = known & (truth < LOW_Z), known & (z < LOW_Z)
    w = drawn.weights
    n, n_real, n_made = (w @ each.sum(axis=1) for each in (known, real, made))
    both = w @ (real & made).sum(axis=1)
    in_region = w @ known
    chance = ((w @ real) * (w @ made) / np.maximum(in_region, 1e-12)).sum(axis=1)
    return {
        "sensitivity": _share(both, n_real),
        "sensitivity_chance": _share(chance, n_real),
        "ppv": _share(both, n_made),
        "ppv_chance": _share(chance, n_made),
        "dice": _share(2 * both, n_real + n_made),
        "chance": _share(2 * chance, n_real + n_made),
        "flagged": _share(n_made, n),
        "flagged_acquired": _share(n_real, n),
    }


def _share(hits: NDArray[np.float64], of: NDArray[np.float64]) -> NDArray[np.float64]:
    some = of > 0
    share: NDArray[np.float64] = np.where(some, hits / np.where(some, of, 1.0), np.nan)
    return share
