"""What an arm is made of: the same regions of every kind of image, in comparable numbers."""

from dataclasses import replace

import numpy as np
import pytest

from tracerless.core.atlas import Atlas, Region
from tracerless.core.errors import ContrastError
from tracerless.core.grid import Grid
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.seeds import generator
from tracerless.core.session import Anatomy, Prepared
from tracerless.core.transform import identity
from tracerless.core.volume import Contrast, Quantity, Volume, with_array
from tracerless.workspace.synthetic_diagnosis_visits import shown

GRID = Grid((16, 18, 14), np.diag([10.0, 10.0, 10.0, 1.0]))


@pytest.fixture
def atlas():
    labels = np.zeros(GRID.shape, np.int16)
    labels[2:8, 3:15, 3:11], labels[8:14, 3:15, 3:11] = 1, 2
    regions = tuple(
        Region(f"cortex_{side}", place, side[0].upper(), "lobe", side, side)
        for place, side in ((1, "left"), (2, "right"))
    )
    brain = labels > 0
    references = {"pons": brain & (np.arange(14) < 5), "whole_brain": brain}
    return Atlas("two", GRID, labels, regions, references, "two-1")


def volume(contrast, quantity, seed):
    noise = generator("visits", seed).normal(1.2, 0.2, GRID.shape)
    return Volume(noise.astype(np.float32), GRID, quantity, contrast)


@pytest.fixture
def prepared():
    volumes = {
        Contrast.T1W: volume(Contrast.T1W, Quantity.T1W, "t1"),
        Contrast.CBF: volume(Contrast.CBF, Quantity.RELATIVE_CBF, "cbf"),
        Contrast.FDG: volume(Contrast.FDG, Quantity.SUVR, "fdg"),
    }
    maps = identity("space", "native"), identity("native", "space")
    key = SessionKey(Pseudonym("p1"), "01")
    return Prepared(key, "space", volumes, GRID, *maps, {}, "pass", (), "recipe")


@pytest.fixture
def synthetic():
    return volume(Contrast.SYNTHETIC_FDG, Quantity.SUVR, "made")


def test_every_kind_is_measured_in_the_same_regions(prepared, synthetic, atlas):
    found = shown(prepared, synthetic, atlas)
    assert set(found) == {"T1w", "cbf", "acquired", "synthetic"}
    assert all(set(columns) == set(atlas.keys) for columns in found.values())
    array = prepared.volumes[Contrast.FDG].array
    assert found["acquired"]["cortex_left"] == pytest.approx(array[atlas.labels == 1].mean())
    made = synthetic.array[atlas.labels == 2].mean()
    assert found["synthetic"]["cortex_right"] == pytest.approx(made)


def test_the_gain_of_a_scanner_changes_nothing(prepared, synthetic, atlas):
    t1 = prepared.volumes[Contrast.T1W]
    louder = with_array(t1, 37 * t1.array)
    other = replace(prepared, volumes={**prepared.volumes, Contrast.T1W: louder})
    one, two = (shown(each, synthetic, atlas)["T1w"] for each in (prepared, other))
    assert one == pytest.approx(two, abs=1e-5)
    assert max(map(abs, one.values())) < 1


def test_tissues_are_shares_of_the_head_and_of_regions(prepared, synthetic, atlas):
    ones = np.ones(GRID.shape, np.float32)

    def part(share):
        return Volume(share * ones, GRID, Quantity.PROBABILITY, Contrast.T1W)

    anatomy = Anatomy("native", part(1.0), part(0.6), part(0.3), part(0.1))
    found = shown(replace(prepared, anatomy=anatomy), synthetic, atlas)["volume"]
    assert found["cortex_left"] == pytest.approx(0.6, abs=1e-5)
    totals = [found[f"total_{name}"] for name in ("grey", "white", "csf")]
    assert totals == pytest.approx([0.6, 0.3, 0.1], abs=1e-5)


def test_a_visit_without_acquired_fdg_cannot_be_judged(prepared, synthetic, atlas):
    volumes = {c: v for c, v in prepared.volumes.items() if c is not Contrast.FDG}
    with pytest.raises(ContrastError):
        shown(replace(prepared, volumes=volumes), synthetic, atlas)
