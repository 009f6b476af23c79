"""Which column of a table of scores means what; identifying and unknown ones stay behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from tracerless.core.cognition import Dictionary, Finding, folded
from tracerless.core.errors import DatasetError
from tracerless.io.cognition_headings import roles
from tracerless.io.cognition_redcap import Field

NO_FIELDS: Mapping[str, Field] = MappingProxyType({})
"""For tables that do not come from REDCap."""

_SHOWN = 12
_SINGLE = ("person", "chart", "visit", "date", "days", "version", "variable", "value", "tool")
_OF_LONG = ("variable", "value", "version", "tool")


@dataclass(frozen=True, slots=True)
class Columns:
    """Headings by what they mean.

    Args:
        roles: heading of each role: ``person`` or ``chart``, and where present ``visit``, ``date``,
            ``days``, and of a long table ``variable``, ``value``, ``version``.
        scores: code of each heading of scores; empty for a long table.
        findings: what stays behind.
    """

    roles: Mapping[str, str]
    scores: Mapping[str, str]
    findings: tuple[Finding, ...]

    @property
    def is_long(self) -> bool:
        """Whether each row holds one score, named in the row."""
        return "variable" in self.roles


def columns(
    table: pd.DataFrame, known: Dictionary, fields: Mapping[str, Field] = NO_FIELDS
) -> Columns:
    """What the headings of a table mean.

    Raises:
        DatasetError: no column says whose the rows are.
    """
    headings = [str(name) for name in table.columns]
    meant = {name: _role(name, fields) for name in headings}
    chosen: dict[str, str] = {}
    for name, each in meant.items():
        if each in _SINGLE:
            chosen.setdefault(each, name)
    if not {"variable", "value"} <= set(chosen):
        chosen = {each: name for each, name in chosen.items() if each not in _OF_LONG}
    if not {"person", "chart"} & set(chosen):
        raise DatasetError(
            f"None of the table's {len(headings)} columns says whose the rows are.",
            hint="Name that column participant_id (pseudonyms) or chart_number.",
        )
    if "person" in chosen:
        chosen.pop("chart", None)  # a chart number beside a pseudonym identifies
    found: list[Finding] = []
    scores = {} if "variable" in chosen else _scores(meant, known, fields, found)
    used = {*chosen.values(), *scores, *(f.code for f in found)}
    found.extend(_left(meant, used, known))
    return Columns(chosen, scores, tuple(found))


def role(heading: str) -> str:
    """What a heading means besides scores (``date``, ``identifier`` …), or empty."""
    return roles().get(folded(heading), "")


def _role(heading: str, fields: Mapping[str, Field]) -> str:
    field = fields.get(heading)
    own = role(heading)
    if field is not None and field.is_identifier and own not in {"person", "chart"}:
        return "identifier"
    return own


def _scores(
    meant: Mapping[str, str],
    known: Dictionary,
    fields: Mapping[str, Field],
    found: list[Finding],
) -> dict[str, str]:
    scores: dict[str, str] = {}
    for name, own in meant.items():
        if own and own not in _OF_LONG:
            continue
        code = known.code(name) or (known.code(fields[name].label) if name in fields else "")
        if code and code in scores.values():
            text = f"Column {name} is {code} once more, and was left out."
            found.append(Finding("ambiguous-column", name, 1, text))
        elif code:
            scores[name] = code
            found.extend(_other_range(name, code, known, fields))
    return scores


def _other_range(
    name: str, code: str, known: Dictionary, fields: Mapping[str, Field]
) -> Sequence[Finding]:
    """Whether REDCap lets a field have other scores than the test has: another version?"""
    field, test = fields.get(name), known.tests[code]
    if field is None or np.isnan(field.high) or field.high == test.high:
        return ()
    text = f"REDCap field {name} goes up to {field.high:g}, {code} to {test.high:g}: same version?"
    return (Finding("version", name, 1, text),)


def _left(meant: Mapping[str, str], used: set[str], known: Dictionary) -> list[Finding]:
    left = [name for name in meant if name not in used]
    hidden = [name for name in left if meant[name] in {"identifier", "person", "chart"}]
    facts = [name for name in left if meant[name] == "person_fact"]
    unknown = [name for name in left if name not in hidden and name not in facts]
    found = [_which_version(name, known) for name in unknown]
    plain = [name for name, each in zip(unknown, found, strict=True) if each is None]
    said = [each for each in found if each is not None]
    for kind, names, text in (
        ("identifier", hidden, "{n} columns may tell who somebody is, and stay behind: {names}."),
        ("unknown-column", plain, "{n} columns are in no dictionary, and stay behind: {names}."),
        ("person-column", facts, "{names}: facts about people come by deidentify --phenotype."),
    ):
        if names:
            some = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
            said.append(Finding(kind, names[0], len(names), text.format(n=len(names), names=some)))
    return said


def _which_version(name: str, known: Dictionary) -> Finding | None:
    """A heading that names a test of which the dictionary has several versions."""
    start = folded(name)
    versions = [
        c for c in known.tests if c.casefold().rstrip("0123456789") == start != c.casefold()
    ]
    if not versions:
        return None
    text = f"Column {name} stays behind: {', '.join(versions)} are different tests; name one."
    return Finding("version", name, 1, text)
