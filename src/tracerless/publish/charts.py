"""Ground of the charts: axes, lines, bands and dots as SVG text, in one look."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tracerless.publish.markup import text

INK, SOFT, GRID = "#1d2230", "#5d6678", "#dde1e8"
LEFT, RIGHT, TOP, BOTTOM = 58, 16, 14, 44
KEY_ROW = 18
COLORS = ("#17417e", "#c77800", "#1e7d4b", "#7a4f9a", "#0072b2", "#b00020", "#7b8494")
"""Of curves and groups, in their order."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Numbers along one side.

    Args:
        low, high: ends; ``low`` lies left or below.
        step: between two ticks.
        name: what is measured, with its unit.
        form: how a tick is written, for `format`.
    """

    low: float
    high: float
    step: float
    name: str
    form: str = ".1f"

    def share(self, value: float) -> float:
        """Place of a value between the ends, 0 to 1; values beyond them stay at the end."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    @property
    def ticks(self) -> list[float]:
        """From ``low`` in equal steps, not beyond ``high``."""
        n_steps = math.floor((self.high - self.low) / self.step + 1e-9)
        return [self.low + n * self.step for n in range(n_steps + 1)]


def nice_axis(values: Sequence[float], name: str, *, least: float = 0.0) -> Axis:
    """An axis over all finite values with three to seven round ticks.

    Args:
        values: what must fit; nothing finite gives 0 to 1.
        name: of the axis.
        least: smallest length of the axis.
    """
    known = [float(value) for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(known), max(known)
    if high - low < max(least, 1e-9):
        middle = (low + high) / 2
        half = max(least, 0.1) / 2
        low, high = middle - half, middle + half
    raw = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(n * power for n in (1, 2, 2.5, 5, 10) if n * power >= raw - 1e-12)
    digits = next(n for n in range(12) if math.isclose(round(step, n), step, rel_tol=1e-6))
    ends = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    return Axis(ends[0], ends[1], step, name, f".{digits}f")


@dataclass(frozen=True, slots=True)
class Frame:
    """The field of a chart; ``x`` and ``y`` map numbers to px.

    Args:
        across, up: its axes.
        width, height: of the whole drawing, px.
    """

    across: Axis
    up: Axis
    width: int = 600
    height: int = 432

    def x(self, value: float) -> float:
        """Place of a value across, px."""
        return LEFT + self.across.share(value) * (self.width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """Place of a value up, px."""
        return self.height - BOTTOM - self.up.share(value) * (self.height - TOP - BOTTOM)


@dataclass(frozen=True, slots=True)
class Key:
    """One entry of a legend: a line, ``dash``-ed or not, or a square of ``color``."""

    name: str
    color: str
    dash: str = ""


def chart(frame: Frame, title: str, marks: Sequence[str], keys: Sequence[Key] = ()) -> str:
    """A whole chart: axes, the marks on them, and the legend below.

    Args:
        frame: as the marks were placed on.
        title: read aloud instead of the drawing.
        marks: SVG, drawn in this order.
        keys: legend; nothing where one thing is drawn.
    """
    below = KEY_ROW * math.ceil(len(keys) / 2) + (6 if keys else 0)
    head = (
        f'<svg viewBox="0 0 {frame.width} {frame.height + below}" role="img" '
        'style="max-width:640px">'
        f"<title>{text(title)}</title>"
    )
    return "".join([head, _axes(frame), *marks, _legend(frame, keys), "</svg>"])


def line(
    frame: Frame, xs: Iterable[float], ys: Iterable[float], color: str, *, dash: str = ""
) -> str:
    """A line through all points that are known; gaps where one is not."""
    parts, run = [], list[str]()
    for x, y in zip(xs, ys, strict=True):
        if math.isfinite(x) and math.isfinite(y):
            run.append(f"{frame.x(x):.1f},{frame.y(y):.1f}")
        elif run:
            parts.append(run)
            run = []
    parts.append(run)
    style = f' stroke-dasharray="{dash}"' if dash else ""
    return "".join(
        f'<polyline points="{" ".join(run)}" fill="none" stroke="{color}" stroke-width="2"{style}/>'
        for run in parts
        if len(run) > 1
    )


def band(
    frame: Frame,
    low: Sequence[tuple[float, float]],
    high: Sequence[tuple[float, float]],
    color: str,
) -> str:
    """The area between two lines of (x, y) points, pale; points that are unknown are left out."""
    around = [
        f"{frame.x(x):.1f},{frame.y(y):.1f}"
        for x, y in (*low, *reversed(list(high)))
        if math.isfinite(x) and math.isfinite(y)
    ]
    if len(around) < 3:
        return ""
    return f'<polygon points="{" ".join(around)}" fill="{color}" fill-opacity="0.14"/>'


def dot(frame: Frame, x: float, y: float, color: str, *, size: float = 4.5) -> str:
    """A filled dot; nothing where a number is unknown."""
    if not (math.isfinite(x) and math.isfinite(y)):
        return ""
    return (
        f'<circle cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="{size:.1f}" fill="{color}" '
        'stroke="#fff" stroke-width="1"/>'
    )


def whisker(frame: Frame, x: float, low: float, high: float, color: str) -> str:
    """An upright interval; nothing where an end is unknown."""
    if not all(math.isfinite(value) for value in (x, low, high)):
        return ""
    return stroke(frame.x(x), frame.y(low), frame.x(x), frame.y(high), color, width=1.6)


def stroke(x1: float, y1: float, x2: float, y2: float, color: str, *, width: float = 1) -> str:
    """A straight line between two places, px."""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" '
        f'stroke-width="{width:g}"/>'
    )


def diagonal(frame: Frame) -> str:
    """Where both axes say the same."""
    low = max(frame.across.low, frame.up.low)
    high = min(frame.across.high, frame.up.high)
    return stroke(frame.x(low), frame.y(low), frame.x(high), frame.y(high), "#8d96a6")


def label(x: float, y: float, words: str, *, anchor: str = "start", kind: str = "") -> str:
    """Words at a place, px."""
    mark = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{mark}>{text(words)}</text>'


def _axes(frame: Frame) -> str:
    left, right = frame.x(frame.across.low), frame.x(frame.across.high)
    bottom, top = frame.y(frame.up.low), frame.y(frame.up.high)
    parts = []
    for tick in frame.across.ticks:
        parts.append(stroke(frame.x(tick), bottom, frame.x(tick), top, GRID))
        shown = format(tick + 0.0, frame.across.form)
        parts.append(label(frame.x(tick), bottom + 16, shown, anchor="middle", kind="soft"))
    for tick in frame.up.ticks:
        parts.append(stroke(left, frame.y(tick), right, frame.y(tick), GRID))
        shown = format(tick + 0.0, frame.up.form)
        parts.append(label(left - 6, frame.y(tick) + 4, shown, anchor="end", kind="soft"))
    parts.append(stroke(left, bottom, right, bottom, SOFT))
    parts.append(stroke(left, bottom, left, top, SOFT))
    middle = (left + right) / 2
    parts.append(label(middle, bottom + 36, frame.across.name, anchor="middle", kind="soft"))
    half = (top + bottom) / 2
    parts.append(
        f'<text x="14" y="{half:.1f}" text-anchor="middle" class="soft" '
        f'transform="rotate(-90 14 {half:.1f})">{text(frame.up.name)}</text>'
    )
    return "".join(parts)


def _legend(frame: Frame, keys: Sequence[Key]) -> str:
    parts = []
    column = (frame.width - LEFT) / 2
    for n, key in enumerate(keys):
        x, y = LEFT + (n % 2) * column, frame.height + 12 + (n // 2) * KEY_ROW
        style = f' stroke-dasharray="{key.dash}"' if key.dash else ""
        parts.append(
            f'<line x1="{x:.1f}" y1="{y - 4}" x2="{x + 22:.1f}" y2="{y - 4}" '
            f'stroke="{key.color}" stroke-width="3"{style}/>'
        )
        parts.append(label(x + 28, y, key.name))
    return "".join(parts)
