"""How good each model is on each arm, with every measure."""

from collections.abc import Iterator

import pandas as pd

from tracerless.core.assessment import METRICS
from tracerless.core.study import Arm
from tracerless.publish import assessment_texts as words
from tracerless.publish.assessment_numbers import View, measure_cells, spread, words_cell
from tracerless.publish.charts_data import records
from tracerless.publish.charts_rows import Bar, forest
from tracerless.publish.markup import heading, paragraph, row, table

ERRORS = ("ibs", "brier", "log_loss", "slope", "intercept", "ece")
"""Measures of the probabilities themselves; they stand in a table of their own."""

ABREAST = 7
"""So many measures fit into one table."""


def performance(look: View) -> str:
    """Every arm and model with every measure; empty where none was taken."""
    found = look.table("performance")
    if found.empty:
        return ""
    main = found[found["metric"] == look.metric]
    name = words.english(words.METRIC_NAMES, look.metric)
    drawn = ""
    if not main.empty:
        neutral = words.NEUTRAL.get(look.metric)
        drawn = forest(_bars(main, look), name, f"{name} of every model and arm", mark=neutral)
    metrics = words.in_order(words.METRIC_NAMES, [str(each) for each in found["metric"]])
    shared = [[m for m in metrics if (m in ERRORS) == errors] for errors in (False, True)]
    if len(metrics) <= ABREAST:
        shared = [[*shared[0], *shared[1]]]
    tables = "".join(_table(found, each, look) for each in shared if each)
    return (
        f"<section>{heading('How good each model is', '各模型表現')}{drawn}"
        f"{tables}{_legend(metrics)}</section>"
    )


def _table(found: pd.DataFrame, metrics: list[str], look: View) -> str:
    heads = [("Model", "模型"), ("Knows", "所知")]
    heads += [words.both(words.METRIC_NAMES, metric) for metric in metrics]
    key = "probabilities" if metrics[0] in ERRORS else "performance"
    return table(heads, _rows(found, metrics, look), key=key, n_words=2)


def _rows(found: pd.DataFrame, metrics: list[str], look: View) -> Iterator[str]:
    for model, arm, part in _by_model(found):
        cells = {str(each["metric"]): each for each in records(part)}
        yield row(
            [
                words_cell(*words.both(words.MODELS, model)),
                words_cell(*_knows(model, arm)),
                *measure_cells(cells, metrics, look, faint=arm == Arm.LEAKY),
            ]
        )


def _legend(metrics: list[str]) -> str:
    known = [
        f"{words.english(words.METRIC_NAMES, m)}: {METRICS[m]}" for m in metrics if m in METRICS
    ]
    return paragraph(f"{'. '.join(known)}. {words.WITHHELD[0]}", words.WITHHELD[1], kind="note")


def _bars(main: pd.DataFrame, look: View) -> list[Bar]:
    bars, last = [], ""
    for model, arm, part in _by_model(main):
        if model != last:
            bars.append(Bar(words.english(words.MODELS, model), strong=True))
            last = model
        at = part.iloc[0]
        said = spread(at["value"], at["low"], at["high"], small=look.is_small)
        color = words.ARM_COLORS.get(arm, words.PALETTE[1])
        name = _knows(model, arm)[0]
        bars.append(Bar(name, at["value"], at["low"], at["high"], said, color))
    return bars


def _by_model(found: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Parts of a table by model as they come, arms in the order of the page.

    A model that looks at nothing is the same on every arm and comes once.
    """
    for model in dict.fromkeys(found["model"].astype(str)):
        of_model = found[found["model"].astype(str) == model]
        arms = words.in_order(words.ARMS, [str(each) for each in of_model["arm"]])
        for arm in arms[:1] if model in words.BLIND else arms:
            yield model, arm, of_model[of_model["arm"] == arm]


def _knows(model: str, arm: str) -> words.Words:
    return ("nothing", "無") if model in words.BLIND else words.both(words.ARMS, arm)
