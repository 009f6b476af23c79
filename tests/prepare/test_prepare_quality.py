"""Numbers, limits and verdicts."""

from pathlib import Path

import numpy as np
import pytest

from tracerless.core.grid import Grid
from tracerless.core.transform import Affine
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.prepare import quality

GRID = Grid((20, 22, 24), np.diag((4.0, 4.0, 4.0, 1.0)))
BRAIN = np.zeros(GRID.shape, dtype=bool)
BRAIN[4:16, 4:18, 4:20] = True
GOOD = {"brain_ml": 1450.0, "t1_dice": 0.97, "t1_correlation": 0.74, "left_right": 1.0}


def test_good_numbers_pass_without_a_word() -> None:
    assert quality.judge({**GOOD, "coverage_T2w": 1.0, "score_T2w": 0.1}) == ("pass", ())


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        ("brain_ml", 950.0, "review"),
        ("brain_ml", 700.0, "fail"),
        ("brain_ml", 2100.0, "fail"),
        ("t1_dice", 0.93, "review"),
        ("t1_dice", 0.89, "fail"),
        ("t1_correlation", 0.5, "review"),
        ("t1_correlation", 0.1, "fail"),
        ("left_right", 0.0, "fail"),
        ("coverage_cbf", 0.7, "review"),
        ("negative_share", 0.3, "review"),
    ],
)
def test_number_outside_its_limits_is_named(name: str, value: float, verdict: str) -> None:
    judged, reasons = quality.judge({**GOOD, name: value})
    assert judged == verdict
    assert len(reasons) == 1
    assert reasons[0].startswith(f"{name}={value:.4g}")


def test_a_failure_is_not_forgiven_by_a_later_review() -> None:
    judged, reasons = quality.judge({"t1_dice": 0.5, "coverage_cbf": 0.7})
    assert judged == "fail"
    assert len(reasons) == 2


def test_nan_never_passes() -> None:
    assert quality.judge({**GOOD, "t1_dice": float("nan")})[0] == "fail"


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirrored_map_is_caught(axis: int) -> None:
    matrix = np.eye(4)
    assert quality.left_right_kept(Affine("a", "b", matrix), GRID, BRAIN) == 1.0
    matrix[axis, axis] = -1
    assert quality.left_right_kept(Affine("a", "b", matrix), GRID, BRAIN) == 0.0


def test_a_head_turned_around_is_caught_though_nothing_is_mirrored() -> None:
    matrix = np.diag((-1.0, -1.0, 1.0, 1.0))
    assert quality.left_right_kept(Affine("a", "b", matrix), GRID, BRAIN) == 0.0


def test_coverage_and_negative_share_count_the_brain_only() -> None:
    array = np.ones(GRID.shape, np.float32)
    array[:, :, :12] = np.nan
    array[:, :, 19] = -1
    array[0] = np.nan
    volume = Volume(array, GRID, Quantity.SIGNAL, Contrast.CBF)
    assert quality.coverage(volume, BRAIN) == pytest.approx(0.5)
    assert quality.negative_share(volume, BRAIN) == pytest.approx(1 / 8)


def test_dice_of_equal_disjoint_and_empty() -> None:
    assert quality.dice(BRAIN, BRAIN) == 1.0
    assert quality.dice(BRAIN, ~BRAIN) == 0.0
    assert quality.dice(BRAIN & False, BRAIN & False) == 0.0


def test_correlation_of_a_flat_volume_is_zero() -> None:
    flat = Volume(np.ones(GRID.shape, np.float32), GRID, Quantity.T1W, Contrast.T1W)
    ramp = Volume(
        np.arange(np.prod(GRID.shape), dtype=np.float32).reshape(GRID.shape),
        GRID,
        Quantity.T1W,
        Contrast.T1W,
    )
    assert quality.correlation(flat, ramp, BRAIN) == 0.0
    assert quality.correlation(ramp, ramp, BRAIN) == pytest.approx(1.0)


def test_every_limit_stands_in_the_documentation_as_it_is() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "derivatives.md"
    text = page.read_text(encoding="utf-8")
    for name, limit in quality.LIMITS.items():
        assert f"| `{name}` | {limit.what} | {limit.span} |" in text


def test_a_reason_names_the_value_the_expectation_and_the_next_move() -> None:
    _, reasons = quality.judge({"offset_FDG": 9.04})
    assert reasons == (
        "offset_FDG=9.04: distance to where its edges fit better, mm should be 0-4. Look at the "
        "contact sheet: the volume lies beside the T1; check the header's position.",
    )
    _, open_ended = quality.judge({"tissue_T1w": 0.6})
    assert "should be at least 1.1." in open_ended[0]


def test_doubts_that_agree_about_the_t1_block_and_fewer_do_not() -> None:
    doubts = {"t1_dice": 0.927, "t1_correlation": 0.52, "edges_T1w": 0.73}
    verdict, reasons = quality.judge({**GOOD, **doubts})
    assert verdict == "fail"
    assert "part of the brain may be missing" in reasons[-1]
    for name in doubts:
        fewer = {key: value for key, value in doubts.items() if key != name}
        assert quality.judge({**GOOD, **fewer})[0] == "review"
