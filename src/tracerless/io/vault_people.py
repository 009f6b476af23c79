"""What the pipeline asks a vault about people, and tells it; it can never list them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from tracerless.core.errors import VaultError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.io import vault_place, vault_records
from tracerless.io.vault_registry import Registry
from tracerless.io.vault_sealed import Entry, Sealer

Who = Pseudonym | str
"""Whom: a pseudonym in any domain, or a chart number, with a bar and its issuer where needed."""


_MOST_DAYS = 400
"""A vault is asked for days no further apart: more would be a search for a date."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Demographics that do not fit: ``conflict`` with the same person, or ``duplicate`` of another.

    ``pseudonym`` is the other person's, where that one has one in this domain.
    """

    kind: Literal["conflict", "duplicate"]
    pseudonym: Pseudonym | None = None


@dataclass(slots=True)
class VaultPeople:
    """People as one linkage domain of a vault knows them; nothing lasts until the vault is saved.

    Args:
        domain: the linkage domain of the dataset that is worked on.
    """

    domain: str
    _registry: Registry = field(repr=False)
    _sealer: Sealer = field(repr=False)
    _pending: list[vault_records.Record] = field(repr=False)

    @property
    def linkage(self) -> str:
        """The name whose keys this domain uses: its own, or that of a domain it shares with."""
        return self._registry.linkage(self.domain)

    def identify(self, persons: Iterable[str]) -> dict[str, str]:
        """The text from which each person's pseudonym is to be made, by person.

        A chart number alone and the same number with one issuer are one person; under a second
        issuer it is another. A number alone that two issuers share is left out: whose it is, nobody
        can say. `save` makes it last.
        """
        return self._registry.identify(persons)

    def admit(self, person: str, pseudonym: Pseudonym, study: str, study_date: str) -> SessionKey:
        """The visit that a study of a person belongs to; the same study gives the same visit.

        Studies of one person on one date are one visit; a study without a date is its own. Visits
        are numbered in the order in which they are first seen. `save` makes it last.

        Raises:
            VaultError: another person already has this pseudonym, or this person another one; the
                person is withdrawn, or two people have that chart number.
        """
        if self.is_withdrawn(person):
            raise VaultError(
                f"{pseudonym} is withdrawn and stays outside.", hint="Leave that person out."
            )
        linkage = self.linkage
        self._registry.name(person, pseudonym, linkage)
        visit, is_new = self._registry.visit(person, linkage, study, study_date)
        if is_new:
            name = str(pseudonym)
            entry = Entry(name, self.domain, visit, person, study, study_date)
            self._pending.append(self._sealer.entry(entry))
        return SessionKey(pseudonym, visit)

    def pseudonym_of(self, who: Who) -> Pseudonym | None:
        """The pseudonym that a person has in this domain; None when not admitted to it.

        Raises:
            VaultError: nobody has that pseudonym, or two people have that chart number.
        """
        entry = self._registry.entry(who)
        name = entry["names"].get(self.linkage) if entry else None
        return Pseudonym(name) if name else None

    def visit_near(self, who: Who, day: date, within: int) -> tuple[str, int] | None:
        """The visit of a person that lies nearest to a day, and that day minus the visit's, days.

        The vault knows no dates: it tries every day up to ``within`` away against keyed digests.

        Args:
            who: whose visits.
            day: of a test, say.
            within: days, at most 400.

        Returns:
            None when the person has no dated visit that near; `has_dates` tells whether there is
            one at all. Of two equally near the first.

        Raises:
            VaultError: ``within`` is beyond 400, nobody has that pseudonym, or two people have that
                chart number.
        """
        if not 0 <= within <= _MOST_DAYS:
            raise VaultError(f"Days from a visit are asked up to {_MOST_DAYS}, not {within}.")
        visits, owner = self._registry.visits(who, self.linkage), self._registry.owner(who)
        for far in range(within + 1) if visits else ():
            asked = {gap: (day - timedelta(days=gap)).strftime("%Y%m%d") for gap in (far, -far)}
            found = [
                (visit, gap)
                for gap, text in asked.items()
                for visit in visits.get(self._registry.digest("day", owner, text), ())
            ]
            if found:
                return min(found)
        return None

    def has_dates(self, who: Who) -> bool:
        """Whether any visit of a person has a date.

        Raises:
            VaultError: nobody has that pseudonym, or two people have that chart number.
        """
        return bool(self._registry.visits(who, self.linkage))

    def doubts(
        self, person: str, *, names: Iterable[str] = (), birth: str = "", sex: str = ""
    ) -> Doubt | None:
        """What speaks against these demographics of a person; kept as keyed digests only.

        Args:
            person: who states them.
            names: folded groups of the name (letters, ideographs …); equal in one is enough.
            birth: date, any one form; empty when not stated.
            sex: letter; empty when not stated.

        Returns:
            A conflict with what the same person stated before (which stays), or the likely
            duplicate of another person; None when all is well, or the person withdrew.

        Raises:
            VaultError: two people have that chart number.
        """
        if self.is_withdrawn(person):
            return None
        digest = self._registry.digest
        met = {
            "names": [digest("name", name) for name in names if name],
            "birth": digest("birth", birth) if birth else "",
            "sex": digest("sex", sex) if sex else "",
        }
        other = self._registry.doubt(person, met)
        if other is None:
            return None
        name = self._registry.people[other]["names"].get(self.linkage) if other else None
        return Doubt("duplicate" if other else "conflict", Pseudonym(name) if name else None)

    def set_consent(self, who: Who, consent: str) -> None:
        """Remember the consent class of a person, in every domain; `save` makes it last.

        Of who withdrew, nothing is remembered.

        Raises:
            VaultError: nobody has that pseudonym, or two people have that chart number.
        """
        entry = self._registry.new_entry(who)
        if not entry.get("withdrawn"):
            entry["consent"] = consent

    def consent_of(self, pseudonym: Pseudonym) -> str:
        """The consent class of a person; empty when none is known, or nobody has that pseudonym."""
        entry = self._registry.find(pseudonym)
        return str(entry.get("consent", "")) if entry else ""

    def is_withdrawn(self, person: Who) -> bool:
        """Whether that person withdrew, through whatever dataset or domain.

        Raises:
            VaultError: nobody has that pseudonym, or two people have that chart number.
        """
        return bool((self._registry.entry(person) or {}).get("withdrawn"))

    def withdrawn(self) -> tuple[Pseudonym, ...]:
        """Pseudonyms in this domain of everybody who withdrew, sorted."""
        return tuple(sorted(self._registry.withdrawn(self.linkage)))

    def share(self, domain: str, other: str) -> None:
        """From now on both domains give a person the same pseudonym; `save` makes it last.

        Raises:
            VaultError: one is no domain, or both hold people already, under keys of their own.
        """
        self._registry.share(*map(vault_place.require_domain, (domain, other)))
