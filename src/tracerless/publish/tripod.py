"""Reporting checklists, filled as far as the run knows; the rest is the author's to state."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import pandas as pd

from tracerless.core.errors import ModelError, did_you_mean
from tracerless.publish import tripod_methods as methods
from tracerless.publish import tripod_results as results
from tracerless.publish.assessment_numbers import View
from tracerless.publish.charts_data import records
from tracerless.publish.markup import cell, heading, paragraph, row, table, text, zh

ANSWERS: Mapping[str, Callable[[View], str]] = MappingProxyType(
    {
        "title": methods.title,
        "objective": methods.objective,
        "use": methods.use,
        "source": methods.source,
        "scanners": methods.scanners,
        "left_out": methods.left_out,
        "preparation": methods.preparation,
        "outcome": methods.outcome,
        "predictors": methods.predictors,
        "measured": methods.measured,
        "sample_size": methods.sample_size,
        "missing": methods.missing,
        "splits": methods.splits,
        "handling": methods.handling,
        "building": methods.building,
        "clusters": methods.clusters,
        "metrics": methods.metrics,
        "updating": methods.updating,
        "computed": methods.computed,
        "imbalance": methods.imbalance,
        "fairness": methods.fairness,
        "output": methods.output,
        "shift": methods.shift,
        "code": methods.code,
        "flow": results.flow,
        "people": results.people,
        "events": results.events,
        "specification": results.specification,
        "performance": results.performance,
        "cluster_results": results.cluster_results,
        "limits": results.limits,
        "inputs": results.inputs,
        "next": results.following,
        "leaks": results.leaks,
        "available": results.available,
        "interval": results.interval,
        "apparent": results.apparent,
        "precision": results.precision,
        "leakage": results.leakage,
        "within": results.within,
    }
)
"""What a run can say to an item, by the word in the item's column ``fact``."""

AUTHOR = "author must state"
AUTHOR_ZH = "作者須說明"
PARTLY = "author."
"""How an answer ends that leaves something to the author."""
PARTS: Mapping[str, str] = MappingProxyType(
    {
        "title": "標題",
        "abstract": "摘要",
        "introduction": "前言",
        "methods": "方法",
        "open_science": "開放科學",
        "involvement": "參與",
        "results": "結果",
        "discussion": "討論",
        "development": "模型建立",
        "evaluation": "模型評估",
        "other": "其他",
    }
)
COLUMNS = ("part", "item", "topic_en", "topic_zh", "en", "zh", "fact")

TITLES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "tripod_ai": ("TRIPOD+AI: what must be reported", "TRIPOD+AI 報告清單"),
        "probast_ai": ("PROBAST+AI: what might bias it", "PROBAST+AI 偏誤風險"),
        "claim": ("CLAIM 2024: what must be reported of AI in imaging", "CLAIM 2024 報告清單"),
    }
)
SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "tripod_ai": "After Collins and others, BMJ 2024;385:e078378 (27 items, 52 parts)",
        "probast_ai": "After Moons and others, BMJ 2025;388:e082505 (16 and 18 questions)",
        "claim": "After Tejani and others, Radiol Artif Intell 2024;6:e240300 (44 items)",
    }
)


Answers = Mapping[str, Callable[[View], str]]


def answered(items: pd.DataFrame, look: View, answers: Answers = ANSWERS) -> pd.DataFrame:
    """The items with a column ``answer``: what the run knows; empty where only the author can say.

    Args:
        items: a checklist with columns ``COLUMNS``.
        look: the evaluation.
        answers: what a run can say, by the word in the column ``fact``.

    Raises:
        ModelError: an item asks for a fact that nobody can answer.
    """
    said = []
    for fact in items["fact"].astype(str):
        if fact and fact not in answers:
            raise ModelError(f"No answer is called {fact!r}.", hint=did_you_mean(fact, answers))
        said.append(answers[fact](look) if fact else "")
    return items.assign(answer=said)


def checklist(name: str, items: pd.DataFrame, look: View, answers: Answers = ANSWERS) -> str:
    """One checklist as a section; folded, for it is long."""
    filled = answered(items, look, answers)
    partly = int(filled["answer"].str.endswith(PARTLY).sum())
    none = int((filled["answer"] == "").sum())
    whole = len(filled) - partly - none
    told = (
        f"Of {len(filled)} items this run fills {whole}, {partly} in part; the author must state "
        f"{none}. What is filled is what the run did, not a judgment of it."
    )
    han = (
        f"{len(filled)} 項中，本次執行填入 {whole} 項、部分填入 {partly} 項，"
        f"{none} 項須由作者說明；所填為事實，非評斷。"
    )
    heads = [("Item", "項目"), ("About", "主題"), ("Asks", "內容"), ("This run", "本次執行")]
    body = table(heads, _rows(filled), key=name.replace("_", "-"), n_words=4)
    source = f"{SOURCES.get(name, '')}, in our own short words; the published list is what counts."
    return (
        f"<section>{heading(*TITLES.get(name, (name, '')))}{paragraph(told, han, kind='lead')}"
        f"<details><summary>Show the list{zh('顯示清單')}</summary>{body}</details>"
        f"{paragraph(source, '題意為自行簡述，以原始清單為準。', kind='note')}</section>"
    )


def _rows(filled: pd.DataFrame) -> list[str]:
    rows, part = [], ""
    for item in records(filled):
        if item["part"] != part:
            part = str(item["part"])
            name = f"{text(part.replace('_', ' ').capitalize())}{zh(PARTS.get(part, ''))}"
            rows.append(row([f'<td colspan="4">{name}</td>'], kind="lobe"))
        rows.append(_row({str(key): str(value) for key, value in item.items()}))
    return rows


def _row(item: Mapping[str, str]) -> str:
    asks = f"<td>{text(item['en'])}<br>{zh(item['zh'])}</td>"
    about = f"<td>{text(item['topic_en'])}<br>{zh(item['topic_zh'])}</td>"
    answer = item["answer"]
    said = cell(answer) if answer else f'<td class="low">{AUTHOR}{zh(AUTHOR_ZH)}</td>'
    return row([cell(item["item"]), about, asks, said])
