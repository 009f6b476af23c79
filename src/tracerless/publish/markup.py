"""Small pieces of HTML: every text is escaped here, and a page asks nothing of any network."""

import base64
import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tracerless.core.prediction import SYNTHETIC_LABEL_EN, SYNTHETIC_LABEL_ZH
from tracerless.publish.look import CSS
from tracerless.publish.texts import RESEARCH_EN, RESEARCH_ZH

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
_SCHEME = re.compile(r"\b(?:https?|ftp)://", re.IGNORECASE)


def text(value: object) -> str:
    """The value as escaped text; addresses lose their scheme, so a page points nowhere outside."""
    return html.escape(_SCHEME.sub("", str(value)))


def number(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """A number for people; a dash where there is none."""
    if not math.isfinite(value):
        return "–"
    return f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"


def page(title: str, body: Iterable[str], script: str = "") -> str:
    """A whole document: style, script and pictures inside; its policy forbids every request."""
    code = f"<script>{script}</script>\n" if script else ""
    inside = "\n".join(body)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n"
        f"{inside}\n</main>\n{code}</body>\n</html>\n"
    )


def heading(english: str, chinese: str) -> str:
    """A second-level heading in both languages."""
    return f'<h2>{text(english)} <span class="zh" lang="zh-Hant-TW">{text(chinese)}</span></h2>'


def paragraph(english: str, chinese: str = "", kind: str = "") -> str:
    """A paragraph, with its Chinese behind it when there is one; nothing when it is empty."""
    if not english:
        return ""
    mark = f' class="{kind}"' if kind else ""
    return f"<p{mark}>{text(english)}{zh(chinese)}</p>"


def zh(chinese: str) -> str:
    """A piece of Traditional Chinese, marked as such; empty stays empty."""
    return f' <span class="zh" lang="zh-Hant-TW">{text(chinese)}</span>' if chinese else ""


def banner(*, synthetic: bool) -> str:
    """The label that cannot be overlooked: synthetic where anything is, else research use only."""
    if synthetic:
        kind, english, chinese = "banner", SYNTHETIC_LABEL_EN, SYNTHETIC_LABEL_ZH
    else:
        kind, english, chinese = "banner plain", RESEARCH_EN, RESEARCH_ZH
    return f'<div class="{kind}" role="note">{text(english)}<br>{zh(chinese)}</div>'


def bullets(items: Sequence[str]) -> str:
    """A list of sentences; nothing when there is none."""
    inside = "".join(f"<li>{text(item)}</li>" for item in items)
    return f"<ul>{inside}</ul>" if items else ""


def figure(png: bytes, alt: str, caption: str = "") -> str:
    """A picture inside the page."""
    below = f"<figcaption>{text(caption)}</figcaption>" if caption else ""
    source = base64.b64encode(png).decode()
    return f'<figure><img alt="{text(alt)}" src="data:image/png;base64,{source}">{below}</figure>'


def facts(values: Mapping[str, Any]) -> str:
    """Names and values below each other; mappings within are indented."""
    rows = "".join(f"<dt>{text(key)}</dt><dd>{_plain(value)}</dd>" for key, value in values.items())
    return f"<dl>{rows}</dl>"


def row(cells: Iterable[str], *, kind: str = "") -> str:
    """A table row of cells that are HTML already."""
    mark = f' class="{kind}"' if kind else ""
    return f"<tr{mark}>{''.join(cells)}</tr>"


def cell(value: object, *, kind: str = "", sort: float | None = None) -> str:
    """One cell; ``sort`` is the number that it is ordered by."""
    mark = f' class="{kind}"' if kind else ""
    order = f' data-sort="{sort!r}"' if sort is not None and math.isfinite(sort) else ""
    return f"<td{mark}{order}>{text(value)}</td>"


def cell_zh(chinese: str) -> str:
    """One cell in Traditional Chinese."""
    return f'<td lang="zh-Hant-TW">{text(chinese)}</td>'


def measure(value: float, digits: int = 3, *, signed: bool = False) -> str:
    """A cell with a number, ordered by its full value."""
    return cell(number(value, digits, signed=signed), kind="num", sort=float(value))


def table(head: Sequence[tuple[str, str]], rows: Iterable[str], *, key: str, n_words: int) -> str:
    """A table that can be ordered by its columns.

    Args:
        head: English and Chinese name of each column.
        rows: as ``row`` makes them.
        key: id of the table on its page.
        n_words: how many columns from the left hold words; the others hold numbers.
    """
    kinds = ["words" if n < n_words else "num" for n in range(len(head))]
    cells = "".join(
        f'<th scope="col" class="{kind}">{text(en)}{zh(han)}</th>'
        for kind, (en, han) in zip(kinds, head, strict=True)
    )
    inside = "\n".join(rows)
    return (
        f'<div class="wide"><table class="sortable" id="{text(key)}">'
        f"<thead><tr>{cells}</tr></thead>\n"
        f"<tbody>\n{inside}\n</tbody></table></div>"
    )


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return facts({str(k): v for k, v in value.items()}) if value else "–"
    if isinstance(value, str):
        return text(value) or "–"
    if isinstance(value, Sequence):
        return "; ".join(_plain(each) for each in value) or "–"
    return text(f"{value:.6g}" if isinstance(value, float) else value)
