"""De-identification policies: tables that say, tag by tag, what crosses the border and why."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from pydicom.datadict import dictionary_has_tag, keyword_for_tag

from tracerless.core.errors import ProfileError
from tracerless.core.recipe import fingerprint

PATIENT_NAME = 0x00100010
PATIENT_ID = 0x00100020


class Action(StrEnum):
    """What happens to one attribute."""

    KEEP = "keep"
    """The value crosses; inside a sequence every attribute is judged again."""
    REMOVE = "remove"
    """The attribute goes."""
    EMPTY = "empty"
    """The attribute stays without a value: its object requires it (Type 2)."""
    HASH_UID = "hash_uid"
    """The UID becomes its keyed digest."""
    PSEUDONYM = "pseudonym"
    """The pseudonym takes the place of the value."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a table: what happens to ``tag``, and why."""

    tag: int
    keyword: str
    action: Action
    reason_en: str


@dataclass(frozen=True, slots=True)
class PrivateRule:
    """A vendor's field that crosses: matched by creator, never by the block it lies in.

    ``values`` closes the vocabulary of a coded field; numeric fields leave it empty. Of a sequence
    (``vr`` SQ) only the vendor fields inside that have rules of their own cross.
    """

    group: int
    creator: str
    offset: int
    vr: str
    keyword: str
    values: tuple[str, ...]
    reason_en: str


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A policy, whole and free of contradictions.

    Args:
        name: how the command line calls it.
        rows: the policy's own table as written, duplicates included.
        rules: by tag; the table with ``remove`` made ``empty`` where the object requires it.
        technical: by SOP Class UID, what besides the table the object needs to be decoded or
            measured; a class that is not listed is refused.
        private: vendor fields that cross, by (group, creator, offset).
        hunted: tags whose values may not survive inside a kept text.
        doubtful: keywords of kept attributes that a person should read before sharing.
        digest: of every table together.
    """

    name: str
    rows: tuple[Rule, ...]
    rules: Mapping[int, Rule]
    technical: Mapping[str, Mapping[int, Rule]]
    private: Mapping[tuple[int, str, int], PrivateRule]
    hunted: tuple[int, ...]
    doubtful: tuple[str, ...]
    digest: str

    @classmethod
    def parse(cls, name: str, tables: Mapping[str, str]) -> Self:
        """The policy that CSV tables state.

        Args:
            name: of the policy.
            tables: CSV texts by file stem: ``actions`` (tag, keyword, action, reason_en);
                ``emptied``, ``hunted`` and ``read_before_sharing`` (tag, keyword, reason_en);
                ``sop_classes`` (uid, name, technical); ``private``; ``technical_common`` and one
                ``technical_<name>`` for every name in ``sop_classes``, all like ``actions``.

        Raises:
            ProfileError: a table or column is missing, a tag is unknown or misnamed, or a tag has
                two different actions.
        """
        rows = tuple(_rules(name, "actions", tables))
        table = _merge(name, rows)
        required = {rule.tag for rule in _rules(name, "emptied", tables, Action.EMPTY)}
        common = tuple(_rules(name, "technical_common", tables))
        technical: dict[str, Mapping[int, Rule]] = {}
        for cells in _read(name, "sop_classes", tables, ("uid", "name", "technical")):
            own = _rules(name, f"technical_{cells['technical']}", tables)
            merged = _merge(name, (*rows, *common, *own))
            technical[cells["uid"]] = _frozen({t: r for t, r in merged.items() if t not in table})
        return cls(
            name=name,
            rows=rows,
            rules=_frozen({tag: _effective(rule, required) for tag, rule in table.items()}),
            technical=MappingProxyType(technical),
            private=MappingProxyType(
                {(r.group, r.creator, r.offset): r for r in _private(name, tables)}
            ),
            hunted=tuple(rule.tag for rule in _rules(name, "hunted", tables, Action.REMOVE)),
            doubtful=tuple(
                rule.keyword for rule in _rules(name, "read_before_sharing", tables, Action.KEEP)
            ),
            digest=fingerprint(name, dict(tables)),
        )

    def rule(self, sop_class: str, tag: int) -> Rule | None:
        """What happens to a standard attribute of that class; None: not listed, so removed."""
        return self.rules.get(tag) or self.technical[sop_class].get(tag)


def _effective(rule: Rule, required: set[int]) -> Rule:
    if rule.action is not Action.REMOVE:
        return rule
    if rule.tag in (PATIENT_NAME, PATIENT_ID):
        return Rule(rule.tag, rule.keyword, Action.PSEUDONYM, rule.reason_en)
    if rule.tag in required:
        return Rule(rule.tag, rule.keyword, Action.EMPTY, rule.reason_en)
    return rule


def _frozen(rules: Mapping[int, Rule]) -> Mapping[int, Rule]:
    return MappingProxyType(dict(rules))


def _merge(name: str, rules: Iterable[Rule]) -> dict[int, Rule]:
    """By tag; the first row's reason stands.

    Raises:
        ProfileError: one tag with two different actions.
    """
    merged: dict[int, Rule] = {}
    for rule in rules:
        first = merged.setdefault(rule.tag, rule)
        if first.action is not rule.action:
            raise ProfileError(
                f"Profile {name}: {rule.keyword} is ordered {first.action} and {rule.action}.",
                hint="Leave one of the two rows.",
            )
    return merged


def _rules(
    name: str, table: str, tables: Mapping[str, str], action: Action | None = None
) -> Iterator[Rule]:
    columns = ("tag", "keyword", "reason_en") + (() if action else ("action",))
    for cells in _read(name, table, tables, columns):
        tag = _tag(name, table, cells["tag"], cells["keyword"])
        try:
            ordered = action or Action(cells["action"])
        except ValueError:
            raise ProfileError(
                f"Profile {name}: {cells['keyword']} has the unknown action {cells['action']!r}.",
                hint=f"Choose one of: {', '.join(Action)}.",
            ) from None
        yield Rule(tag, cells["keyword"], ordered, cells["reason_en"])


def _tag(name: str, table: str, text: str, keyword: str) -> int:
    try:
        tag = int(text, 16)
    except ValueError:
        tag = -1
    if len(text) != 8 or not dictionary_has_tag(tag) or keyword_for_tag(tag) != keyword:
        raise ProfileError(
            f"Profile {name}, {table}: tag {text!r} is not {keyword}.",
            hint="Write eight hexadecimal digits and the keyword of the DICOM dictionary.",
        )
    return tag


def _private(name: str, tables: Mapping[str, str]) -> Iterator[PrivateRule]:
    columns = ("group", "creator", "offset", "vr", "keyword", "values", "reason_en")
    for cells in _read(name, "private", tables, columns):
        values = tuple(filter(None, cells["values"].split("|")))
        if cells["vr"] not in _PRIVATE_VRS or (cells["vr"] == "CS") != bool(values):
            raise ProfileError(
                f"Profile {name}: private field {cells['keyword']} ({cells['vr']}) is neither "
                "numeric nor of a closed list of values.",
                hint="Name its values, separated by |, or leave the field out.",
            )
        yield PrivateRule(
            group=int(cells["group"], 16),
            creator=cells["creator"],
            offset=int(cells["offset"], 16),
            vr=cells["vr"],
            keyword=cells["keyword"],
            values=values,
            reason_en=cells["reason_en"],
        )


_PRIVATE_VRS = frozenset({"CS", "DS", "IS", "FL", "FD", "US", "SS", "UL", "SL", "SQ"})


def _read(
    name: str, table: str, tables: Mapping[str, str], columns: tuple[str, ...]
) -> list[dict[str, str]]:
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
