"""``tracerless profile``: what a de-identification policy does, and what is wrong with it."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tracerless.cli.common import json_option, show

if TYPE_CHECKING:
    from tracerless.deidentify.explain import Row
    from tracerless.deidentify.lint import Finding
    from tracerless.deidentify.profile import Profile

_WIDTH = 160
"""Columns of the table where the output is no terminal."""

_HEADS = {
    "en": ("tag", "keyword", "action", "where", "why", "by"),
    "zh-TW": ("標籤", "關鍵字", "動作", "適用", "理由", "依據"),
}
_ALL = {"en": "all", "zh-TW": "全部"}
_ACTIONS = {
    "keep": "保留",
    "remove": "移除",
    "empty": "清空",
    "hash_uid": "雜湊",
    "pseudonym": "假名",
    "shift": "位移",
    "year": "留年份",
    "clean": "清理",
    "dummy": "固定值",
    "cap_age": "年齡上限",
}
_FACTS = {
    "profile": "政策",
    "claim": "宣稱",
    "edition": "版本",
    "options": "選項",
    "dates": "日期",
    "faces": "臉部",
    "pixels": "像素",
    "suv": "SUV",
    "digest": "摘要值",
    "unlisted": "未列出者",
}
_LEVELS = {"error": "錯誤", "warning": "警告", "note": "註記"}

_lang = click.option(
    "--lang",
    type=click.Choice(("en", "zh-TW")),
    default="en",
    show_default=True,
    help="English or Traditional Chinese.",
)
_options = click.option(
    "--option",
    "options",
    multiple=True,
    metavar="CODE",
    help="An option of DICOM CID 7050 on top of the profile's own; repeat for more.",
)


@click.group("profile")
def command() -> None:
    """Say what a de-identification policy does, or check it; no scan is touched.

    NAME is one of seed, seed-strict, ps315-basic, research, safe-harbor, or a folder with a
    policy of one's own. Example: tracerless profile check seed
    """


@command.command("show")
@click.argument("name")
@_lang
@click.option("--class", "kind", help="Only one kind of object: mr, enhanced_mr, pt, nm, ...")
@_options
@json_option
def show_profile(
    name: str, *, lang: str, kind: str | None, options: tuple[str, ...], as_json: bool
) -> None:
    """Print what NAME does to every attribute, and why. Example: tracerless profile show seed."""
    from tracerless.deidentify.explain import explain
    from tracerless.deidentify.profile import Profile
    from tracerless.io import profiles

    profile = Profile.parse(name, profiles.read(name), options)
    rows = explain(profile, _sop_class(profile, kind))
    if as_json:
        show({**_facts(profile, lang), "rows": [_row(row, lang) for row in rows]}, (), as_json=True)
        return
    console = _console()
    for key, value in _facts(profile, lang).items():
        label = key if lang == "en" else _FACTS[key]
        console.print(f"{label}: {value}", markup=False, highlight=False)
    console.print(_table(rows, lang))


@command.command("check")
@click.argument("name")
@_lang
@_options
@json_option
def check(name: str, *, lang: str, options: tuple[str, ...], as_json: bool) -> None:
    """Lint NAME before any file is touched; exit code 1 when it has an error, else 0.

    Example: tracerless profile check my-policy/
    """
    from tracerless.deidentify.lint import lint
    from tracerless.io import profiles

    found = lint(name, profiles.read(name), options)
    result = {"profile": name, "findings": [_finding(each, lang) for each in found]}
    show(result, _lines(found, lang), as_json=as_json)
    if any(each.level == "error" for each in found):
        raise click.exceptions.Exit(1)


def _sop_class(profile: "Profile", kind: str | None) -> str | None:
    from tracerless.core.errors import did_you_mean

    classes = {name: uid for uid, name in profile.technical.items()}
    if kind is None or kind in classes:
        return classes[kind] if kind else None
    raise click.BadParameter(
        f"No kind of object is called {kind!r}. {did_you_mean(kind, classes)}",
        param_hint="--class",
    )


def _facts(profile: "Profile", lang: str) -> dict[str, Any]:
    """What holds for the policy as a whole."""
    return {
        "profile": profile.name,
        "claim": profile.claim_en if lang == "en" else profile.claim_zh,
        "edition": profile.edition,
        "options": ", ".join(f"{code} {meaning}" for code, meaning in profile.codes),
        "dates": str(profile.dates),
        "faces": profile.faces,
        "pixels": profile.pixels,
        "suv": profile.suv,
        "digest": profile.digest,
        "unlisted": "remove",
    }


def _row(row: "Row", lang: str) -> dict[str, str]:
    return {
        "tag": row.tag,
        "keyword": row.keyword,
        "action": row.action,
        "where": row.where or _ALL[lang],
        "reason": row.reason_en if lang == "en" else row.reason_zh,
        "origin": row.origin,
    }


def _finding(finding: "Finding", lang: str) -> dict[str, str]:
    return {
        "level": finding.level,
        "kind": finding.kind,
        "keyword": finding.keyword,
        "text": finding.text_en if lang == "en" else finding.text_zh,
    }


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH)


def _table(rows: Iterable["Row"], lang: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for head in _HEADS[lang]:
        table.add_column(head, overflow="fold")
    for row in rows:
        cells = _row(row, lang)
        action = cells["action"] if lang == "en" else _ACTIONS[cells["action"]]
        table.add_row(*(escape(text) for text in {**cells, "action": action}.values()))
    return table


def _lines(found: Iterable["Finding"], lang: str) -> Iterator[str]:
    """One line for each finding, then how many there are."""
    found = list(found)
    for each in found:
        level = each.level if lang == "en" else _LEVELS[each.level]
        keyword = f" {each.keyword}:" if each.keyword else ""
        yield f"{level}:{keyword} {each.text_en if lang == 'en' else each.text_zh}"
    counts = {level: sum(each.level == level for each in found) for level in _LEVELS}
    if lang == "en":
        yield ", ".join(f"{n} {level}{'s' * (n != 1)}" for level, n in counts.items()) + "."
    else:
        yield "、".join(f"{n} 項{_LEVELS[level]}" for level, n in counts.items()) + "。"
