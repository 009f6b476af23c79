"""What the sections on synthetic PET share: rows of a table, forests over its lines."""

import math
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd

from tracerless.publish import assessment_texts as words
from tracerless.publish import synthesis_texts as said
from tracerless.publish.assessment_numbers import View, digits, words_cell
from tracerless.publish.charts import COLORS
from tracerless.publish.charts_data import records
from tracerless.publish.charts_rows import Bar, forest
from tracerless.publish.markup import heading, measure, paragraph, row, table, text

Rows = Mapping[str, Any]
ALL = "all"
"""Of a column of regions: all of them together; of groups: everybody."""


def section(title: words.Words, *parts: str, kind: str = "") -> str:
    """One section under its heading; nothing when all parts are empty."""
    inside = "".join(parts)
    mark = f' class="{kind}"' if kind else ""
    return f"<section{mark}>{heading(*title)}{inside}</section>" if inside else ""


def model_name(model: str) -> words.Words:
    """A rival by its words, a model by its own name."""
    return words.both(said.MODELS, model)


def of_model(look: View, name: str) -> pd.DataFrame:
    """Rows of a table that belong to the model itself, not to its rivals."""
    found = look.table(name)
    return found[~found["model"].astype(str).isin(said.MODELS)]


def interval_bar(name: str, at: Rows, *, color: str, column: str = "value", more: str = "") -> Bar:
    """A bar of a forest with its numbers at the end, two decimals or three."""
    value, low, high = (float(at[each]) for each in (column, "low", "high"))
    if not math.isfinite(low + value + high):
        return Bar(name, said=f"{value:+.2f}, interval unknown" if math.isfinite(value) else "–")
    form = f"+.{digits(low, high)}f"
    shown = f"{value:{form}} ({low:{form}} to {high:{form}}){more}"
    return Bar(name, value, low, high, shown, color)


def plain_table(
    found: pd.DataFrame,
    columns: Sequence[str],
    *,
    key: str,
    n_words: int,
    names: Mapping[str, Mapping[str, words.Words]] = said.NAMES,
    heads: Mapping[str, words.Words] = MappingProxyType({}),
) -> str:
    """A table as it is kept, under words for its columns.

    Args:
        found: rows.
        columns: names of its columns; the first ``n_words`` hold words.
        key: id on the page.
        n_words: how many columns from the left hold words.
        names: words for the values of a column, by its name.
        heads: headings that differ from the usual ones.
    """
    rows = (_plain_row(each, columns, n_words, names) for each in records(found))
    titles = [{**said.HEADS, **heads}[column] for column in columns]
    return table(titles, rows, key=key, n_words=n_words)


def grouped_forest(
    found: pd.DataFrame, group: str, unit: str, title: str, *, column: str = "value"
) -> str:
    """A forest: one block a group, one line a model; the line of no gain is at zero."""
    bars: list[Bar] = []
    order = words.in_order(said.GROUPS, [str(each) for each in found[group]])
    for name in order:
        bars.append(Bar(words.english(said.GROUPS, name), strong=True))
        part = found[found[group].astype(str) == name]
        bars += list(_lines(part, column))
    return forest(bars, unit, title, mark=0.0) if bars else ""


def note(said_: words.Words) -> str:
    """A remark below a table."""
    return paragraph(*said_, kind="note")


def _lines(part: pd.DataFrame, column: str) -> Iterator[Bar]:
    against = "against" in part
    for n, at in enumerate(records(part)):
        name = model_name(str(at["model"]))[0]
        if against:
            name = f"against {model_name(str(at['against']))[0]}"
        count = f", n {float(at['n']):.0f}" if "n" in at else ""
        color = COLORS[n % len(COLORS)]
        yield interval_bar(name, at, color=color, column=column, more=count)


def _plain_row(
    at: Rows,
    columns: Sequence[str],
    n_words: int,
    names: Mapping[str, Mapping[str, words.Words]],
) -> str:
    cells = []
    for n, column in enumerate(columns):
        value = at[column]
        if n < n_words:
            cells.append(words_cell(*words.both(dict(names.get(column, {})), str(value))))
        else:
            cells.append(_number(value))
    return row(cells)


def _number(value: Any) -> str:
    if isinstance(value, str):
        return f'<td class="num">{text(value)}</td>'
    number = float(value)
    whole = math.isfinite(number) and abs(number - round(number)) < 1e-12 and abs(number) >= 2
    return measure(number, 0 if whole else 3)
