"""Every shipped policy: whole, reasoned in two languages, and true to what it promises."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from policy_cases import NAMES, TABLES, rows
from pydicom import Dataset
from pydicom.datadict import dictionary_VR

from tracerless.deidentify.actions import Action, Dates, Rule
from tracerless.deidentify.known import fold
from tracerless.deidentify.profile import Profile

PROFILES = {name: Profile.parse(name, TABLES[name]) for name in NAMES}
CJK = re.compile(r"[\u4e00-\u9fff]")
DATES = {
    "seed": {Action.KEEP},
    "seed-strict": {Action.SHIFT},
    "ps315-basic": set(),
    "research": {Action.SHIFT},
    "safe-harbor": {Action.YEAR},
}
CONFLICTS = """
    StudyDate SeriesDate AcquisitionDate ContentDate StudyTime SeriesTime AcquisitionTime
    ContentTime ReferencedPerformedProcedureStepSequence RequestingService
    RequestedProcedureDescription PerformedStationName PerformedLocation
    PerformedProcedureStepStartDate PerformedProcedureStepStartTime PerformedProcedureStepID
    PerformedProcedureStepDescription
"""
SURNAMES = """
    CHEN LIN HUANG CHANG LI LEE WANG WU LIU TSAI YANG HSU CHENG HSIEH KUO HUNG CHIU TSENG LIAO
    LAI CHOU YEH SU CHUANG LU CHIANG HO HSIAO LO KAO PAN CHIEN CHU CHUNG PENG YU CHAN HU SHIH
    SHEN TANG LIANG YEN SUN WEN FANG KO 陳 林 黃 張 李 王 吳 劉 蔡 楊 許 鄭 謝 郭 洪 邱 曾 廖 賴
    徐 周 葉 蘇 莊 呂 江 何 蕭 羅 高 潘 簡 朱 鍾 彭 游
"""


@pytest.fixture(params=NAMES)
def profile(request: pytest.FixtureRequest) -> Profile:
    return PROFILES[request.param]


def rules(profile: Profile) -> Iterator[Rule]:
    for by_tag in profile.by_class.values():
        yield from by_tag.values()


def test_five_policies_are_shipped() -> None:
    assert set(NAMES) == set(DATES)


def test_every_row_of_every_table_has_a_reason_in_both_languages() -> None:
    for name in NAMES:
        for table in TABLES[name]:
            for row in rows(name, table):
                if "reason_zh" in row:
                    assert row["reason_en"].strip(), (table, row)
                    assert CJK.search(row["reason_zh"]), (table, row)
                    assert row["reason_en"].isascii(), (table, row)


def test_claims_and_options_speak_both_languages(profile: Profile) -> None:
    assert profile.claim_en.isascii()
    assert CJK.search(profile.claim_zh)
    assert all(CJK.search(row["meaning_zh"]) for row in rows("seed", "options"))


def test_the_seed_is_the_table_as_written() -> None:
    table = rows("seed", "seed")
    counts = Counter(row["action"] for row in table)
    assert counts == {"keep": 82, "remove": 21, "hash_uid": 4}
    assert len(table) == 107
    assert len({row["tag"] for row in table}) == 106


def test_no_name_of_a_person_crosses(profile: Profile) -> None:
    for rule in rules(profile):
        if dictionary_VR(rule.tag) == "PN":
            assert rule.action in (Action.REMOVE, Action.EMPTY, Action.PSEUDONYM, Action.DUMMY)


def test_dates_meet_what_the_policy_says_of_dates(profile: Profile) -> None:
    gone = {Action.REMOVE, Action.EMPTY, Action.DUMMY}
    found = {r.action for r in rules(profile) if dictionary_VR(r.tag) in ("DA", "DT")}
    assert found - gone == DATES[profile.name]
    assert (profile.dates is Dates.REMOVE) == (profile.name == "ps315-basic")


def test_times_of_day_are_kept_or_gone_and_never_moved(profile: Profile) -> None:
    allowed = {Action.KEEP, Action.REMOVE, Action.EMPTY, Action.DUMMY}
    assert {r.action for r in rules(profile) if dictionary_VR(r.tag) == "TM"} <= allowed


def test_what_an_object_requires_is_never_removed(profile: Profile) -> None:
    classes = {kind: uid for uid, kind in profile.technical.items()}
    for row in rows(profile.name, "types"):
        rule = profile.rule(classes[row["technical"]], int(row["tag"], 16))
        assert rule is not None, row
        assert rule.action is not Action.REMOVE, row


def test_a_required_patient_sex_or_serial_number_leaves_no_value_behind() -> None:
    profile = PROFILES["ps315-basic"]
    enhanced = next(uid for uid, kind in profile.technical.items() if kind == "enhanced_mr")
    actions = {r.keyword: r.action for r in profile.by_class[enhanced].values()}
    assert actions["PatientSex"] is Action.EMPTY
    assert actions["DeviceSerialNumber"] is Action.DUMMY


def test_seed_strict_settles_exactly_the_17_conflicts() -> None:
    own = rows("seed-strict", "actions")
    assert sorted(row["keyword"] for row in own) == sorted(CONFLICTS.split())
    codes = {row["keyword"]: row["basic"] for row in rows("seed", "ps315")}
    seed = {row["keyword"]: row["action"] for row in rows("seed", "seed")}
    for row in own:
        assert codes[row["keyword"]]  # E.1-1 has a word against what the table keeps
        assert seed[row["keyword"]] == "keep"
        vr = dictionary_VR(int(row["tag"], 16))
        assert row["action"] == {"DA": "shift", "TM": "keep"}.get(vr, "remove")


def test_table_e_1_1_holds_only_codes_of_the_standard() -> None:
    table = rows("seed", "ps315")
    basic = {"X", "Z", "D", "U", "X/Z", "X/D", "X/Z/D", "Z/D", "X/Z/U"}
    options = [row["column"] for row in rows("seed", "options") if row["column"]]
    assert {row["basic"] for row in table} <= basic
    assert {row[column] for row in table for column in options} == {"", "K", "C"}
    assert len({row["tag"] for row in table}) == len(table)


@pytest.mark.parametrize(
    ("keyword", "basic", "column", "letter"),
    [
        ("PatientName", "Z", "patient", ""),
        ("PatientID", "Z/D", "patient", ""),
        ("PatientAge", "X", "patient", "K"),
        ("StudyDate", "Z", "full_dates", "K"),
        ("StudyDate", "Z", "modified_dates", "C"),
        ("SeriesDescription", "X", "descriptors", "C"),
        ("SOPInstanceUID", "U", "uids", "K"),
        ("DeviceSerialNumber", "X/Z/D", "device", "K"),
        ("InstitutionName", "X/Z/D", "institution", "K"),
        ("FrameAcquisitionDateTime", "D", "modified_dates", "C"),
    ],
)
def test_table_e_1_1_says_what_the_standard_says(
    keyword: str, basic: str, column: str, letter: str
) -> None:
    row = next(r for r in rows("seed", "ps315") if r["keyword"] == keyword)
    assert (row["basic"], row[column]) == (basic, letter)


def test_only_declared_options_are_stamped() -> None:
    stamped = {name: {code for code, _ in PROFILES[name].codes} for name in NAMES}
    assert not stamped["seed"] | stamped["seed-strict"]
    assert stamped["ps315-basic"] == {"113100"}
    assert "113107" not in stamped["safe-harbor"]
    assert {"113100", "113105", "113107", "113111"} <= stamped["research"]


def test_spect_stored_as_pet_keeps_what_nm_keeps() -> None:
    profile = PROFILES["seed"]
    classes = {kind: uid for uid, kind in profile.technical.items()}
    for tag, rule in profile.by_class[classes["nm"]].items():
        stored = profile.rule(classes["pt"], tag)
        assert stored is not None, rule.keyword
        assert stored.action is rule.action, rule.keyword


def test_technical_lists_add_no_name_no_date_of_a_person_and_no_place() -> None:
    people = {row["tag"] for row in rows("seed", "hunted")}
    sensitive = {
        row["tag"] for row in rows("seed", "watched") if row["topic"] in ("place", "device")
    }
    for table in TABLES["seed"]:
        if table.startswith("technical_"):
            for row in rows("seed", table):
                assert row["tag"] not in people | sensitive, row
                vr = dictionary_VR(int(row["tag"], 16))
                assert vr not in ("PN", "LT", "ST", "UT", "DA") or row["action"] == "dummy", row


def test_the_vocabulary_holds_no_common_surname() -> None:
    words = PROFILES["research"].vocabulary
    assert not words.intersection(fold(name) for name in SURNAMES.split())
    assert {"t1", "mprage", "flair", "fdg", "pcasl", "腦", "橫切"} <= words


def test_vendor_fields_are_numbers_or_words_of_a_closed_list(profile: Profile) -> None:
    assert bool(profile.private) == (profile.name not in ("ps315-basic", "safe-harbor"))
    for rule in profile.private.values():
        assert (rule.vr == "CS") == bool(rule.values)
        assert rule.vr in ("CS", "DS", "IS", "FL", "FD", "US", "SS", "UL", "SL", "SQ")


@pytest.mark.real_data
def test_vendor_fields_have_the_types_that_scanners_write(scans: Path) -> None:
    wanted = PROFILES["seed"].private
    seen: set[tuple[int, str, int]] = set()
    for path in sorted(p for p in (scans / "vendor-headers").rglob("*") if p.is_file()):
        try:
            dataset = pydicom.dcmread(path, stop_before_pixels=True)
        except pydicom.errors.InvalidDicomError:
            continue
        for key, vr in _vendor_fields(dataset):
            if key in wanted:
                assert vr in (wanted[key].vr, "UN"), wanted[key].keyword
                seen.add(key)
    assert {
        (0x2005, "Philips MR Imaging DD 001", 0x0E),
        (0x0021, "SIEMENS MR SDI 02", 0x89),
    } <= seen


def _vendor_fields(dataset: Dataset) -> Iterator[tuple[tuple[int, str, int], str]]:
    for element in dataset:
        tag = element.tag
        if tag.is_private and tag.element >= 0x1000:
            creator = dataset.get((tag.group, tag.element >> 8))
            if creator is not None:
                yield (tag.group, str(creator.value), tag.element & 0xFF), element.VR
        if element.VR == "SQ":
            for item in element.value[:1]:
                yield from _vendor_fields(item)
