"""Few pictures that show what lies in all frames of a series, so that few have to be read.

Every frame takes part: neighbors are laid over each other by their brightest and by their darkest
pixel (letters are brighter or darker than what is around them), and the frames that differ most
from both of their neighbors are looked at by themselves, as are the first, middle and last.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracerless.deidentify.burned_boxes import Frames

N_FEW = 24
"""A series of no more frames is looked at frame by frame."""
N_GROUPS = 8
"""A series is laid together in so many groups of neighbors."""
N_UNLIKE = 6
"""So many frames that are most unlike their neighbors are looked at by themselves."""

_CELL = 8
_FLAT = 0.05
_MIN_CONSTANT = 20
_BACKGROUND = 0.1

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A picture, 0-255, and the frames that it stands for."""

    picture: Picture
    frames: tuple[int, ...]


def window(frame: NDArray[Any]) -> Picture:
    """(rows, columns) of any numbers -> 0-255.

    From the 0.5th to the 99.5th percentile, so that one hot spot does not hide the rest; over the
    whole range where the percentiles span less than 5 % of it (little writing on nothing).
    """
    values = np.nan_to_num(np.asarray(frame, dtype=np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    least, most = float(values.min()), float(values.max())
    low, high = (float(each) for each in np.percentile(values, (0.5, 99.5)))
    if high - low < _FLAT * (most - least):
        low, high = least, most
    if high <= low:
        return np.zeros(values.shape, dtype=np.uint8)
    return np.clip((values - low) * (255.0 / (high - low)), 0, 255).astype(np.uint8)


def every_frame(frames: Frames) -> Iterator[View]:
    """Each frame by itself."""
    for number in range(len(frames)):
        yield View(window(frames[number]), (number,))


def views(frames: Frames) -> Iterator[View]:
    """The pictures that stand for a series; each frame is decoded at most twice.

    A few frames are shown one by one. Frames of other sizes than their neighbors begin new groups.
    """
    n_frames = len(frames)
    if n_frames <= N_FEW:
        yield from every_frame(frames)
        return
    size = -(-n_frames // N_GROUPS)
    ranking, steady = _Ranking(), _Steady()
    group: list[tuple[int, Picture]] = []
    for number in range(n_frames):
        frame = frames[number]
        picture = window(frame)
        if group and (len(group) == size or group[0][1].shape != picture.shape):
            yield from _laid_over(group)
            group = []
        group.append((number, picture))
        ranking.add(picture)
        steady.add(np.asarray(frame))
    yield from _laid_over(group)
    constant = steady.picture()
    if constant is not None:
        yield View(constant, tuple(range(n_frames)))
    for number in sorted({0, n_frames // 2, n_frames - 1, *ranking.most_unlike(N_UNLIKE)}):
        yield View(window(frames[number]), (number,))


def _laid_over(group: Sequence[tuple[int, Picture]]) -> Iterator[View]:
    numbers = tuple(number for number, _ in group)
    stack = np.stack([picture for _, picture in group])
    yield View(stack.max(axis=0), numbers)
    if len(group) > 1:
        yield View(stack.min(axis=0), numbers)


@dataclass(slots=True)
class _Ranking:
    """How much each frame differs from both of its neighbors, cell by cell."""

    last: list[Picture] = field(default_factory=list)
    cells: list[NDArray[np.float32]] = field(default_factory=list)

    def add(self, picture: Picture) -> None:
        """Take the next frame; the one before it has now both neighbors."""
        if self.last and self.last[-1].shape != picture.shape:
            self._finish()
        self.last = [*self.last[-2:], picture]
        if len(self.last) == 2:
            self.cells.append(_unlike(self.last[0], picture, picture))
        elif len(self.last) == 3:
            self.cells.append(_unlike(self.last[1], self.last[0], picture))

    def _finish(self) -> None:
        """The last frame of its size has one neighbor at most."""
        before = self.last[-2] if len(self.last) > 1 else self.last[-1]
        self.cells.append(_unlike(self.last[-1], before, before))
        self.last = []

    def most_unlike(self, n_wanted: int) -> list[int]:
        """Numbers of the frames with the cells that stand out most against their usual level."""
        self._finish()
        scores = np.zeros(len(self.cells))
        for shape in {cells.shape for cells in self.cells}:
            numbers = [n for n, cells in enumerate(self.cells) if cells.shape == shape]
            stack = np.stack([self.cells[n] for n in numbers])
            usual = np.median(stack, axis=0) + np.median(stack) + 2.0
            excess = ((stack - usual) / usual).reshape(len(numbers), -1)
            scores[numbers] = np.sort(excess, axis=1)[:, -3:].mean(axis=1)
        return [int(n) for n in np.argsort(-scores, kind="stable")[:n_wanted]]


def _unlike(picture: Picture, before: Picture, after: Picture) -> NDArray[np.float32]:
    """Mean of what lies outside the neighbors' range, in cells of 16 x 16 that overlap by half."""
    between = np.clip(picture, np.minimum(before, after), np.maximum(before, after))
    outside = np.where(picture > between, picture - between, between - picture)
    rows, columns = (max(1, n // _CELL) for n in picture.shape)
    trimmed = outside[: rows * _CELL, : columns * _CELL].astype(np.float32)
    if min(picture.shape) < 2 * _CELL:
        whole: NDArray[np.float32] = trimmed.mean(keepdims=True)
        return whole
    small = trimmed.reshape(rows, _CELL, columns, _CELL).mean(axis=(1, 3))
    blocks: NDArray[np.float32] = (
        small[:-1, :-1] + small[1:, :-1] + small[:-1, 1:] + small[1:, 1:]
    ) / 4
    return blocks


@dataclass(slots=True)
class _Steady:
    """Pixels that hold one value in all frames: an overlay does, tissue does not."""

    least: NDArray[Any] | None = None
    most: NDArray[Any] | None = None
    is_one_size: bool = True

    def add(self, frame: NDArray[Any]) -> None:
        """Take the next frame."""
        if self.least is None or self.most is None:
            self.least, self.most = frame.copy(), frame.copy()
        elif frame.shape != self.least.shape:
            self.is_one_size = False
        else:
            np.minimum(self.least, frame, out=self.least)
            np.maximum(self.most, frame, out=self.most)

    def picture(self) -> Picture | None:
        """White where a value other than background never changes; None when nowhere.

        Background is the commonest value that never changes, where it fills a tenth of the frame.
        """
        if self.least is None or self.most is None or not self.is_one_size:
            return None
        steady = self.least == self.most
        values, counts = np.unique(self.least[steady], return_counts=True)
        shown = steady
        if counts.size and counts.max() > _BACKGROUND * steady.size:
            shown = steady & (self.least != values[counts.argmax()])
        if int(shown.sum()) < _MIN_CONSTANT:
            return None
        return np.where(shown, 255, 0).astype(np.uint8)
