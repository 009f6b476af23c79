"""Text that can still be read in the pixels of a clean series."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tracerless.deidentify import burned
from tracerless.deidentify.proof_findings import FAILURE, WARNING, Finding
from tracerless.io.tags import MISREAD
from tracerless.workspace.ingest_pixels import LEAST_COLUMNS, LEAST_ROWS, StagedFrames
from tracerless.workspace.verify_names import shown

SHIFT = (3, 5)
"""Rows and columns by which a frame is moved for a second reading: letters are read again, anatomy
that looked like letters is not."""

MOST_READ = 8
"""Frames that are read again for one place, besides their brightest and darkest pixels."""


def text_findings(folder: Path, root: Path) -> Iterator[Finding]:
    """One finding for every file in which text can be read that is no anatomical mark.

    What only one of two readings sees is a warning.

    Args:
        folder: of the series.
        root: of the dataset.
    """
    name = shown(folder, root)
    try:
        frames = StagedFrames(folder)
        if not len(frames) or _is_tiny(frames):
            return
        for box in burned.find(frames):
            level = FAILURE if _is_read_again(frames, box) else WARNING
            for path, _ in frames.files_with([box]):
                file = shown(path, root)
                yield Finding("ocr", "text-in-pixels", file, "PixelData", "", level)
    except MISREAD:
        yield Finding("ocr", "unreadable", name, "PixelData")


def _is_read_again(frames: StagedFrames, box: burned.Box) -> bool:
    """Whether text is read at that place in moved frames too."""
    held = [np.asarray(frames[n], dtype=np.float32) for n in sorted(box.frames)]
    every = max(1, len(held) // MOST_READ)
    looks = [np.max(held, axis=0), np.min(held, axis=0), *held[::every]]
    return any(
        _overlap(box, found)
        for look in looks
        for found in burned.find([np.roll(look, SHIFT, axis=(0, 1))], every=True)
    )


def _overlap(box: burned.Box, moved: burned.Box) -> bool:
    top, left = moved.top - SHIFT[0], moved.left - SHIFT[1]
    bottom, right = moved.bottom - SHIFT[0], moved.right - SHIFT[1]
    return top < box.bottom and box.top < bottom and left < box.right and box.left < right


def _is_tiny(frames: StagedFrames) -> bool:
    """Whether a frame is too small for anybody to read two letters in it."""
    rows, columns = frames[0].shape
    return bool(rows < LEAST_ROWS or columns < LEAST_COLUMNS)
