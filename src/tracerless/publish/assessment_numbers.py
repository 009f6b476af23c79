"""How an evaluation's numbers are written: with their interval, or not at all."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tracerless.core.assessment import TABLES, Assessment
from tracerless.core.study import Arm
from tracerless.publish import assessment_texts as words
from tracerless.publish.markup import text

WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class View:
    """An evaluation as a page looks at it.

    Args:
        assessment: of what.
        is_small: whether there are too few people for anything but intervals.
    """

    assessment: Assessment
    is_small: bool

    def table(self, name: str) -> pd.DataFrame:
        """A table of it; without rows where it was not made."""
        return self.assessment.tables.get(name, pd.DataFrame(columns=TABLES[name]))

    def fact(self, name: str, otherwise: Any = None) -> Any:
        """A fact of it."""
        return self.assessment.facts.get(name, otherwise)

    @property
    def chosen(self) -> str:
        """The model that the page leads with: the named one, else the first that learned."""
        models = [str(each) for each in self.table("performance")["model"].unique()]
        named = str(self.fact("main_model", self.fact("chosen", "")))
        if named in models:
            return named
        learned = [each for each in models if each not in words.BLIND]
        return (learned or models or [named])[0]

    @property
    def metric(self) -> str:
        """The measure that the page leads with; empty where none was taken."""
        found = {*self.table("performance")["metric"], *self.table("increments")["metric"]}
        return next((each for each in words.HEADLINE_METRICS if each in found), "")

    def metric_of(self, name: str) -> str:
        """The leading measure in a table: the page's own, else the first that it holds."""
        found = [str(each) for each in self.table(name)["metric"]]
        order = (self.metric, *words.HEADLINE_METRICS, *found)
        return next((each for each in order if each in found), "")

    def of_chosen(self, name: str, arm: str = "") -> pd.DataFrame:
        """Rows of the leading model in a table, of one arm if it has arms and one is named."""
        table = self.table(name)
        table = table[table["model"].astype(str) == self.chosen]
        return table[table["arm"] == arm] if arm else table

    def shown_arm(self, name: str) -> str:
        """The fullest arm that may be a result and is in a table; empty where none is."""
        present = set(self.table(name)["arm"])
        order = (Arm.BOTH, Arm.IMAGE, Arm.COGNITION, Arm.DEMOGRAPHICS)
        return next((str(arm) for arm in order if arm in present), "")


def view(assessment: Assessment) -> View:
    """Look at an evaluation; one of unknown size counts as small."""
    n_people = assessment.facts.get("n_people", assessment.facts.get("n"))
    is_known = isinstance(n_people, (int, float))
    return View(assessment, not (is_known and n_people >= words.SMALL))


def digits(low: float, high: float) -> int:
    """Decimals that an interval supports: two where it is wider than .1, else three."""
    return 2 if high - low > 0.1 else 3


def spread(value: float, low: float, high: float, *, small: bool, signed: bool = False) -> str:
    """A number with its interval; the interval first where people are few.

    Args:
        value: NaN where unknown; without both ends it is withheld.
        low: lower end of its interval.
        high: upper end.
        small: whether to show the interval first.
        signed: with a plus before positive numbers.
    """
    value, low, high = float(value), float(low), float(high)
    if math.isnan(value):
        return "–"
    if not (math.isfinite(low) and math.isfinite(high)):
        return WITHHELD
    form = f"{'+' if signed else ''}.{digits(low, high)}f"
    value, low, high = (_no_minus_zero(each, form) for each in (value, low, high))
    ends = f"{low:{form}} to {high:{form}}"
    return f"{ends} (middle {value:{form}})" if small else f"{value:{form}} ({ends})"


def share(value: float, low: float, high: float, *, small: bool = False) -> str:
    """A share with its interval, percent; the interval first where people are few."""
    if not all(math.isfinite(each) for each in (value, low, high)):
        return WITHHELD if math.isfinite(value) else "–"
    ends = f"{low:.0%} to {high:.0%}"
    return f"{ends} (middle {value:.0%})" if small else f"{value:.0%} ({ends})"


def number_cell(
    row: Mapping[str, Any] | pd.Series, look: View, *, signed: bool = False, faint: bool = False
) -> str:
    """One table cell with value and interval on two lines, ordered by the value."""
    shown = spread(row["value"], row["low"], row["high"], small=look.is_small, signed=signed)
    first, between, second = shown.partition(" (")
    below = f'<br><span class="zh">{text(between.strip() + second)}</span>' if between else ""
    value = float(row["value"])
    order = f' data-sort="{value!r}"' if between else ""
    kind = "num zh" if faint or not between else "num"
    return f'<td class="{kind}"{order} style="white-space:nowrap">{text(first)}{below}</td>'


def measure_cells(
    cells: Mapping[str, Mapping[str, Any]],
    metrics: Sequence[str],
    look: View,
    *,
    signed: bool = False,
    faint: bool = False,
) -> list[str]:
    """Cells of one row, one a measure; a dash where it was not taken."""
    return [
        number_cell(cells[metric], look, signed=signed, faint=faint)
        if metric in cells
        else '<td class="num zh">–</td>'
        for metric in metrics
    ]


def in_chinese(shown: str) -> str:
    """A number with its interval, as `spread` writes it, with Chinese words between."""
    return shown.replace(" to ", " 至 ").replace("middle", "中點")


def counted(n: float) -> str:
    """A count; averaged ones with one decimal."""
    if not math.isfinite(float(n)):
        return "–"
    return f"{n:.0f}" if abs(n - round(n)) < 1e-9 else f"{n:.1f}"


def p_value(p: float) -> str:
    """A p-value; a dash where there is none."""
    if not math.isfinite(float(p)):
        return "–"
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def words_cell(english: str, chinese: str = "") -> str:
    """One cell of words in both languages, one below the other."""
    below = f'<br><span class="zh" lang="zh-Hant-TW">{text(chinese)}</span>' if chinese else ""
    return f'<td style="white-space:nowrap">{text(english)}{below}</td>'


def quantiles(values: pd.Series) -> tuple[float, float, float]:
    """Median, 2.5th and 97.5th percentile of what is known; NaN of nothing."""
    known = pd.to_numeric(values, errors="coerce").dropna().to_numpy(dtype=float)
    if not len(known):
        return math.nan, math.nan, math.nan
    low, middle, high = np.quantile(known, [0.025, 0.5, 0.975])
    return float(middle), float(low), float(high)


def _no_minus_zero(value: float, form: str) -> float:
    return 0.0 if float(f"{value:{form}}") == 0 else value
