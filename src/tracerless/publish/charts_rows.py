"""Charts of rows: a value with its interval on each, or many values on one line."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tracerless.publish.charts import Axis, label, nice_axis, stroke
from tracerless.publish.markup import text

ROW, TOP, BOTTOM, SAID, WIDTH = 24, 16, 34, 240, 1240
_LETTER, _SHORTEST, _LONGEST = 6.9, 200, 500
_HALO = ' style="paint-order:stroke;stroke:#fff;stroke-width:5px"'


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a forest: a value with its interval, or why there is none.

    Args:
        name: beside the row.
        value, low, high: NaN where it is not known; a value without an interval is not drawn.
        said: what stands at its right end.
        color: of dot and line.
        strong: names a group; nothing is drawn on it.
    """

    name: str
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    said: str = ""
    color: str = "#17417e"
    strong: bool = False


def forest(
    bars: Sequence[Bar],
    unit: str,
    title: str,
    *,
    mark: float | None = None,
) -> str:
    """Values with their intervals below each other.

    Args:
        bars: from top to bottom.
        unit: of the axis.
        title: read aloud instead of the drawing.
        mark: where an upright line tells good from bad; None for none.
    """
    values = [each for bar in bars for each in (bar.low, bar.high)]
    axis = nice_axis([*values, *([] if mark is None else [mark])], unit, least=0.05)
    bottom = TOP + ROW * len(bars)
    longest = max((len(bar.name) for bar in bars if not bar.strong), default=0)
    left = round(min(max(_LETTER * longest + 24, _SHORTEST), _LONGEST))
    right = WIDTH - SAID
    head = (
        f'<svg viewBox="0 0 {WIDTH} {bottom + BOTTOM}" role="img"><title>{text(title)}</title>'
        f"{_ground(axis, (left, right), bottom, mark)}"
    )
    rows = (_row(bar, axis, (left, right), TOP + ROW * n) for n, bar in enumerate(bars))
    return f"{head}{''.join(rows)}</svg>"


def strip(
    values: Sequence[float],
    unit: str,
    title: str,
    *,
    mark: float | None = None,
    special: tuple[str, float] | None = None,
) -> str:
    """Many values on one line, each a tick; how they lie tells how far one can be trusted.

    Args:
        values: to draw.
        unit: of the axis.
        title: read aloud instead of the drawing.
        mark: where an upright line stands.
        special: name and place of the one value that is pointed at.
    """
    known = [float(value) for value in values if math.isfinite(value)]
    extra = [each for each in (mark, special and special[1]) if each is not None]
    axis = nice_axis([*known, *extra], unit, least=0.05)
    left, right, bottom = 20, 580, 74
    parts = [
        f'<svg viewBox="0 0 600 {bottom + BOTTOM}" role="img" style="max-width:640px">'
        f"<title>{text(title)}</title>",
        _ground(axis, (left, right), bottom, mark),
    ]
    span = right - left
    for value in known:
        x = left + axis.share(value) * span
        parts.append(
            f'<line x1="{x:.1f}" y1="44" x2="{x:.1f}" y2="68" stroke="#17417e" stroke-width="2" '
            'stroke-opacity="0.45"/>'
        )
    if special is not None and math.isfinite(special[1]):
        x = left + axis.share(special[1]) * span
        shape = f"{x - 6:.1f},30 {x + 6:.1f},30 {x:.1f},42"
        parts.append(f'<polygon points="{shape}" fill="#b00020"/>')
        anchor = "end" if axis.share(special[1]) > 0.6 else "start"
        aside = -10 if anchor == "end" else 10
        parts.append(label(x + aside, 38, special[0], anchor=anchor, kind="strong"))
    return "".join(parts) + "</svg>"


def _row(bar: Bar, axis: Axis, ends: tuple[int, int], y: int) -> str:
    if bar.strong:
        return label(12, y + 16, bar.name, kind="strong")
    left, right = ends
    parts = [label(left - 12, y + 16, bar.name, anchor="end")]
    middle = y + ROW / 2
    if not math.isfinite(bar.low + bar.value + bar.high):
        said = label(left + 8, y + 16, bar.said, kind="soft")
        return "".join([*parts, said.replace("<text", f"<text{_HALO}", 1)])
    low, at, high = (
        left + axis.share(each) * (right - left) for each in (bar.low, bar.value, bar.high)
    )
    parts.append(stroke(low, middle, high, middle, bar.color, width=2.4))
    parts += [stroke(x, middle - 4, x, middle + 4, bar.color, width=1.4) for x in (low, high)]
    parts.append(
        f'<circle cx="{at:.1f}" cy="{middle:.1f}" r="5" fill="{bar.color}" stroke="#fff" '
        'stroke-width="1"/>'
    )
    parts.append(label(right + 14, y + 16, bar.said, kind="soft"))
    return "".join(parts)


def _ground(axis: Axis, ends: tuple[int, int], bottom: int, mark: float | None) -> str:
    left, right = ends
    parts = []
    for tick in axis.ticks:
        x = left + axis.share(tick) * (right - left)
        parts.append(stroke(x, TOP - 4, x, bottom, "#dde1e8"))
        shown = format(tick + 0.0, axis.form)
        parts.append(label(x, bottom + 14, shown, anchor="middle", kind="soft"))
    if mark is not None:
        x = left + axis.share(mark) * (right - left)
        parts.append(stroke(x, TOP - 4, x, bottom, "#1d2230", width=1.4))
    middle = (left + right) / 2
    parts.append(label(middle, bottom + 30, axis.name, anchor="middle", kind="soft"))
    return "".join(parts)
