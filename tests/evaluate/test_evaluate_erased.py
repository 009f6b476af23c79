"""Errors by voxel prefer a smooth picture with the disease erased; this evaluator must not.

The truth and two candidates: one shows the lesion, with as much noise as a scan has; the other
erased it and is smooth.
"""

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from tracerless.core.atlas import ROI_COLUMNS, RoiTable
from tracerless.core.people import Pseudonym
from tracerless.core.seeds import generator
from tracerless.core.volume import Contrast, Quantity
from tracerless.evaluate import Pair, cohort

SHAPE = (48, 56, 48)
N_ILL = 8
REGIONS = [f"r{i}" for i in range(8)]


@pytest.fixture(scope="module")
def brain():
    """(brain, labels): an ellipsoid, its shell cut into octants; octants 1 and 2 can be ill."""
    x, y, z = np.meshgrid(*[np.arange(n) - (n - 1) / 2 for n in SHAPE], indexing="ij")
    radius = np.sqrt((x / 15) ** 2 + (y / 18) ** 2 + (z / 14) ** 2)
    octant = 1 + (x > 0) + 2 * (z < 0) + 4 * (y > 0)
    return radius <= 1, np.where((radius <= 1) & (radius > 0.7), octant, 0)


def picture(brain, lesion: float, noise: float, *seed) -> np.ndarray:
    """SUVR: shell 1.4, core 0.7, ``lesion`` off in octants 1 and 2; soft noise inside."""
    inside, labels = brain
    field = np.where(labels > 0, 1.4, 0.7) * inside
    field = field * np.where(np.isin(labels, (1, 2)), 1 - lesion, 1)
    speckle = ndimage.gaussian_filter(generator(*seed).standard_normal(SHAPE), 0.7)
    return ndimage.gaussian_filter(field, 1.0) + noise * speckle / speckle.std() * inside


def table(volume, brain, contrast=Contrast.SYNTHETIC_FDG) -> RoiTable:
    means = ndimage.mean(volume, brain[1], range(1, 9))
    values = pd.DataFrame({c: means if c == "mean" else 1.0 for c in ROI_COLUMNS}, index=REGIONS)
    return RoiTable(contrast, Quantity.SUVR, "octants", "pons", "f", values)


def candidates(brain):
    """(truth, shown, erased) for each ill person, and the training mean of ill and well."""
    people = []
    for i in range(N_ILL):
        truth = picture(brain, 0.25, 0.15, "erased-truth", i)
        shown = picture(brain, 0.25, 0.15, "erased-shown", i)
        erased = picture(brain, 0.0, 0.0, "erased-erased", i)
        people.append((truth, shown, erased))
    mean = (picture(brain, 0.0, 0.0, "mean") + picture(brain, 0.25, 0.0, "mean")) / 2
    return people, mean


def skill_of(people, mean, which: int, brain):
    made = [
        Pair(
            table(each[0], brain, Contrast.FDG),
            table(each[which], brain),
            table(mean, brain),
            "AD",
            Pseudonym(f"ill{i}"),
        )
        for i, each in enumerate(people)
    ]
    return cohort(
        made,
        model="m:0",
        atlas="octants",
        reference="pons",
        domain="simulated",
        fingerprint="f",
        trained_on=(),
    )


def test_an_erased_lesion_ranks_below_the_right_picture(brain) -> None:
    people, mean = candidates(brain)
    shown, erased = (skill_of(people, mean, which, brain) for which in (1, 2))
    assert shown.skill.low > 0.3
    assert erased.skill.high < 0
    ill = ["r0", "r1"]
    assert (shown.by_region.loc[ill, "bias"].abs() < 0.05).all()
    assert (erased.by_region.loc[ill, "bias"] > 0.15).all()


def test_the_mean_voxel_error_would_have_ranked_them_the_other_way(brain) -> None:
    people, _ = candidates(brain)
    errors = [np.abs(np.stack(each[1:]) - each[0])[:, brain[0]].mean(axis=1) for each in people]
    shown, erased = np.mean(errors, axis=0)
    assert erased < 0.95 * shown
