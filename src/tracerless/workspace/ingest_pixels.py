"""Text in and beside the pixels of a staged series: blanked, or a reason to stay outside."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import pydicom
from numpy.typing import NDArray

from tracerless import deidentify
from tracerless.core.errors import DicomError
from tracerless.deidentify import Refusal, burned
from tracerless.deidentify.burned_boxes import padded
from tracerless.deidentify.confidentiality import CLEAN_PIXELS
from tracerless.deidentify.engine import silent_reader
from tracerless.deidentify.proof_facts import facts_of
from tracerless.deidentify.stamp import add_code

Rectangle = tuple[int, int, int, int]
"""First row, first column, row behind the last, column behind the last."""

LEAST_ROWS, LEAST_COLUMNS = 8, 12
"""A smaller frame cannot hold two letters that anybody could read."""


class StagedFrames(Sequence[NDArray[Any]]):
    """All frames of a folder of clean instances, in order of file names, decoded on demand."""

    def __init__(self, folder: Path) -> None:
        self.files = sorted(folder.glob("*.dcm"))
        self._index = [(k, n) for k, path in enumerate(self.files) for n in range(_n_frames(path))]
        self._held: tuple[int, NDArray[Any]] = (-1, np.empty(0))
        self._hidden: dict[int, bool] = {}

    def __len__(self) -> int:
        """Frames in all files together."""
        return len(self._index)

    @overload
    def __getitem__(self, index: int) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[NDArray[Any]]: ...
    def __getitem__(self, index: int | slice) -> NDArray[Any] | Sequence[NDArray[Any]]:
        """(rows, columns) stored numbers of one frame; the file read last is held."""
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        number, frame = self._index[index]
        self._hold(number)
        chosen: NDArray[Any] = self._held[1][frame]
        return chosen

    def hide_something(self) -> bool:
        """Whether any file holds something in the bits beside its pixels, as old overlays do."""
        for number in range(len(self.files)):
            if number not in self._hidden:
                self._hold(number)
        return any(self._hidden.values())

    def _hold(self, number: int) -> None:
        """Decode one file, and look once at the bits beside its pixels."""
        if self._held[0] == number:
            return
        with silent_reader():
            dataset = pydicom.dcmread(self.files[number])
            if number not in self._hidden:
                self._hidden[number] = burned.clear_high_bits(dataset)[1] > 0
            self._held = (number, burned.decoded(dataset))

    def files_with(self, boxes: Sequence[burned.Box]) -> list[tuple[Path, tuple[burned.Box, ...]]]:
        """Every file with the boxes that touch it, whose frames count within the file."""
        found, first = [], 0
        for number, path in enumerate(self.files):
            n_frames = sum(file == number for file, _ in self._index)
            found.append((path, burned.within(boxes, first, n_frames)))
            first += n_frames
        return found


def cleaned(staging: Path, order: str) -> tuple[Rectangle, ...] | Refusal:
    """The rectangles that were blanked in a staged series (often none), or why it stays outside.

    Args:
        staging: its folder.
        order: what the policy says of text in pixels: ``quarantine`` or ``clean``.
    """
    frames = StagedFrames(staging)
    try:
        rows, columns = shape = frames[0].shape
        found: burned.Clean | Refusal = burned.Clean(())
        if rows >= LEAST_ROWS and columns >= LEAST_COLUMNS:
            found = burned.screen(frames, order)
        if frames.hide_something():
            text = "Bits beside the pixels hold something, such as an old overlay."
            return Refusal("hidden", text)
        if isinstance(found, Refusal):
            return found
        for path, boxes in frames.files_with(found.boxes) if found.boxes else ():
            _blank(path, boxes)
    except DicomError as failure:
        return Refusal("unreadable", f"The pixels cannot be looked at: {failure.message}")
    wide = (padded(box, shape) for box in found.boxes)
    return tuple(sorted({(box.top, box.left, box.bottom, box.right) for box in wide}))


def facts_again(
    files: Sequence[Path], facts: Sequence[dict[str, Any]], rectangles: Sequence[Rectangle]
) -> tuple[dict[str, Any], ...]:
    """The facts of a series' instances once more, with what was blanked left out.

    Args:
        files: the sources, one per fact.
        facts: as they were taken while the files crossed.
        rectangles: blanked in the series.
    """
    return tuple(
        facts_of(
            path.read_bytes(),
            uid=fact["uid"],
            series=fact["series"],
            iod_errors=fact.get("iod_errors"),
            boxes=rectangles,
            blocks="blocks" in fact,
        ).plain()
        for path, fact in zip(files, facts, strict=True)
    )


def _blank(path: Path, boxes: Sequence[burned.Box]) -> None:
    """Blank boxes in one file; every file of the series says that it was cleaned."""
    with silent_reader():
        changed = burned.blank(pydicom.dcmread(path), boxes)
        add_code(changed, CLEAN_PIXELS)
        path.write_bytes(deidentify.to_bytes(changed))


def _n_frames(path: Path) -> int:
    with silent_reader():
        header = pydicom.dcmread(path, specific_tags=["NumberOfFrames"], stop_before_pixels=True)
    return max(int(header.get("NumberOfFrames") or 1), 1)
