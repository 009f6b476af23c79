"""What is judged and joined without reading: lines, boxes, and the pictures that stand for all."""

import numpy as np
import pytest
from burned_cases import head
from hypothesis import given
from hypothesis import strategies as st

from tracerless.deidentify import burned
from tracerless.deidentify.burned_boxes import Box, fill, merged, padded, within
from tracerless.deidentify.burned_views import every_frame, views, window
from tracerless.deidentify.ocr import Found


def test_one_frame_of_another_size_is_looked_at_too() -> None:
    frames = [*head(40, 32, 13), *head(48, 40), *head(40, 32, 13)]
    made = list(views(frames))
    assert {number for view in made for number in view.frames} == set(range(27))
    assert any(view.picture.shape == (48, 40) for view in made)


def read(text: str, turn: int, *place: int, confidence: float = 0.9) -> Found:
    return Found(*place, confidence=confidence, turn=turn, text=text)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_pieces_of_one_line_are_joined_in_the_order_of_reading(turn: int) -> None:
    places = [(10, 10 + 30 * n, 20, 35 + 30 * n) for n in range(3)]
    if turn in (90, 270):
        places = [(left, top, right, bottom) for top, left, bottom, right in places]
    order = places if turn in (0, 90) else places[::-1]
    pieces = [read(t, turn, *p) for t, p in zip(("123", "456", "789"), order, strict=True)]
    (line,) = burned._lines(pieces[::-1])
    assert line.text == "123 456 789"
    assert burned._is_finding(line)
    assert (line.top, line.left) == (10, 10)


def test_pieces_of_other_lines_are_not_joined() -> None:
    first = read("123", 0, 10, 10, 20, 40)
    for other in (
        read("456", 90, 10, 45, 20, 70), read("456", 0, 21, 45, 31, 70),
        read("456", 0, 10, 60, 20, 85), read("456", 0, 10, 45, 60, 80),
    ):  # fmt: skip
        assert len(burned._lines([first, other])) == 2


@pytest.mark.parametrize(
    ("text", "confidence", "is_finding"),
    [
        ("CHEN", 0.61, True), ("CHEN", 0.59, False), ("LAI", 0.9, True), ("LAI", 0.8, False),
        ("王明", 0.75, True), ("王明", 0.6, False), ("陳大文", 0.4, True), ("陳大文", 0.3, False),
        ("5 cm", 1.0, False), ("A;.:'-,..", 1.0, False),
    ],
)  # fmt: skip
def test_how_sure_a_reading_must_be(text: str, confidence: float, is_finding: bool) -> None:
    line = read(text, 0, 1, 1, 9, 40, confidence=confidence)
    assert burned._is_finding(line) is is_finding


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


def test_boxes_are_written_with_runs_of_frames() -> None:
    assert Box(1, 2, 3, 4, (0, 1, 2, 7)).plain() == {
        "top": 1, "left": 2, "bottom": 3, "right": 4, "frames": [[0, 2], [7, 7]],
    }  # fmt: skip


def test_views_stand_for_every_frame_and_stay_few() -> None:
    frames = head(48, 40, n_frames=100)
    made = list(views(frames))
    assert {number for view in made for number in view.frames} == set(range(100))
    assert len(made) <= 26
    assert len(list(every_frame(frames))) == 100


def test_what_never_changes_is_looked_at_by_itself() -> None:
    frames = head(48, 40, n_frames=30)
    plain = {view.frames for view in views(frames) if set(np.unique(view.picture)) == {0, 255}}
    assert plain == set()
    frames[:, 4:8, 4:20] = 333
    made = [view for view in views(frames) if len(view.frames) == 30]
    assert len(made) == 1
    assert int((made[0].picture > 0).sum()) == 64


def test_hot_spots_and_empty_frames_keep_their_contrast() -> None:
    frame = np.full((40, 40), 10.0)
    frame[:20] = 90
    frame[0, 0] = 1e6
    assert set(np.unique(window(frame))) >= {0}
    assert np.unique(window(np.where(frame > 1e5, 90.0, frame))).size == 2
    little = np.zeros((80, 80))
    little[5, 5:20] = 4000
    assert window(little).max() == 255
    assert window(np.full((9, 9), np.nan)).max() == 0


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
