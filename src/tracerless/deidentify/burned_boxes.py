"""Boxes in frames: where something lies, the frames it lies in, and filling them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PAD_SHARE, PAD_VOX = 0.3, 2
"""A box grows by this share of its short side, and by this much more, before it is filled."""

Frames = Sequence[NDArray[Any]] | NDArray[Any]
"""(rows, columns) each, in order: an array, a list, or a sequence that decodes on demand."""


@dataclass(frozen=True, slots=True)
class Box:
    """Pixels of frames: rows ``top`` to ``bottom``, columns ``left`` to ``right``, ends excluded.

    ``frames`` count from 0 through the frames that were searched.
    """

    top: int
    left: int
    bottom: int
    right: int
    frames: tuple[int, ...]

    def plain(self) -> dict[str, Any]:
        """For JSON; frames as [first, last] runs."""
        return {
            "top": self.top,
            "left": self.left,
            "bottom": self.bottom,
            "right": self.right,
            "frames": runs(self.frames),
        }


def runs(numbers: Sequence[int]) -> list[list[int]]:
    """[first, last] of every run of whole numbers that follow each other."""
    found: list[list[int]] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def merged(boxes: Iterable[Box]) -> tuple[Box, ...]:
    """Boxes that overlap become the box around them, with the frames of all.

    What is seen in several places of a series was there in between too: the frames are filled up
    from the first to the last.
    """
    done: list[Box] = []
    for box in boxes:
        current = box
        while True:
            touching = [each for each in done if _overlap(each, current)]
            if not touching:
                break
            done = [each for each in done if each not in touching]
            for each in touching:
                current = _around(each, current)
        done.append(current)
    return tuple(sorted(done, key=lambda each: (each.top, each.left, each.frames)))


def _overlap(one: Box, other: Box) -> bool:
    return (
        one.top < other.bottom
        and other.top < one.bottom
        and one.left < other.right
        and other.left < one.right
    )


def _around(one: Box, other: Box) -> Box:
    frames = (*one.frames, *other.frames)
    return Box(
        top=min(one.top, other.top),
        left=min(one.left, other.left),
        bottom=max(one.bottom, other.bottom),
        right=max(one.right, other.right),
        frames=tuple(range(min(frames), max(frames) + 1)),
    )


def padded(box: Box, shape: tuple[int, ...]) -> Box:
    """The box with a margin for what the letters leave beside them, inside (rows, columns)."""
    short_side = min(box.bottom - box.top, box.right - box.left)
    by = PAD_VOX + round(PAD_SHARE * short_side)
    return Box(
        top=max(0, box.top - by),
        left=max(0, box.left - by),
        bottom=min(shape[0], box.bottom + by),
        right=min(shape[1], box.right + by),
        frames=box.frames,
    )


def within(boxes: Iterable[Box], first: int, count: int) -> tuple[Box, ...]:
    """The boxes of ``count`` frames from ``first`` on, their frames counted from 0 again.

    A file of a series holds some of the frames that were searched together.
    """
    found = []
    for box in boxes:
        frames = tuple(n - first for n in box.frames if first <= n < first + count)
        if frames:
            found.append(Box(box.top, box.left, box.bottom, box.right, frames))
    return tuple(found)


def fill(
    frame: NDArray[Any], boxes: Iterable[Box], value: Any = None, *, is_inverted: bool = False
) -> NDArray[Any]:
    """A copy of one frame with the padded boxes filled; their frame numbers are not looked at.

    Args:
        frame: (rows, columns).
        boxes: what is filled.
        value: what it is filled with; the smallest value outside the boxes when None.
        is_inverted: the largest is background instead.
    """
    inside = np.zeros(frame.shape, dtype=bool)
    for box in boxes:
        wide = padded(box, frame.shape)
        inside[wide.top : wide.bottom, wide.left : wide.right] = True
    filled = frame.copy()
    if value is None:
        around = frame if inside.all() else frame[~inside]
        value = around.max() if is_inverted else around.min()
    filled[inside] = value
    return filled
