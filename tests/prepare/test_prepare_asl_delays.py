"""One delay and several: flow and arrival time of known kinetics come back."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prepare_asl_phantom import (
    EFFICIENCY,
    FACTS,
    PARTITION,
    T1_BLOOD_S,
    asl,
    flow_of,
    m0_of,
    made,
    share_of,
)
from prepare_asl_small import (
    GRID,
    PASL,
    SEEN,
    VIEW,
    assert_true_flow,
    flow,
    frames_of,
)

from tracerless.io.simulate_scanners import scanner_tables
from tracerless.prepare.asl_facts import Protocol
from tracerless.prepare.asl_kinetics import many, single
from tracerless.simulate import asl as asl_simulator
from tracerless.simulate.catalog import catalog

pytestmark = pytest.mark.usefixtures("_aligned_once")

DELAYS = (0.7, 1.2, 1.7, 2.2, 2.7)


def arriving(kind: str, delay_s: float, late: float = 0.0) -> np.ndarray:
    """The general kinetic model, written from the paper with numerical integration."""
    is_white = SEEN.white > SEEN.grey
    arrival, t1 = np.where(is_white, 1.4, 0.9), np.where(is_white, 0.83, 1.33)
    end = delay_s + late + (1.8 if kind == "PCASL" else 0.0)
    duration = 1.8 if kind == "PCASL" else 0.7
    efficiency = EFFICIENCY if kind == "PCASL" else 0.98
    times = np.linspace(0, end, 1501)
    total = np.zeros(SEEN.grey.shape)
    for time in times:
        age = arrival if kind == "PCASL" else time
        inside = (time >= arrival) & (time < arrival + duration)
        total += inside * np.exp(-age / T1_BLOOD_S) * np.exp(-(end - time) / t1)
    integral = total * (times[1] - times[0])
    return 2 * efficiency * flow_of(SEEN) / (6000 * PARTITION) * integral


@pytest.mark.parametrize("kind", ["PCASL", "PASL"])
def test_several_delays_give_flow_and_arrival_time_together(kind: str) -> None:
    frames = [f for delay_s in DELAYS for f in frames_of(arriving(kind, delay_s), 1)]
    stated = [delay_s for delay_s in DELAYS for _ in range(2)]
    told = flow({**(FACTS if kind == "PCASL" else PASL), "PostLabelingDelay": stated}, frames)
    assert_true_flow(told)
    assert abs(told.source["arrival_grey_s"] - 0.9) < 0.1
    assert abs(told.source["arrival_white_s"] - 1.4) < 0.15
    assert told.source["equation"].startswith("least squares over all delays")


def test_two_delays_are_too_few_and_the_longer_counts() -> None:
    frames = [f for d in (1.2, 1.8) for f in frames_of(share_of(flow_of(SEEN), delay_s=d), 1)]
    told = flow({**FACTS, "PostLabelingDelay": [1.2, 1.2, 1.8, 1.8]}, frames)
    assert_true_flow(told)
    assert told.source["numbers"]["PostLabelingDelay"]["value"] == 1.8


@settings(max_examples=20, deadline=None)
@given(
    flow_rate=st.floats(5, 120), delay_s=st.floats(1.0, 2.5), duration_s=st.floats(1.0, 2.5),
)  # fmt: skip
def test_one_delay_turns_the_consensus_model_around(
    flow_rate: float, delay_s: float, duration_s: float
) -> None:
    share = share_of(np.full((1,), flow_rate), delay_s=delay_s, duration_s=duration_s)
    how = Protocol("PCASL", (delay_s,), duration_s, EFFICIENCY, T1_BLOOD_S, 3.0, (), is_ge=False)
    assert np.allclose(single(share.astype(np.float32), delay_s, 0.0, how), flow_rate, rtol=1e-4)


def test_the_fit_is_linear_in_the_signal_and_keeps_unknown_voxels_unknown() -> None:
    how = Protocol("PCASL", DELAYS, 1.8, EFFICIENCY, T1_BLOOD_S, 3.0, (), is_ge=False)
    shares = {d: arriving("PCASL", d).astype(np.float32) for d in DELAYS}
    shares[1.2][3, 4, 5] = np.nan
    counts, late = dict.fromkeys(DELAYS, 2), np.zeros(GRID.shape, np.float32)
    one = many(shares, counts, late, SEEN.white > 0.5, how)
    two = many({d: 2 * each for d, each in shares.items()}, counts, late, SEEN.white > 0.5, how)
    assert np.allclose(two.cbf, 2 * one.cbf, rtol=1e-4, equal_nan=True)
    assert np.isnan(one.cbf[3, 4, 5])
    assert np.isnan(one.arrival_s[3, 4, 5])


def test_several_delays_of_a_2d_readout_count_by_slice() -> None:
    times = tuple(0.15 * (k // 5) for k in range(GRID.shape[2]))
    frames = []
    for delay_s in DELAYS:
        at = {s: arriving("PCASL", delay_s, late=s) for s in set(times)}
        by_slice = [at[s][..., k] for k, s in enumerate(times)]
        frames += frames_of(np.stack(by_slice, axis=-1), 1)
    stated = [delay_s for delay_s in DELAYS for _ in range(2)]
    facts = {**FACTS, "MRAcquisitionType": "2D", "SliceTiming": list(times)}
    assert_true_flow(flow({**facts, "PostLabelingDelay": stated}, frames))


def simulated(arrival_s: float, delay_s: float, *, like_blood: bool = False) -> np.ndarray:
    """What the simulator's kinetic model makes of flow 60 and 20, as a share of M0."""
    tables = scanner_tables()
    scanners = catalog(tables.tissues, tables.settings)
    how = replace(scanners.petmr[1].asl, pld_s=delay_s, label_duration_s=1.8)
    total = np.zeros(GRID.shape)
    parts = (("grey", SEEN.grey, 60.0, 0.0), ("white", SEEN.white, 20.0, 0.4))
    for key, share, level, later in parts:
        rate = np.full(GRID.shape, level, dtype=np.float32)
        arrival = np.full(GRID.shape, arrival_s + later, dtype=np.float32)
        tissue_of = scanners.tissues[key]
        made_of = replace(tissue_of, t1_s=T1_BLOOD_S) if like_blood else tissue_of
        total += share * asl_simulator.kinetic(rate, arrival, made_of, how, PARTITION) / made_of.pd
    return total


def test_the_simulator_and_the_fit_agree_though_neither_knows_the_other() -> None:
    frames = [f for d in DELAYS for f in frames_of(simulated(1.0, d), 1)]
    stated = [delay_s for delay_s in DELAYS for _ in range(2)]
    told = flow({**FACTS, "PostLabelingDelay": stated}, frames)
    assert_true_flow(told)


def test_one_delay_reads_low_where_tissue_relaxes_faster_than_blood() -> None:
    """Known of the consensus equation; it is the reason to scan several delays."""
    told = flow(FACTS, frames_of(simulated(1.0, 1.8)))
    assert 0.75 < told.levels["grey"] / 60 < 0.85
    assert 0.45 < told.levels["white"] / 20 < 0.7


def test_the_simulator_gives_60_and_20_where_its_tissue_relaxes_like_blood() -> None:
    """What the equation of one delay assumes; the simulator then knows nothing else."""
    assert_true_flow(flow(FACTS, frames_of(simulated(1.0, 1.8, like_blood=True))))


def test_m0_among_the_volumes_has_a_delay_of_zero() -> None:
    frames = [m0_of(SEEN), *frames_of(share_of(flow_of(SEEN)))]
    stated = {"PostLabelingDelay": [0, 1.8, 1.8, 1.8, 1.8], "LabelingDuration": [0, *[1.8] * 4]}
    told = made(asl(frames, {**FACTS, **stated}, grid=GRID), where=VIEW)
    assert_true_flow(told)
    assert told.source["numbers"]["RepetitionTimePreparation"]["value"] == 6.0
