"""A policy that contradicts itself, or misnames a tag, is refused before any file is touched."""

import pytest

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
    Profile.parse("seed", changed("actions", "00080060,Modality,keep,again"))
    with pytest.raises(ProfileError, match="Modality is ordered keep and remove"):
        Profile.parse("seed", changed("actions", "00080060,Modality,remove,no"))


def test_a_technical_list_may_not_contradict_the_table() -> None:
    line = "00101030,PatientWeight,keep,for SUV"
    with pytest.raises(ProfileError, match="PatientWeight is ordered remove and keep"):
        Profile.parse("seed", changed("technical_pt", line))


@pytest.mark.parametrize(
    ("table", "line", "message"),
    [
        ("actions", "00080060,Manufacturer,keep,x", "'00080060' is not Manufacturer"),
        ("actions", "0008006G,Modality,keep,x", "is not Modality"),
        ("actions", "80060,Modality,keep,x", "is not Modality"),
        ("actions", "00080061,ModalitiesInStudy,hide,x", "unknown action 'hide'"),
        ("actions", "00080061,ModalitiesInStudy", "a row is shorter"),
        ("sop_classes", "1.2.3,Something,something", "no table technical_something"),
        ("private", "0009,VENDOR,01,LO,Name,,x", "neither numeric nor of a closed list"),
        ("private", "0009,VENDOR,01,CS,Word,,x", "neither numeric nor of a closed list"),
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
