"""Vendors' own fields: what they add where standard ones fall short, and may not change."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from pydicom import Dataset
from suv_cases import INJECTED, WEIGHT_KG, body, put

from tracerless.deidentify import suv


def siemens(dataset: Dataset, moment: datetime) -> None:
    block = dataset.private_block(0x0071, "SIEMENS MED PT", create=True)
    block.add_new(0x22, "DT", f"{moment:%Y%m%d%H%M%S}.{moment.microsecond:06d}")


def ge(dataset: Dataset, moment: datetime) -> None:
    block = dataset.private_block(0x0009, "GEMS_PETD_01", create=True)
    block.add_new(0x0D, "DT", f"{moment:%Y%m%d%H%M%S}.{moment.microsecond:06d}")


@pytest.mark.parametrize("vendor", [siemens, ge])
@pytest.mark.parametrize("is_confirmed", [True, False])
def test_a_series_made_again_later_takes_the_vendors_own_reference_time(
    vendor: Callable[[Dataset, datetime], None], *, is_confirmed: bool
) -> None:
    """Reprocessing writes a new series time, after the acquisition."""
    dataset, activity = body(bed_s=400)
    put(dataset, "Series", INJECTED + timedelta(days=2))
    drug = dataset.RadiopharmaceuticalInformationSequence[0]
    drug.RadiopharmaceuticalStartDateTime = f"{INJECTED:%Y%m%d%H%M%S}"
    assert suv.factor(dataset) is None
    off = timedelta(0) if is_confirmed else timedelta(seconds=300)
    vendor(dataset, INJECTED + timedelta(seconds=5024.678) + off)
    expected = pytest.approx(1 / activity, rel=1e-9) if is_confirmed else None
    assert suv.factor(dataset) == expected
    assert not suv.is_plain(dataset)


def philips(dataset: Dataset, suv_per_count: float | None, bqml_per_count: float | None) -> None:
    dataset.Units = "CNTS"
    block = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
    for offset, number in ((0x00, suv_per_count), (0x09, bqml_per_count)):
        if number is not None:
            block.add_new(offset, "DS", f"{number:.12g}")


def test_philips_counts_become_suv_by_either_factor() -> None:
    bqml_per_count = 7.5
    for first, second in ((True, False), (False, True), (True, True)):
        dataset, activity = body()
        suv_per_count = bqml_per_count / activity
        philips(dataset, suv_per_count if first else None, bqml_per_count if second else None)
        assert suv.factor(dataset) == pytest.approx(suv_per_count, rel=1e-9)
        assert not suv.is_plain(dataset)


def test_philips_factors_that_contradict_weight_and_dose_are_refused() -> None:
    dataset, activity = body()
    philips(dataset, 7.5 / activity * 1.1, 7.5)
    assert suv.factor(dataset) is None
    assert "contradicts" in suv.judged(dataset).reason


def test_vendor_fields_of_a_type_that_an_archive_forgot_are_read_as_text() -> None:
    dataset, activity = body(bed_s=400)
    dataset.Units = "CNTS"
    block = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
    block.add_new(0x09, "UN", b"7.5 ")
    assert suv.factor(dataset) == pytest.approx(7.5 / activity, rel=1e-9)
    again, activity = body(bed_s=400)
    began = again.SeriesDate + again.SeriesTime
    del again.SeriesTime
    assert not suv.is_plain(again)
    block = again.private_block(0x0071, "SIEMENS MED PT", create=True)
    block.add_new(0x22, "UN", str(began).encode() + b"\0")
    assert suv.factor(again) == pytest.approx(1 / activity, rel=1e-9)


def test_counts_of_nobody_are_judged_by_the_vendors_factor_alone() -> None:
    dataset, _ = body()
    philips(dataset, 0.0042, 7.5)
    del dataset.PatientWeight
    assert suv.factor(dataset) == 0.0042
    del dataset.CorrectedImage
    assert suv.factor(dataset) is None


def test_a_factor_that_crossed_comes_before_what_is_left_of_the_header() -> None:
    dataset, activity = body()
    unit, mapping = Dataset(), Dataset()
    unit.CodeValue = "g/ml{SUVbw}"
    mapping.MeasurementUnitsCodeSequence = [unit]
    mapping.RealWorldValueSlope = 2.5 * 1.25  # the rescale slope is 1.25
    dataset.RealWorldValueMappingSequence = [mapping]
    found = suv.present(dataset)
    assert (found.factor, found.origin) == (2.5, "header")
    del dataset.PatientWeight
    assert suv.present(dataset).origin == "header before the border"
    unit.CodeValue = "{SUVlbm}g/ml"
    assert suv.present(dataset).factor is None
    dataset.PatientWeight = WEIGHT_KG
    assert suv.present(dataset).factor == pytest.approx(1 / activity)


def test_a_philips_factor_of_zero_is_a_missing_weight() -> None:
    dataset, _ = body()
    philips(dataset, 0.0, None)
    assert suv.factor(dataset) is None


def test_where_standard_attributes_decide_no_vendor_is_asked() -> None:
    dataset, activity = body()
    assert suv.is_plain(dataset)
    siemens(dataset, INJECTED)  # another time, but the series' own is confirmed
    assert suv.factor(dataset) == pytest.approx(1 / activity, rel=1e-9)
    for units, how in (("GML", "START"), ("BQML", "ADMIN")):
        dataset.Units, dataset.DecayCorrection = units, how
        assert suv.is_plain(dataset)
