"""Pseudonyms and UIDs: keyed, repeatable, readable, and checked."""

import uuid
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID

from tracerless.core.errors import VaultError
from tracerless.deidentify.keys import (
    ALPHABET,
    LENGTH,
    Keys,
    hash_uid,
    is_pseudonym,
    pseudonym,
    source_digest,
)

KEY, OTHER = b"\x01" * 32, b"\x02" * 32
persons = st.text(min_size=1, max_size=30)


@given(persons)
def test_the_same_key_gives_the_same_pseudonym_and_another_key_another(person: str) -> None:
    assert pseudonym(KEY, person) == pseudonym(KEY, person)
    assert pseudonym(KEY, person) != pseudonym(OTHER, person)


@given(persons)
def test_a_pseudonym_is_short_checked_and_never_a_number(person: str) -> None:
    text = str(pseudonym(KEY, person))
    assert len(text) == LENGTH
    assert is_pseudonym(text)
    assert text[0].isalpha()
    assert not set(text) & set("ILOU0")
    with pytest.raises(ValueError, match="could not convert"):
        float(text)


@given(persons, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_one_mistyped_sign_is_noticed(person: str, place: int, sign: str) -> None:
    text = str(pseudonym(KEY, person))
    mistyped = text[:place] + sign + text[place + 1 :]
    assert is_pseudonym(mistyped) == (mistyped == text)


@given(persons)
def test_two_swapped_signs_are_noticed(person: str) -> None:
    text = str(pseudonym(KEY, person))
    for i, j in combinations(range(LENGTH), 2):
        signs = list(text)
        signs[i], signs[j] = signs[j], signs[i]
        assert is_pseudonym("".join(signs)) == (signs == list(text))


@given(st.from_regex(r"[12](\.(0|[1-9][0-9]{0,8})){1,5}", fullmatch=True))
def test_a_hashed_uid_is_a_legal_uid_made_of_a_version_8_uuid(uid: str) -> None:
    hashed = UID(hash_uid(KEY, uid))
    assert hashed.is_valid
    assert len(hashed) <= 44
    number = uuid.UUID(int=int(hashed.removeprefix("2.25.")))
    assert (number.version, number.variant) == (8, uuid.RFC_4122)
    assert hashed != uid
    assert hashed != hash_uid(OTHER, uid)


def test_ten_thousand_people_get_ten_thousand_pseudonyms() -> None:
    assert len({pseudonym(KEY, f"{n:08d}") for n in range(10_000)}) == 10_000


def test_keys_of_one_secret_differ_and_show_nothing() -> None:
    keys = Keys.from_secret(KEY)
    assert len({keys.uid, keys.person, keys.source}) == 3
    assert "\\x" not in repr(keys)
    assert source_digest(keys.source, "a", "b") != source_digest(keys.source, "ab")


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(VaultError, match="at least 32 bytes, got 8"):
        Keys.from_secret(b"password")
