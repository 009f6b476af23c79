"""The page of a training: curves, skill by inputs, who was learned from, how it ran."""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from tracerless.publish import texts
from tracerless.publish import training_texts as words
from tracerless.publish.charts import COLORS, Frame, Key, band, chart, dot, line, nice_axis, stroke
from tracerless.publish.look import SORT
from tracerless.publish.markup import (
    banner,
    cell,
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
from tracerless.publish.training_record import Shown, TrainingRecord

_STRETCHES = 120
"""Points of a curve of losses; each stands for equally many steps."""


def training_page(record: TrainingRecord) -> str:
    """One HTML document that needs nothing else.

    Args:
        record: of the training; holds no person.

    Returns:
        UTF-8 HTML; equal input, equal text.
    """
    return page(f"Training: {record.name}", _body(record), SORT)


def _body(record: TrainingRecord) -> Iterator[str]:
    yield banner(synthetic=True)
    yield f"<h1>{text(words.TITLE[0])}: {text(record.name)}{zh(words.TITLE[1])}</h1>"
    yield paragraph(*_headline(record), kind="headline")
    yield paragraph(*texts.SIMULATED[record.training_domain], kind="plainly")
    if record.uses_cognition:
        yield paragraph(*texts.COGNITION, kind="plainly")
    if record.base:
        yield paragraph(*(said.format(record.base) for said in words.FINE_TUNED))
    yield from _section(
        words.SKILL, [_skill_chart(record), _inputs(record.shown)], words.SKILL_NOTE
    )
    yield from _section(words.LOSSES, _losses(record), words.LOSS_NOTE)
    yield from _section(words.PEOPLE, _people(record))
    yield from _section(words.RUN, [facts(record.facts)])
    yield from _section(words.SETTINGS, [facts(record.settings)])
    yield paragraph(*words.LIMITS, kind="note")


def _headline(record: TrainingRecord) -> tuple[str, str]:
    """The first line: skill and slope from all inputs together."""
    first = next(iter(record.shown.items()), None)
    if first is None or first[1].skill is None:
        return words.NOT_JUDGED
    inputs, best = first
    if not best.works:
        return words.NO_SKILL
    return (
        f"Skill {best.skill:+.2f} over what is expected without MR, slope {best.slope:.2f}, from "
        f"{inputs}, on {best.n} people it did not learn from.",
        f"以 {inputs} 預測，於 {best.n} 位未參與訓練者：技能分數 {best.skill:+.2f}、"
        f"斜率 {best.slope:.2f}。",
    )


def _section(
    title: tuple[str, str], parts: Sequence[str], note: tuple[str, str] | None = None
) -> Iterator[str]:
    yield "<section>"
    yield heading(*title)
    yield from (part for part in parts if part)
    if note is not None:
        yield paragraph(*note, kind="note")
    yield "</section>"


def _inputs(shown: Mapping[str, Shown]) -> str:
    rows = []
    for name, each in shown.items():
        answer = words.ANSWERS if each.works else words.REFUSES
        kind = "" if each.works else ' class="low"'
        cells = [cell(name), f"<td{kind}>{text(answer[0])}{zh(answer[1])}</td>"]
        cells.append(measure(math.nan if each.skill is None else each.skill, 2, signed=True))
        cells.append(measure(each.slope, 2))
        cells.append(cell(each.n, kind="num", sort=float(each.n)))
        rows.append(row(cells))
    return table(words.INPUTS_HEAD, rows, key="inputs", n_words=2)


def _skill_chart(record: TrainingRecord) -> str:
    """Skill over steps, a line a member; nothing where it was not measured twice."""
    kept = {member: checks for member, checks in record.checks.items() if len(checks) > 1}
    if not kept:
        return ""
    steps = [float(step) for checks in kept.values() for step, _ in checks]
    skills = [float(skill) for checks in kept.values() for _, skill in checks]
    frame = Frame(
        nice_axis([0.0, *steps], "step"), nice_axis([0.0, *skills], "skill", least=0.1), height=320
    )
    ends = (frame.x(frame.across.low), frame.x(frame.across.high))
    marks = [stroke(ends[0], frame.y(0), ends[1], frame.y(0), "#555")]
    keys = []
    for n, (member, checks) in enumerate(kept.items()):
        color = COLORS[n % len(COLORS)]
        at, skill = zip(*checks, strict=True)
        marks.append(line(frame, at, skill, color))
        marks += [dot(frame, step, skill, color, size=3) for step, skill in checks]
        keys.append(Key(f"member {member}", color))
    return chart(frame, "Skill on held-out people over steps", marks, keys if len(keys) > 1 else [])


def _losses(record: TrainingRecord) -> list[str]:
    """One chart a part, a line a member."""
    known = {name: losses for name, losses in record.losses.items() if len(losses) > 1}
    if not known:
        return [paragraph(*words.SOLVED)]
    parts = list(dict.fromkeys(name.rpartition("/")[2] for name in known))
    made = []
    for part in parts:
        chosen = {
            name.rpartition("/")[0]: losses
            for name, losses in known.items()
            if name.rpartition("/")[2] == part
        }
        made += [f"<h3>{text(part)}</h3>", _loss_chart(part, chosen)]
    return made


def _loss_chart(part: str, losses: Mapping[str, Sequence[float]]) -> str:
    curves = {member: _stretches(each) for member, each in losses.items()}
    steps = float(max(len(each) for each in losses.values()))
    values = [float(v) for curve in curves.values() for v in curve[1:].ravel()]
    frame = Frame(nice_axis([0.0, steps], "step"), nice_axis(values, "loss"), height=320)
    marks, keys = list[str](), list[Key]()
    for n, (member, (at, middle, low, high)) in enumerate(curves.items()):
        color = COLORS[n % len(COLORS)]
        marks.append(
            band(frame, list(zip(at, low, strict=True)), list(zip(at, high, strict=True)), color)
        )
        marks.append(line(frame, at, middle, color))
        keys.append(Key(f"member {member}", color))
    return chart(frame, f"Loss of {part} over steps", marks, keys if len(keys) > 1 else [])


def _stretches(losses: Sequence[float]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """(4, n): middle step, median, 10th and 90th percentile of each stretch."""
    values = np.asarray(losses, dtype=np.float64)
    pieces = np.array_split(np.arange(len(values)), min(_STRETCHES, len(values)))
    columns = []
    for piece in pieces:
        known = values[piece][np.isfinite(values[piece])]
        low, middle, high = np.percentile(known, (10, 50, 90)) if len(known) else (np.nan,) * 3
        columns.append((piece.mean() + 1, middle, low, high))
    return np.array(columns).T


def _people(record: TrainingRecord) -> list[str]:
    names = list(dict.fromkeys([*record.counts, *record.counts_held_out]))
    rows = []
    for name in names:
        pair = (record.counts.get(name, 0), record.counts_held_out.get(name, 0))
        rows.append(row([cell(name), *map(_count, pair)]))
    total = text(words.ALL[0]) + zh(words.ALL[1])
    rows.append(
        row([f"<td>{total}</td>", _count(record.n_trained), _count(record.n_held_out)], kind="lobe")
    )
    parts = [
        table(words.PEOPLE_HEAD, rows, key="people", n_words=1),
        paragraph(*words.SPLIT[record.split_by], kind="note"),
    ]
    if record.sites:
        named = ", ".join(f"{site} ({n})" for site, n in record.sites.items())
        english, chinese = (said.format(named) for said in words.SITES)
        parts.append(paragraph(english, chinese, "note"))
    return parts


def _count(number: int) -> str:
    return cell(number, kind="num", sort=float(number))
