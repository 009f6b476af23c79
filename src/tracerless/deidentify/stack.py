"""Laying the tables of a policy over each other: its own rows, its base, the technical lists."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from pydicom.datadict import dictionary_VR

from tracerless.core.errors import ProfileError
from tracerless.deidentify import confidentiality as e11
from tracerless.deidentify.actions import Action, Dates, Rule
from tracerless.deidentify.profile_tables import merged, read, rule_of, rules_of, tag_of

PATIENT_NAME = 0x00100010
PATIENT_ID = 0x00100020
_REASONS = ("reason_en", "reason_zh")


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """The tables of one policy, read; `rules` lays them over each other for one class."""

    name: str
    rows: tuple[Rule, ...]
    classes: Mapping[str, str]
    codes: tuple[str, ...]
    chosen: e11.Options
    age_cap: str
    _meaning: Mapping[str, str]
    _own: Mapping[int, Rule]
    _base: Mapping[int, Mapping[str, str]]
    _technical: Mapping[str, Mapping[int, Rule]]
    _types: Mapping[tuple[str, int], str] = field(default_factory=dict)

    @classmethod
    def read(
        cls,
        name: str,
        tables: Mapping[str, str],
        settings: Mapping[str, str],
        options: tuple[str, ...],
    ) -> Self:
        """Read and check every table.

        Raises:
            ProfileError: as `Profile.parse` says.
        """
        base = settings["base"]
        codes = (*filter(None, settings["options"].split("|")), *options)
        if codes and base != "ps315":
            raise ProfileError(
                f"Profile {name} starts from the specification's table, which has no options.",
                hint="Choose ps315-basic or research for options of CID 7050.",
            )
        meaning = read(name, "options", tables, ("code", "column", "meaning_en"))
        columns = {cells["code"]: cells["column"] for cells in meaning}
        dates = Dates(settings["dates"]) if settings["dates"] else None
        if base == "seed":
            dates, rows = dates or Dates.KEEP, tuple(rules_of(name, "seed", tables, "seed"))
        else:
            rows = tuple(_ps315(name, tables, columns.values()))
        classes = {
            cells["uid"]: cells["technical"]
            for cells in read(name, "sop_classes", tables, ("uid", "name", "technical"))
        }
        common = tuple(rules_of(name, "technical_common", tables, "technical"))
        own = rules_of(name, "actions", tables, "profile") if "actions" in tables else iter(())
        return cls(
            name=name,
            rows=rows,
            classes=classes,
            codes=tuple(dict.fromkeys(codes)),
            chosen=e11.options(codes, columns, dates),
            age_cap=settings["age_cap"],
            _meaning={cells["code"]: cells["meaning_en"] for cells in meaning},
            _own=merged(name, own),
            _base=(
                {rule.tag: {} for rule in merged(name, rows).values()}
                if base == "seed"
                else _codes(name, tables, rows)
            ),
            _technical={
                kind: merged(
                    name, (*common, *rules_of(name, f"technical_{kind}", tables, "technical"))
                )
                for kind in sorted(set(classes.values()))
            },
            _types=_types(name, tables),
        )

    def meanings(self) -> tuple[tuple[str, str], ...]:
        """(code, meaning) of the chosen options, in order."""
        return tuple((code, self._meaning[code]) for code in self.codes)

    def rules(self, kind: str) -> dict[int, Rule]:
        """What happens to every listed tag of the classes with the technical list ``kind``."""
        technical = self._technical[kind]
        based = merged(self.name, self.rows)
        tags = sorted({*self._own, *based, *technical})
        return {tag: self._rule(tag, kind, based.get(tag), technical.get(tag)) for tag in tags}

    def _rule(self, tag: int, kind: str, base: Rule | None, technical: Rule | None) -> Rule:
        required = self._types.get((kind, tag), "")
        rule = self._own.get(tag) or base or technical
        if rule is None:
            raise ProfileError(f"Profile {self.name}: tag {tag:08X} stands in no table.")
        if tag in (PATIENT_NAME, PATIENT_ID):
            return replace(rule, action=Action.PSEUDONYM, required=required)
        if rule is base and self._base[tag]:
            action, code = e11.resolve(
                tag, self._base[tag], self.chosen, kind=required, is_technical=technical is not None
            )
            rule = replace(rule, action=action, origin=f"E.1-1 {code}")
        return replace(rule, action=self._effective(rule, required), required=required)

    def _effective(self, rule: Rule, required: str) -> Action:
        """The action with the policy's dates, its cap of age, and what the object requires."""
        action, vr = rule.action, dictionary_VR(rule.tag)
        if action is Action.KEEP:
            action = e11.dated(vr, self.chosen.dates)
        if action is Action.KEEP and vr == "AS" and self.age_cap:
            return Action.CAP_AGE
        if action is Action.REMOVE:
            return e11.required(required)
        return action


def _ps315(name: str, tables: Mapping[str, str], columns: Iterable[str]) -> Iterator[Rule]:
    """Rows of Table E.1-1 as rules; what they order follows from their codes later.

    Repeating groups (curves, overlays) are not rows of one tag: nothing lists them, so they go.
    """
    wanted = ("tag", "keyword", "basic", *filter(None, columns), *_REASONS)
    for cells in read(name, "ps315", tables, wanted):
        if "x" not in cells["tag"]:
            yield rule_of(name, "ps315", cells, Action.REMOVE, "E.1-1")


def _codes(
    name: str, tables: Mapping[str, str], rows: Iterable[Rule]
) -> dict[int, Mapping[str, str]]:
    listed = {cells["tag"].upper(): cells for cells in read(name, "ps315", tables, ("tag",))}
    return {rule.tag: listed[f"{rule.tag:08X}"] for rule in rows}


def _types(name: str, tables: Mapping[str, str]) -> dict[tuple[str, int], str]:
    found = {}
    for cells in read(name, "types", tables, ("technical", "tag", "keyword", "type")):
        if cells["type"][:1] not in ("1", "2"):
            raise ProfileError(
                f"Profile {name}, types.csv: {cells['keyword']} has type {cells['type']!r}.",
                hint="Write 1 or 2.",
            )
        tag = tag_of(name, "types", cells["tag"], cells["keyword"])
        found[cells["technical"], tag] = cells["type"][:1]
    return found
