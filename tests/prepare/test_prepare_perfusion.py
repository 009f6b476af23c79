"""Flow from whatever the scanner exports."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prepare_phantom import KEY

from tracerless.core.errors import ContrastError, QuantityError
from tracerless.core.grid import Grid
from tracerless.core.seeds import generator
from tracerless.core.session import Native, NativeSeries
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.prepare import perfusion

GRID = Grid((12, 13, 14), np.diag((3.0, 3.0, 5.0, 1.0)))
BRAIN = np.zeros(GRID.shape, dtype=bool)
BRAIN[2:10, 2:11, 2:12] = True
PROTON = np.where(BRAIN, 1000.0, 20.0) + np.arange(12.0)[:, None, None]
FLOW = np.where(BRAIN, 8.0 + np.arange(13.0)[None, :, None], 0.0)


def series(arrays: list[np.ndarray], contrast: Contrast = Contrast.ASL) -> NativeSeries:
    volumes = tuple(
        Volume(np.asarray(a, dtype=np.float32), GRID, Quantity.SIGNAL, contrast) for a in arrays
    )
    return NativeSeries(contrast, volumes, "frame")


def pairs(n: int, *, control_first: bool, noise: float = 0.5) -> list[np.ndarray]:
    draw = generator("test", "perfusion", n)
    control, label = PROTON / 4, PROTON / 4 - FLOW
    order = (control, label) if control_first else (label, control)
    return [each + draw.normal(0, noise, GRID.shape) for _ in range(n) for each in order]


def made(*held: NativeSeries) -> perfusion.Flow:
    native = Native(KEY, held)
    chosen = perfusion.series(native)
    assert chosen is not None
    return perfusion.flow(native, chosen, BRAIN)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(1, 12), control_first=st.booleans(), extra=st.booleans())
def test_order_is_read_from_the_brain(n: int, control_first: bool, extra: bool) -> None:
    frames = pairs(n, control_first=control_first)
    frames += frames[:1] if extra else []
    flow = made(series(frames))
    assert flow.source["order"] == ("control first" if control_first else "label first")
    assert (flow.source["n_pairs"], flow.source["n_left_out"]) == (n, int(extra))
    assert np.abs(flow.volume.array - FLOW)[BRAIN].max() < 5
    assert flow.volume.contrast is Contrast.CBF


def test_m0_among_the_volumes_is_set_apart_and_divides() -> None:
    flow = made(series([PROTON, *pairs(6, control_first=True)]))
    assert flow.source["n_pairs"] == 6
    assert flow.source["m0"].startswith("divides")
    assert np.allclose(flow.volume.array[BRAIN], (FLOW / PROTON)[BRAIN], atol=2e-3)


def test_separate_m0_divides_too() -> None:
    m0 = series([PROTON], Contrast.M0)
    flow = made(series(pairs(6, control_first=True)), m0)
    assert np.allclose(flow.volume.array[BRAIN], (FLOW / PROTON)[BRAIN], atol=2e-3)


def test_nothing_is_divided_where_m0_is_weak() -> None:
    flow = made(series(pairs(2, control_first=True)), series([PROTON], Contrast.M0))
    assert np.isnan(flow.volume.array[~BRAIN]).all()
    assert np.isfinite(flow.volume.array[BRAIN]).all()


def test_without_m0_the_difference_stands_and_says_so() -> None:
    flow = made(series(pairs(4, control_first=False)))
    assert flow.source["m0"].startswith("none")


def test_ready_made_map_comes_before_difference_before_pairs() -> None:
    asl = series(pairs(2, control_first=True))
    difference = series([FLOW], Contrast.DELTAM)
    ready = series([FLOW * 5], Contrast.CBF)
    assert made(asl, difference, ready).source["from"] == "the scanner's map"
    assert made(asl, difference).source["from"] == "perfusion-weighted difference"
    assert made(asl).source["from"] == "control minus label"


def test_ready_made_map_is_never_divided_by_m0() -> None:
    flow = made(series([FLOW], Contrast.CBF), series([PROTON], Contrast.M0))
    assert np.array_equal(flow.volume.array, FLOW.astype(np.float32))


def test_volumes_without_labeling_are_refused() -> None:
    frames = [PROTON + generator("test", "plain", n).normal(0, 5, GRID.shape) for n in range(8)]
    with pytest.raises(ContrastError, match="cannot be told apart"):
        made(series(frames))


def test_a_single_volume_is_refused() -> None:
    with pytest.raises(ContrastError, match="a pair is needed"):
        made(series([PROTON]))


def test_an_empty_m0_is_refused() -> None:
    with pytest.raises(QuantityError, match="M0"):
        made(series(pairs(2, control_first=True)), series([PROTON * 0], Contrast.M0))


def test_a_session_without_flow_has_none() -> None:
    assert perfusion.series(Native(KEY, (series([PROTON], Contrast.T2W),))) is None
