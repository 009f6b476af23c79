"""Broken files: never an exception, never a byte that the slow way would not let out."""

from pathlib import Path

import pytest
from deid_cases import ENHANCED_MR, MR, PT, base, plant, stored
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from splice_cases import PROFILES, Cell, agree, spliced, whole
from splice_cases import base as cells_of

from tracerless.deidentify import splice

pytestmark = pytest.mark.filterwarnings("ignore:The value for the data element:UserWarning")

RESEARCH = PROFILES["research"]


def planted(sop_class: str) -> bytes:
    dataset = base(sop_class)
    plant(dataset)
    return stored(dataset)


WHOLE = {sop_class: planted(sop_class) for sop_class in (MR, PT, ENHANCED_MR)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("malformed")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    sop_class=st.sampled_from(sorted(WHOLE)),
    flips=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_flipped_bytes_are_read_alike_or_left_alone(
    folder: Path, sop_class: str, flips: list[tuple[int, int]]
) -> None:
    memo = splice.Memo()
    agree(WHOLE[sop_class], folder, RESEARCH, memo)
    broken = bytearray(WHOLE[sop_class])
    for place, value in flips:
        broken[128 + place % (len(broken) - 128)] = value
    agree(bytes(broken), folder, RESEARCH, memo)
    agree(bytes(broken), folder, RESEARCH, splice.Memo())


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(end=st.integers(0, 1 << 20), sop_class=st.sampled_from(sorted(WHOLE)))
def test_a_file_that_is_cut_short_does_not_cross(folder: Path, end: int, sop_class: str) -> None:
    content = WHOLE[sop_class]
    pixels = content.rindex(b"\xe0\x7f\x10\x00OW") + 12
    last = pixels + int.from_bytes(content[pixels - 4 : pixels], "little")
    memo = splice.Memo()
    for _ in range(2):
        assert spliced(content, RESEARCH, memo) is not None
    assert spliced(content[: end % last], RESEARCH, memo) is None


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(content=st.binary(max_size=400))
def test_noise_is_left_alone(content: bytes) -> None:
    memo = splice.Memo()
    assert spliced(content, RESEARCH, memo) is None
    assert spliced(b"\0" * 128 + b"DICM" + content, RESEARCH, memo) is None


ODD = {
    "a tag twice": [Cell(0x00081140, "SQ", [[Cell(0x00081155, "UI", b"1.2\0")]])],
    "a command group": [Cell(0x00000010, "LO", b"SECRET")],
    "a delimiter as an element": [Cell(0xFFFEE00D, "OB", b"")],
    "an unknown type": [Cell(0x00181030, "ZZ", b"SECRET")],
    "a nested command group": [Cell(0x00081140, "SQ", [[Cell(0x00000010, "LO", b"SECRET")]])],
}


@pytest.mark.parametrize("implicit", [False, True])
@pytest.mark.parametrize("name", ODD)
def test_odd_structures_agree_or_are_left_alone(folder: Path, name: str, implicit: bool) -> None:
    content = whole([*cells_of(), *ODD[name]], implicit=implicit)
    if name == "a tag twice":
        start = content.index(b"\x08\x00\x40\x11")
        one = content[start : content.index(b"\x10\x00\x10\x00", start)]
        content = content.replace(one, one + one)
    agree(content, folder, RESEARCH, splice.Memo())


def test_sequences_deeper_than_the_limit_are_left_alone() -> None:
    inner: list[Cell] = [Cell(0x00104000, "LT", b"SECRET")]
    for depth in range(1, 30):
        inner = [Cell(0x00081140, "SQ", [inner], is_open=depth % 2 == 0)]
        content = whole([*cells_of(), *inner], implicit=False)
        made = spliced(content, RESEARCH, splice.Memo())
        if depth > 16:
            assert made is None
        if isinstance(made, splice.Spliced):
            assert b"SECRET" not in made.content


def test_pixels_longer_than_declared_are_cut_and_far_longer_ones_left_alone(folder: Path) -> None:
    for extra, taken in ((b"SECRET", True), (b"SECRET" * (1 << 18), False)):
        cells = [cell for cell in cells_of() if cell.tag != 0x7FE00010]
        cells.append(Cell(0x7FE00010, "OW", bytes(48) + extra))
        content = whole(cells, implicit=False)
        memo = splice.Memo()
        assert agree(content, folder, RESEARCH, memo) is taken
        made = spliced(content, RESEARCH, memo)
        assert made is None or b"SECRET" not in made.content


def test_what_follows_the_pixels_and_what_comes_before_the_header_stays(folder: Path) -> None:
    content = whole(cells_of(), implicit=False, preamble=b"SECRET".ljust(128, b"\0"))
    content += b"\xfc\xff\xfc\xffOB\0\0\x06\0\0\0SECRET"
    memo = splice.Memo()
    for _ in range(3):
        assert agree(content, folder, RESEARCH, memo)
    made = spliced(content, RESEARCH, memo)
    assert isinstance(made, splice.Spliced)
    assert b"SECRET" not in made.content
    assert ("preamble", "SECRET") in made.removed
