"""Tables of the calls that a model makes: confusion, and what a call means by prevalence."""

import pandas as pd

from tracerless.publish import assessment_texts as words
from tracerless.publish.assessment_curves import led
from tracerless.publish.assessment_numbers import View, counted, measure_cells, share, words_cell
from tracerless.publish.charts_data import cell_of, records
from tracerless.publish.markup import cell, heading, paragraph, row, table, text
from tracerless.statistics.resampling import wilson


def confusion(look: View) -> str:
    """Counts and shares of what was called what, leading model, fullest arm."""
    arm = look.shown_arm("confusion")
    found = look.of_chosen("confusion", arm)
    if found.empty:
        return ""
    names = [str(each) for each in (*found["truth"], *found["predicted"])]
    classes = words.in_order(words.CLASSES, names)
    grid = found.pivot_table(index="truth", columns="predicted", values="n", aggfunc="sum")
    grid = grid.reindex(index=classes, columns=classes).fillna(0.0)
    heads = [("Truth", "實際")]
    heads += [
        (f"called {words.both(words.CLASSES, c)[0]}", words.both(words.CLASSES, c)[1])
        for c in classes
    ]
    heads.append(("scans", "掃描數"))
    rows = (_confusion_row(name, grid, classes, small=look.is_small) for name in classes)
    return (
        f"<section>{heading('Confusion', '混淆矩陣')}{led(look, arm)}"
        f"{table(heads, rows, key='confusion', n_words=1)}"
        f"{paragraph(*_CONFUSED, kind='note')}</section>"
    )


_CONFUSED: words.Words = (
    "Each row sums to all scans of that class: count, share, and 95 % Wilson interval of the "
    "share. The diagonal is what was found. Counts with a decimal are means over repeats. The "
    "shares of a row do not depend on how common the class is; predictive values below do.",
    "各列為該類別全部掃描：次數、比例與 95 % Wilson 區間；對角線為正確判定。",
)


def predictive(look: View) -> str:
    """What a positive or negative answer means where the disease is as common as stated."""
    found = look.table("predictive_values")
    if found.empty:
        return ""
    quantities = list(dict.fromkeys(found["quantity"].astype(str)))
    heads = [("Setting", "場域"), ("Prevalence", "盛行率")]
    heads += [words.both(words.QUANTITIES, quantity.lower()) for quantity in quantities]
    parts = found.groupby(["setting", "prevalence"], sort=False)
    rows = (_setting_row(part, quantities, look) for _, part in parts)
    rule = str(look.fact("threshold_rule", "chosen in training"))
    return (
        f"<section>{heading('Predictive values at stated prevalences', '各盛行率下之預測值')}"
        f"{table(heads, rows, key='predictive', n_words=1)}"
        f"{paragraph(f'Threshold: {rule}. ' + _PREDICTIVE[0], _PREDICTIVE[1], kind='note')}"
        "</section>"
    )


_PREDICTIVE: words.Words = (
    "Sensitivity and specificity are those of this evaluation, carried to the stated prevalence; "
    "they may differ where people are ill in another way.",
    "以本評估之敏感度與特異度換算至所列盛行率。",
)


def _setting_row(part: pd.DataFrame, quantities: list[str], look: View) -> str:
    cells = {str(each["quantity"]): each for each in records(part)}
    first = records(part)[0]
    prevalence = float(first["prevalence"])
    return row(
        [
            words_cell(str(first["setting"])),
            cell(f"{prevalence:.0%}", kind="num", sort=prevalence),
            *measure_cells(cells, quantities, look),
        ]
    )


def _confusion_row(name: str, grid: pd.DataFrame, classes: list[str], *, small: bool) -> str:
    counts = {other: cell_of(grid, name, other) for other in classes}
    n = sum(counts.values())
    return row(
        [
            words_cell(*words.both(words.CLASSES, name)),
            *(
                _confusion_cell(counts[other], n, own=other == name, small=small)
                for other in classes
            ),
            cell(counted(n), kind="num", sort=n),
        ]
    )


def _confusion_cell(hits: float, n: float, *, own: bool, small: bool) -> str:
    tint = 0.0 if n <= 0 else 0.45 * hits / n
    color = "23,65,126" if own else "176,0,32"
    said = (
        f'{counted(hits)}<br><span class="zh">{text(share(*wilson(hits, n), small=small))}</span>'
    )
    style = f"background:rgba({color},{tint:.2f});white-space:nowrap"
    return f'<td class="num" data-sort="{hits!r}" style="{style}">{said}</td>'
