"""Flow from whatever the scanner exports: order, kinds, M0, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prepare_asl_phantom import (
    FACTS,
    GRID,
    KEY,
    asl,
    flow_of,
    m0_of,
    made,
    scanned,
    share_of,
    tissue,
    view,
    volume,
)
from prepare_asl_small import GRID as SMALL
from prepare_asl_small import M0, SEEN, VIEW

from tracerless.core.errors import ContrastError, QuantityError
from tracerless.core.grid import Grid, points_mm
from tracerless.core.seeds import generator
from tracerless.core.session import Native, NativeSeries
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.prepare import perfusion

pytestmark = pytest.mark.usefixtures("_aligned_once")


def of(array: np.ndarray, contrast: Contrast, **facts: object) -> NativeSeries:
    return NativeSeries(contrast, (volume(array, contrast, SMALL),), "frame", facts)


def pairs(n: int, *, control_first: bool = True, noise: float = 1.0) -> list[np.ndarray]:
    return scanned(n, control_first=control_first, noise=noise, grid=SMALL)


def labeled(frames: list[np.ndarray], **facts: object) -> NativeSeries:
    return asl(frames, {**FACTS, **facts}, grid=SMALL)


def flow(*held: NativeSeries) -> perfusion.Flow:
    return made(*held, where=VIEW)


@settings(max_examples=8, deadline=None)
@given(n=st.integers(1, 5), control_first=st.booleans(), extra=st.booleans())
def test_order_is_read_from_the_brain(n: int, control_first: bool, extra: bool) -> None:
    frames = pairs(n, control_first=control_first)
    frames += frames[:1] if extra else []
    told = flow(labeled(frames), M0)
    assert told.source["order"] == ("control first" if control_first else "label first")
    assert (told.source["n_pairs"], told.source["n_left_out"]) == (n, int(extra))
    assert told.levels["grey"] > told.levels["white"] > 0


def test_stated_order_is_confirmed_and_named() -> None:
    told = flow(labeled(pairs(3), AslContext=["control", "label"] * 3), M0)
    assert told.source["kinds"] == "AslContext"
    assert told.volume.quantity is Quantity.CBF


def test_stated_order_that_the_voxels_contradict_gives_relative_flow_of_the_right_sign() -> None:
    told = flow(labeled(pairs(3), AslContext=["label", "control"] * 3), M0)
    assert told.volume.quantity is Quantity.SIGNAL
    assert [each.needs_look for each in told.doubts] == [True]
    assert "contradicted" in told.doubts[0].reason
    assert np.nanmedian(told.volume.array[VIEW.grey]) > 0


def test_a_stated_order_of_the_wrong_length_is_not_used() -> None:
    told = flow(labeled(pairs(3), AslContext=["control", "label"]), M0)
    assert told.source["kinds_origin"] == "data"
    assert "AslContext" in told.source["why_relative"][0]


def test_blocks_of_controls_and_labels_are_paired_when_stated() -> None:
    frames = pairs(3)
    blocks = [*frames[0::2], *frames[1::2]]
    told = flow(labeled(blocks, AslContext=["control"] * 3 + ["label"] * 3), M0)
    assert abs(told.levels["grey"] - 60) < 3


def test_m0_among_the_volumes_is_set_apart_and_divides() -> None:
    told = flow(labeled([m0_of(SEEN), *pairs(4)]))
    assert told.source["n_pairs"] == 4
    assert told.source["m0"] == "divides: M0 among the volumes of the series"
    assert abs(told.levels["grey"] - 60) < 3


@pytest.mark.parametrize("n_m0", [1, 2, 3])
def test_several_m0_among_few_pairs_are_all_set_apart(n_m0: int) -> None:
    told = flow(labeled([*[m0_of(SEEN)] * n_m0, *pairs(2)]))
    assert told.source["n_pairs"] == 2
    assert abs(told.levels["grey"] - 60) < 3


def test_a_bright_volume_with_a_delay_is_no_m0() -> None:
    """Static signal changes with the delay, up to more than twice."""
    frames = [*scanned(1, static=0.6, grid=SMALL), *pairs(3)]
    told = flow(labeled(frames, PostLabelingDelay=[1.8] * 8), M0)
    assert told.source["n_pairs"] == 4
    assert told.source["m0"] == "divides: a separate M0 series"


def test_a_separate_m0_and_a_stated_number_do_the_same_work() -> None:
    uniform = of(np.full(SMALL.shape, 820.0), Contrast.M0, RepetitionTimePreparation=6.0)
    apart = flow(labeled(pairs(4)), uniform)
    number = flow(labeled(pairs(4), M0Estimate=820.0))
    assert number.source["m0"] == "divides: one stated number"
    assert np.allclose(apart.volume.array, number.volume.array, rtol=1e-4, equal_nan=True)


def test_unsuppressed_controls_serve_as_m0_only_when_that_is_stated() -> None:
    frames = scanned(4, static=1.0, grid=SMALL)
    assert flow(labeled(frames)).volume.quantity is Quantity.SIGNAL
    told = flow(labeled(frames, BackgroundSuppression=False))
    assert told.volume.quantity is Quantity.CBF
    assert told.source["numbers"]["M0"]["value"].startswith("mean of the controls")
    assert abs(told.levels["grey"] - 60) < 3


def test_nothing_is_divided_where_m0_is_weak() -> None:
    told = flow(labeled(pairs(2)), M0)
    outside = m0_of(SEEN) < 50
    assert np.isnan(told.volume.array[outside]).all()
    assert np.isfinite(told.volume.array[VIEW.grey]).all()


def test_without_m0_the_difference_stands_and_says_so() -> None:
    told = flow(labeled(pairs(4, control_first=False)))
    assert told.source["m0"].startswith("none")
    assert told.source["unit"] == "relative"
    assert "no M0" in told.source["why_relative"][0]
    assert [each.needs_look for each in told.doubts] == [True]
    declared = flow(labeled(pairs(4), M0Type="Absent"))
    assert [each.needs_look for each in declared.doubts] == [False]


def test_missing_m0_that_is_said_to_be_included_is_named() -> None:
    told = flow(labeled(pairs(4), M0Type="Included"))
    assert "M0Type says Included" in told.source["why_relative"][0]


def test_a_control_and_a_label_under_the_name_of_m0_are_no_m0() -> None:
    frames = scanned(4, static=0.3, grid=SMALL)
    twice = tuple(volume(each, Contrast.M0, SMALL) for each in frames[:2])
    told = flow(labeled(frames), NativeSeries(Contrast.M0, twice, "frame", M0.sidecar))
    assert any("may be a control and a label" in reason for reason in told.source["why_relative"])
    steady = (volume(m0_of(SEEN), Contrast.M0, SMALL),) * 2
    fine = flow(labeled(frames), NativeSeries(Contrast.M0, steady, "frame", M0.sidecar))
    assert fine.volume.quantity is Quantity.CBF


def test_what_can_be_measured_absolutely_comes_first() -> None:
    declared, silent = labeled(pairs(2)), of(flow_of(SEEN), Contrast.CBF)
    assert flow(declared, M0, silent).volume.quantity is Quantity.CBF
    stated = of(flow_of(SEEN), Contrast.CBF, FlowUnits="mL/100g/min")
    assert flow(declared, M0, stated).source["from"] == "the scanner's map"
    in_units = Volume(flow_of(SEEN).astype(np.float32), SMALL, Quantity.CBF, Contrast.CBF)
    known = NativeSeries(Contrast.CBF, (in_units,), "frame", {})
    assert flow(declared, M0, known).source["numbers"]["FlowUnits"]["origin"] == "header"


def test_ready_made_map_comes_before_difference_before_pairs() -> None:
    series = asl(pairs(2), {"MRAcquisitionType": "3D"}, grid=SMALL)
    difference = of(m0_of(SEEN) * share_of(flow_of(SEEN)), Contrast.DELTAM)
    ready = of(flow_of(SEEN), Contrast.CBF)
    assert flow(series, difference, ready).source["from"] == "the scanner's map"
    assert flow(series, difference).source["from"] == "perfusion-weighted difference"
    assert flow(series).source["from"] == "control minus label"


def test_ready_made_map_is_never_divided_by_m0() -> None:
    told = flow(of(flow_of(SEEN), Contrast.CBF), M0)
    assert np.allclose(told.volume.array[VIEW.grey], flow_of(SEEN)[VIEW.grey], rtol=1e-5)


def test_a_map_is_absolute_only_with_its_units() -> None:
    silent = flow(of(flow_of(SEEN), Contrast.CBF))
    assert silent.volume.quantity is Quantity.SIGNAL
    assert "FlowUnits" in silent.source["why_relative"][0]
    stated = flow(of(flow_of(SEEN), Contrast.CBF, FlowUnits="mL/100 g/min"))
    assert stated.volume.quantity is Quantity.CBF
    assert abs(stated.levels["grey"] - 60) < 1
    other = flow(of(flow_of(SEEN), Contrast.CBF, FlowUnits="relative"))
    assert [each.needs_look for each in other.doubts] == [False]


def test_a_map_in_the_thousands_is_refused_until_its_scale_is_stated() -> None:
    units = "mL/100g/min"
    told = flow(of(flow_of(SEEN) * 100, Contrast.CBF, FlowUnits=units))
    assert told.volume.quantity is Quantity.SIGNAL
    assert "median flow of grey matter is 59" in told.source["why_relative"][0]
    mended = flow(of(flow_of(SEEN) * 100, Contrast.CBF, FlowUnits=units, AslScale=100))
    assert abs(mended.levels["grey"] - 60) < 1


def test_zeros_around_a_map_were_not_measured() -> None:
    array = flow_of(SEEN)
    array[:, :, :6] = 0
    told = flow(of(array, Contrast.CBF))
    assert np.isnan(told.volume.array[:, :, :6]).all()


def test_volumes_without_labeling_are_refused() -> None:
    draw = generator("test", "plain")
    frames = [m0_of(SEEN) + draw.normal(0, 5, SMALL.shape) for _ in range(8)]
    with pytest.raises(ContrastError, match="cannot be told apart"):
        flow(labeled(frames), M0)


def test_a_single_volume_is_refused() -> None:
    with pytest.raises(ContrastError, match="a pair is needed"):
        flow(labeled([m0_of(SEEN)]))


def test_an_empty_m0_is_refused() -> None:
    with pytest.raises(QuantityError, match="M0"):
        flow(labeled(pairs(2)), of(np.zeros(SMALL.shape), Contrast.M0))


@pytest.mark.parametrize("contrast", [Contrast.ASL, Contrast.DELTAM, Contrast.CBF])
def test_a_series_of_zeros_is_refused(contrast: Contrast) -> None:
    zero = tuple(volume(np.zeros(SMALL.shape), contrast, SMALL) for _ in range(4))
    with pytest.raises(QuantityError, match="are zero"):
        flow(NativeSeries(contrast, zero, "frame", FACTS), M0)


def test_control_and_label_that_are_equal_are_refused_rather_than_called_zero_flow() -> None:
    frame = 0.15 * m0_of(SEEN)
    with pytest.raises((ContrastError, QuantityError)):
        flow(labeled([frame] * 6), M0)


def test_nan_stays_where_it_is() -> None:
    frames = pairs(2)
    for each in frames:
        each[10:12, 12:14, 10:12] = np.nan
    told = flow(labeled(frames), M0)
    assert np.isnan(told.volume.array[10:12, 12:14, 10:12]).all()
    assert not (told.volume.array == 0).any()
    assert np.isfinite(told.volume.array[VIEW.grey]).mean() > 0.95


def test_a_half_that_no_volume_saw_is_unknown_and_no_reason_to_reject_pairs() -> None:
    frames = pairs(6)
    for each in frames:
        each[:, :, 12:] = np.nan
    told = flow(labeled(frames), M0)
    assert told.source["n_pairs"] == 6
    assert np.isnan(told.volume.array[:, :, 13:]).all()


def test_a_difference_of_two_frames_of_reference_still_finds_its_m0() -> None:
    """The M0's header puts it 6 mm away; its voxels say where it is."""
    shift = np.eye(4)
    shift[:3, 3] = (6.0, -4.0, 3.0)
    grid = Grid(GRID.shape, shift @ GRID.affine)
    array = m0_of(tissue(points_mm(GRID)))
    m0 = Volume(array.astype(np.float32), grid, Quantity.SIGNAL, Contrast.M0)
    apart = NativeSeries(Contrast.M0, (m0,), "another", {"RepetitionTimePreparation": 6.0})
    told = made(asl(scanned(3, static=0.5)), apart)
    assert abs(told.levels["grey"] - 60) < 3
    truth = flow_of(tissue(points_mm(GRID)))
    where = view()
    inside = where.grey | where.white
    assert np.nanmean(np.abs(told.volume.array - truth)[inside]) < 5


def test_a_session_without_flow_has_none() -> None:
    assert perfusion.series(Native(KEY, (of(m0_of(SEEN), Contrast.T2W),))) is None


def test_infinite_voxels_are_unknown_and_spoil_nothing_else() -> None:
    frames = pairs(6)
    frames[3][10, 12, 10] = np.inf
    frames[2][11, 13, 11] = -np.inf
    told = flow(labeled(frames), M0)
    assert not np.isinf(told.volume.array).any()
    assert abs(told.levels["grey"] - 60) < 3
