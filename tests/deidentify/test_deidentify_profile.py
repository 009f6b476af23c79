"""A policy that contradicts itself, or misnames a tag, is refused before any file is touched."""

from pathlib import Path

import pytest
from deid_cases import PT

from tracerless.core.errors import ProfileError
from tracerless.deidentify import Profile
from tracerless.deidentify.profile import Action
from tracerless.io import profiles

SEED = profiles.read("seed")


def changed(table: str, line: str) -> dict[str, str]:
    return {**SEED, table: SEED[table] + line + "\n"}


def test_the_seed_is_107_rows_of_106_tags() -> None:
    seed = Profile.parse("seed", SEED)
    assert len(seed.rows) == 107
    assert len({row.tag for row in seed.rows}) == 106
    orders = [row.action for row in seed.rows]
    counts = [orders.count(action) for action in (Action.KEEP, Action.REMOVE, Action.HASH_UID)]
    assert counts == [82, 21, 4]
    assert all(row.reason_en for row in seed.rows)


def test_a_tag_twice_with_one_action_is_fine_and_with_two_is_refused() -> None:
    Profile.parse("seed", changed("seed", "00080060,Modality,keep,again,再次"))
    with pytest.raises(ProfileError, match="Modality is ordered keep and remove"):
        Profile.parse("seed", changed("seed", "00080060,Modality,remove,no,否"))


def test_the_base_table_stands_above_a_technical_list_and_the_profile_above_both() -> None:
    line = "00101030,PatientWeight,keep,for SUV,為 SUV"
    listed = Profile.parse("seed", changed("technical_pt", line))
    assert listed.rule(PT, 0x00101030).action is Action.REMOVE
    own = {**SEED, "actions": "tag,keyword,action,reason_en,reason_zh\n" + line + "\n"}
    rule = Profile.parse("seed", own).rule(PT, 0x00101030)
    assert (rule.action, rule.origin) == (Action.KEEP, "profile")


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("base", "tcia", "base = 'tcia'"),
        ("dates", "tomorrow", "dates = 'tomorrow'"),
        ("age_cap", "old", "no number of years"),
        ("options", "113107", "has no options"),
    ],
)
def test_a_setting_that_is_none_of_its_choices_is_refused(
    setting: str, value: str, message: str
) -> None:
    rows = SEED["profile"].splitlines()
    lines = [f"{setting},{value},x,x" if r.startswith(f"{setting},") else r for r in rows]
    with pytest.raises(ProfileError, match=message):
        Profile.parse("seed", {**SEED, "profile": "\n".join(lines)})


@pytest.mark.parametrize("change", ["missing", "unknown"])
def test_a_setting_too_few_or_too_many_is_refused(change: str) -> None:
    lines = SEED["profile"].splitlines()
    rows = lines[:-1] if change == "missing" else [*lines, "mood,good,x,x"]
    with pytest.raises(ProfileError, match=f"is {change}"):
        Profile.parse("seed", {**SEED, "profile": "\n".join(rows)})


def test_options_compose_on_top_of_a_profile_and_are_stamped() -> None:
    tables = profiles.read("ps315-basic")
    basic = Profile.parse("ps315-basic", tables)
    more = Profile.parse("ps315-basic", tables, ("113107", "113108"))
    assert basic.rule(PT, 0x00080020).action is Action.EMPTY
    assert more.rule(PT, 0x00080020).action is Action.SHIFT
    assert more.rule(PT, 0x00101030).action is Action.KEEP
    assert [code for code, _ in more.codes] == ["113100", "113107", "113108"]
    assert more.digest != basic.digest
    with pytest.raises(ProfileError, match="exclude each other"):
        Profile.parse("ps315-basic", tables, ("113106", "113107"))


def test_a_folder_of_ones_own_lies_on_top_of_the_shared_tables(tmp_path: Path) -> None:
    (tmp_path / "profile.csv").write_text(SEED["profile"], encoding="utf-8")
    (tmp_path / "actions.csv").write_text(
        "tag,keyword,action,reason_en,reason_zh\n00100040,PatientSex,keep,ours,本院\n",
        encoding="utf-8",
    )
    own = Profile.parse("ours", profiles.read(str(tmp_path)))
    assert own.rule(PT, 0x00100040).action is Action.KEEP
    assert own.rule(PT, 0x00101030).action is Action.REMOVE


@pytest.mark.parametrize(
    ("table", "line", "message"),
    [
        ("seed", "00080060,Manufacturer,keep,x,x", "'00080060' is not Manufacturer"),
        ("seed", "0008006G,Modality,keep,x,x", "is not Modality"),
        ("seed", "80060,Modality,keep,x,x", "is not Modality"),
        ("seed", "00080061,ModalitiesInStudy,hide,x,x", "unknown action 'hide'"),
        ("seed", "00080061,ModalitiesInStudy", "a row is shorter"),
        ("sop_classes", "1.2.3,Something,something", "no table technical_something"),
        ("private", "0009,VENDOR,01,LO,Name,,x,x", "neither numeric nor of a closed list"),
        ("private", "0009,VENDOR,01,CS,Word,,x,x", "neither numeric nor of a closed list"),
        ("types", "mr,00080060,Modality,3", "has type '3'"),
    ],
)
def test_a_broken_table_is_refused_by_name(table: str, line: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        Profile.parse("seed", changed(table, line))


def test_any_change_of_any_table_changes_the_digest() -> None:
    digest = Profile.parse("seed", SEED).digest
    for table in SEED:
        assert Profile.parse("seed", {**SEED, table: SEED[table] + "\n"}).digest != digest


def test_an_unknown_profile_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ProfileError, match="No profile is called 'sed'") as caught:
        profiles.read("sed")
    assert caught.value.hint == "Did you mean 'seed'?"


def test_every_class_can_be_decoded() -> None:
    seed = Profile.parse("seed", SEED)
    needed = {0x7FE00010, 0x00280004, 0x00280010, 0x00280011, 0x00280100, 0x00280103}
    for sop_class in seed.technical:
        kept = {tag for tag in needed if seed.rule(sop_class, tag)}
        assert kept == needed
