"""Vendor fields cross by creator and only as numbers; a CSA header never crosses whole."""

import struct

import numpy as np
import pytest
from deid_cases import base, reread, stored
from hypothesis import given
from hypothesis import strategies as st
from pydicom import Dataset

from tracerless.core.volume import Contrast
from tracerless.deidentify import (
    CleanIdentity,
    CleanInstance,
    Keys,
    Profile,
    csa,
    instance,
    to_bytes,
)
from tracerless.deidentify.keys import pseudonym
from tracerless.io import profiles

SEED = Profile.parse("seed", profiles.read("seed"))
KEYS = Keys.from_secret(b"\x01" * 32)
PERSON = CleanIdentity(pseudonym(KEYS.person, "A"), "01")


def clean(dataset: Dataset) -> Dataset:
    made = instance(dataset, profile=SEED, keys=KEYS, person=PERSON, contrast=Contrast.ASL)
    assert isinstance(made, CleanInstance)
    return reread(to_bytes(made.dataset))


def private(dataset: Dataset, group: int, creator: str, offset: int) -> object:
    return dataset.private_block(group, creator)[offset].value


def csa_header(fields: dict[str, list[str]]) -> bytes:
    content = b"SV10\x04\x03\x02\x01" + struct.pack("<2I", len(fields), 77)
    for name, items in fields.items():
        content += struct.pack("<64si4siii", name.encode(), 3, b"FD", 4, 6, 77)
        for item in [*items, *[""] * (6 - len(items))]:
            text = item.encode() + b"\0" if item else b""
            content += struct.pack("<4i", len(text), len(text), 77, len(text))
            content += text.ljust(-(-len(text) // 4) * 4, b"\0")
    return content


NORMAL = ["-0.03421599", "-0.13355314", "0.99045082"]


def mosaic(header: bytes) -> Dataset:
    dataset = base()
    block = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0A, "US", 12)
    block.add_new(0x29, "FD", [0.0, 42.5])
    block.add_new(0x0C, "IS", 1000)
    block.add_new(0x15, "LO", "a name")
    dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x10, "OB", header)
    return dataset


def test_a_mosaic_keeps_its_count_times_and_direction_and_nothing_else() -> None:
    header = csa_header({"UsedPatientWeight": ["61.5"], "SliceNormalVector": NORMAL})
    out = clean(mosaic(header))
    assert private(out, 0x0019, "SIEMENS MR HEADER", 0x0A) == 12
    assert private(out, 0x0019, "SIEMENS MR HEADER", 0x29) == [0.0, 42.5]
    assert private(out, 0x0019, "SIEMENS MR HEADER", 0x0C) == 1000
    assert (0x0019, 0x1015) not in out
    assert np.allclose(csa.slice_normal(out) or (), [float(n) for n in NORMAL])
    assert b"UsedPatientWeight" not in stored(out)
    assert b"61.5" not in stored(out)


def test_a_header_of_a_single_slice_does_not_cross() -> None:
    dataset = mosaic(csa_header({"SliceNormalVector": NORMAL}))
    dataset[0x0019, 0x100A].value = 1
    assert 0x00290010 not in clean(dataset)


@given(st.binary(max_size=300), st.integers(0, 400))
def test_a_damaged_csa_header_states_nothing(junk: bytes, cut: int) -> None:
    whole = csa_header({"Other": ["1"], "SliceNormalVector": NORMAL})
    for header in (junk, whole[:cut] + junk, whole[: cut // 2] + junk + whole[cut // 2 :]):
        found = csa.slice_normal(mosaic(header + b"\0" * (len(header) % 2)))
        assert found is None or abs(np.linalg.norm(found) - 1) < 1e-3


def test_a_renumbered_block_is_found_by_its_creator() -> None:
    dataset = base()
    dataset.private_block(0x2005, "AN ARCHIVE'S OWN BLOCK", create=True).add_new(0x0E, "LO", "Wang")
    dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True).add_new(0x0E, "FL", 2.5)
    assert (0x2005, 0x110E) in dataset
    out = clean(dataset)
    assert private(out, 0x2005, "Philips MR Imaging DD 001", 0x0E) == 2.5
    assert b"ARCHIVE" not in stored(out)


@pytest.mark.parametrize(
    ("label", "crosses"), [("LABEL", True), ("CONTROL", True), ("WANG", False)]
)
def test_a_label_type_crosses_only_as_a_known_word(label: str, *, crosses: bool) -> None:
    dataset = base()
    block = dataset.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
    block.add_new(0x29, "CS", label)
    assert (label.encode() in stored(clean(dataset))) == crosses


def test_bytes_of_unknown_type_are_read_as_the_profile_says() -> None:
    dataset = base()
    block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    block.add_new(0x0E, "UN", struct.pack("<f", 0.25))
    block.add_new(0x0D, "UN", b"Wang Xiao-ming's text")
    made = clean(dataset)
    assert private(made, 0x2005, "Philips MR Imaging DD 001", 0x0E) == 0.25
    assert b"Wang" not in stored(made)


def test_text_in_a_numeric_field_does_not_cross() -> None:
    dataset = base()
    block = dataset.private_block(0x7053, "Philips PET Private Group", create=True)
    block.add_new(0x00, "LO", "Wang")
    block.add_new(0x09, "DS", "1.25")
    out = clean(dataset)
    assert (0x7053, 0x1000) not in out
    assert float(str(private(out, 0x7053, "Philips PET Private Group", 0x09))) == 1.25


@pytest.mark.parametrize(("vr", "value"), [("LO", "46981340"), ("SH", "12345678"), ("IS", "12")])
def test_a_number_declared_as_text_does_not_cross(vr: str, value: str) -> None:
    dataset = base()
    dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True).add_new(0x0D, vr, value)
    assert (0x2005, 0x100D) not in clean(dataset)


@pytest.mark.parametrize("text", [b"59795253", b"A1234567", b"4698"])
def test_a_chart_number_that_can_be_read_as_floats_does_not_cross(text: bytes) -> None:
    dataset = base()
    block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    block.add_new(0x0D, "UN", text)
    assert (0x2005, 0x100D) not in clean(dataset)


@given(st.floats(0.0078125, 8192, width=32))
def test_a_scale_crosses_as_it_is(scale: float) -> None:
    dataset = base()
    block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    block.add_new(0x0E, "FL", scale)
    assert private(clean(dataset), 0x2005, "Philips MR Imaging DD 001", 0x0E) == scale
