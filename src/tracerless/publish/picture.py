"""Pictures: the same slices of several volumes side by side, as PNG."""

import functools
import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from tracerless.core.errors import GeometryError
from tracerless.core.prediction import SYNTHETIC_LABEL_EN
from tracerless.publish.colors import BACKGROUND, colored, table
from tracerless.publish.panel import Panel
from tracerless.publish.slices import Slice, cut

TITLE_PX, LABEL_PX, BAR_PX, GAP_PX = 26, 40, 40, 4
WARNING = (176, 0, 32)
"""Color of everything that says synthetic, RGB."""
_CONTOUR = (0, 225, 255)
_INK, _FAINT = (235, 235, 235), (150, 150, 160)

Pixels = NDArray[np.uint8]
"""(rows, columns, 3) RGB."""


def picture(
    panels: Sequence[Panel], slices: Sequence[Slice], *, px_per_mm: float = 1.4, per_row: int = 1
) -> bytes:
    """A PNG: one column a panel, the slices below each other; equal input, equal bytes.

    A column of a synthetic volume carries ``SYNTHETIC_LABEL_EN`` in a strip of its own and the
    word SYNTHETIC in every tile. There is no argument that leaves it out.

    Args:
        panels: on one grid, upright, cut to the brain.
        slices: at least one, inside the volumes.
        px_per_mm: size of the pictures.
        per_row: tiles beside each other within a column.

    Raises:
        GeometryError: no panel or no slice, or a slice outside the volumes.
    """
    return encode(render(panels, slices, px_per_mm=px_per_mm, per_row=per_row))


def render(
    panels: Sequence[Panel], slices: Sequence[Slice], *, px_per_mm: float = 1.4, per_row: int = 1
) -> Pixels:
    """As ``picture``, before it becomes PNG."""
    if not panels or not slices:
        raise GeometryError(
            f"A picture of {len(panels)} volumes and {len(slices)} slices is empty."
        )
    gap = np.full((1, GAP_PX, 3), BACKGROUND, dtype=np.uint8)
    parts: list[Pixels] = []
    for panel in panels:
        column = _column(panel, slices, px_per_mm, per_row)
        parts += [column, np.repeat(gap, len(column), axis=0)]
    return np.concatenate(parts[:-1], axis=1)


def encode(pixels: Pixels) -> bytes:
    """PNG bytes without any date or name in them."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format="PNG", compress_level=6)
    return out.getvalue()


def _column(panel: Panel, slices: Sequence[Slice], px_per_mm: float, per_row: int) -> Pixels:
    tiles = [_tile(panel, where, px_per_mm) for where in slices]
    body = _mosaic(tiles, per_row)
    width = body.shape[1]
    head = _strip(width, TITLE_PX)
    _write(head, panel.title, 15, (width // 2, TITLE_PX // 2))
    label = _strip(width, LABEL_PX, WARNING if panel.is_synthetic else BACKGROUND)
    if panel.is_synthetic:
        _fit(label, SYNTHETIC_LABEL_EN)
    bar = _color_bar(panel, width)
    return np.concatenate([np.asarray(head), np.asarray(label), body, np.asarray(bar)], axis=0)


def _mosaic(tiles: Sequence[Pixels], per_row: int) -> Pixels:
    """Tiles of one size class side by side, rows below each other, centered."""
    rows = [tiles[i : i + per_row] for i in range(0, len(tiles), per_row)]
    width = max(sum(tile.shape[1] for tile in row) for row in rows)
    return np.concatenate([_row(row, width) for row in rows], axis=0)


def _row(tiles: Sequence[Pixels], width: int) -> Pixels:
    height = max(tile.shape[0] for tile in tiles)
    row = np.full((height, width, 3), BACKGROUND, dtype=np.uint8)
    left = (width - sum(tile.shape[1] for tile in tiles)) // 2
    for tile in tiles:
        top = (height - tile.shape[0]) // 2
        row[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
        left += tile.shape[1]
    return row


def _tile(panel: Panel, where: Slice, px_per_mm: float) -> Pixels:
    plane = colored(cut(panel.volume, where), panel.low, panel.high, panel.colors)
    spacing = panel.volume.grid.spacing_mm
    across, up = (mm for axis, mm in enumerate(spacing) if axis != where.plane.normal)
    size = (round(plane.shape[1] * across * px_per_mm), round(plane.shape[0] * up * px_per_mm))
    tile = Image.fromarray(plane).resize(size, Image.Resampling.BICUBIC)
    if panel.outline is not None:
        tile = _contoured(tile, cut(panel.outline, where))
    if panel.labels is not None:
        tile = _bordered(tile, cut(panel.labels, where))
    left, right = where.plane.letters
    _write(tile, left, 14, (9, 11))
    _write(tile, right, 14, (size[0] - 9, 11))
    _write(tile, str(where).split(" ", 1)[1], 11, (6, size[1] - 9), anchor="lm", ink=_FAINT)
    if panel.is_synthetic:
        _write(tile, "SYNTHETIC", 11, (size[0] - 6, size[1] - 9), anchor="rm", ink=(255, 120, 120))
    return np.asarray(tile)


def _contoured(tile: Image.Image, share: NDArray[np.float32]) -> Image.Image:
    """A thin line where the share crosses one half."""
    smooth = Image.fromarray(np.nan_to_num(share)).resize(tile.size, Image.Resampling.BICUBIC)
    inside = np.asarray(smooth) >= 0.5
    edge = inside & ~ndimage.binary_erosion(inside)
    return _drawn(tile, edge)


def _bordered(tile: Image.Image, labels: NDArray[np.float32]) -> Image.Image:
    """A thin line wherever two labels meet, or one ends."""
    whole = Image.fromarray(np.nan_to_num(labels).astype(np.int32))
    wide = np.asarray(whole.resize(tile.size, Image.Resampling.NEAREST))
    edge = np.zeros(wide.shape, dtype=bool)
    edge[:-1] |= wide[:-1] != wide[1:]
    edge[:, :-1] |= wide[:, :-1] != wide[:, 1:]
    return _drawn(tile, edge)


def _drawn(tile: Image.Image, edge: NDArray[np.bool_]) -> Image.Image:
    color = np.array(_CONTOUR, dtype=np.uint8)
    return Image.fromarray(np.where(edge[..., None], color, np.asarray(tile)))


def _color_bar(panel: Panel, width: int) -> Image.Image:
    strip = _strip(width, BAR_PX)
    ramp = np.repeat(table(panel.colors)[None], 8, axis=0)
    inner = width - 2 * 12
    strip.paste(Image.fromarray(ramp).resize((inner, 8), Image.Resampling.NEAREST), (12, 6))
    _write(strip, _number(panel.low), 11, (12, 26), anchor="lm")
    _write(strip, panel.unit, 11, (width // 2, 26), ink=_FAINT)
    _write(strip, _number(panel.high), 11, (width - 12, 26), anchor="rm")
    return strip


def _number(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 10 else f"{value:.1f}"


def heading(width: int, lines: Sequence[str], color: tuple[int, int, int] = BACKGROUND) -> Pixels:
    """Lines of words below each other in a strip of that width, left aligned."""
    size = 13
    wrapped = [part for line in lines for part in _wrap(line, size, width - 16)]
    strip = _strip(width, len(wrapped) * (size + 5) + 8, color)
    for number, line in enumerate(wrapped):
        _write(strip, line, size, (8, 4 + number * (size + 5) + (size + 5) // 2), anchor="lm")
    return np.asarray(strip)


def _strip(width: int, height: int, color: tuple[int, int, int] = BACKGROUND) -> Image.Image:
    return Image.new("RGB", (width, height), color)


def _fit(strip: Image.Image, text: str) -> None:
    """Write the whole text into a strip, over as many lines as it takes, as large as it fits."""
    for size in range(14, 5, -1):
        lines = _wrap(text, size, strip.width - 8)
        if len(lines) * (size + 2) <= strip.height - 4:
            break
    top = (strip.height - len(lines) * (size + 2)) / 2 + (size + 2) / 2
    for n, line in enumerate(lines):
        _write(strip, line, size, (strip.width // 2, round(top + n * (size + 2))))


def _wrap(text: str, size: int, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _font(size).getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _write(
    strip: Image.Image,
    text: str,
    size: int,
    at: tuple[int, int],
    *,
    anchor: str = "mm",
    ink: tuple[int, int, int] = _INK,
) -> None:
    ImageDraw.Draw(strip).text(at, text, font=_font(size), fill=ink, anchor=anchor)


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that Pillow carries within itself: no file is opened."""
    return ImageFont.load_default(size)
