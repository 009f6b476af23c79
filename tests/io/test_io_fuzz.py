"""Mutated files: a dataset or a typed rejection, and nothing else, all the way to volumes."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from tracerless.core.errors import TracerlessError
from tracerless.core.volume import Contrast
from tracerless.io import dicom_gate, dicom_series
from tracerless.io.dicom_read import Rejection, read
from tracerless.io.headers import SCAN_TAGS, header
from tracerless.io.pixels import load

MUTATION = st.one_of(
    st.tuples(st.just("set"), st.floats(0, 1), st.binary(min_size=1, max_size=8)),
    st.tuples(st.just("insert"), st.floats(0, 1), st.binary(min_size=1, max_size=40)),
    st.tuples(st.just("cut"), st.floats(0, 1), st.just(b"")),
    st.tuples(st.just("drop"), st.floats(0, 1), st.just(b"")),
)


def _mutated(content: bytes, mutations: list[tuple[str, float, bytes]], reach: int) -> bytes:
    """Changes within the first ``reach`` bytes, where headers lie."""
    for how, where, what in mutations:
        at = int(where * min(len(content), reach))
        if how == "set":
            content = content[:at] + what + content[at + len(what) :]
        elif how == "insert":
            content = content[:at] + what + content[at:]
        elif how == "cut":
            content = content[: max(at, 1)]
        else:
            content = content[:at] + content[at + 7 :]
    return content


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.sampled_from(["mr", "pt", "nm", "mosaic", "enhanced", "implicit", "deflated", "rle"]),
    mutations=st.lists(MUTATION, min_size=1, max_size=4),
    reach=st.sampled_from([400, 3000, 10**6]),
)
def test_mutated_files_give_a_dataset_or_a_rejection_and_nothing_else(
    files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory,
    name: str, mutations: list[tuple[str, float, bytes]], reach: int,
) -> None:  # fmt: skip
    path = tmp_path_factory.getbasetemp() / "mutated"
    path.write_bytes(_mutated(files[name].read_bytes(), mutations, reach))
    for options in ({}, {"tags": SCAN_TAGS}, {"pixels": True}):
        found = read(path, **options)
        assert isinstance(found, Dataset | Rejection)
        if isinstance(found, Dataset):
            assert dicom_gate.frame_bytes(found) > 0
            assert dicom_series.group([header(found, path)])
        elif found.header is not None:
            assert header(found.header, path).path == path
    if isinstance(found, Dataset):
        with contextlib.suppress(TracerlessError):
            load([path], Contrast.UNKNOWN)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(min_size=12, max_size=600))
def test_random_bytes_behind_the_magic_word_are_survived(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "junk"
    path.write_bytes(b"\0" * 128 + b"DICM" + junk)
    assert isinstance(read(path, pixels=True), Dataset | Rejection)
