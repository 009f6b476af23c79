"""The page of a dataset: how good the synthesizer is, then one line a session."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from tracerless import __version__
from tracerless.core.atlas import Atlas
from tracerless.core.errors import DatasetError, RecipeMismatchError
from tracerless.core.people import SessionKey
from tracerless.core.prediction import Evaluation, Prediction
from tracerless.core.recipe import Recipe
from tracerless.core.session import Prepared
from tracerless.core.volume import Contrast
from tracerless.publish import texts
from tracerless.publish.look import SORT
from tracerless.publish.markup import (
    banner,
    cell,
    cell_zh,
    facts,
    heading,
    measure,
    page,
    paragraph,
    row,
    table,
    text,
    zh,
)
from tracerless.publish.plots import skill_plot

_SCORES = {
    "mae": ("MAE", "平均絕對誤差"),
    "mae_mean": ("MAE of the mean", "平均影像誤差"),
    "skill": ("Skill", "技能分數"),
    "bias": ("Bias", "偏差"),
    "coverage": ("In the 90 % interval", "落於 90 % 區間"),
    "half_width": ("Half-width", "區間半寬"),
    "r": ("r", "相關"),
    "slope": ("Slope", "斜率"),
}
"""Scores in the order of their columns; one that an evaluation does not hold is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEntry:
    """One line of the cohort page.

    Args:
        key: whose, and which visit.
        href: of the session's page, relative to the cohort page.
        verdict, reasons: of the preparation.
        contrasts: what was prepared.
        diagnosis: from the people's table, empty when unknown.
        model: that predicted the synthetic PET, empty when there is none.
        training_domain: of that model, empty when there is none.

    Raises:
        DatasetError: ``href`` leads out of the dataset.
    """

    key: SessionKey
    href: str
    verdict: str
    reasons: tuple[str, ...]
    contrasts: tuple[Contrast, ...]
    diagnosis: str = ""
    model: str = ""
    training_domain: str = ""

    def __post_init__(self) -> None:
        """Check once."""
        if ":" in self.href or self.href.startswith("/"):
            raise DatasetError(
                f"The link of {self.key} is not relative to the page: {self.href!r}."
            )


def session_entry(
    prepared: Prepared, href: str, prediction: Prediction | None = None, diagnosis: str = ""
) -> SessionEntry:
    """The line of a session, from the values that its page was made of."""
    return SessionEntry(
        key=prepared.key,
        href=href,
        verdict=prepared.verdict,
        reasons=prepared.reasons,
        contrasts=tuple(prepared.volumes),
        diagnosis=diagnosis,
        model=prediction.model if prediction else "",
        training_domain=prediction.training_domain if prediction else "",
    )


def cohort_page(
    entries: Sequence[SessionEntry],
    atlas: Atlas,
    *,
    evaluation: Evaluation | None = None,
    recipe: Recipe | None = None,
    notes: Sequence[str] = (),
) -> str:
    """One HTML document over a dataset; its first line is ``Evaluation.headline`` if there is one.

    Args:
        entries: one a session, shown in the order of their keys.
        atlas: regions of the evaluation.
        evaluation: of the model whose predictions the sessions hold.
        recipe: settings, printed as TOML.
        notes: sentences that a reader must see, such as where the scans come from.

    Raises:
        DatasetError: there is no session.
        RecipeMismatchError: the evaluation is of another atlas.
    """
    if not entries:
        raise DatasetError(
            "The dataset has no prepared session to report.", hint="Run `tracerless prepare` first."
        )
    if evaluation is not None and evaluation.atlas != atlas.key:
        raise RecipeMismatchError(
            f"The evaluation is of atlas {evaluation.atlas!r}, not {atlas.key!r}."
        )
    parts = [_first(evaluation), *_plainly(entries, evaluation, notes)]
    if evaluation is not None:
        parts += [_by_diagnosis(evaluation), _by_region(evaluation, atlas)]
    parts += [_sessions(entries), _settings(evaluation, recipe)]
    return page("Cohort - tracerless", parts, SORT)


def _first(evaluation: Evaluation | None) -> str:
    if evaluation is None:
        return paragraph(
            "No evaluation: synthetic PET was not compared with acquired PET here.",
            "尚未與實測 PET 比較。",
            kind="headline",
        )
    return paragraph(evaluation.headline, kind="headline")


def _plainly(
    entries: Sequence[SessionEntry], evaluation: Evaluation | None, notes: Sequence[str]
) -> Iterator[str]:
    domains = {entry.training_domain for entry in entries if entry.training_domain}
    yield banner(synthetic=bool(domains) or evaluation is not None)
    yield f"<h1>Sessions and synthetic FDG-PET{zh('受檢者與人工合成 FDG 正子造影')}</h1>"
    for domain in sorted(domains):
        yield paragraph(*texts.SIMULATED[domain], kind="plainly")
    if evaluation is not None and evaluation.domain == "simulated":
        yield paragraph(
            "The people of this evaluation are SIMULATED: the numbers say how the method works on "
            "a digital hospital, not how it works on patients.",
            "本評估對象為模擬資料，不代表真實病人之表現。",
            kind="plainly",
        )
    for note in notes:
        yield paragraph(note, kind="plainly")


def _by_diagnosis(evaluation: Evaluation) -> str:
    rows = (
        row([cell(name), *_scores(scores)])
        for name, scores in evaluation.by_diagnosis.to_dict("index").items()
    )
    heads = [("Diagnosis", "診斷"), *_score_heads(evaluation.by_diagnosis)]
    return (
        f"<section>{heading('By diagnosis', '依診斷')}"
        f"{table(heads, rows, key='by-diagnosis', n_words=1)}"
        f"{paragraph(_LEGEND, kind='note')}</section>"
    )


_LEGEND = (
    "Skill: 1 - MAE / MAE of the training mean; 0 = no better than showing everyone the mean, "
    "below 0 = worse. MAE and bias in SUVR; bias = synthetic minus acquired; r and "
    "slope: by region over people, by diagnosis over deviations from the mean; a slope below 1 = "
    "differences between people are flattened. A skill from few people is uncertain: read n first."
)


def _by_region(evaluation: Evaluation, atlas: Atlas) -> str:
    scores = evaluation.by_region.to_dict("index")
    rows = (
        row([cell(region.name_en), cell_zh(region.name_zh), *_scores(scores[region.key])])
        for region in atlas.regions
        if region.key in scores
    )
    heads = [("Region", "腦區"), ("Chinese name", "中文名"), *_score_heads(evaluation.by_region)]
    return (
        f"<section>{heading('Skill by region', '各腦區表現')}"
        f"{skill_plot(atlas, evaluation.by_region)}</section>"
        f"<section>{heading('By region', '依腦區')}"
        f"{table(heads, rows, key='by-region', n_words=2)}</section>"
    )


def _score_heads(scores: pd.DataFrame) -> list[tuple[str, str]]:
    return [("n", "人數"), *(head for name, head in _SCORES.items() if name in scores)]


def _scores(scores: Mapping[Any, Any]) -> Iterator[str]:
    yield measure(float(scores["n"]), 0)
    for name in _SCORES:
        if name in scores:
            yield measure(float(scores[name]), signed=name in {"skill", "bias"})


def _sessions(entries: Sequence[SessionEntry]) -> str:
    ordered = sorted(entries, key=lambda entry: entry.key)
    counts = {v: sum(e.verdict == v for e in entries) for v in texts.VERDICTS}
    counted = ", ".join(f"{n} {verdict}" for verdict, n in counts.items() if n)
    people = len({entry.key.person for entry in entries})
    heads = [
        ("Person", "受檢者"),
        ("Visit", "訪視"),
        ("Diagnosis", "診斷"),
        ("Verdict", "品質"),
        ("Prepared", "影像"),
        ("Synthetic PET", "人工合成"),
        ("What to look at", "說明"),
    ]
    return (
        f"<section>{heading(f'Sessions ({len(entries)})', '各次檢查')}"
        f"{paragraph(f'{people} people, {len(entries)} sessions: {counted}.', kind='lead')}"
        f"{table(heads, map(_session_row, ordered), key='sessions', n_words=7)}</section>"
    )


def _session_row(entry: SessionEntry) -> str:
    link = f'<td><a href="{text(entry.href)}">{text(entry.key.person)}</a></td>'
    chinese = zh(texts.VERDICTS.get(entry.verdict, ""))
    verdict = text(entry.verdict)
    mark = f'<td><span class="verdict {verdict}">{verdict}{chinese}</span></td>'
    synthetic = f"{entry.model} ({entry.training_domain} training)" if entry.model else "–"
    return row(
        [
            link,
            cell(entry.key.visit),
            cell(entry.diagnosis or "–"),
            mark,
            cell(", ".join(entry.contrasts)),
            cell(synthetic),
            cell(" ".join(entry.reasons) or "–"),
        ]
    )


def _settings(evaluation: Evaluation | None, recipe: Recipe | None) -> str:
    shown: dict[str, object] = {}
    if evaluation is not None:
        shown = {
            "Model 模型": evaluation.model,
            "Atlas 圖譜": evaluation.atlas,
            "Reference region 參考區": evaluation.reference,
            "Split 分組": evaluation.split,
            "Domain 資料來源": evaluation.domain,
            "Evaluation, fingerprint": evaluation.fingerprint,
        }
    shown["Version 版本"] = f"tracerless {__version__}"
    toml = f"<h3>tracerless.toml</h3><pre>{text(recipe.to_toml())}</pre>" if recipe else ""
    return (
        f"<section>{heading('Settings', '設定')}{facts(shown)}{toml}"
        f"{paragraph(texts.RESEARCH_EN, texts.RESEARCH_ZH, kind='note')}</section>"
    )
