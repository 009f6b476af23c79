"""SUV from weight, dose, units and decay: right by every vendor's rule, or none and said why.

Digital reference: a uniform body of which the true SUV is 1 everywhere has, at the reference time,
the activity dose x 2^(-uptake / half-life) / weight in every gram; whatever a header says rightly,
the factor must turn that number into 1.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from deid_cases import ENHANCED_PT, MR
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from suv_cases import (
    DOSE_BQ,
    FRAME_S,
    INJECTED,
    WEIGHT_KG,
    body,
    decay,
    over_frame,
    put,
)

from tracerless.deidentify import suv


@pytest.mark.parametrize("bed_s", [0.0, 183.784, 1285.969])
def test_a_body_of_suv_one_has_suv_one_in_every_bed(bed_s: float) -> None:
    dataset, activity = body(bed_s=bed_s)
    assert suv.factor(dataset) == pytest.approx(1 / activity, rel=1e-9)


@pytest.mark.parametrize(("keyword", "inflated"), [("Acquisition", 1.145), ("Content", 1.179)])
def test_the_wrong_clock_would_inflate_suv_and_is_not_used(keyword: str, inflated: float) -> None:
    """The last bed begins 1286 s and the file is written 1566 s after the series."""
    dataset, activity = body(bed_s=1285.969)
    right = suv.factor(dataset)
    assert right == pytest.approx(1 / activity, rel=1e-9)
    dataset.SeriesTime = dataset[f"{keyword}Time"].value
    wrong = 1 / activity / decay({"Acquisition": 1285.969, "Content": 1566.0}[keyword])
    assert wrong * activity == pytest.approx(inflated, abs=0.002)
    assert suv.factor(dataset) is None


@pytest.mark.parametrize("hours", [-3, -1, 1, 2])
def test_a_tool_that_moves_the_series_time_alone_leaves_no_suv(hours: int) -> None:
    dataset, _ = body()
    moved = INJECTED + timedelta(seconds=5024.678, hours=hours)
    put(dataset, "Series", moved)
    assert suv.factor(dataset) is None
    assert "SUV" in suv.judged(dataset).reason


def test_without_a_decay_factor_the_series_time_stands_alone() -> None:
    dataset, activity = body(bed_s=600)
    del dataset.DecayFactor
    assert suv.factor(dataset) == pytest.approx(1 / activity, rel=1e-9)


def test_a_decay_factor_that_leaves_out_the_frame_is_understood() -> None:
    dataset, activity = body(bed_s=600)
    dataset.DecayFactor = f"{1 / decay(600):.6f}"
    dataset.ActualFrameDuration = 1_200_000
    assert suv.factor(dataset) == pytest.approx(1 / activity, rel=1e-9)


def test_a_dose_corrected_to_its_injection_needs_no_clock() -> None:
    dataset, _ = body()
    dataset.DecayCorrection = "ADMIN"
    dataset.DecayFactor = f"{over_frame(FRAME_S) / decay(5024.678):.6f}"
    assert suv.factor(dataset) == pytest.approx(WEIGHT_KG * 1000 / DOSE_BQ, rel=1e-12)
    del dataset.SeriesTime, dataset.AcquisitionTime
    assert suv.factor(dataset) == pytest.approx(WEIGHT_KG * 1000 / DOSE_BQ, rel=1e-12)


def test_an_admin_correction_that_the_decay_factor_denies_is_refused() -> None:
    dataset, _ = body()  # its factor says: corrected to the start of the series
    dataset.DecayCorrection = "ADMIN"
    assert suv.factor(dataset) is None


def test_midnight_between_injection_and_scan_is_one_hour_and_not_minus_twenty_three() -> None:
    late = datetime(2018, 5, 3, 23, 30, 0)
    dataset, activity = body(uptake_s=3600, injected=late)
    assert dataset.SeriesDate == "20180504"
    assert suv.factor(dataset) == pytest.approx(1 / activity, rel=1e-9)
    drug = _drug(dataset)
    drug.RadiopharmaceuticalStartDateTime = "20180503233000.000000+0800"
    assert suv.factor(dataset) == pytest.approx(1 / activity, rel=1e-9)
    drug.RadiopharmaceuticalStartDateTime = "20180501233000"
    assert suv.factor(dataset) is None


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize("date", ["2018", "", "201805"])
def test_a_date_that_lost_its_day_is_no_date(date: str) -> None:
    dataset, _ = body()
    dataset.SeriesDate = date
    dataset.SeriesTime = "101500"
    assert suv.factor(dataset) is None


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize(("time", "seconds"), [("1139", 0), ("11", -39 * 60), ("11:39:00", 0)])
def test_a_time_without_seconds_is_not_read_as_another(time: str, seconds: int) -> None:
    dataset, activity = body()
    _drug(dataset).RadiopharmaceuticalStartTime = time
    assert suv.factor(dataset) == pytest.approx(1 / activity / decay(-seconds), rel=1e-9)


def test_two_statements_of_the_injection_must_agree() -> None:
    dataset, activity = body()
    _drug(dataset).RadiopharmaceuticalStartDateTime = "20180503113930"  # a hand and a clock
    half_a_minute = decay(-30)
    assert suv.factor(dataset) == pytest.approx(1 / activity / half_a_minute, rel=1e-9)
    _drug(dataset).RadiopharmaceuticalStartDateTime = "20180503033900"  # in another zone
    assert suv.factor(dataset) is None
    assert "contradict" in suv.judged(dataset).reason


def test_an_injection_in_another_zone_than_the_scan_is_refused() -> None:
    dataset, activity = body()
    del _drug(dataset).RadiopharmaceuticalStartTime
    _drug(dataset).RadiopharmaceuticalStartDateTime = "20180503113900+0800"
    assert suv.factor(dataset) is None
    dataset.TimezoneOffsetFromUTC = "+0800"
    assert suv.factor(dataset) == pytest.approx(1 / activity, rel=1e-9)
    dataset.TimezoneOffsetFromUTC = "+0000"
    assert "zone" in suv.judged(dataset).reason


def test_a_bed_after_midnight_is_later_and_not_a_day_earlier() -> None:
    before = datetime(2018, 5, 3, 22, 0, 0)
    dataset, activity = body(uptake_s=7000, bed_s=900, injected=before)
    assert (dataset.SeriesDate, dataset.AcquisitionDate) == ("20180503", "20180504")
    assert suv.factor(dataset) == pytest.approx(1 / activity, rel=1e-9)


@settings(deadline=None)
@given(days=st.integers(-4000, 4000))
def test_a_shift_of_all_dates_changes_nothing(days: int) -> None:
    one, activity = body(injected=INJECTED + timedelta(days=days))
    assert suv.factor(one) == pytest.approx(1 / activity, rel=1e-9)


@settings(deadline=None)
@given(uptake_s=st.floats(60, 20_000), bed_s=st.floats(0, 3000))
def test_every_uptake_time_gives_suv_one(uptake_s: float, bed_s: float) -> None:
    dataset, activity = body(uptake_s=round(uptake_s, 3), bed_s=round(bed_s, 3))
    assert suv.factor(dataset) == pytest.approx(1 / activity, rel=1e-5)


class Kind(NamedTuple):
    suv_type: str | None
    factor: float | None


@pytest.mark.parametrize("kind", [Kind(None, 1.0), Kind("BW", 1.0), Kind("LBM", None),
                                  Kind("BSA", None), Kind("LBMJANMA", None)])  # fmt: skip
def test_numbers_that_are_suv_already_are_so_by_weight_only(kind: Kind) -> None:
    dataset, _ = body()
    dataset.Units = "GML"
    if kind.suv_type is not None:
        dataset.SUVType = kind.suv_type
    assert suv.factor(dataset) == kind.factor


REFUSED: dict[str, Callable[[Dataset], object]] = {
    "enhanced": lambda d: setattr(d, "SOPClassUID", ENHANCED_PT),
    "no PET": lambda d: setattr(d, "SOPClassUID", MR),
    "unit": lambda d: setattr(d, "Units", "CM2ML"),
    "attenuation": lambda d: setattr(d, "CorrectedImage", ["DECY", "SCAT"]),
    "for decay": lambda d: setattr(d, "CorrectedImage", "ATTN"),
    "to one time": lambda d: setattr(d, "DecayCorrection", "NONE"),
    "weight": lambda d: setattr(d, "PatientWeight", 66_200),
    "body weight": lambda d: setattr(d, "PatientWeight", [66.2, 66.3]),
    "dose": lambda d: setattr(_drug(d), "RadionuclideTotalDose", 381.47),
    "half-life": lambda d: setattr(_drug(d), "RadionuclideHalfLife", 1.8),
    "one injection": lambda d: d.RadiopharmaceuticalInformationSequence.append(Dataset()),
    "time of injection": lambda d: delattr(_drug(d), "RadiopharmaceuticalStartTime"),
    "12 hours": lambda d: setattr(
        _drug(d), "RadiopharmaceuticalStartDateTime", "20180502113900"),
}  # fmt: skip


def _drug(dataset: Dataset) -> Dataset:
    return dataset.RadiopharmaceuticalInformationSequence[0]


@pytest.mark.parametrize("word", REFUSED)
def test_every_doubt_is_a_refusal_that_names_it_and_quotes_nothing(word: str) -> None:
    dataset, _ = body()
    REFUSED[word](dataset)
    found = suv.judged(dataset)
    assert found.factor is None
    assert word in found.reason
    for value in ("66", "381", "2018", "1139", "PLANTED", "Chen"):
        assert value not in found.reason


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@settings(deadline=None)
@given(st.data())
def test_no_header_makes_it_raise(data: st.DataObject) -> None:
    dataset, _ = body()
    keywords = ("Units", "SeriesTime", "AcquisitionTime", "SeriesDate", "DecayCorrection")
    for keyword in data.draw(st.sets(st.sampled_from(keywords))):
        setattr(dataset, keyword, data.draw(st.sampled_from(["", "x", "0", "BQML", "999999"])))
    found = suv.judged(dataset)
    assert found.factor is None or found.factor > 0
