"""Flow in mL/100 g/min: what is known comes back, and every number says where it is from."""

import json
import math
from typing import Any

import numpy as np
import pytest
from prepare_asl_phantom import (
    FACTS,
    PARTITION,
    T1_BLOOD_S,
    asl,
    flow_of,
    m0_of,
    made,
    scanned,
    share_of,
    volume,
)
from prepare_asl_small import (
    GRID,
    M0,
    PASL,
    SEEN,
    VIEW,
    assert_true_flow,
    flow,
    frames_of,
)

from tracerless.core.session import NativeSeries
from tracerless.core.volume import Contrast, Quantity
from tracerless.prepare import perfusion
from tracerless.prepare.asl_facts import Ledger, protocol

pytestmark = pytest.mark.usefixtures("_aligned_once")


def test_pseudo_continuous_labeling_gives_60_and_20() -> None:
    assert_true_flow(flow(FACTS))


def test_continuous_labeling_has_its_own_efficiency() -> None:
    told = flow({**FACTS, "ArterialSpinLabelingType": "CASL"})
    assert math.isclose(told.levels["grey"], 60 * 0.85 / 0.68, rel_tol=0.05)


def test_pulsed_labeling_gives_60_and_20() -> None:
    share = 2 * 0.98 * 0.7 * flow_of(SEEN) / (6000 * PARTITION) * math.exp(-1.8 / T1_BLOOD_S)
    assert_true_flow(flow(PASL, frames_of(share)))


def test_late_slices_of_a_2d_readout_are_not_taken_for_low_flow() -> None:
    times = tuple(0.05 * k for k in range(GRID.shape[2]))
    frames = scanned(2, slice_times_s=times, grid=GRID)
    facts = {**FACTS, "MRAcquisitionType": "2D", "SliceTiming": list(times)}
    assert_true_flow(flow(facts, frames))
    plain = flow(FACTS, frames)  # negative control: the same volumes taken for a 3D readout
    assert plain.levels["grey"] < 52


def test_a_short_recovery_of_m0_is_put_right() -> None:
    seconds = 2.0
    short = m0_of(SEEN) * (1 - math.exp(-seconds / 1.33))
    m0 = NativeSeries(
        Contrast.M0,
        (volume(short, Contrast.M0, GRID),),
        "frame",
        {"RepetitionTimePreparation": seconds},
    )
    told = made(asl(frames_of(share_of(flow_of(SEEN))), FACTS, grid=GRID), m0, where=VIEW)
    assert_true_flow(told)
    assert told.source["numbers"]["T1Tissue"]["value"] == 1.33


@pytest.mark.parametrize("seconds", [0, -1.0, 2540, math.nan, "2"])
def test_an_impossible_recovery_time_gives_relative_flow_never_zeros(seconds: object) -> None:
    """ASLPrep issue 654: a recovery time of 0 gave maps of zeros without a word."""
    m0 = NativeSeries(Contrast.M0, M0.volumes, "frame", {"RepetitionTimePreparation": seconds})
    told = made(asl(frames_of(share_of(flow_of(SEEN))), FACTS, grid=GRID), m0, where=VIEW)
    assert told.volume.quantity is Quantity.SIGNAL
    assert "RepetitionTimePreparation" in told.source["why_relative"][0]
    inside = told.volume.array[VIEW.grey]
    assert np.isfinite(inside).all()
    assert (inside > 0).all()
    assert any(each.needs_look for each in told.doubts)


def test_a_recovery_time_in_milliseconds_is_guessed_aloud_but_not_used() -> None:
    m0 = NativeSeries(Contrast.M0, M0.volumes, "frame", {"RepetitionTimePreparation": 2540})
    told = made(asl(frames_of(share_of(flow_of(SEEN))), FACTS, grid=GRID), m0, where=VIEW)
    assert "milliseconds" in told.source["why_relative"][0]


GE = {**FACTS, "Manufacturer": "GE MEDICAL SYSTEMS", "PostLabelingDelay": 2.025}


def ge_session(**facts: object) -> perfusion.Flow:
    """A difference times 32 x 3 beside M0 two seconds after saturation; efficiency 0.6."""
    young, old = 2.025 / T1_BLOOD_S, (2.025 + 1.8) / T1_BLOOD_S
    bolus = T1_BLOOD_S * (math.exp(-young) - math.exp(-old))
    share = 2 * 0.6 * flow_of(SEEN) / (6000 * PARTITION) * bolus
    short = m0_of(SEEN) * (1 - math.exp(-2.0 / 1.33))
    difference = volume(96 * m0_of(SEEN) * share, Contrast.DELTAM, GRID)
    stated = {**GE, "RepetitionTimePreparation": 4.886, **facts}
    return made(
        NativeSeries(Contrast.DELTAM, (difference,), "frame", stated),
        NativeSeries(Contrast.M0, (volume(short, Contrast.M0, GRID),), "frame", stated),
        where=VIEW,
    )


def test_ge_difference_and_m0_by_the_conventions_of_its_product() -> None:
    told = ge_session(AslScale=96)
    assert_true_flow(told)
    assert told.source["numbers"]["RepetitionTimePreparation"]["value"] == 2.0
    assert told.source["numbers"]["LabelingEfficiency"]["value"] == 0.6


def test_ge_difference_without_its_scale_stays_relative() -> None:
    told = ge_session()
    assert told.volume.quantity is Quantity.SIGNAL
    assert any("AslScale" in reason for reason in told.source["why_relative"])


def test_a_site_file_overrules_the_recovery_that_ge_is_known_for() -> None:
    origins = {"RepetitionTimePreparation": "site file"}
    told = ge_session(AslScale=96, RepetitionTimePreparation=6.0, ValueOrigins=origins)
    assert told.source["numbers"]["RepetitionTimePreparation"]["value"] == 6.0
    assert math.isclose(told.levels["grey"], 60 / (1 - math.exp(-2.0 / 1.33)), rel_tol=0.05)


def test_every_number_that_went_in_is_shown_with_its_origin() -> None:
    origins = {"PostLabelingDelay": "site file", "LabelingDuration": "header before the border"}
    told = flow({**FACTS, "ValueOrigins": origins, "BackgroundSuppressionNumberPulses": 2})
    numbers = told.source["numbers"]
    assert numbers["PostLabelingDelay"] == {"value": 1.8, "unit": "s", "origin": "site file"}
    assert numbers["LabelingDuration"]["origin"] == "header before the border"
    assert numbers["Partition"]["origin"].startswith("default")
    assert "exp(PLD / T1b)" in told.source["equation"]
    json.dumps(told.source)


def test_the_shown_numbers_alone_give_the_shown_flow() -> None:
    """Anybody can repeat the sum by hand from what is written down."""
    told = flow({**FACTS, "BackgroundSuppressionNumberPulses": 3})
    n = {name: row["value"] for name, row in told.source["numbers"].items()}
    alpha = n["LabelingEfficiency"] * n["PulseEfficiency"] ** n["BackgroundSuppressionNumberPulses"]
    bolus = n["T1Blood"] * (1 - math.exp(-n["LabelingDuration"] / n["T1Blood"]))
    decay = math.exp(n["PostLabelingDelay"] / n["T1Blood"])
    by_hand = 6000 * n["Partition"] * share_of(flow_of(SEEN)) * decay / (2 * alpha * bolus)
    assert np.allclose(told.volume.array[VIEW.grey], by_hand[VIEW.grey], rtol=1e-3)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"PostLabelingDelay": 0.2}, "PostLabelingDelay=0.2"),
        ({"PostLabelingDelay": 1800}, "milliseconds"),
        ({"PostLabelingDelay": 0}, "PostLabelingDelay=0"),
        ({"PostLabelingDelay": math.nan}, "is not a number"),
        ({"PostLabelingDelay": "1.8"}, "PostLabelingDelay='1.8' (sidecar) is not a number"),
        ({"PostLabelingDelay": [1.8, 1.8]}, "PostLabelingDelay lists 2"),
        ({"PostLabelingDelay": [1.8, 1.5, 1.8, 1.5]}, "differs between the control and the label"),
        ({"LabelingDuration": 0.0}, "LabelingDuration=0"),
        ({"LabelingDuration": [1.8, 1.8, 1.4, 1.4]}, "LabelingDuration differs"),
        ({"ArterialSpinLabelingType": "VSASL"}, "ArterialSpinLabelingType"),
        ({"MagneticFieldStrength": 7.0}, "MagneticFieldStrength"),
        ({"MRAcquisitionType": "2D"}, "SliceTiming"),
        ({"MRAcquisitionType": "2D", "SliceTiming": [0.0, 0.1]}, "SliceTiming"),
        ({"LabelingEfficiency": 85}, "LabelingEfficiency"),
        ({"AslScale": 0}, "AslScale"),
    ],
)
def test_a_wrong_or_missing_fact_gives_relative_flow_and_is_named(
    change: dict[str, Any], named: str
) -> None:
    told = flow({**FACTS, **change})
    assert told.volume.quantity is Quantity.SIGNAL
    assert any(named in reason for reason in told.source["why_relative"])
    assert np.nanmedian(told.volume.array[VIEW.grey]) > 0


@pytest.mark.parametrize("name", sorted(set(FACTS) - {"BackgroundSuppression"}))
def test_no_needed_fact_is_made_up(name: str) -> None:
    facts = {key: value for key, value in FACTS.items() if key != name}
    told = flow(facts)
    if name == "RepetitionTimePreparation":  # that of the M0 series counts
        assert told.volume.quantity is Quantity.CBF
        return
    assert told.volume.quantity is Quantity.SIGNAL
    assert name in told.source["why_relative"][0]
    assert [each.needs_look for each in told.doubts] == [False]


@pytest.mark.parametrize("name", ["BolusCutOffDelayTime", "BolusCutOffFlag"])
def test_a_pulsed_bolus_of_unknown_width_gives_relative_flow(name: str) -> None:
    share = share_of(flow_of(SEEN))
    facts = {**PASL, name: False if name == "BolusCutOffFlag" else None}
    told = flow(facts, frames_of(share))
    assert any(name in reason for reason in told.source["why_relative"])


def test_implausible_flow_is_given_as_relative_with_the_reason() -> None:
    told = flow(FACTS, frames_of(share_of(flow_of(SEEN)) * 2.5))
    assert "median flow of grey matter is 1" in told.source["why_relative"][0]
    flat = flow(FACTS, frames_of(share_of(40 * (SEEN.grey + SEEN.white))))
    assert "grey over white" in flat.source["why_relative"][0]


def test_a_complete_protocol_has_no_doubts_and_an_empty_one_names_all_that_lacks() -> None:
    series = asl(frames_of(share_of(flow_of(SEEN))), FACTS, grid=GRID)
    fine = Ledger(series.sidecar)
    assert protocol(series, fine) is not None
    assert not fine.doubts
    bare = Ledger({})
    assert protocol(series, bare) is None
    named = " ".join(each.reason for each in bare.doubts)
    for name in ("ArterialSpinLabelingType", "PostLabelingDelay", "LabelingDuration",
                 "MagneticFieldStrength", "MRAcquisitionType"):  # fmt: skip
        assert name in named
