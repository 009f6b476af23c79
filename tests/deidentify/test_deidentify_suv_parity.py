"""Three codes judge SUV: at the border, on its fast path, and in the proof. They say the same."""

from collections.abc import Callable
from pathlib import Path

import pytest
from deid_cases import PT, base, reread, stored
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from splice_cases import PROFILES, agree

from tracerless.deidentify import proof_scan, proof_suv, splice, suv

FIELDS: dict[str, tuple[object, ...]] = {
    "Units": ("BQML", "CNTS", "GML"),
    "DecayCorrection": ("START", "ADMIN", "NONE"),
    "SeriesTime": ("092000.5", "091000", "094500", "235900"),
    "AcquisitionTime": ("092000.5", "093500", "080000"),
    "DecayFactor": (None, "1", "1.03206", "1.0994", "1.5"),
    "ActualFrameDuration": (None, 0, 600000),
    "PatientWeight": (None, 61.5, 61500),
    "RescaleSlope": ("1.25", "2.5"),
    "AcquisitionDate": (None, "20180503", "20180504"),
    "TimezoneOffsetFromUTC": (None, "+0800"),
}
INJECTED: dict[str, tuple[object, ...]] = {
    "RadiopharmaceuticalStartTime": (None, "081500", "201500"),
    "RadiopharmaceuticalStartDateTime": (
        None, "20180503081500", "20180503081530.5+0800", "20180503001500+0000", "20180502201500",
        "20180503", "201805030815",
    ),
}  # fmt: skip
"""What a slice may state; None: nothing."""


CHOICES = st.fixed_dictionaries(
    {name: st.sampled_from(many) for name, many in (FIELDS | INJECTED).items()}
)


def body(choice: dict[str, object]) -> Dataset:
    dataset = base(PT)
    dataset.CorrectedImage = ["ATTN", "DECY"]
    dataset.AcquisitionDate = dataset.SeriesDate
    drug = dataset.RadiopharmaceuticalInformationSequence[0]
    for keyword, value in choice.items():
        place = drug if keyword in INJECTED else dataset
        if value is not None:
            setattr(place, keyword, value)
        elif keyword in place:
            delattr(place, keyword)
    return dataset


def vendors(dataset: Dataset) -> None:
    """Fields of three vendors, each of which could change the answer."""
    dataset.private_block(0x7053, "Philips PET Private Group", create=True).add_new(
        0x00, "DS", "0.0123"
    )
    dataset.private_block(0x0009, "GEMS_PETD_01", create=True).add_new(0x0D, "DT", "20180503091000")


def nothing(_: Dataset) -> None:
    """A slice without vendor fields."""


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    choices=st.lists(CHOICES, min_size=1, max_size=4),
    change=st.sampled_from([nothing, vendors]),
)
def test_the_fast_path_writes_what_the_slow_one_writes(
    choices: list[dict[str, object]],
    change: Callable[[Dataset], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    place: Path = tmp_path_factory.mktemp("parity")
    memo = splice.Memo()
    for choice in choices:
        dataset = body(choice)
        change(dataset)
        agree(stored(dataset), place, PROFILES["seed"], memo)


@settings(max_examples=150, deadline=None)
@given(CHOICES)
def test_the_proof_expects_no_other_suv_than_the_border_gives(choice: dict[str, object]) -> None:
    """It may know of none where the border does (units of vendors); never of another."""
    content = stored(body(choice))
    expected = proof_suv.suv_factor(proof_scan.scan(content).body)
    found = suv.factor(reread(content))
    assert expected is None or found == pytest.approx(expected, rel=1e-9)
    if choice["Units"] == "BQML":
        assert (found is None) is (expected is None)


def test_plain_slices_go_fast_and_vendor_units_go_slowly(tmp_path: Path) -> None:
    plain = {"DecayFactor": "1.03206", "PatientWeight": 61.5, "AcquisitionTime": "092000.5"}
    assert agree(stored(body(plain)), tmp_path, PROFILES["seed"], splice.Memo())
    counts = body({**plain, "Units": "CNTS"})
    vendors(counts)
    assert not agree(stored(counts), tmp_path, PROFILES["seed"], splice.Memo())
