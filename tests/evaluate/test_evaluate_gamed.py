"""The ways in which published metrics are gamed, as a table; our headline numbers must not be.

A brain on a grid that is mostly empty, ill people who lost a quarter of their uptake in two of
sixteen regions, and five candidates for a synthetic volume. The whole-volume metrics are computed
as published code does (min-max by volume), to show what they prefer. An erased lesion comes as
smooth as networks make it, with a third of the scan's noise.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from tracerless.core.assessment import TABLES
from tracerless.core.grid import Grid
from tracerless.core.seeds import generator
from tracerless.evaluate import ALL, Panel, voxels
from tracerless.evaluate import headline as first_line
from tracerless.evaluate.agreement import agreement_table, skill_table

GRID = Grid((48, 56, 48), np.diag([4.0, 4.0, 4.0, 1.0]))
N_ILL, N_WELL, LESION, NOISE = 6, 6, 0.25, 0.12
REGIONS = tuple(f"r{i}" for i in range(16))
ILL = ("r0", "r1")


class Brain(NamedTuple):
    inside: np.ndarray
    labels: np.ndarray


def ellipsoid() -> Brain:
    """(brain, labels): its shell cut into octants, each into two; regions 1 and 2 can be ill."""
    x, y, z = np.meshgrid(*[np.arange(n) - (n - 1) / 2 for n in GRID.shape], indexing="ij")
    radius = np.sqrt((x / 15) ** 2 + (y / 18) ** 2 + (z / 14) ** 2)
    region = 1 + (x > 0) + 2 * (z < 0) + 4 * (y > 0) + 8 * (np.abs(y) < 8)
    return Brain(radius <= 1, np.where((radius <= 1) & (radius > 0.7), region, 0))


def picture(brain: Brain, lesion: float, noise: float, *seed: str | int) -> np.ndarray:
    """SUVR: shell 1.6 and core 0.9, ``lesion`` off in two regions; scanner noise inside."""
    field = np.where(brain.labels > 0, 1.6, 0.9) * brain.inside
    field = field * np.where(np.isin(brain.labels, (1, 2)), 1 - lesion, 1)
    speckle = ndimage.gaussian_filter(generator("gamed", *seed).standard_normal(GRID.shape), 0.7)
    blurred = ndimage.gaussian_filter(field, 0.6)
    return np.maximum(blurred + noise * speckle / speckle.std() * brain.inside, 0)


@pytest.fixture(scope="module")
def brain() -> Brain:
    return ellipsoid()


@pytest.fixture(scope="module")
def lesions() -> np.ndarray:
    """How ill each person is; the well are at 0."""
    ill = LESION * generator("gamed-ill").uniform(0.7, 1.3, N_ILL)
    return np.concatenate([ill, np.zeros(N_WELL)])


@pytest.fixture(scope="module")
def truths(brain: Brain, lesions: np.ndarray) -> list[np.ndarray]:
    return [picture(brain, each, NOISE, "truth", i) for i, each in enumerate(lesions)]


CANDIDATES: dict[str, Callable[[Brain, float, np.ndarray, int], np.ndarray]] = {
    "right, fresh noise": lambda b, ill, _t, i: picture(b, ill, NOISE, "fresh", i),
    "erased": lambda b, _ill, _t, i: picture(b, 0.0, NOISE / 3, "erased", i),
    "mean": lambda b, _ill, _t, _i: picture(b, LESION / 2, 0.0, "mean"),
    "scaled": lambda b, ill, _t, _i: 0.85 * picture(b, ill, 0.0, "scaled"),
    "smoothed": lambda _b, _ill, t, _i: ndimage.gaussian_filter(t, 1.8),
}


@pytest.fixture(scope="module")
def made(brain, lesions, truths) -> dict[str, list[np.ndarray]]:
    return {
        name: [make(brain, ill, truths[i], i) for i, ill in enumerate(lesions)]
        for name, make in CANDIDATES.items()
    }


def whole_ssim(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Over the whole grid, each volume scaled to 0-1 by itself, as published code does."""
    t, p = ((a - a.min()) / np.ptp(a) for a in (truth, predicted))
    everywhere = np.ones(GRID.shape, dtype=bool)
    span = voxels.RANGE_SUVR
    return voxels.ssim(span * t, span * p, everywhere, GRID)


def means(volume: np.ndarray, brain: Brain) -> np.ndarray:
    return np.asarray(ndimage.mean(volume, brain.labels, range(1, 17)))


@pytest.fixture(scope="module")
def laid(brain, truths, made) -> Panel:
    cells = {name: np.stack([means(v, brain) for v in each]) for name, each in made.items()}
    n = len(truths)
    truth = np.stack([means(each, brain) for each in truths])
    groups = tuple("AD" if i < N_ILL else "CN" for i in range(n))
    return Panel(REGIONS, tuple(map(str, range(n))), groups, truth, cells, {})


@pytest.fixture(scope="module")
def tables(laid, truths, made) -> dict[str, pd.DataFrame]:
    """What an evaluation holds; its voxels as whole-volume code would have them, a trap."""
    whole = {
        name: np.mean([whole_ssim(truths[i], each[i]) for i in range(3)])
        for name, each in made.items()
    }
    trap = [(name, ALL, "ssim", value, value, value, 12) for name, value in whole.items()]
    return {
        "skill": skill_table(laid, dict.fromkeys(laid.predicted, ("mean",)), str),
        "agreement": agreement_table(
            laid, atlas="sixteen", reference="pons", mean="mean", calls=str
        ),
        "voxels": pd.DataFrame(trap, columns=[*TABLES["voxels"]]),
    }


@pytest.fixture(scope="module")
def headline(laid, tables) -> dict[str, dict[str, float]]:
    """Our numbers for every candidate: skill of all, of the ill, slope in the ill regions."""
    skills, agreed = tables["skill"], tables["agreement"]
    found: dict[str, dict[str, float]] = {}
    for name in laid.predicted:
        mine = skills[skills["model"] == name].set_index("group")["value"]
        slope = agreed[(agreed["model"] == name) & agreed["region"].isin(ILL)]["slope"].mean()
        found[name] = {"all": mine[ALL], "ill": mine["AD"], "slope": slope}
    return found


def test_whole_volume_ssim_prefers_the_erased_lesion(truths, made) -> None:
    ssim = {
        name: np.mean([whole_ssim(truths[i], each[i]) for i in range(3)])
        for name, each in made.items()
    }
    assert ssim["erased"] > ssim["right, fresh noise"]
    assert ssim["mean"] > ssim["right, fresh noise"]
    assert ssim["scaled"] > ssim["right, fresh noise"]


def test_voxel_errors_in_the_brain_prefer_it_too(brain, truths, made) -> None:
    """Why no voxel number is a headline, masked or not."""
    errors = {
        name: np.mean([voxels.mae(t, v, brain.inside) for t, v in zip(truths, each, strict=True)])
        for name, each in made.items()
    }
    assert errors["erased"] < errors["right, fresh noise"]


def test_our_skill_puts_the_right_picture_first_and_the_erased_lesion_below_the_mean(
    headline,
) -> None:
    right = headline["right, fresh noise"]
    assert right["all"] == max(each["all"] for each in headline.values())
    assert right["ill"] > 0.5
    assert headline["mean"]["all"] == 0
    assert headline["erased"]["ill"] < 0
    assert headline["scaled"]["all"] < 0
    assert headline["smoothed"]["all"] < right["all"]


def test_the_first_number_that_anyone_reads_cannot_be_gamed(laid, tables) -> None:
    """Whoever leads with another number, or counts skill in another way, fails here."""
    first = {}
    for name, predicted in laid.predicted.items():
        said, _ = first_line(tables, name, domain="simulated", reference="pons")
        assert said.startswith("Skill against the training mean")
        first[name] = float(re.findall(r"[+-]\d+\.\d+", said)[0])
        error, base = (np.abs(each - laid.truth) for each in (predicted, laid.predicted["mean"]))
        assert first[name] == pytest.approx(1 - error.sum() / base.sum(), abs=0.006)
    right = first.pop("right, fresh noise")
    assert right > max(first.values()) + 0.2


def test_our_slope_sees_that_an_erased_lesion_is_nobodys(headline) -> None:
    assert headline["right, fresh noise"]["slope"] > 0.8
    assert abs(headline["erased"]["slope"]) < 0.1
    assert abs(headline["mean"]["slope"]) < 1e-9


def test_a_wrong_scale_costs_in_suvr_and_not_after_min_max(brain, truths, made) -> None:
    right, scaled = made["right, fresh noise"][0], made["scaled"][0]
    assert voxels.psnr(truths[0], scaled, brain.inside) < voxels.psnr(
        truths[0], right, brain.inside
    )
    assert whole_ssim(truths[0], scaled) > whole_ssim(truths[0], right)


def test_voxel_numbers_ignore_what_lies_outside_the_brain(brain, truths) -> None:
    truth, made = truths[0], truths[1]
    dirty = np.where(brain.inside, made, 7.0)
    blank = np.where(brain.inside, made, np.nan)
    for each in (dirty, blank):
        assert voxels.mae(truth, each, brain.inside) == voxels.mae(truth, made, brain.inside)
        assert voxels.ssim(truth, each, brain.inside, GRID) == pytest.approx(
            voxels.ssim(truth, made, brain.inside, GRID), abs=1e-12
        )


def test_identical_volumes_are_identical_by_every_number(brain, truths) -> None:
    truth = truths[0]
    assert voxels.ssim(truth, truth, brain.inside, GRID) == pytest.approx(1)
    assert voxels.mae(truth, truth, brain.inside) == 0
    assert voxels.held(truth, truth, np.zeros_like(truth), brain.inside) == 1
    nowhere = np.zeros(GRID.shape, dtype=bool)
    assert np.isnan(voxels.mae(truth, truth, nowhere))
    assert np.isnan(voxels.ssim(truth, truth, nowhere, GRID))


def test_voxel_intervals_hold_the_share_that_they_hold(brain, truths) -> None:
    truth = truths[0]
    off = truth + np.where(np.arange(GRID.shape[0])[:, None, None] < 24, 0.1, 0.3)
    wide = np.full(GRID.shape, 0.2)
    share = brain.inside[:24].sum() / brain.inside.sum()
    assert voxels.held(truth, off, wide, brain.inside) == pytest.approx(share)
