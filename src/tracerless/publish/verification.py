"""The page of proof: what was checked, how much of it, and what was found."""

from collections.abc import Iterator, Mapping
from typing import Any

from tracerless.publish import verification_texts as words
from tracerless.publish.look import SORT
from tracerless.publish.markup import (
    banner,
    cell,
    cell_zh,
    facts,
    heading,
    page,
    paragraph,
    row,
    table,
    text,
    zh,
)

MOST_SHOWN = 500
"""Findings in the table; the report beside the page lists more."""


def verification_page(report: Mapping[str, Any]) -> str:
    """One HTML document that needs nothing else.

    Args:
        report: as `workspace.verify` writes it; it holds keywords and counts, never a value.

    Returns:
        UTF-8 HTML; equal input, equal text.
    """
    return page("De-identification: proof", _body(report), SORT)


def _body(report: Mapping[str, Any]) -> Iterator[str]:
    yield banner(synthetic=False)
    if report["is_simulated"]:
        yield paragraph(*words.SIMULATED, kind="plainly")
    yield f"<h1>De-identification: proof{zh('去識別化證明')}</h1>"
    is_clean = not report["n_failures"]
    verdict, chinese = ("pass", "通過") if is_clean else ("fail", "不合格")
    yield f'<p><span class="verdict {verdict}">{text(verdict)}{zh(chinese)}</span></p>'
    yield paragraph(*(words.CLEAN if is_clean else words.NOT_CLEAN), kind="headline")
    if report["people"]:
        yield paragraph(*words.PART, kind="plainly")
    yield from _section("What was checked", "檢查項目", [_checks(report)])
    if report["findings"]:
        yield from _section("What was found", "發現", _findings(report))
    yield from _section("What was not looked for", "未檢查之值", _not_swept(report))
    yield from _section("What this is about", "證明對象", [facts(_about(report))])
    yield paragraph(*words.LIMITS, kind="note")


def _section(english: str, chinese: str, parts: Any) -> Iterator[str]:
    yield "<section>"
    yield heading(english, chinese)
    yield from parts
    yield "</section>"


def _checks(report: Mapping[str, Any]) -> str:
    head = [("Check", "項目"), ("What it proves", "意義"), ("中文說明", ""), ("Examined", "檢查數"),
            ("Failures", "不合格"), ("Warnings", "警告")]  # fmt: skip
    rows = []
    for each in report["checks"]:
        name, chinese, meaning, meaning_zh = words.CHECKS[each["check"]]
        kind = "low" if each["failures"] else ""
        cells = [f"<td>{text(name)}{zh(chinese)}</td>", cell(meaning), cell_zh(meaning_zh)]
        cells.append(_count(each["examined"]))
        cells += [_count(each["failures"], kind), _count(each["warnings"])]
        rows.append(row(cells))
    return table(head, rows, key="checks", n_words=3)


def _findings(report: Mapping[str, Any]) -> Iterator[str]:
    shown = report["findings"][:MOST_SHOWN]
    total = report["n_failures"] + report["n_warnings"]
    if total > len(shown):
        chinese = f"僅列出 {total} 項中之前 {len(shown)} 項。"
        yield paragraph(f"The first {len(shown)} of {total} are shown.", chinese)
    head = [("Check", "項目"), ("Kind", "類別"), ("What", "內容"), ("Where", "位置"),
            ("File", "檔案"), ("Level", "程度")]  # fmt: skip
    fields = ("check", "kind", "what", "where", "file", "level")
    rows = [row(cell(each[name]) for name in fields) for each in shown]
    yield table(head, rows, key="findings", n_words=6)
    chinese = "僅顯示屬性名稱，不顯示其值。"
    yield paragraph("Only the name of an attribute is shown, never its value.", chinese, "note")


def _not_swept(report: Mapping[str, Any]) -> Iterator[str]:
    listed = report["values"]["not_swept"]
    n_left = sum(each["n"] for each in listed)
    yield paragraph(
        f"{report['values']['n']} different removed values were considered; {n_left} of them, or "
        "of the parts of names, were not looked for, for these reasons.",
        f"共 {report['values']['n']} 個已移除之值，其中 {n_left} 個因下列原因未檢查。",
    )
    head = [("Reason", "原因"), ("", ""), ("Attribute", "屬性"), ("Values", "個數")]
    rows = [
        row(
            [
                cell(each["reason"]),
                cell_zh(words.REASONS.get(each["reason"], "")),
                cell(each["keyword"]),
                _count(each["n"]),
            ]
        )
        for each in listed
    ]
    yield table(head, rows, key="not-swept", n_words=3)


def _about(report: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "Made 製作時間": report["made"],
        "tracerless": report["tracerless"],
        "Profile 設定檔": f"{report['profile']} ({report['profile_digest']})",
        "People 人數": report["n_people"],
        "Bytes swept 檢查位元組": report["values"]["bytes"],
        "Digest of the dataset 資料集摘要值": report["dataset_digest"],
        "Vault 保管庫": report["vault_key"],
        "Signature 簽章": "verification.sig (Ed25519)",
    }


def _count(number: int, kind: str = "") -> str:
    return cell(number, kind=f"num {kind}".strip(), sort=float(number))
