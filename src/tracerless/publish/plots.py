"""Plots as SVG text: regional uptake of one session, regional skill of a model."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from tracerless.core.atlas import Atlas, Region
from tracerless.publish.markup import text

WIDTH, LEFT, RIGHT, ROW, TOP = 1240, 420, 30, 20, 46


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers to places along the x axis: ``low`` at the left edge, ``high`` at the right."""

    low: float
    high: float
    step: float

    def x(self, value: float) -> float:
        """Place of a value, px."""
        share = (value - self.low) / (self.high - self.low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    @property
    def ticks(self) -> list[float]:
        """Round numbers from ``low`` to ``high``."""
        n_steps = round((self.high - self.low) / self.step)
        return [self.low + n * self.step for n in range(n_steps + 1)]


def scale_of(values: Sequence[float], step: float) -> Scale:
    """A scale over all finite values and at least two steps, its ends multiples of ``step``."""
    known = [value for value in values if math.isfinite(value)] or [0.0]
    low = math.floor(min(known) / step - 0.2) * step
    high = max(math.ceil(max(known) / step + 0.2) * step, low + 2 * step)
    return Scale(low, high, step)


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """One kind of dot: ``values`` by region key, drawn ``filled``, hollow, or as a ``tick``.

    ``half_widths`` of their intervals, by region key, are drawn as a pale bar; empty for none.
    """

    name: str
    values: pd.Series
    color: str
    shape: str
    half_widths: Mapping[str, float] = field(default_factory=dict)

    def ends(self) -> list[float]:
        """Every value, and the ends of its interval."""
        wide = [(float(v), self.half_widths.get(str(k), 0.0)) for k, v in self.values.items()]
        return [value + sign * half for value, half in wide for sign in (-1, 0, 1)]


def regional_plot(atlas: Atlas, marks: Sequence[Marks], unit: str) -> str:
    """Dots per region, grouped by lobe; a line joins the first two kinds of a region.

    Args:
        atlas: names and order of the regions.
        marks: at least one kind; a region without a value has no dot.
        unit: of the x axis.
    """
    scale = scale_of([end for each in marks for end in each.ends()], 0.2)
    ordered = by_lobe(atlas)
    rows = sum(1 + len(regions) for regions in ordered.values())
    bottom = TOP + rows * ROW
    parts = [_open(bottom + 30, f"Regional {unit}: {', '.join(m.name for m in marks)}")]
    parts += [_legend(marks), _axis(scale, bottom, unit)]
    y = TOP
    for lobe, regions in ordered.items():
        parts.append(f'<text x="12" y="{y + 15}" class="strong">{text(lobe)}</text>')
        y += ROW
        for region in regions:
            parts.append(_region_row(region, marks, scale, y))
            y += ROW
    return "".join(parts) + "</svg>"


def skill_plot(atlas: Atlas, by_region: pd.DataFrame) -> str:
    """Bars of regional skill from zero: right of it better than the training mean, left worse."""
    skills = {
        region: float(by_region["skill"].get(region.key, math.nan)) for region in atlas.regions
    }
    shown = sorted(
        (r for r in skills if math.isfinite(skills[r])), key=lambda r: (-skills[r], r.index)
    )
    scale = scale_of([0.0, *(max(-1.0, skills[r]) for r in shown)], 0.2)
    bottom = TOP + len(shown) * ROW
    parts = [_open(bottom + 30, "Skill against the training mean, by region")]
    parts.append(_axis(scale, bottom, "skill against the training mean (0 = no better than it)"))
    for n, region in enumerate(shown):
        parts.append(_skill_row(region, skills[region], scale, TOP + n * ROW))
    return "".join(parts) + "</svg>"


def by_lobe(atlas: Atlas) -> Mapping[str, list[Region]]:
    """Regions in table order, grouped by lobe in the order in which lobes first appear."""
    grouped: dict[str, list[Region]] = {}
    for region in atlas.regions:
        grouped.setdefault(region.lobe, []).append(region)
    return grouped


def _region_row(region: Region, marks: Sequence[Marks], scale: Scale, y: int) -> str:
    middle = y + ROW / 2
    places = [float(each.values.get(region.key, math.nan)) for each in marks]
    parts = [_name(region, y)]
    if len(places) > 1 and all(math.isfinite(value) for value in places[:2]):
        a, b = scale.x(places[0]), scale.x(places[1])
        parts.append(_line(a, middle, b, middle, "#9aa3b2"))
    for each, value in zip(marks, places, strict=True):
        half = each.half_widths.get(region.key)
        if half is not None and math.isfinite(value):
            parts.append(_bar(scale.x(value - half), scale.x(value + half), middle, each.color))
    parts += [
        _dot(each, scale.x(value), middle)
        for each, value in zip(marks, places, strict=True)
        if math.isfinite(value)
    ]
    return "".join(parts)


def _skill_row(region: Region, skill: float, scale: Scale, y: int) -> str:
    zero, end = scale.x(0), scale.x(max(scale.low, skill))
    left, width = min(zero, end), abs(end - zero)
    color = "#17417e" if skill >= 0 else "#b00020"
    bar = (
        f'<rect x="{left:.1f}" y="{y + 3}" width="{width:.1f}" height="{ROW - 6}" fill="{color}"/>'
    )
    at = max(zero, end) + 5
    return (
        _name(region, y) + bar + f'<text x="{at:.1f}" y="{y + 15}" class="soft">{skill:+.2f}</text>'
    )


def _name(region: Region, y: int) -> str:
    short = f"{region.name_en[:56]}…" if len(region.name_en) > 57 else region.name_en
    return f'<text x="{LEFT - 10}" y="{y + 15}" text-anchor="end">{text(short)}</text>'


def _dot(marks: Marks, x: float, y: float) -> str:
    if marks.shape == "tick":
        return _line(x, y - 6, x, y + 6, marks.color, width=2)
    fill = marks.color if marks.shape == "filled" else "#fff"
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{fill}" stroke="{marks.color}" '
        'stroke-width="2"/>'
    )


def _bar(x1: float, x2: float, y: float, color: str) -> str:
    return (
        f'<rect x="{x1:.1f}" y="{y - 3:.1f}" width="{x2 - x1:.1f}" height="6" fill="{color}" '
        'opacity="0.22"/>'
    )


def _legend(marks: Sequence[Marks]) -> str:
    parts = []
    for n, each in enumerate(marks):
        x = LEFT + n * 230
        parts += [_dot(each, x, 14), f'<text x="{x + 11}" y="18">{text(each.name)}</text>']
    return "".join(parts)


def _axis(scale: Scale, bottom: int, unit: str) -> str:
    parts = []
    for tick in scale.ticks:
        x = scale.x(tick)
        heavy = abs(tick) < 1e-9 or abs(tick - 1) < 1e-9
        parts.append(_line(x, TOP - 8, x, bottom, "#8d96a6" if heavy else "#dde1e8"))
        parts.append(
            f'<text x="{x:.1f}" y="{TOP - 13}" text-anchor="middle" class="soft">{tick:.1f}</text>'
        )
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(
        f'<text x="{middle:.1f}" y="{bottom + 20}" text-anchor="middle" class="soft">'
        f"{text(unit)}</text>"
    )
    return "".join(parts)


def _line(x1: float, y1: float, x2: float, y2: float, color: str, *, width: int = 1) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" '
        f'stroke-width="{width}"/>'
    )


def _open(height: float, title: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img"><title>{text(title)}</title>'
