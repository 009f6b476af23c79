"""The lint finds what is planted, and says nothing of it where it is not."""

import csv
import io

import pytest
from policy_cases import NAMES, TABLES, adding, dropping, setting

from tracerless.deidentify.lint import LEVELS, Finding, lint
from tracerless.deidentify.lint_claim import level
from tracerless.deidentify.profile import Profile


def found(
    name: str, tables: dict[str, str], kind: str, keyword: str | None = None
) -> list[Finding]:
    return [
        each for each in lint(name, tables) if each.kind == kind and keyword in (None, each.keyword)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_policy_has_no_error_and_errors_come_first(name: str) -> None:
    findings = lint(name, TABLES[name])
    assert not [each for each in findings if each.level == "error"]
    order = [LEVELS.index(each.level) for each in findings]
    assert order == sorted(order)
    assert all(each.text_en.isascii() for each in findings)
    assert all(any("\u4e00" <= sign <= "\u9fff" for sign in each.text_zh) for each in findings)


def test_the_seed_shows_its_five_inconsistencies_its_duplicate_and_its_texts() -> None:
    assert len(found("seed", TABLES["seed"], "inconsistent")) == 5
    assert [f.keyword for f in found("seed", TABLES["seed"], "duplicate")] == [
        "ManufacturerModelName"
    ]
    texts = {f.keyword for f in found("seed", TABLES["seed"], "text")}
    assert texts == {
        "RequestingService",
        "RequestedProcedureDescription",
        "PerformedStationName",
        "PerformedLocation",
        "PerformedProcedureStepID",
        "PerformedProcedureStepDescription",
    }
    assert found("seed", TABLES["seed"], "date")
    assert len(found("seed", TABLES["seed"], "utility")) == 4


def test_levels_of_output_are_told_apart() -> None:
    levels = {name: level(Profile.parse(name, TABLES[name])) for name in NAMES}
    assert levels == {
        "seed": "limited",
        "seed-strict": "pseudonymized",
        "ps315-basic": "basic",
        "research": "options",
        "safe-harbor": "safe_harbor",
    }


PLANTED = [
    ("name", "ReferringPhysicianName", "actions", "00080090,ReferringPhysicianName,keep,x,測試"),
    ("text", "PatientComments", "actions", "00104000,PatientComments,keep,x,測試"),
    ("uid", "StudyInstanceUID", "actions", "0020000D,StudyInstanceUID,keep,x,測試"),
    ("place", "InstitutionName", "actions", "00080080,InstitutionName,keep,x,測試"),
    ("device", "DeviceSerialNumber", "actions", "00181000,DeviceSerialNumber,keep,x,測試"),
    (
        "inconsistent",
        "PerformedStationName",
        "actions",
        "00400242,PerformedStationName,keep,x,測試",
    ),
    ("claim", "PatientComments", "actions", "00104000,PatientComments,keep,x,測試"),
    ("reason", "PatientComments", "actions", "00104000,PatientComments,remove,,測試"),
    ("duplicate", "Modality", "technical_common", "00080060,Modality,keep,x,測試"),
    ("contradiction", "Modality", "technical_common", "00080060,Modality,remove,x,測試"),
    ("unusable", "", "actions", "00104000,PatientComments,hide,x,測試"),
    ("unusable", "", "actions", "00104000,Nonsense,keep,x,測試"),
]


@pytest.mark.parametrize(("kind", "keyword", "table", "line"), PLANTED)
def test_what_is_planted_is_found_and_was_not_there_before(
    kind: str, keyword: str, table: str, line: str
) -> None:
    assert not found("ps315-basic", TABLES["ps315-basic"], kind, keyword)
    assert found("ps315-basic", adding("ps315-basic", table, line), kind, keyword)


@pytest.mark.parametrize(
    ("kind", "keyword"),
    [
        ("decode", "PixelData"),
        ("decode", "PhotometricInterpretation"),
        ("geometry", "PixelSpacing"),
        ("order", "FrameIncrementPointer"),
        ("type", "Modality"),
    ],
)
def test_a_technical_attribute_that_is_dropped_is_missed(kind: str, keyword: str) -> None:
    assert not found("ps315-basic", TABLES["ps315-basic"], kind)
    missed = found("ps315-basic", dropping("ps315-basic", keyword), kind)
    assert {each.level for each in missed} == {"error"}
    assert any(keyword in (each.keyword, *each.text_en.split()) for each in missed)


def test_suv_is_a_note_where_the_factor_is_carried_and_a_warning_where_it_is_not() -> None:
    carried = found("seed", TABLES["seed"], "suv")
    assert {each.level for each in carried} == {"note"}
    lost = found("seed", setting("seed", "suv", "none"), "suv")
    assert {each.level for each in lost} == {"warning"}
    assert not found("research", TABLES["research"], "suv")


def test_full_dates_are_found_where_they_are_kept_and_only_there() -> None:
    for name in ("seed-strict", "ps315-basic", "research", "safe-harbor"):
        assert not found(name, TABLES[name], "date")
    kept = setting("seed-strict", "dates", "keep")
    assert found("seed-strict", kept, "date")
    assert lint("ps315-basic", TABLES["ps315-basic"], ("113106",)) != lint(
        "ps315-basic", TABLES["ps315-basic"]
    )


def test_what_an_option_keeps_is_named_with_the_option() -> None:
    assert not found("ps315-basic", TABLES["ps315-basic"], "retained")
    findings = lint("ps315-basic", TABLES["ps315-basic"], ("113109",))
    texts = [each.text_en for each in findings if each.kind == "retained"]
    assert any("113109" in text and "DeviceSerialNumber" in text for text in texts)


def test_sequences_are_told_and_lost_utility_is_told() -> None:
    assert found("research", TABLES["research"], "sequence")
    assert not found("research", TABLES["research"], "utility")
    line = "00101030,PatientWeight,remove,x,測試"
    assert found("research", adding("research", "actions", line), "utility", "PatientWeight")


@pytest.mark.parametrize(
    ("name", "key", "value", "grade", "part"),
    [
        ("research", "options", "113100|113106|113107", "error", "exclude"),
        ("research", "options", "113105", "warning", "without 113100"),
        ("research", "private", "none", "warning", "113111"),
        ("safe-harbor", "faces", "keep", "error", "113102"),
        ("safe-harbor", "pixels", "quarantine", "error", "113101"),
        ("safe-harbor", "options", "113100|113107", "warning", "cut to the year"),
    ],
)
def test_options_that_do_not_fit_are_found(
    name: str, key: str, value: str, grade: str, part: str
) -> None:
    assert not found(name, TABLES[name], "option")
    findings = found(name, setting(name, key, value), "option")
    assert any(each.level == grade and part in each.text_en for each in findings)


@pytest.mark.parametrize(
    ("key", "value"),
    [("faces", "keep"), ("pixels", "quarantine"), ("age_cap", ""), ("private", "list")],
)
def test_a_claim_of_safe_harbor_that_is_not_reached_is_an_error(key: str, value: str) -> None:
    findings = found("safe-harbor", setting("safe-harbor", key, value), "claim")
    assert any(each.level == "error" and "Safe Harbor" in each.text_en for each in findings)


def test_a_seed_that_claims_safe_harbor_is_an_error_and_one_that_denies_it_is_not() -> None:
    claimed = setting("seed", "claim_en", "HIPAA Safe Harbor")
    assert [f for f in found("seed", claimed, "claim") if f.level == "error"]
    denied = setting("seed", "claim_en", "Not Safe Harbor")
    assert not [f for f in found("seed", denied, "claim") if f.level == "error"]


def test_two_wholly_different_orders_are_reported_though_the_policy_cannot_be_read() -> None:
    line = "00101030,PatientWeight,keep,x,測試"
    kinds = {each.kind for each in lint("seed", adding("seed", "seed", line))}
    assert {"contradiction", "unusable"} <= kinds


def test_no_table_at_all_is_reported_and_not_raised() -> None:
    assert [each.kind for each in lint("none", {})] == ["unusable"]


def test_a_table_of_a_policy_reads_back_as_csv() -> None:
    for text in TABLES["seed"].values():
        reader = csv.DictReader(io.StringIO(text))
        assert all(None not in row and None not in row.values() for row in reader)
