"""De-identification policies: tables that say, tag by tag, what crosses the border and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

from tracerless.core.recipe import fingerprint
from tracerless.deidentify import profile_tables as tables_of
from tracerless.deidentify.actions import Action, Dates, PrivateRule, Rule
from tracerless.deidentify.stack import Stack

__all__ = ["Action", "Dates", "PrivateRule", "Profile", "Rule"]


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A policy, whole and free of contradictions.

    Args:
        name: how the command line calls it.
        edition: of the table it starts from.
        base: ``seed`` (the specification's table) or ``ps315`` (Table E.1-1).
        options: codes of CID 7050 that were chosen.
        codes: what an instance may be stamped with: the options, and those that pixels and faces
            add once they are done.
        dates: what becomes of dates.
        faces: ``keep``, or ``remove``: no head MR crosses with its face.
        pixels: ``quarantine`` a series with text in its pixels, or ``clean`` it.
        suv: ``carry`` the factor to SUV where the profile drops what it follows from, or ``none``.
        age_cap: years; ages above become it; None leaves them.
        claim_en, claim_zh: the level that the output may claim.
        rows: the base table as written, duplicates included.
        by_class: by SOP Class UID, by tag, what happens; a class that is not listed is refused, a
            tag that is not listed is removed.
        technical: name of the technical list of every SOP class.
        private: vendor fields that cross, by (group, creator, offset).
        hunted: tags whose values may not survive inside a kept text.
        doubtful: keywords of kept attributes that hold text typed by people.
        vocabulary: folded words that a cleaned text may keep.
        digest: of every table and option together.
    """

    name: str
    edition: str
    base: str
    options: tuple[str, ...]
    codes: tuple[tuple[str, str], ...]
    dates: Dates
    faces: str
    pixels: str
    suv: str
    age_cap: int | None
    claim_en: str
    claim_zh: str
    rows: tuple[Rule, ...]
    by_class: Mapping[str, Mapping[int, Rule]]
    technical: Mapping[str, str]
    private: Mapping[tuple[int, str, int], PrivateRule]
    hunted: tuple[int, ...]
    doubtful: tuple[str, ...]
    vocabulary: frozenset[str]
    digest: str

    @classmethod
    def parse(cls, name: str, tables: Mapping[str, str], options: tuple[str, ...] = ()) -> Self:
        """The policy that CSV tables state.

        Args:
            name: of the policy.
            tables: CSV texts by file stem: the shared ones (``seed``, ``ps315``, ``types``,
                ``sop_classes``, ``technical_common``, ``technical_<name>``, ``private``,
                ``hunted``, ``descriptors``, ``options``) and the profile's own (``profile``, and
                where it has them ``actions`` and ``read_before_sharing``).
            options: codes of CID 7050 on top of the profile's own.

        Raises:
            ProfileError: a table, column or setting is missing, a tag is unknown or misnamed, a
                tag has two different actions, or options exclude each other.
        """
        settings = tables_of.settings(name, tables)
        stack = Stack.read(name, tables, settings, options)
        own_private = tables_of.private(name, tables)
        return cls(
            name=name,
            edition=settings["edition"],
            base=settings["base"],
            options=stack.codes,
            codes=stack.meanings(),
            dates=stack.chosen.dates,
            faces=settings["faces"],
            pixels=settings["pixels"],
            suv=settings["suv"],
            age_cap=int(settings["age_cap"]) if settings["age_cap"] else None,
            claim_en=settings["claim_en"],
            claim_zh=settings["claim_zh"],
            rows=stack.rows,
            by_class=MappingProxyType(
                {uid: MappingProxyType(stack.rules(kind)) for uid, kind in stack.classes.items()}
            ),
            technical=MappingProxyType(dict(stack.classes)),
            private=MappingProxyType(own_private if settings["private"] == "list" else {}),
            hunted=tables_of.tags(name, "hunted", tables),
            doubtful=tables_of.keywords(name, "read_before_sharing", tables),
            vocabulary=tables_of.vocabulary(name, tables),
            digest=fingerprint(name, dict(tables), list(stack.codes)),
        )

    def rule(self, sop_class: str, tag: int) -> Rule | None:
        """What happens to a standard attribute of that class; None: not listed, so removed."""
        return self.by_class[sop_class].get(tag)
