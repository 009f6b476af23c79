"""Letters planted in frames, with their truth: which pixels they touch."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import font_manager
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from tracerless.deidentify.burned_boxes import Box

LATIN = str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf")
_CHINESE = ("notosanscjk", "notoserifcjk", "wqy", "uming", "ukai", "pingfang", "msjh", "mingliu")


def chinese_font() -> str:
    """A font with Chinese letters, or the test is skipped: none is in the repository."""
    for path in sorted(font_manager.findSystemFonts()):
        if any(word in Path(path).name.lower().replace("-", "") for word in _CHINESE):
            return path
    pytest.skip("no font with Chinese letters on this machine")


@dataclass(frozen=True)
class Ink:
    """Letters as a stencil 0-1, and where it lies."""

    stencil: NDArray[np.float64]
    top: int
    left: int

    def on(self, frame: NDArray, value: float) -> NDArray:
        rows, columns = self.stencil.shape
        drawn = frame.astype(np.float64)
        part = drawn[self.top : self.top + rows, self.left : self.left + columns]
        part[:] = part * (1 - self.stencil) + value * self.stencil
        return drawn.astype(frame.dtype)

    def bar(self, frame: NDArray, value: float) -> NDArray:
        rows, columns = self.stencil.shape
        drawn = frame.copy()
        drawn[self.top : self.top + rows, self.left : self.left + columns] = value
        return drawn

    def is_in(self, boxes: tuple[Box, ...], frame: int) -> bool:
        """Whether the boxes touch most of the letters in that frame."""
        inside = np.zeros((4096, 4096), dtype=bool)
        for box in boxes:
            if frame in box.frames:
                inside[box.top : box.bottom, box.left : box.right] = True
        y, x = np.nonzero(self.stencil > 0.5)
        return bool(inside[y + self.top, x + self.left].mean() > 0.6)


def ink(text: str, size: int, *, at: tuple[int, int], turn: int = 0, font: str = LATIN) -> Ink:
    letters = ImageFont.truetype(font, size)
    left, top, right, bottom = letters.getbbox(text)
    paper = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4))
    ImageDraw.Draw(paper).text((2 - left, 2 - top), text, fill=255, font=letters)
    return Ink(np.asarray(paper.rotate(turn, expand=True)) / 255.0, *at)


def head(rows: int = 112, columns: int = 96, n_frames: int = 1, seed: int = 3) -> NDArray[np.int16]:
    """(frames, rows, columns) of a noisy ellipsoid with folds and a bright rim, 0-1000."""
    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(
        np.linspace(-0.6, 0.6, n_frames) if n_frames > 1 else np.zeros(1),
        np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij",
    )  # fmt: skip
    radius = np.sqrt((x / 0.75) ** 2 + (y / 0.85) ** 2 + z**2)
    folds = 120 * np.sin(14 * x + 5 * z) * np.cos(11 * y - 4 * z)
    tissue = np.where(radius < 0.85, 550 + folds, 0) + np.where(abs(radius - 0.95) < 0.04, 850, 0)
    noise = np.abs(rng.normal(0, 18, tissue.shape))
    return np.clip(tissue + noise, 0, 1000).astype(np.int16)
