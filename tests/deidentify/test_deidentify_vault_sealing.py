"""Sealed records: only the opener reads them, any change is noticed, a cut file loses its tail."""

import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tracerless.io import sealed, vault_records

OPENER, THIEF = X25519PrivateKey.generate(), X25519PrivateKey.generate()
PUBLIC = OPENER.public_key().public_bytes_raw()
tags = st.sampled_from([b"A" * 8, b"B" * 8])
records = st.lists(st.tuples(tags, st.binary(max_size=40)), max_size=6)


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_only_the_opener_undoes_a_seal_and_only_for_what_it_was_made(
    content: bytes, bound: bytes
) -> None:
    made = sealed.seal(PUBLIC, content, bound)
    assert sealed.unseal(OPENER, made, bound) == content
    assert sealed.unseal(THIEF, made, bound) is None
    assert sealed.unseal(OPENER, made, bound + b"x") is None
    assert sealed.seal(PUBLIC, content, bound) != made, "equal values do not show"


@given(st.binary(min_size=1, max_size=60), st.data())
def test_any_changed_byte_or_cut_is_noticed(content: bytes, data: st.DataObject) -> None:
    made = bytearray(sealed.seal(PUBLIC, content, b""))
    place = data.draw(st.integers(0, len(made) - 1))
    assert sealed.unseal(OPENER, bytes(made[:place]), b"") is None
    made[place] ^= data.draw(st.sampled_from([1, 2, 4, 8, 16, 32, 64, 128]))
    assert sealed.unseal(OPENER, bytes(made), b"") is None


@settings(deadline=None)
@given(records, records, st.data())
def test_a_cut_file_loses_its_last_record_and_the_next_takes_its_place(
    first: list[vault_records.Record], second: list[vault_records.Record], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.bin"
        length = vault_records.append(path, first)
        assert vault_records.whole_bytes(path) == length == path.stat().st_size
        path.write_bytes(path.read_bytes()[: data.draw(st.integers(0, length))])
        left = list(vault_records.read(path))
        assert left == first[: len(left)]
        assert path.stat().st_size == length or not first or len(left) < len(first)
        vault_records.append(path, second)
        assert list(vault_records.read(path)) == [*left, *second]


@settings(deadline=None)
@given(records)
def test_records_of_one_tag_are_found_and_dropped(all_: list[vault_records.Record]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "r.bin"
        vault_records.append(path, all_)
        ours = [record for record in all_ if record[0] == b"A" * 8]
        assert list(vault_records.read(path, b"A" * 8)) == ours
        assert vault_records.drop(path, frozenset([b"A" * 8])) == len(ours)
        assert list(vault_records.read(path)) == [r for r in all_ if r not in ours]
        assert vault_records.drop(path, frozenset([b"A" * 8])) == 0


def test_without_a_file_there_is_nothing(tmp_path: Path) -> None:
    assert list(vault_records.read(tmp_path / "none.bin")) == []
    assert vault_records.whole_bytes(tmp_path / "none.bin") == 0
    assert vault_records.drop(tmp_path / "none.bin", frozenset([b"A" * 8])) == 0
