"""Values that cross as others: dates that move, texts that lose words, ages that are capped."""

from datetime import date, timedelta

import pytest
from deid_cases import MR, PT, base
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset

from tracerless.core.people import Pseudonym
from tracerless.core.volume import Contrast
from tracerless.deidentify import CleanIdentity, CleanInstance, Keys, Profile, instance, suv
from tracerless.deidentify.change import capped_age
from tracerless.deidentify.dates import shifted, year_only
from tracerless.deidentify.descriptors import cleaned
from tracerless.deidentify.keys import FURTHEST_DAYS, shift_days
from tracerless.deidentify.known import KnownValues, known_values, readings
from tracerless.deidentify.patterns import identifies, is_national_id, scrubbed
from tracerless.io import profiles

NOBODY = KnownValues(frozenset(), frozenset())
WORDS = frozenset({"t1", "mprage", "w", "腦", "橫切", "brain", "ax", "mm"})
KEYS = Keys.from_secret(b"\x01" * 32)
DAYS = st.dates(date(1900, 1, 1), date(2100, 1, 1))
OFFSETS = st.integers(-FURTHEST_DAYS, -1)


@given(DAYS, DAYS, OFFSETS)
def test_whole_days_between_two_dates_stay(first: date, second: date, days: int) -> None:
    moved = [shifted(f"{each:%Y%m%d}", days) or "" for each in (first, second)]
    assert [date.fromisoformat(each) for each in moved] == [
        first + timedelta(days=days),
        second + timedelta(days=days),
    ]


@given(DAYS, OFFSETS, st.sampled_from(["", "101112", "101112.123456", "101112.5+0800"]))
def test_the_time_of_day_never_moves(day: date, days: int, time: str) -> None:
    moved = shifted(f"{day:%Y%m%d}{time}", days)
    assert moved is not None
    assert moved[8:] == time


@pytest.mark.parametrize("text", ["", "2018", "20180000", "201805", "Chen", "99999999"])
def test_what_is_no_whole_date_does_not_move(text: str) -> None:
    assert shifted(text, -10) is None


def test_of_a_year_nothing_else_stays() -> None:
    assert year_only("20180503101112.5+0800") == "20180101"
    assert year_only("201") is None


@given(st.text("ABCDEFGHJK", min_size=4, max_size=12))
def test_the_offset_of_a_person_is_the_same_and_never_nothing(text: str) -> None:
    days = shift_days(KEYS.date, Pseudonym(text))
    assert days == shift_days(KEYS.date, Pseudonym(text))
    assert -FURTHEST_DAYS <= days <= -1


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("t1_mprage_sag_p2_iso", "t1 mprage"),
        ("AX T1 1.5mm", "AX T1 1.5mm"),
        ("Brain for Dr. Chen 12345678", "Brain"),
        ("T1W 3D", "T1W"),
        ("王大明腦部橫切 107年", "腦 橫切"),
        ("D123 A123456789", ""),
        ("", ""),
    ],
)
def test_only_known_words_stay(text: str, kept: str) -> None:
    words = cleaned(text, WORDS, NOBODY).split()
    assert [w for w in words if w in kept.split()] == kept.split()
    assert not {"chen", "dr", "王大明", "12345678", "a123456789", "d123"} & {
        w.lower() for w in words
    }


@given(st.text(max_size=40))
def test_a_cleaned_text_holds_nothing_but_the_vocabulary_and_short_numbers(text: str) -> None:
    for word in cleaned(text, frozenset(), NOBODY).split():
        assert sum(sign.isdigit() for sign in word) <= 3 or "." in word


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("OSEM 陳怡君", "OSEM"),
        ("XYZ 12345678", "XYZ"),
        ("N4_VE11C_LATEST_20160120", "N4_VE11C_LATEST_20160120"),
        ("call 0912-345-678", "call"),
        ("PSF+TOF 4i21s", "PSF+TOF 4i21s"),
        ("12345678", ""),
    ],
)
def test_a_machine_writes_neither_chinese_nor_chart_numbers(text: str, left: str) -> None:
    assert scrubbed(text) == left


def test_a_known_name_goes_even_when_it_is_a_word_of_the_vocabulary() -> None:
    known = KnownValues(frozenset({"brain"}), frozenset())
    assert cleaned("Brain T1", WORDS, known) == "T1"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A123456789", True),
        ("id A123456788 is no valid number", False),
        ("call 0912-345-678", True),
        ("(02) 2871-2121", True),
        ("民國107年5月3日", True),
        ("mail me@example.org", True),
        ("syngo MR E11", False),
        ("N4_VE11C_LATEST_20160120", False),
        ("HeadNeck_64", False),
    ],
)
def test_taiwanese_forms_identify_by_themselves(text: str, *, found: bool) -> None:
    assert identifies(text, is_typed=False) is found


@pytest.mark.parametrize("text", ["1070503", "12345678", "2018/5/3", "107.05.03"])
def test_long_numbers_and_dates_identify_where_people_type(text: str) -> None:
    assert identifies(text, is_typed=True)
    assert not identifies(text, is_typed=False)


@given(st.integers(0, 25), st.integers(0, 99_999_999), st.sampled_from("12"))
def test_exactly_one_check_digit_of_ten_is_valid(letter: int, number: int, sex: str) -> None:
    start = chr(ord("A") + letter) + sex + f"{number:08d}"[:7]
    assert sum(is_national_id(start + digit) for digit in "0123456789") == 1


@pytest.mark.parametrize("encoding", ["utf-8", "cp950", "gb18030"])
def test_a_chinese_name_is_found_under_a_wrong_label(encoding: str) -> None:
    name = "王大明"
    dataset = Dataset()
    dataset.PatientName = name.encode(encoding).decode("latin-1")
    known = known_values(dataset, (0x00100010,))
    assert name in readings(name.encode(encoding).decode("latin-1"))
    assert known.occur_in(f"腦部 {name} 檢查")
    assert known.occur_in(f"for {name}".encode("cp950").decode("latin-1"))
    assert not known.occur_in("腦部檢查")


def test_a_birth_date_is_found_in_the_taiwanese_calendar() -> None:
    dataset = Dataset()
    dataset.PatientBirthDate = "19520503"
    known = known_values(dataset, (0x00100030,))
    assert known.occur_in("生日 41年5月3日")
    assert known.occur_in("0410503")
    assert not known.occur_in("42年5月3日")


def test_ages_above_the_cap_become_the_cap() -> None:
    assert [capped_age(a, 90) for a in ("089Y", "090Y", "097Y", "011M")] == [
        "089Y", "090Y", "090Y", "011M",
    ]  # fmt: skip


def with_dose() -> Dataset:
    dataset = base(PT)
    dataset.CorrectedImage = ["DECY", "ATTN", "SCAT"]
    dataset.PatientWeight = 70
    dataset.AcquisitionDate, dataset.AcquisitionTime = dataset.SeriesDate, dataset.SeriesTime
    return dataset


def test_the_suv_factor_follows_from_weight_dose_and_decay() -> None:
    dataset = with_dose()  # injected 08:15:00, series at 09:20:00.5, half-life 6586.2 s
    decay = 2 ** (-3900.5 / 6586.2)
    assert suv.factor(dataset) == pytest.approx(70_000 / (370e6 * decay), rel=1e-12)
    dataset.DecayCorrection = "ADMIN"
    assert suv.factor(dataset) == pytest.approx(70_000 / 370e6, rel=1e-12)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("Units", "CNTS"),
        ("CorrectedImage", ["DECY"]),
        ("PatientWeight", None),
        ("DecayCorrection", "NONE"),
        ("SeriesTime", "235959"),
        ("AcquisitionTime", "080000"),
    ],
)
def test_a_doubtful_suv_is_none(keyword: str, value: object) -> None:
    dataset = with_dose()
    setattr(dataset, keyword, value)
    assert suv.factor(dataset) is None


def crossed(dataset: Dataset, profile: str) -> Dataset:
    policy = Profile.parse(profile, profiles.read(profile))
    person = CleanIdentity(Pseudonym("K123456789"), "01", -1000)
    made = instance(dataset, profile=policy, keys=KEYS, person=person, contrast=Contrast.FDG)
    assert isinstance(made, CleanInstance)
    return made.dataset


@pytest.mark.parametrize("profile", profiles.names())
def test_suv_survives_every_profile(profile: str) -> None:
    dataset = with_dose()
    clean = crossed(dataset, profile)
    after = suv.factor(clean) or suv.carried(clean)
    assert after == pytest.approx(suv.factor(dataset), rel=1e-9)


def test_a_profile_that_keeps_the_weight_carries_no_second_factor() -> None:
    assert suv.carried(crossed(with_dose(), "research")) is None


def test_nothing_else_gets_a_mapping() -> None:
    assert "RealWorldValueMappingSequence" not in crossed(base(MR), "seed")
