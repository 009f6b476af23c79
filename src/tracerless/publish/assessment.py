"""The page of one evaluation, of diagnosis or of risk: English and Traditional Chinese."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from tracerless import __version__
from tracerless.core.assessment import Assessment
from tracerless.publish import assessment_texts as words
from tracerless.publish import texts
from tracerless.publish.assessment_calls import confusion, predictive
from tracerless.publish.assessment_curves import (
    calibration,
    decisions,
    discrimination,
    is_crowded,
    is_updated,
)
from tracerless.publish.assessment_facts import called, notes
from tracerless.publish.assessment_heart import increments, opening
from tracerless.publish.assessment_models import importance, sets
from tracerless.publish.assessment_numbers import View, view
from tracerless.publish.assessment_people import missingness, size, subgroups
from tracerless.publish.assessment_performance import performance
from tracerless.publish.assessment_risk import absolute_risk, bands, incidence
from tracerless.publish.assessment_trust import audit, second_looks, sentinel, splits
from tracerless.publish.look import SORT
from tracerless.publish.markup import bullets, facts, heading, page, paragraph, zh
from tracerless.publish.model_card import card_section
from tracerless.publish.tripod import checklist
from tracerless.publish.tripod_words import listed

_NOT_IN_FACTS = {
    "headline", "left_out", "hash", "auc_bootstrap", "corrected_t", "model_difference", "sentinel",
}  # fmt: skip
"""Facts that stand elsewhere on the page."""


def assessment_page(assessment: Assessment, checklists: Mapping[str, pd.DataFrame]) -> str:
    """One HTML document that needs nothing else; equal input, equal text.

    The first line is what the image adds to cognition, with its interval. No number stands
    without its interval; one that has none is withheld, and of fewer than 100 people the interval
    stands first. A table that an evaluation does not hold has no section.

    Args:
        assessment: of diagnosis or of risk.
        checklists: reporting checklists by name, as `io.reporting.checklists` reads them.

    Raises:
        ModelError: a checklist asks for a fact that nobody can answer.
    """
    look = view(assessment)
    parts = [*opening(look), _hash(look), increments(look), performance(look), notes(look)]
    if assessment.task == "risk":
        parts += [absolute_risk(look), bands(look), incidence(look)]
    parts += _curves(look)
    parts += [confusion(look), predictive(look), sets(look), importance(look)]
    parts += [subgroups(look), missingness(look)]
    parts += [*_paired([splits(look), sentinel(look)]), audit(look), second_looks(look)]
    parts += [card_section(look)]
    parts += [checklist(name, items, look) for name, items in checklists.items()]
    parts += [_settings(look)]
    return page(f"{assessment.key} - tracerless", filter(None, parts), SORT)


def _curves(look: View) -> list[str]:
    """ROC, calibration, decision and learning curves; side by side what is not too wide for it."""
    first, second = discrimination(look), calibration(look)
    others = [decisions(look), size(look)]
    if is_crowded(look):
        return [first, second, *_paired(others)]
    if is_updated(look):
        return [second, *_paired([first, *others])]
    return _paired([first, second, *others])


def _paired(sections: Sequence[str]) -> list[str]:
    """Sections that are there, two beside each other."""
    there = [each for each in sections if each]
    pairs = (there[n : n + 2] for n in range(0, len(there), 2))
    return [f'<div class="two">{"".join(pair)}</div>' for pair in pairs]


def _hash(look: View) -> str:
    locked = str(look.fact("hash", ""))
    if not locked:
        return ""
    said = f"Locked model {locked}: any change of its numbers changes this hash."
    return paragraph(said, "模型已鎖定，任何更動皆會改變此雜湊值。", kind="lead")


def _settings(look: View) -> str:
    known = look.assessment.facts
    shown = {name: known[name] for name in sorted(known) if name not in _NOT_IN_FACTS}
    left = look.fact("left_out", ())
    missing = ", ".join(_not_made(look))
    absent = f"Not made in this evaluation: {missing}." if missing else ""
    return (
        f"<section>{heading('Settings and facts', '設定與事實')}"
        f"{facts({called(name): listed(value, most=60) for name, value in shown.items()})}"
        f"{_left_out(left)}"
        f"{paragraph(absent, '本次評估未製作上列表格。', kind='note')}"
        f"{paragraph(f'tracerless {__version__}')}"
        f"{paragraph(texts.RESEARCH_EN, texts.RESEARCH_ZH, kind='note')}</section>"
    )


def _left_out(left: object) -> str:
    if not isinstance(left, (list, tuple)) or not left:
        return ""
    return f"<h3>Left out{zh('未納入')}</h3>{bullets([str(each) for each in left])}"


def _not_made(look: View) -> Iterator[str]:
    """Tables that an evaluation of this task usually holds, and this one does not."""
    for name, task in words.EXPECTED.items():
        if task in {"", look.assessment.task} and look.table(name).empty:
            yield name.replace("_", " ")
