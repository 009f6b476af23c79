"""Reading the tables of a policy, each checked against the DICOM dictionary."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from pydicom.datadict import dictionary_has_tag, keyword_for_tag

from tracerless.core.errors import ProfileError
from tracerless.deidentify.actions import Action, Dates, PrivateRule, Rule
from tracerless.deidentify.known import fold

_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "base": ("seed", "ps315"),
    "edition": (),
    "options": (),
    "dates": ("", *Dates),
    "age_cap": (),
    "private": ("none", "list"),
    "faces": ("keep", "remove"),
    "pixels": ("quarantine", "clean"),
    "suv": ("carry", "none"),
    "claim_en": (),
    "claim_zh": (),
}
_REASONS = ("reason_en", "reason_zh")
_PRIVATE_VRS = frozenset({"CS", "DS", "IS", "FL", "FD", "US", "SS", "UL", "SL", "SQ"})


def settings(name: str, tables: Mapping[str, str]) -> dict[str, str]:
    """Every setting of ``profile.csv``.

    Raises:
        ProfileError: a setting is missing, unknown, or has a value that is none of its choices.
    """
    found = {
        cells["setting"]: cells["value"].strip()
        for cells in read(name, "profile", tables, ("setting", "value", *_REASONS))
    }
    for setting in sorted(found.keys() ^ _SETTINGS.keys()):
        state = "unknown" if setting in found else "missing"
        raise ProfileError(f"Profile {name}: setting {setting!r} is {state}.")
    for setting, choices in _SETTINGS.items():
        if choices and found[setting] not in choices:
            raise ProfileError(
                f"Profile {name}: {setting} = {found[setting]!r}.",
                hint=f"Choose one of: {', '.join(filter(None, choices))}.",
            )
    if found["age_cap"] and not found["age_cap"].isdigit():
        raise ProfileError(f"Profile {name}: age_cap = {found['age_cap']!r} is no number of years.")
    return found


def merged(name: str, rules: Iterable[Rule]) -> dict[int, Rule]:
    """By tag; the first row's reason stands.

    Raises:
        ProfileError: one tag with two different actions.
    """
    found: dict[int, Rule] = {}
    for rule in rules:
        first = found.setdefault(rule.tag, rule)
        if first.action is not rule.action:
            raise ProfileError(
                f"Profile {name}: {rule.keyword} is ordered {first.action} and {rule.action}.",
                hint="Leave one of the two rows.",
            )
    return found


def rules_of(name: str, table: str, tables: Mapping[str, str], origin: str) -> Iterator[Rule]:
    """The rows of a table that orders actions.

    Raises:
        ProfileError: an unknown action, or a tag that is unknown or misnamed.
    """
    for cells in read(name, table, tables, ("tag", "keyword", "action", *_REASONS)):
        try:
            action = Action(cells["action"])
        except ValueError:
            raise ProfileError(
                f"Profile {name}: {cells['keyword']} has the unknown action {cells['action']!r}.",
                hint=f"Choose one of: {', '.join(Action)}.",
            ) from None
        yield rule_of(name, table, cells, action, origin)


def tags(name: str, table: str, tables: Mapping[str, str]) -> tuple[int, ...]:
    """Tags of a table that only lists attributes."""
    return tuple(rule.tag for rule in _listed(name, table, tables))


def keywords(name: str, table: str, tables: Mapping[str, str]) -> tuple[str, ...]:
    """Keywords of a table that only lists attributes; none when the policy has no such table."""
    if table not in tables:
        return ()
    return tuple(rule.keyword for rule in _listed(name, table, tables))


def vocabulary(name: str, tables: Mapping[str, str]) -> frozenset[str]:
    """Folded words that a cleaned text may keep."""
    rows = read(name, "descriptors", tables, ("word", *_REASONS))
    return frozenset(fold(cells["word"]) for cells in rows)


def private(name: str, tables: Mapping[str, str]) -> dict[tuple[int, str, int], PrivateRule]:
    """Vendor fields that may cross.

    Raises:
        ProfileError: a field that is neither a number nor of a closed list of values.
    """
    columns = ("group", "creator", "offset", "vr", "keyword", "values", *_REASONS)
    found = {}
    for cells in read(name, "private", tables, columns):
        values = tuple(filter(None, cells["values"].split("|")))
        if cells["vr"] not in _PRIVATE_VRS or (cells["vr"] == "CS") != bool(values):
            raise ProfileError(
                f"Profile {name}: private field {cells['keyword']} ({cells['vr']}) is neither "
                "numeric nor of a closed list of values.",
                hint="Name its values, separated by |, or leave the field out.",
            )
        key = (int(cells["group"], 16), cells["creator"], int(cells["offset"], 16))
        reasons = (cells["reason_en"], cells["reason_zh"])
        found[key] = PrivateRule(*key, cells["vr"], cells["keyword"], values, *reasons)
    return found


def read(
    name: str, table: str, tables: Mapping[str, str], columns: tuple[str, ...]
) -> list[dict[str, str]]:
    """The rows of one table.

    Raises:
        ProfileError: the table or a column is missing, or a row is short.
    """
    if table not in tables:
        raise ProfileError(f"Profile {name} has no table {table}.csv.")
    reader = csv.DictReader(io.StringIO(tables[table]))
    missing = set(columns) - set(reader.fieldnames or ())
    if missing:
        raise ProfileError(f"Profile {name}, {table}.csv: no column {', '.join(sorted(missing))}.")
    rows = list(reader)
    if any(row.get(column) is None for row in rows for column in columns):
        raise ProfileError(f"Profile {name}, {table}.csv: a row is shorter than its heading.")
    return rows


def _listed(name: str, table: str, tables: Mapping[str, str]) -> Iterator[Rule]:
    for cells in read(name, table, tables, ("tag", "keyword", *_REASONS)):
        yield rule_of(name, table, cells, Action.REMOVE, table)


def rule_of(name: str, table: str, cells: Mapping[str, str], action: Action, origin: str) -> Rule:
    """One row as a rule.

    Raises:
        ProfileError: its tag is unknown or misnamed.
    """
    tag = tag_of(name, table, cells["tag"], cells["keyword"])
    return Rule(tag, cells["keyword"], action, cells["reason_en"], cells["reason_zh"], origin)


def tag_of(name: str, table: str, text: str, keyword: str) -> int:
    """The tag that a row names twice, by number and by keyword.

    Raises:
        ProfileError: the two do not agree.
    """
    tag = _number(text)
    if tag is None or _keyword(tag) != keyword:
        raise ProfileError(
            f"Profile {name}, {table}: tag {text!r} is not {keyword}.",
            hint="Write eight hexadecimal digits and the keyword of the DICOM dictionary.",
        )
    return tag


@cache
def _keyword(tag: int) -> str:
    return keyword_for_tag(tag) if dictionary_has_tag(tag) else ""


def _number(text: str) -> int | None:
    try:
        return int(text, 16) if len(text) == 8 else None
    except ValueError:
        return None
