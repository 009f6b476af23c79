"""Text in a picture, by a recognizer that runs on this machine: Chinese and Latin letters.

The two networks come with the wheel of ``rapidocr-onnxruntime``, so nothing is fetched. Only its
model files are used: reading the maps takes numpy and pillow, so no graphics library is needed.
"""

import functools
import importlib.util
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from tracerless.core.errors import ModelError

PACKAGE = "rapidocr_onnxruntime"
"""Whose wheel holds the networks."""

SHORT_SIDE, MIN_SCALE, MAX_SCALE = 768, 1.5, 6.0
"""A frame is enlarged until its short side has about as many pixels, within these factors."""
MAX_SIDE = 1536
"""No frame is looked at with a side longer than this, even if it has to be made smaller."""

_DETECTOR, _RECOGNIZER = "ch_PP-OCRv4_det_infer.onnx", "ch_PP-OCRv4_rec_infer.onnx"
_STRIDE = 32
_INK = 0.3
_SURE = 0.5
_UNCLIP = 1.6
_MIN_PIXELS = 24
_MAX_PLACES = 60
_LINE_HEIGHT, _LINE_WIDTH, _MAX_LINE_WIDTH = 48, 96, 1600
_WIDE = 1.5

TALLEST, TALLEST_SHARE = 64, 0.4
"""Lines taller than so many pixels of the frame, or than this share of its short side, are taken
for anatomy and not read."""

Quad = NDArray[np.float64]
"""(4, 2) x, y of the corners: upper left, upper right, lower right, lower left."""


@dataclass(frozen=True, slots=True)
class Found:
    """One line of text: the box around it in pixels of the frame, and how sure its reading is.

    ``bottom`` and ``right`` lie one past the last pixel; ``confidence`` is 0-1; ``turn`` says by
    how many degrees counterclockwise the picture has to be turned to read it. ``text`` identifies
    people, so the repr hides it.
    """

    top: int
    left: int
    bottom: int
    right: int
    confidence: float
    turn: int
    text: str = field(repr=False)


def read_text(frame: NDArray[np.uint8]) -> tuple[Found, ...]:
    """The lines of text in a picture, from top to bottom; equal in, equal out.

    Args:
        frame: (rows, columns) 0-255; small ones are enlarged first.

    Raises:
        ModelError: the networks are not installed.
    """
    picture, scale = _enlarged(frame)
    tallest = min(TALLEST, TALLEST_SHARE * min(frame.shape)) * scale
    found = []
    for quad in _places(picture, tallest):
        if _short_side(quad) > tallest:
            continue
        text, confidence, turn = _read(picture, quad)
        left, top = np.maximum(np.floor(quad.min(axis=0) / scale), 0).astype(int)
        right, bottom = np.minimum(np.ceil(quad.max(axis=0) / scale), frame.shape[::-1]).astype(int)
        found.append(Found(int(top), int(left), int(bottom), int(right), confidence, turn, text))
    return tuple(sorted(found, key=lambda each: (each.top, each.left)))


def _enlarged(frame: NDArray[np.uint8]) -> tuple[Image.Image, float]:
    rows, columns = frame.shape
    scale = min(MAX_SCALE, max(MIN_SCALE, SHORT_SIDE / min(rows, columns)))
    scale = min(scale, MAX_SIDE / max(rows, columns))
    size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
    picture = Image.fromarray(np.ascontiguousarray(frame))
    return picture.resize(size, Image.Resampling.BICUBIC), scale


def _places(picture: Image.Image, tallest: float) -> Iterator[Quad]:
    """Corners of every place that looks like a line of text, the largest first.

    ``tallest`` is the height in pixels above which a line is none.
    """
    pixels = np.asarray(picture, dtype=np.float32) / 127.5 - 1.0
    rows, columns = pixels.shape
    padding = ((0, -rows % _STRIDE), (0, -columns % _STRIDE))
    padded = np.pad(pixels, padding, mode="edge")
    (maps,) = _network(_DETECTOR).run(None, {"x": np.repeat(padded[None, None], 3, axis=1)})
    ink = maps[0, 0, :rows, :columns]
    labels, n_labels = ndimage.label(ink > _INK, structure=np.ones((3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=n_labels + 1)[1:]
    objects = ndimage.find_objects(labels)
    for index in np.argsort(-sizes, kind="stable")[:_MAX_PLACES]:
        part = objects[index]
        mask = labels[part] == index + 1
        if sizes[index] < _MIN_PIXELS or ink[part][mask].mean() < _SURE:
            continue
        if sizes[index] > tallest * math.hypot(*mask.shape):
            continue
        corner = np.array([part[1].start, part[0].start])
        yield _widened(_rectangle(_outline(mask) + corner))


def _outline(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(points, 2) x, y of the first and last pixel of every row and of every column."""
    rows, columns = mask.shape
    y, x = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    first, last = mask.argmax(axis=1)[y], columns - 1 - mask[:, ::-1].argmax(axis=1)[y]
    top, bottom = mask.argmax(axis=0)[x], rows - 1 - mask[::-1].argmax(axis=0)[x]
    across = np.concatenate([first, last, x, x])
    down = np.concatenate([y, y, top, bottom])
    return np.stack([across, down], axis=1) + 0.5


def _rectangle(points: NDArray[np.float64]) -> Quad:
    """The smallest of the rectangles around the points, among 24 directions (upright wins ties)."""
    best, smallest = np.zeros((4, 2)), math.inf
    for angle in np.deg2rad(np.arange(-45.0, 45.0, 3.75)[np.argsort(np.abs(np.arange(-12, 12)))]):
        axes = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        turned = points @ axes.T
        low, high = turned.min(axis=0) - 0.5, turned.max(axis=0) + 0.5
        area = float(np.prod(high - low))
        if area < smallest * 0.9:
            corners = np.array([low, (high[0], low[1]), high, (low[0], high[1])])
            best, smallest = corners @ axes, area
    return best


def _widened(quad: Quad) -> Quad:
    """The network marks the core of a line: grow it to the letters' outline.

    Source:
        Liao et al., Real-time scene text detection with differentiable binarization, AAAI 2020,
        equation 10, with the ratio 1.6 that the network's configuration states.
    """
    across, down = quad[1] - quad[0], quad[3] - quad[0]
    width, height = float(np.linalg.norm(across)), float(np.linalg.norm(down))
    by = width * height * _UNCLIP / (2 * (width + height))
    x, y = across / width * by, down / height * by
    wide: Quad = quad + np.array([-x - y, x - y, x + y, y - x])
    return wide


def _short_side(quad: Quad) -> float:
    return float(min(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[3] - quad[0])))


def _read(picture: Image.Image, quad: Quad) -> tuple[str, float, int]:
    """(text, confidence, turn) of the surest of the ways in which the line may lie."""
    width = np.linalg.norm(quad[1] - quad[0])
    height = np.linalg.norm(quad[3] - quad[0])
    wide, tall = width * _WIDE > height, height * _WIDE > width
    turns = (0, 180) * bool(wide) + (90, 270) * bool(tall)
    readings = []
    for turn in turns:
        text, confidence = _line(picture, np.roll(quad, -(turn // 90), axis=0))
        readings.append((text, confidence, turn))
    return max(readings, key=lambda each: each[1] + 0.03 * min(len(each[0]), 8))


def _line(picture: Image.Image, quad: Quad) -> tuple[str, float]:
    width = float(np.linalg.norm(quad[1] - quad[0]))
    height = float(np.linalg.norm(quad[3] - quad[0]))
    columns = min(_MAX_LINE_WIDTH, max(1, math.ceil(_LINE_HEIGHT * width / height)))
    upper_left, upper_right, lower_right, lower_left = quad.tolist()
    corners = (*upper_left, *lower_left, *lower_right, *upper_right)
    line = picture.transform(
        (columns, _LINE_HEIGHT), Image.Transform.QUAD, corners, Image.Resampling.BILINEAR
    )
    pixels = np.zeros((1, 3, _LINE_HEIGHT, max(_LINE_WIDTH, columns)), dtype=np.float32)
    pixels[0, :, :, :columns] = np.asarray(line, dtype=np.float32) / 127.5 - 1.0
    (chances,) = _network(_RECOGNIZER).run(None, {"x": pixels})
    return _decoded(chances[0])


def _decoded(chances: NDArray[np.float32]) -> tuple[str, float]:
    """Best path of the connectionist classification: repeats merge, the blank (0) goes."""
    best = chances.argmax(axis=1)
    is_new = np.append(True, best[1:] != best[:-1]) & (best != 0)
    if not is_new.any():
        return "", 0.0
    letters = _letters()
    text = "".join(letters[index] for index in best[is_new])
    return text, float(chances.max(axis=1)[is_new].mean())


@functools.cache
def _letters() -> tuple[str, ...]:
    described = _network(_RECOGNIZER).get_modelmeta().custom_metadata_map["character"]
    return ("", *described.splitlines(), " ")


@functools.cache
def _network(name: str) -> Any:
    """One of the networks, on one thread of the processor."""
    found = importlib.util.find_spec(PACKAGE)
    folders = found.submodule_search_locations if found else None
    if not folders:
        raise ModelError(
            f"The text recognizer {PACKAGE} is not installed.",
            hint="Install the dependencies of tracerless again.",
        )
    onnxruntime.set_default_logger_severity(4)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    path = Path(folders[0]) / "models" / name
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
