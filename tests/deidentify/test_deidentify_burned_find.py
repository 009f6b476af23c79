"""Letters in pixels are found wherever they lie, and what to do about them is decided."""

import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest
from burned_cases import chinese_font, head, ink

from tracerless.core.errors import ModelError, ProfileError
from tracerless.deidentify import burned, ocr
from tracerless.deidentify.burned_boxes import fill, within
from tracerless.deidentify.burned_views import window
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


def test_letters_taller_than_text_are_not_read() -> None:
    frame = ink("AB", 100, at=(30, 20)).on(np.zeros((192, 192)), 1000)
    assert read_text(window(frame)) == ()
    assert len(read_text(window(ink("AB", 40, at=(30, 20)).on(np.zeros((192, 192)), 1000)))) == 1


def test_frames_smaller_than_a_letter_are_read_without_a_finding() -> None:
    assert burned.find(np.arange(40 * 9 * 8).reshape(40, 9, 8)) == ()
    assert burned.find(np.arange(6).reshape(1, 2, 3)) == ()


def test_tilted_text_is_found() -> None:
    letters = ink(NAME, 12, at=(50, 40), turn=30)
    assert letters.is_in(burned.find([letters.on(head(192, 176)[0], 1000)]), 0)


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


def test_reading_hides_itself_and_repeats() -> None:
    picture = window(ink(NAME, 10, at=(8, 8)).on(head(64, 96)[0], 1000))
    first, second = read_text(picture), read_text(picture)
    assert first == second
    assert "WANG" in first[0].text
    assert "WANG" not in repr(first)


def test_reading_needs_no_graphics_library() -> None:
    script = (
        "import sys, numpy; from tracerless.deidentify.ocr import Found, read_text;"
        "read_text(numpy.zeros((32, 32), 'uint8'));"
        "sys.exit(bool({'cv2', 'shapely', 'torch', 'rapidocr_onnxruntime'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_absent_networks_are_an_error_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "PACKAGE", "no_such_recognizer")
    with pytest.raises(ModelError, match="Install"):
        ocr._network.__wrapped__("networks.onnx")


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
    filled = burned._Filled(frames, found.boxes)
    frames[1] = fill(frames[1], within(found.boxes, 1, 1))
    assert burned.find(frames) == ()
    assert np.array_equal(filled[0:2], frames)


def test_text_that_blanking_leaves_behind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = ink(NAME, 10, at=(2, 4)).on(head()[0], 1000)
    monkeypatch.setattr(burned, "fill", lambda pixels, boxes: pixels)
    found = burned.screen([frame], "clean")
    assert isinstance(found, Refusal)
    assert "still" in found.text


def test_unknown_policy_is_an_error() -> None:
    with pytest.raises(ProfileError, match="sometimes"):
        burned.screen(head(n_frames=1), "sometimes")
