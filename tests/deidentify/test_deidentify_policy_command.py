"""What a policy does, in rows, and at the command line."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from policy_cases import NAMES, TABLES

from tracerless.cli.profile import command
from tracerless.core.errors import ProfileError
from tracerless.deidentify.explain import explain
from tracerless.deidentify.profile import Profile

OWN = (
    "setting,value,reason_en,reason_zh\nbase,seed,x,測試\nedition,mine,x,測試\noptions,,x,測試\n"
    "dates,shift,x,測試\nage_cap,,x,測試\nprivate,none,x,測試\nfaces,keep,x,測試\n"
    "pixels,quarantine,x,測試\nsuv,none,x,測試\nclaim_en,mine,x,測試\nclaim_zh,自訂,x,測試\n"
)


def run(*words: str) -> Result:
    return CliRunner().invoke(command, words)


@pytest.mark.parametrize("name", NAMES)
def test_every_listed_attribute_of_every_object_has_a_row(name: str) -> None:
    profile = Profile.parse(name, TABLES[name])
    rows = explain(profile)
    listed = {(tag, r.action) for by in profile.by_class.values() for tag, r in by.items()}
    shown = {(int(r.tag.replace(",", ""), 16), r.action) for r in rows if r.origin != "vendor"}
    assert shown == listed
    assert len([r for r in rows if r.origin == "vendor"]) == len(profile.private)


def test_an_attribute_that_objects_treat_differently_says_where() -> None:
    rows = explain(Profile.parse("ps315-basic", TABLES["ps315-basic"]))
    serial = {row.action: row.where for row in rows if row.keyword == "DeviceSerialNumber"}
    assert serial == {"dummy": "enhanced_mr, enhanced_pt", "remove": "mr, nm, pt"}


def test_one_class_has_one_row_for_each_attribute_and_says_nothing_of_others() -> None:
    profile = Profile.parse("seed", TABLES["seed"])
    uid = next(uid for uid, kind in profile.technical.items() if kind == "mr")
    rows = [row for row in explain(profile, uid) if row.origin != "vendor"]
    assert len(rows) == len(profile.by_class[uid])
    assert {row.where for row in rows} == {""}
    assert "Units" not in {row.keyword for row in rows}


def test_the_reason_of_a_dangerous_attribute_says_what_is_done_to_it() -> None:
    rows = {r.keyword: r for r in explain(Profile.parse("research", TABLES["research"]))}
    assert rows["StudyDate"].reason_en.endswith("it moves by the whole days of the person")
    assert rows["StudyDate"].reason_zh.endswith("位移")
    assert rows["StudyDescription"].reason_en.endswith("only known words stay")
    assert rows["Rows"].reason_en == "decoding of the pixels"


def test_show_prints_every_tag_in_english_and_in_chinese() -> None:
    english, chinese = run("show", "seed"), run("show", "seed", "--lang", "zh-TW")
    assert english.exit_code == chinese.exit_code == 0
    for output in (english.output, chinese.output):
        assert "0010,0010" in output
        assert "PatientWeight" in output
    assert "body weight" in english.output
    assert "體重" in chinese.output
    assert "移除" in chinese.output


def test_show_as_json_holds_rows_claim_and_digest() -> None:
    shown = json.loads(run("show", "research", "--class", "pt", "--json").output)
    weight = next(row for row in shown["rows"] if row["keyword"] == "PatientWeight")
    assert (weight["action"], weight["origin"]) == ("keep", "E.1-1 K, 113108")
    assert shown["digest"] == Profile.parse("research", TABLES["research"]).digest


def test_an_option_changes_what_is_shown() -> None:
    words = ("show", "ps315-basic", "--class", "pt", "--json")
    plain, dated = (json.loads(run(*words, *more).output) for more in ((), ("--option", "113107")))
    action = {
        name: next(r["action"] for r in shown["rows"] if r["keyword"] == "SeriesDate")
        for name, shown in (("plain", plain), ("dated", dated))
    }
    assert action == {"plain": "dummy", "dated": "shift"}


def test_check_ends_with_zero_without_an_error_and_with_one_with_an_error() -> None:
    assert run("check", "seed").exit_code == 0
    clash = run("check", "ps315-basic", "--option", "113106", "--option", "113107")
    assert clash.exit_code == 1
    assert "exclude each other" in clash.output


def test_check_speaks_chinese_and_json() -> None:
    assert "警告" in run("check", "seed", "--lang", "zh-TW").output
    found = json.loads(run("check", "seed", "--json").output)["findings"]
    assert {"level": "note", "kind": "duplicate", "keyword": "ManufacturerModelName"}.items() <= (
        next(each for each in found if each["kind"] == "duplicate").items()
    )


def test_a_folder_with_a_policy_of_ones_own_can_be_checked_and_shown(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "profile.csv").write_text(OWN, encoding="utf-8")
    assert run("check", str(folder)).exit_code == 0
    shown = json.loads(run("show", str(folder), "--json").output)
    date = next(row for row in shown["rows"] if row["keyword"] == "StudyDate")
    assert date["action"] == "shift"
    (folder / "actions.csv").write_text(
        "tag,keyword,action,reason_en,reason_zh\n00100010,PatientsName,keep,x,測試\n",
        encoding="utf-8",
    )
    assert run("check", str(folder)).exit_code == 1


def test_an_unknown_name_and_an_unknown_class_are_answered_with_the_known_ones() -> None:
    unknown = run("check", "sed")
    assert isinstance(unknown.exception, ProfileError)
    assert unknown.exception.hint == "Did you mean 'seed'?"
    refused = run("show", "seed", "--class", "ptt")
    assert refused.exit_code == 2
    assert "Did you mean 'pt'?" in refused.output
