"""The numbers that docs/benchmarks.md quotes, on cells whose truth is known."""

import re

import numpy as np
import pytest
from bench import curve_tables, synthesis_judge

from tracerless.core.atlas import Atlas, Region
from tracerless.core.grid import Grid
from tracerless.core.seeds import generator

BASE = np.linspace(0.8, 1.4, 6)
TRUTH = BASE + generator("test", "bench-truth").normal(0, 0.15, (24, 6))
MEAN = np.broadcast_to(BASE, TRUTH.shape)
PEOPLE = [f"p{i:02d}" for i in range(len(TRUTH))]


def measured(made: np.ndarray, half_width: float = np.nan) -> dict[str, float]:
    return synthesis_judge.measured(TRUTH, made, MEAN, np.full(TRUTH.shape, half_width), PEOPLE)


def test_the_truth_itself_has_skill_one_and_the_mean_has_none() -> None:
    perfect, none = measured(TRUTH), measured(MEAN)
    assert [perfect[name] for name in ("skill", "low", "high", "slope")] == pytest.approx([1.0] * 4)
    assert [none[name] for name in ("skill", "low", "high", "slope")] == pytest.approx([0.0] * 4)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_a_share_of_every_difference_is_that_skill_and_that_slope(share: float) -> None:
    found = measured(MEAN + share * (TRUTH - MEAN))
    assert found["skill"] == pytest.approx(share)
    assert found["slope"] == pytest.approx(share)


def test_noise_lowers_the_skill_and_its_interval_holds_what_more_people_say() -> None:
    noise = generator("test", "bench-noise").normal(0, 0.1, TRUTH.shape)
    noisy = measured(TRUTH + noise)
    assert noisy["low"] < noisy["skill"] < noisy["high"]
    assert noisy["low"] < 1 - 0.1 / 0.15 < noisy["high"]
    assert measured(TRUTH + 4 * noise)["high"] < 0


def test_coverage_is_the_share_inside_and_unknown_without_intervals() -> None:
    shifted = TRUTH.copy()
    shifted[:6] += 0.3
    assert measured(shifted, half_width=0.2)["coverage"] == pytest.approx(18 / 24)
    assert measured(shifted)["coverage"] is None


def test_regions_are_means_of_what_was_seen() -> None:
    labels = np.zeros((2, 2, 2), np.int16)
    labels[0], labels[1, 0] = 3, 1
    regions = tuple(
        Region(key, index, "L", "lobe", key, key) for key, index in (("one", 1), ("three", 3))
    )
    atlas = Atlas("a", Grid((2, 2, 2), np.eye(4)), labels, regions, {"pons": labels == 0}, "a-1")
    array = np.arange(8, dtype=np.float32).reshape(2, 2, 2)
    array[0, 0, 0] = np.nan
    assert synthesis_judge.regions(array, atlas).tolist() == [4.5, 2.0]
    array[1, 0] = np.nan
    assert np.isnan(synthesis_judge.regions(array, atlas)[0])


def row(design: str, n: int, share: float) -> dict[str, object]:
    """A measured point of the curve that is wrong by a share of the mean's error in everybody."""
    base = np.abs(generator("test", "bench-curve").normal(0.1, 0.02, 20))
    known = {"low": 0.0, "high": 1.0, "slope": 0.5, "coverage": None, "refused": 0.0, "cpu_s": 9.0}
    return {"design": design, "n": n, "skill": 1 - share, "base": base.tolist(),
            "error": (share * base).tolist(), **known}  # fmt: skip


def tables(text: str) -> dict[str, dict[str, list[str]]]:
    """Rows by the first cell of their table's head."""
    found: dict[str, dict[str, list[str]]] = {}
    for block in text.strip().split("\n\n"):
        head, _, *rows = [re.split(r" *\| *", line.strip("| ")) for line in block.splitlines()]
        found[head[0]] = {cells[0]: cells[1:] for cells in rows}
    return found


def test_the_gain_on_the_linear_map_and_on_fewer_pairs_is_that_of_the_same_people(
    capsys: pytest.CaptureFixture[str],
) -> None:
    curve_tables.show([row("unet", 50, 0.6), row("ridge", 50, 0.8), row("unet", 100, 0.5)])
    said = tables(capsys.readouterr().out)
    assert said["skill against `ridge`"] == {"unet": ["+0.20 (+0.20 to +0.20)"]}
    assert said["skill against 100 pairs"] == {"unet": ["-0.10 (-0.10 to -0.10)"]}
    assert list(said["design"]) == ["ridge", "unet"]
    assert "refused" not in said["design"]["ridge"]
