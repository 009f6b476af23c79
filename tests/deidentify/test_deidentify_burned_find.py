"""Letters in pixels are found wherever they lie, and anatomy is not taken for letters."""

import time
from pathlib import Path
from typing import NamedTuple

import nibabel
import numpy as np
import pydicom
import pytest
from burned_cases import chinese_font, head, ink
from hypothesis import given
from hypothesis import strategies as st

from tracerless.core.errors import ProfileError
from tracerless.deidentify import burned
from tracerless.deidentify.burned_boxes import Box, fill, merged, padded, within
from tracerless.deidentify.burned_views import every_frame, views, window
from tracerless.deidentify.ocr import read_text
from tracerless.deidentify.values import Refusal

NAME = "WANG TAMING"


class Planted(NamedTuple):
    size: int
    turn: int
    is_dark: bool


@pytest.mark.parametrize(
    "planted",
    [
        Planted(8, 0, False), Planted(8, 90, True), Planted(10, 180, False), Planted(12, 270, True),
        Planted(16, 0, True), Planted(24, 90, False),
    ],
    ids=str,
)  # fmt: skip
def test_planted_name_is_found_at_any_size_turn_and_polarity(planted: Planted) -> None:
    frame = head(192, 176)[0]
    letters = ink(NAME, planted.size, at=(3, 5), turn=planted.turn)
    bar = letters.bar(frame, 1000)
    drawn = letters.on(bar, 0) if planted.is_dark else letters.on(frame, 1000)
    assert letters.is_in(burned.find([drawn]), 0)
    assert burned.find([frame]) == ()


def test_number_over_tissue_is_found() -> None:
    frame = head(192, 176)[0]
    letters = ink("A123456789", 18, at=(80, 35))
    assert letters.is_in(burned.find([letters.on(frame, 4095)]), 0)


@pytest.mark.parametrize("turn", [0, 270])
def test_chinese_name_is_found(turn: int) -> None:
    letters = ink("陳大文", 14, at=(4, 6), turn=turn, font=chinese_font())
    assert letters.is_in(burned.find([letters.on(head(128, 128)[0], 1000)]), 0)


def test_chinese_name_written_downward_is_found() -> None:
    font, frame, letters = chinese_font(), head(128, 128)[0], []
    for number, letter in enumerate("陳大文"):
        letters.append(ink(letter, 14, at=(4 + 16 * number, 6), font=font))
        frame = letters[-1].on(frame, 1000)
    boxes = burned.find([frame])
    assert all(each.is_in(boxes, 0) for each in letters)


def test_large_letters_are_found() -> None:
    letters = ink("TAMING", 40, at=(4, 6))
    assert letters.is_in(burned.find([letters.on(head(256, 256)[0], 1000)]), 0)


def test_text_in_one_frame_of_many_is_found_there() -> None:
    frames = head(64, 72, n_frames=40)
    letters = ink("CHEN WU", 9, at=(52, 4))
    frames[23] = letters.on(frames[23], 1000)
    boxes = burned.find(frames)
    assert letters.is_in(boxes, 23)
    assert not letters.is_in(boxes, 2)


def test_overlay_on_every_frame_is_found_on_every_frame() -> None:
    letters = ink("CHEN WU", 9, at=(2, 4))
    frames = [letters.on(frame, 700) for frame in head(64, 72, n_frames=26)]
    boxes = burned.find(frames)
    assert all(letters.is_in(boxes, number) for number in range(26))


def test_series_without_text_has_no_finding() -> None:
    assert burned.find(head(64, 72, n_frames=26)) == ()
    assert burned.find(np.zeros((30, 64, 64), dtype=np.int16)) == ()
    assert burned.find(np.random.default_rng(1).normal(0, 9, (3, 80, 80))) == ()


def test_markers_of_sides_and_measures_are_no_findings() -> None:
    frame = head(192, 176)[0]
    for text, at in (("L", (80, 4)), ("R", (80, 160)), ("5 cm", (170, 10)), ("A", (4, 80))):
        frame = ink(text, 16, at=at).on(frame, 1000)
    assert len(read_text(window(frame))) >= 2
    assert burned.find([frame]) == ()


def test_digits_apart_on_one_line_are_one_number() -> None:
    frame = ink("123 456 789", 12, at=(4, 6)).on(head(128, 128)[0], 1000)
    assert burned.find([frame])


@pytest.mark.parametrize(
    "text", ["", "L", "r", "R.", "L R", "AP", "5 cm", "10mm", "12.5 mm", "100", "50%", "888", "右"]
)  # fmt: skip
def test_harmless_texts(text: str) -> None:
    assert burned.is_harmless(text)


@pytest.mark.parametrize(
    "text", ["LAI", "SHI", "CHEN", "王明", "1234", "A12", "107/05/03", "5 cm WU", "123 456", "Li"]
)
def test_texts_that_may_name_somebody(text: str) -> None:
    assert not burned.is_harmless(text)


def test_reading_hides_itself_and_repeats() -> None:
    picture = window(ink(NAME, 10, at=(8, 8)).on(head(64, 96)[0], 1000))
    first, second = read_text(picture), read_text(picture)
    assert first == second
    assert "WANG" in first[0].text
    assert "WANG" not in repr(first)


def test_views_stand_for_every_frame_and_stay_few() -> None:
    frames = head(48, 40, n_frames=100)
    made = list(views(frames))
    assert {number for view in made for number in view.frames} == set(range(100))
    assert len(made) <= 26
    assert len(list(every_frame(frames))) == 100


def test_frames_of_two_sizes_in_one_series_are_all_seen() -> None:
    letters = ink("CHEN WU", 9, at=(2, 4))
    frames = [*head(56, 48, 16), *(letters.on(each, 1000) for each in head(64, 72, 10))]
    boxes = burned.find(frames)
    assert any(letters.is_in(boxes, number) for number in range(16, 26))


def test_quarantine_refuses_and_does_not_repeat_the_text() -> None:
    frame = ink(NAME, 10, at=(2, 4)).on(head()[0], 1000)
    found = burned.screen([frame], "quarantine")
    assert isinstance(found, Refusal)
    assert found.kind == "burned_in"
    assert "WANG" not in found.text
    assert burned.screen(head(), "quarantine") == burned.Clean(())


def test_clean_gives_the_boxes_that_take_the_text_away() -> None:
    letters = ink(NAME, 10, at=(2, 4))
    frames = head(n_frames=2)
    frames[1] = letters.on(frames[1], 1000)
    found = burned.screen(frames, "clean")
    assert isinstance(found, burned.Clean)
    assert letters.is_in(found.boxes, 1)
    frames[1] = fill(frames[1], within(found.boxes, 1, 1))
    assert burned.find(frames) == ()


def test_text_that_blanking_leaves_behind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = ink(NAME, 10, at=(2, 4)).on(head()[0], 1000)
    monkeypatch.setattr(burned, "fill", lambda pixels, boxes: pixels)
    found = burned.screen([frame], "clean")
    assert isinstance(found, Refusal)
    assert "still" in found.text


def test_unknown_policy_is_an_error() -> None:
    with pytest.raises(ProfileError, match="sometimes"):
        burned.screen(head(n_frames=1), "sometimes")


boxes_of = st.builds(
    lambda top, left, rows, columns, first, count: Box(
        top, left, top + rows, left + columns, tuple(range(first, first + count))
    ),
    st.integers(0, 20), st.integers(0, 20), st.integers(1, 9), st.integers(1, 9),
    st.integers(0, 6), st.integers(1, 4),
)  # fmt: skip


def _cells(boxes: tuple[Box, ...]) -> set[tuple[int, int, int]]:
    return {
        (n, y, x)
        for box in boxes
        for n in box.frames
        for y in range(box.top, box.bottom)
        for x in range(box.left, box.right)
    }


@given(st.lists(boxes_of, max_size=6))
def test_merged_boxes_cover_all_and_do_not_overlap(boxes: list[Box]) -> None:
    made = merged(boxes)
    assert _cells(tuple(boxes)) <= _cells(made)
    for number, one in enumerate(made):
        for other in made[:number]:
            apart = one.bottom <= other.top or other.bottom <= one.top
            assert apart or one.right <= other.left or other.right <= one.left


@given(st.lists(boxes_of, max_size=4), st.lists(st.integers(1, 3), min_size=4, max_size=6))
def test_boxes_of_the_files_are_the_boxes_of_the_series(boxes: list[Box], sizes: list[int]) -> None:
    first, again = 0, set()
    for size in sizes:
        own = within(boxes, first, size)
        again |= {(n + first, y, x) for n, y, x in _cells(own)}
        first += size
    assert again == {cell for cell in _cells(tuple(boxes)) if cell[0] < first}


@given(st.lists(boxes_of, max_size=4))
def test_filling_touches_nothing_outside_the_padded_boxes(boxes: list[Box]) -> None:
    frame = np.random.default_rng(2).integers(5, 900, (30, 30)).astype(np.int16)
    outside = np.ones(frame.shape, dtype=bool)
    for box in boxes:
        wide = padded(box, frame.shape)
        assert wide.top <= box.top
        assert wide.right >= min(box.right, 30)
        outside[wide.top : wide.bottom, wide.left : wide.right] = False
    filled = fill(frame, boxes, -7)
    assert np.array_equal(filled[outside], frame[outside])
    assert (filled[~outside] == -7).all()


@pytest.mark.real_data
def test_letters_of_sides_in_a_real_head_are_no_findings(scans: Path) -> None:
    volume = np.asarray(nibabel.load(scans / "orientation-48" / "RAS.nii.gz").dataobj)
    assert burned.find([volume[:, ::-1, k].T for k in range(0, volume.shape[2], 12)]) == ()


def _dicom_series(folder: Path) -> dict[str, list[np.ndarray]]:
    series: dict[str, list[tuple[int, np.ndarray]]] = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        try:
            dataset = pydicom.dcmread(path)
        except pydicom.errors.InvalidDicomError:
            continue
        if "PixelData" in dataset and dataset.get("SamplesPerPixel", 1) == 1:
            frames = burned.decoded(dataset)
            key = f"{dataset.SeriesInstanceUID}{frames.shape[1:]}"
            number = int(dataset.get("InstanceNumber") or 0)
            series.setdefault(key, []).extend((number, frame) for frame in frames)
    return {
        key: [frame for _, frame in sorted(frames, key=lambda each: each[0])]
        for key, frames in series.items()
    }


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("folder", ["mr-one-person", "fdg-whole-body", "asl-philips-phantom"])
def test_real_series_without_text_have_no_finding(folder: str, scans: Path) -> None:
    series = _dicom_series(scans / folder)
    assert series
    started = time.process_time()
    for frames in series.values():
        assert burned.find(frames) == ()
    assert (time.process_time() - started) / len(series) < 20


@pytest.mark.slow
@pytest.mark.real_data
def test_letters_of_sides_in_all_48_orientations_are_no_findings(scans: Path) -> None:
    for path in sorted((scans / "orientation-48").glob("*.nii.gz")):
        volume = np.asarray(nibabel.load(path).dataobj)
        assert burned.find(np.moveaxis(volume, 2, 0)) == (), path.name


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("every", [False, True])
def test_nearly_every_text_planted_in_real_series_is_found(every: bool, scans: Path) -> None:
    rng = np.random.default_rng(11)
    series = [f for f in _dicom_series(scans / "mr-one-person").values() if len(f) > 20]
    series += [f for f in _dicom_series(scans / "fdg-whole-body").values() if len(f) > 20]
    n_found = n_planted = 0
    for trial in range(24):
        frames = list(series[trial % len(series)])
        size, turn = int(rng.choice([8, 10, 12, 16, 24])), int(rng.choice([0, 90, 180, 270]))
        text = [NAME, "A123456789", "1070503 CHEN"][trial % 3]
        letters = ink(text, size, at=(2, 3), turn=turn)
        if any(n > m - 4 for n, m in zip(letters.stencil.shape, frames[0].shape, strict=True)):
            continue
        place = int(rng.integers(len(frames)))
        top = max(float(frame.max()) for frame in frames)
        last = place + 1 if trial % 2 else len(frames)
        for number in range(place, last):
            frames[number] = letters.on(frames[number], top)
        if every:
            place, frames = 0, frames[place : place + 1]
        n_planted += 1
        n_found += letters.is_in(burned.find(frames, every=every), place)
    assert n_planted > 15
    assert n_found >= 0.9 * n_planted
