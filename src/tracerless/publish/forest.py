"""z with its interval, one row a measure: a forest plot as SVG text."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from tracerless.publish.markup import text

WIDTH, LEFT, RIGHT, ROW, TOP = 1240, 470, 250, 19, 58
LOW, HIGH = -6.0, 4.0
"""All plots show z from here to there; what lies beyond is drawn at the edge with an arrow."""
_INK, _BEYOND, _LOWER, _REFERENCE = "#17417e", "#b00020", "#b86e00", "#cfd6e2"


@dataclass(frozen=True, slots=True)
class Named:
    """How a measure is called: English, Traditional Chinese, and the group it stands in."""

    english: str
    chinese: str
    group: str


def forest(table: pd.DataFrame, names: Mapping[str, Named], family_cut: float, what: str) -> str:
    """Dots with 95 % intervals, grouped; lines at -2 and at the family-wise cut.

    Args:
        table: index = measure; columns of ``score.SCORE_COLUMNS``; a row without z shows none.
        names: of the measures; one that is not named stands under its key.
        family_cut: z below which any measure of a normal person falls with a chance of 5 %.
        what: title of the plot.
    """
    groups = _grouped([str(key) for key in table.index], names)
    bottom = TOP + ROW * sum(1 + len(keys) for keys in groups.values())
    parts = [_open(bottom + 26, what), *_legend(family_cut), *_axis(bottom, family_cut)]
    rows = {str(key): row for key, row in table.iterrows()}
    y = TOP
    for group, keys in groups.items():
        parts.append(f'<text x="12" y="{y + 14}" class="strong">{text(group)}</text>')
        y += ROW
        for key in keys:
            parts += _row(rows[key], _named(names, key), y)
            y += ROW
    return "".join(parts) + "</svg>"


def _row(row: "pd.Series", named: Named, y: int) -> Iterable[str]:
    middle = y + ROW / 2
    label = f"{named.english} {named.chinese}".strip()
    yield f'<text x="{LEFT - 12}" y="{y + 14}" text-anchor="end">{text(_short(label))}</text>'
    z, low, high = (float(row[name]) for name in ("z", "z_low", "z_high"))
    if not math.isfinite(z):
        yield _soft(_x(0), y + 14, "no z", "middle")
        return
    ends = float(row["z_reference_low"]), float(row["z_reference_high"])
    if all(math.isfinite(each) for each in ends):
        yield _bar(*ends, middle)
    color = _BEYOND if row["below_family"] else _LOWER if row["below_2"] else _INK
    yield _line(_x(low), middle, _x(high), middle, color, width=1.6)
    yield from (_arrow(low, middle, color), _arrow(high, middle, color), _dot(z, middle, color))
    said = f"{z:+.1f} [{low:+.1f}, {high:+.1f}]"
    mark = " ◆" if row["below_family"] else ""
    x = WIDTH - RIGHT + 28
    yield f'<text x="{x}" y="{y + 14}" style="fill:{color}">{said}{mark}</text>'
    yield _soft(WIDTH - 8, y + 14, _percent(float(row["percentile"])), "end")


def _grouped(keys: Sequence[str], names: Mapping[str, Named]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for key in keys:
        groups.setdefault(_named(names, key).group, []).append(key)
    return groups


def _named(names: Mapping[str, Named], key: str) -> Named:
    return names.get(key, Named(key, "", "other"))


def _percent(share: float) -> str:
    if not math.isfinite(share):
        return "–"
    if share < 0.1 or share > 99.9:
        return "< 0.1 %" if share < 50 else "> 99.9 %"
    return f"{share:.1f} %"


def _legend(family_cut: float) -> Iterable[str]:
    words = (
        ("z with its 95 % interval 及 95 % 信賴區間", _INK),
        ("below -2 低於 -2", _LOWER),
        (f"◆ below {family_cut:.2f}: beyond chance over all 校正後仍顯著", _BEYOND),
    )
    x = 12
    for said, color in words:
        yield f'<circle cx="{x + 5}" cy="13" r="4.5" fill="{color}"/>'
        yield f'<text x="{x + 16}" y="17">{text(said)}</text>'
        x += 300
    yield f'<rect x="{x + 60}" y="8" width="22" height="10" fill="{_REFERENCE}"/>'
    yield f'<text x="{x + 88}" y="17">{text("over all references 各參考區範圍")}</text>'


def _axis(bottom: int, family_cut: float) -> Iterable[str]:
    for tick in range(int(LOW), int(HIGH) + 1):
        x = _x(tick)
        yield _line(x, TOP - 6, x, bottom, "#8d96a6" if tick == 0 else "#e6e9ef")
        yield _soft(x, TOP - 12, f"{tick:+d}" if tick else "0", "middle")
    for cut, color in ((-2.0, _LOWER), (family_cut, _BEYOND)):
        if math.isfinite(cut):
            yield _line(_x(cut), TOP - 6, _x(cut), bottom, color, dashed=True)
    yield _soft(WIDTH - RIGHT + 28, TOP - 12, "z [95 %]", "start")
    yield _soft(WIDTH - 8, TOP - 12, "percentile 百分位", "end")
    below = "z; negative = lower (tests: worse) than expected 負值表示低於預期（測驗為較差）"
    yield _soft((_x(LOW) + _x(HIGH)) / 2, bottom + 18, below, "middle")


def _soft(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" class="soft">{text(words)}</text>'


def _x(z: float) -> float:
    share = (min(max(z, LOW), HIGH) - LOW) / (HIGH - LOW)
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def _bar(low: float, high: float, y: float) -> str:
    start, end = _x(low), _x(high)
    return (
        f'<rect x="{start:.1f}" y="{y - 5:.1f}" width="{max(end - start, 1):.1f}" height="10" '
        f'fill="{_REFERENCE}"/>'
    )


def _dot(z: float, y: float, color: str) -> str:
    return f'<circle cx="{_x(z):.1f}" cy="{y:.1f}" r="4.2" fill="{color}"/>'


def _arrow(end: float, y: float, color: str) -> str:
    """A small arrow where an interval goes on beyond the plot; else nothing."""
    if LOW <= end <= HIGH:
        return ""
    x, back = _x(end), 6 if end < LOW else -6
    return f'<path d="M{x:.1f} {y:.1f}l{back} -4v8z" fill="{color}"/>'


def _line(
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    color: str,
    *,
    width: float = 1,
    dashed: bool = False,
) -> str:
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{color}" '
        f'stroke-width="{width:g}"{dash}/>'
    )


def _short(label: str) -> str:
    return f"{label[:62]}…" if len(label) > 63 else label


def _open(height: float, title: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img"><title>{text(title)}</title>'
