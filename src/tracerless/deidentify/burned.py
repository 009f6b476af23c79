"""Text burned into the pixels of a series: found, judged, and blanked or refused."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import ProfileError
from tracerless.deidentify.burned_blank import blank, clear_high_bits, decoded
from tracerless.deidentify.burned_boxes import Box, Frames, fill, merged, within
from tracerless.deidentify.burned_views import every_frame, views
from tracerless.deidentify.ocr import Found, read_text
from tracerless.deidentify.values import Refusal

__all__ = [
    "Box", "Clean", "blank", "clear_high_bits", "decoded", "find", "is_harmless", "screen",
    "within",
]  # fmt: skip

CONFIDENCE_SHORT, CONFIDENCE = 0.85, 0.6
"""How sure the reading of 2 or 3 letters, and of more, must be.

Measured on 35 series without text (729 pictures): anatomy is read as 2 or 3 letters at a
confidence of at most 0.81, as more at no more than 0.54.
"""
CONFIDENCE_PAIR, CONFIDENCE_CHINESE = 0.7, 0.35
"""The same for 2 Chinese characters (anatomy: at most 0.56), and for 3 and more (never)."""

QUARANTINE, CLEAN = "quarantine", "clean"
"""What a profile orders for text in the pixels (`Profile.pixels`)."""

_MARKERS = frozenset(
    {
        "LR", "RL", "AP", "PA", "HF", "FH", "SI", "IS", "LEFT", "RIGHT", "LEFTRIGHT", "RIGHTLEFT",
        "ANT", "POST", "SUP", "INF", "ANTERIOR", "POSTERIOR", "HEAD", "FEET",
    }
)  # fmt: skip
_MEASURE = re.compile(r"[+-]?\d{0,3}([.,]\d{1,3})?(MM|CM|%)?")


@dataclass(frozen=True, slots=True)
class Clean:
    """A series without text in its pixels, once ``boxes`` (often none) are blanked."""

    boxes: tuple[Box, ...]


def is_harmless(text: str) -> bool:
    """Whether a text identifies nobody: a marker of sides, one letter, or a short measure.

    Markers are single letters and pairs of opposite sides; measures have at most three digits
    before the point and may end in mm, cm or %. Three-letter directions are not among them: LAI
    and SHI are names.
    """
    folded = unicodedata.normalize("NFKC", text).upper()
    letters = "".join(each for each in folded if each.isalnum())
    if len(letters) < 2 or len(set(letters)) == 1:
        return True
    return letters in _MARKERS or _MEASURE.fullmatch(folded.replace(" ", "")) is not None


def find(frames: Frames, *, every: bool = False) -> tuple[Box, ...]:
    """Where text is burned into the frames of a series.

    Args:
        frames: (rows, columns) each, in order, any numbers; decoded at most twice each when they
            are decoded on demand.
        every: read each frame by itself (0.1 CPU-s each) instead of the about 25 pictures that
            stand for them all.

    Returns:
        Boxes that do not overlap. A box found where frames are laid over each other holds for all
        of them.
    """
    found: list[Box] = []
    for view in every_frame(frames) if every else views(frames):
        if view.picture.min() == view.picture.max():
            continue
        found += [
            Box(line.top, line.left, line.bottom, line.right, view.frames)
            for line in _lines(read_text(view.picture))
            if _is_finding(line)
        ]
    return merged(found)


def screen(frames: Frames, pixels: str, *, every: bool = False) -> Clean | Refusal:
    """Whether the pixels of a series may cross.

    Args:
        frames: of the whole series, in order.
        pixels: what the profile orders: ``quarantine`` or ``clean``.
        every: read each frame by itself.

    Returns:
        ``Clean`` with the boxes that have to be blanked; or the refusal, when text is there and is
        not to be blanked, or is still read after blanking.

    Raises:
        ProfileError: ``pixels`` is neither of the two.
    """
    if pixels not in {QUARANTINE, CLEAN}:
        raise ProfileError(f"pixels={pixels!r} is neither {QUARANTINE!r} nor {CLEAN!r}.")
    boxes = find(frames, every=every)
    if not boxes:
        return Clean(())
    where = _where(boxes, len(frames))
    if pixels == QUARANTINE:
        return Refusal("burned_in", f"Text lies in the pixels: {where}.")
    if find(_Filled(frames, boxes), every=every):
        return Refusal("burned_in", f"Text is still read after blanking {where}.")
    return Clean(boxes)


def _where(boxes: Sequence[Box], n_frames: int) -> str:
    n_touched = len({n for box in boxes for n in box.frames})
    places = "1 place" if len(boxes) == 1 else f"{len(boxes)} places"
    return f"{places}, {n_touched} of {n_frames} frames"


@dataclass(frozen=True, slots=True, eq=False)
class _Filled(Sequence[NDArray[Any]]):
    """Frames with the boxes filled, one at a time."""

    frames: Frames
    boxes: tuple[Box, ...]

    def __len__(self) -> int:
        return len(self.frames)

    @overload
    def __getitem__(self, index: int) -> NDArray[Any]: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[NDArray[Any]]: ...
    def __getitem__(self, index: int | slice) -> NDArray[Any] | Sequence[NDArray[Any]]:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        frame = np.asarray(self.frames[index])
        touching = [box for box in self.boxes if index in box.frames]
        return fill(frame, touching) if touching else frame


def _is_finding(line: Found) -> bool:
    n_letters = sum(each.isalnum() for each in line.text)
    if is_harmless(line.text) or n_letters < 0.6 * len(line.text.replace(" ", "")):
        return False
    n_chinese = sum("\u3400" <= each <= "\u9fff" for each in line.text)
    if n_chinese >= 2:
        return line.confidence >= (CONFIDENCE_CHINESE if n_chinese > 2 else CONFIDENCE_PAIR)
    return line.confidence >= (CONFIDENCE if n_letters > 3 else CONFIDENCE_SHORT)


def _lines(found: Sequence[Found]) -> list[Found]:
    """What lies beside each other on one line, joined: three digits may be a part of more."""
    lines: list[Found] = []
    for each in sorted(found, key=_along):
        for number, line in enumerate(lines):
            if _continues(line, each):
                lines[number] = _joined(line, each)
                break
        else:
            lines.append(each)
    return lines


def _along(each: Found) -> int:
    """Where it begins in its own direction of reading."""
    return {0: each.left, 90: each.top, 180: -each.right, 270: -each.bottom}[each.turn]


def _continues(line: Found, each: Found) -> bool:
    if line.turn != each.turn:
        return False
    if line.turn in (0, 180):
        spans, across = (line.left, line.right, each.left, each.right), (
            line.top, line.bottom, each.top, each.bottom)  # fmt: skip
    else:
        spans, across = (line.top, line.bottom, each.top, each.bottom), (
            line.left, line.right, each.left, each.right)  # fmt: skip
    heights = across[1] - across[0], across[3] - across[2]
    shared = min(across[1], across[3]) - max(across[0], across[2])
    gap = max(spans[0], spans[2]) - min(spans[1], spans[3])
    return shared > 0.5 * max(heights) and gap < 1.5 * max(heights)


def _joined(line: Found, each: Found) -> Found:
    n_line, n_each = max(1, len(line.text)), max(1, len(each.text))
    return Found(
        top=min(line.top, each.top),
        left=min(line.left, each.left),
        bottom=max(line.bottom, each.bottom),
        right=max(line.right, each.right),
        confidence=(line.confidence * n_line + each.confidence * n_each) / (n_line + n_each),
        turn=line.turn,
        text=f"{line.text} {each.text}",
    )
