"""Charts of bars from zero: shares, and changes to either side."""

from collections.abc import Sequence
from dataclasses import dataclass

from tracerless.publish.charts import label, nice_axis, stroke
from tracerless.publish.markup import text

ROW, TOP, BOTTOM, NAMES, SAID, WIDTH = 24, 10, 34, 190, 120, 620


@dataclass(frozen=True, slots=True)
class Length:
    """One bar: its name, how long it is, what stands at its end, its color."""

    name: str
    value: float
    said: str
    color: str = "#17417e"


def bars(lengths: Sequence[Length], unit: str, title: str, *, ends: Sequence[float] = ()) -> str:
    """Bars from zero, below each other.

    Args:
        lengths: from top to bottom; finite.
        unit: of the axis.
        title: read aloud instead of the drawing.
        ends: what the axis must reach beside zero and the bars.
    """
    axis = nice_axis([0.0, *ends, *(each.value for each in lengths)], unit, least=0.05)
    left, right, bottom = NAMES, WIDTH - SAID, TOP + ROW * len(lengths)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {bottom + BOTTOM}" role="img" style="max-width:640px">'
        f"<title>{text(title)}</title>"
    ]
    for tick in axis.ticks:
        x = left + axis.share(tick) * (right - left)
        parts.append(stroke(x, TOP, x, bottom, "#dde1e8"))
        shown = format(tick + 0.0, axis.form)
        parts.append(label(x, bottom + 14, shown, anchor="middle", kind="soft"))
    zero = left + axis.share(0.0) * (right - left)
    for n, each in enumerate(lengths):
        y = TOP + ROW * n
        end = left + axis.share(each.value) * (right - left)
        parts.append(
            f'<rect x="{min(zero, end):.1f}" y="{y + 4}" width="{abs(end - zero):.1f}" '
            f'height="{ROW - 8}" fill="{each.color}"/>'
        )
        parts.append(label(left - 10, y + 16, each.name, anchor="end"))
        parts.append(label(right + 10, y + 16, each.said, kind="soft"))
    parts.append(stroke(zero, TOP, zero, bottom, "#1d2230"))
    parts.append(label((left + right) / 2, bottom + 30, unit, anchor="middle", kind="soft"))
    return "".join(parts) + "</svg>"
