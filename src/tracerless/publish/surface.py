"""Stereotactic surface projections as a picture: uptake and z on eight views, one color scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tracerless.core.errors import GeometryError
from tracerless.core.norm_maps import Surface
from tracerless.core.prediction import SYNTHETIC_LABEL_EN
from tracerless.core.session import Template
from tracerless.core.volume import Contrast
from tracerless.publish import colors
from tracerless.publish.colors import BACKGROUND, table
from tracerless.publish.picture import WARNING, Pixels, encode, heading
from tracerless.publish.surface_views import VIEWS, Sight, View, sights
from tracerless.publish.texts import SIMULATED_PERSON, title

Z_LIMIT = 5.0
"""All pictures show z from minus to plus this, so that equal colors mean equal z."""
Z_GREY = 1.5
"""Nearer to zero than this the brain stays grey."""
_SIMULATED = (90, 45, 130)
_UNKNOWN = np.array((74, 74, 80), dtype=np.float64)
_GREY = 205.0
_PER_ROW, _GAP_PX, _BAR_PX, _LABEL_PX = 4, 6, 30, 18
_INK, _FAINT = (235, 235, 235), (160, 160, 170)


@dataclass(frozen=True, slots=True, eq=False)
class Projected:
    """What is drawn of one scan.

    Args:
        contrast: what was measured; a synthetic one is marked.
        uptake: (m,) SUVR at the surface's points; NaN where nothing was measured.
        z: (m,) against the norm, likewise.
        norm: its name.
        n: normal people behind it.
        simulated: whether they, and the person, are simulated.
    """

    contrast: Contrast
    uptake: NDArray[np.float64]
    z: NDArray[np.float64]
    norm: str
    n: int
    simulated: bool


def projections(template: Template, surface: Surface, drawn: Projected) -> bytes:
    """A PNG of the eight views of uptake and of z; equal input, equal bytes.

    Args:
        template: the brain that is drawn.
        surface: points of that brain.
        drawn: values at the points.

    Raises:
        GeometryError: values and points differ in number.
    """
    for values in (drawn.uptake, drawn.z):
        if len(values) != len(surface.part):
            raise GeometryError(f"{len(values)} values for {len(surface.part)} surface points.")
    seen = sights(template, surface)
    high = _top(drawn.uptake)
    rows = [
        _block([_uptake(each, drawn.uptake, high) for each in seen]),
        _block([_z(each, drawn.z) for each in seen]),
    ]
    width = rows[0].shape[1]
    words = f"{title(drawn.contrast)}: peak uptake below the surface, SUVR 0 to {high:.1f}"
    z_words = (
        f"z against norm {drawn.norm} ({drawn.n} normal people), below the surface; "
        "blue to violet = lower than expected, orange to pink = higher"
    )
    parts = [
        *_marks(width, drawn),
        heading(width, [words]), rows[0], _bar(width, table("uptake"), (0.0, high), "SUVR"),
        heading(width, [z_words]), rows[1], _bar(width, _ramp(), (-Z_LIMIT, Z_LIMIT), "z"),
    ]  # fmt: skip
    return encode(np.concatenate(parts, axis=0))


def z_colors(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., 3) RGB of z: grey near zero, and the same colors for the same z on every picture."""
    rgb = colors.z_colors(np.clip(z / Z_LIMIT, -1, 1))
    return np.where((np.abs(z) < Z_GREY)[..., None], _GREY, rgb)


def _uptake(sight: Sight, values: NDArray[np.float64], high: float) -> Pixels:
    shown = sight.values(values)
    step = np.clip(np.nan_to_num(shown) / high * 255, 0, 255).astype(np.uint8)
    return _lit(sight, table("uptake")[step].astype(np.float64), shown)


def _z(sight: Sight, values: NDArray[np.float64]) -> Pixels:
    shown = sight.values(values)
    return _lit(sight, z_colors(np.nan_to_num(shown)), shown)


def _lit(sight: Sight, rgb: NDArray[np.float64], shown: NDArray[np.float64]) -> Pixels:
    colored = np.where(np.isfinite(shown)[..., None], rgb, _UNKNOWN) * sight.shade[..., None]
    back = np.array(BACKGROUND, dtype=np.float64)
    return np.where(sight.seen[..., None], colored, back).round().astype(np.uint8)


def _block(tiles: Sequence[Pixels]) -> Pixels:
    """Eight tiles in two rows, each centered in a cell of its row's height, with its name."""
    width = max(tile.shape[1] for tile in tiles) + _GAP_PX
    rows = []
    for start in range(0, len(tiles), _PER_ROW):
        row = list(zip(VIEWS, tiles, strict=True))[start : start + _PER_ROW]
        height = max(tile.shape[0] for _, tile in row) + _LABEL_PX
        rows.append(np.concatenate([_cell(v, t, height, width) for v, t in row], axis=1))
    return np.concatenate(rows, axis=0)


def _cell(view: View, tile: Pixels, height: int, width: int) -> Pixels:
    cell = Image.new("RGB", (width, height), BACKGROUND)
    top = _LABEL_PX + (height - _LABEL_PX - tile.shape[0]) // 2
    cell.paste(Image.fromarray(tile), ((width - tile.shape[1]) // 2, top))
    draw = ImageDraw.Draw(cell)
    draw.text((width // 2, 9), view.name, font=_font(13), fill=_INK, anchor="mm")
    draw.text((6, height // 2), view.left, font=_font(12), fill=_FAINT, anchor="lm")
    draw.text((width - 6, height // 2), view.right, font=_font(12), fill=_FAINT, anchor="rm")
    return np.asarray(cell)


def _marks(width: int, drawn: Projected) -> list[Pixels]:
    """Strips that say what must not be overlooked."""
    strips = []
    if drawn.contrast is Contrast.SYNTHETIC_FDG:
        strips.append(heading(width, [SYNTHETIC_LABEL_EN], WARNING))
    if drawn.simulated:
        strips.append(heading(width, [f"{SIMULATED_PERSON}; NORM OF SIMULATED PEOPLE"], _SIMULATED))
    return strips


def _bar(width: int, ramp: Pixels, ends: tuple[float, float], unit: str) -> Pixels:
    strip = Image.new("RGB", (width, _BAR_PX), BACKGROUND)
    inner = width - 120
    wide = Image.fromarray(np.repeat(ramp[None], 8, axis=0))
    strip.paste(wide.resize((inner, 8), Image.Resampling.NEAREST), (60, 5))
    draw = ImageDraw.Draw(strip)
    n_ticks = 11 if ends[0] < 0 else 5
    for n in range(n_ticks):
        share = n / (n_ticks - 1)
        value = ends[0] + share * (ends[1] - ends[0])
        words = f"{value:+.0f}" if ends[0] < 0 and value else f"{value:.2g}"
        at = (60 + round(share * inner), 22)
        draw.text(at, words, font=_font(11), fill=_FAINT, anchor="mm")
    draw.text((width - 8, 9), unit, font=_font(11), fill=_FAINT, anchor="rm")
    return np.asarray(strip)


def _ramp() -> Pixels:
    return z_colors(np.linspace(-Z_LIMIT, Z_LIMIT, 256)).round().astype(np.uint8)


def _top(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    top = float(np.percentile(known, 99)) if known.size else 1.0
    return math.ceil(max(top, 0.1) / 0.1 - 1e-6) * 0.1


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font that Pillow carries within itself: no file is opened."""
    return ImageFont.load_default(size)
