"""The page of one evaluation of synthetic PET: English and Traditional Chinese."""

from collections.abc import Mapping

import pandas as pd

from tracerless import __version__
from tracerless.core.assessment import Assessment
from tracerless.publish import texts
from tracerless.publish.assessment_curves import calibration, decisions
from tracerless.publish.assessment_facts import called, notes
from tracerless.publish.assessment_numbers import View, view
from tracerless.publish.assessment_performance import performance
from tracerless.publish.assessment_trust import audit
from tracerless.publish.look import SORT
from tracerless.publish.markup import facts, heading, page, paragraph
from tracerless.publish.synthesis_again import adaptation, policy, sameness
from tracerless.publish.synthesis_claim import ANSWERS
from tracerless.publish.synthesis_failures import failures
from tracerless.publish.synthesis_skill import (
    agreement,
    asymmetry,
    claims,
    flags,
    inputs,
    opening,
    skill,
    voxels,
)
from tracerless.publish.synthesis_trust import (
    abstention,
    coverage,
    planted,
    strange,
    stress,
)
from tracerless.publish.tripod import checklist
from tracerless.publish.tripod_words import listed

EXPECTED = (
    "skill", "agreement", "voxels", "z_flags", "asymmetry", "coverage", "abstention", "inputs",
    "planted", "covariate_policy", "adaptation", "stress", "strange", "parity", "memorisation",
    "claims", "performance", "findings", "failures",
)  # fmt: skip
"""Tables of a whole evaluation; the page names those that were not made."""


def synthesis_page(
    assessment: Assessment,
    checklists: Mapping[str, pd.DataFrame],
    pictures: Mapping[str, bytes] | None = None,
) -> str:
    """One HTML document that needs nothing else; equal input, equal text.

    Its first line is skill, slope and group coverage. A table that an evaluation does not hold has
    no section, and is named at the end.

    Args:
        assessment: of synthesis.
        checklists: reporting checklists by name, as `io.reporting.checklists` reads them.
        pictures: PNG of the failures by ``<person>/<visit>``.

    Raises:
        ModelError: a checklist asks for a fact that nobody can answer.
    """
    look = view(assessment)
    parts = [*opening(look), claims(look), skill(look), coverage(look)]
    parts += [inputs(look), failures(look, pictures or {}), agreement(look)]
    parts += [_two(flags(look), asymmetry(look)), performance(look)]
    parts += [_two(calibration(look), decisions(look))]
    parts += [planted(look), stress(look), _two(strange(look), abstention(look)), sameness(look)]
    parts += [audit(look, ("Checks that must hold", "必要檢查"))]
    parts += [policy(look), adaptation(look), voxels(look), notes(look)]
    parts += [checklist(name, items, look, ANSWERS) for name, items in checklists.items()]
    parts += [_settings(look)]
    return page(f"{assessment.key} - tracerless", filter(None, parts), SORT)


def _two(first: str, second: str) -> str:
    both = f"{first}{second}"
    return f'<div class="two">{both}</div>' if first and second else both


def _settings(look: View) -> str:
    known = {k: v for k, v in sorted(look.assessment.facts.items()) if "headline" not in k}
    missing = ", ".join(name.replace("_", " ") for name in EXPECTED if look.table(name).empty)
    absent = f"Not made in this evaluation: {missing}." if missing else ""
    shown = {called(name): listed(value, most=60) for name, value in known.items()}
    return (
        f"<section>{heading('Settings and facts', '設定與事實')}{facts(shown)}"
        f"{paragraph(absent, '本次評估未製作上列表格。', kind='note')}"
        f"{paragraph(f'tracerless {__version__}')}"
        f"{paragraph(texts.RESEARCH_EN, texts.RESEARCH_ZH, kind='note')}</section>"
    )
