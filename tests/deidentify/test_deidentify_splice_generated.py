"""The fast way and the slow way make the same of files that nobody would write."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from splice_cases import NAMES, PROFILES, Cell, agree, base, cells, whole

from tracerless.deidentify import splice

pytestmark = pytest.mark.filterwarnings("ignore:The value for the data element:UserWarning")

CHARACTER_SETS = ("", "ISO_IR 192", "ISO_IR 100", "GB18030", "\\ISO 2022 IR 87", "ISO_IR 13", "X")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("generated")


@st.composite
def series(draw: st.DrawFn) -> list[bytes]:
    """Up to five files that share most elements."""
    implicit = draw(st.booleans())
    shared, name = draw(cells()), draw(st.sampled_from(CHARACTER_SETS))
    if name:
        shared = [Cell(0x00080005, "CS", name.encode() + b" " * (len(name) % 2)), *shared]
    files = []
    for index in range(draw(st.integers(1, 5))):
        first = draw(cells()) if draw(st.integers(0, 5)) == 0 else []
        own = draw(cells()) if draw(st.integers(0, 2)) == 0 else []
        content = whole([*first, *base(index + 1), *own, *shared], implicit=implicit)
        files.append(
            content + draw(st.sampled_from((b"", b"", b"\0\0", b"\xfc\xff\xfc\xff" + b"\0" * 12)))
        )
    return files


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(files=series(), name=st.sampled_from(NAMES))
def test_both_ways_agree_on_any_series(folder: Path, files: list[bytes], name: str) -> None:
    memo = splice.Memo()
    for content in files:
        agree(content, folder, PROFILES[name], memo)
