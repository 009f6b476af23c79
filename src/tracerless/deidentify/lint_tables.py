"""Checks of the tables as written; they need no policy that can be used."""

from collections.abc import Iterator, Mapping

from tracerless.deidentify.lint_findings import Finding, rows

_ORDERS = ("seed", "ps315", "actions", "technical_common")
"""Tables that order one action per tag; the technical lists of single objects join them."""

_REASONED = ("reason_en", "reason_zh")


def findings(tables: Mapping[str, str]) -> Iterator[Finding]:
    """Contradictions, duplicates, and rows without a reason, table by table."""
    for stem in sorted(tables):
        cells = rows(tables, stem)
        if stem in _ORDERS or stem.startswith("technical_"):
            yield from _repeated(stem, cells)
        yield from _unreasoned(stem, cells)


def _repeated(stem: str, cells: list[dict[str, str]]) -> Iterator[Finding]:
    """Tags that a table lists twice: with one action harmless, with two impossible."""
    column = "basic" if stem == "ps315" else "action"
    orders: dict[tuple[str, str], list[str]] = {}
    for row in cells:
        tag = (row.get("tag", "").upper(), row.get("keyword", ""))
        orders.setdefault(tag, []).append(row.get(column, ""))
    for (_, keyword), ordered in orders.items():
        if len(ordered) > 1:
            yield _repeat(stem, keyword, ordered)


def _repeat(stem: str, keyword: str, ordered: list[str]) -> Finding:
    actions = sorted(set(ordered))
    if len(actions) > 1:
        return Finding(
            "error",
            keyword,
            f"{stem}.csv orders two things: {' and '.join(actions)}.",
            f"{stem}.csv 下了兩種命令：{'、'.join(actions)}。",
            "contradiction",
        )
    return Finding(
        "note",
        keyword,
        f"{stem}.csv lists it {len(ordered)} times, always as {actions[0]}.",
        f"{stem}.csv 列出 {len(ordered)} 次，命令皆為 {actions[0]}。",
        "duplicate",
    )


def _unreasoned(stem: str, cells: list[dict[str, str]]) -> Iterator[Finding]:
    for number, row in enumerate(cells, start=2):
        missing = [column for column in _REASONED if column in row and not row[column].strip()]
        if missing:
            yield Finding(
                "warning",
                row.get("keyword", ""),
                f"{stem}.csv line {number} gives no {' and no '.join(missing)}.",
                f"{stem}.csv 第 {number} 行缺少 {'、'.join(missing)}。",
                "reason",
            )
