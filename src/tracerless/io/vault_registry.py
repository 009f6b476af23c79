"""What the pipeline must know of people to pseudonymize: keyed digests, never an identifier.

Whoever holds it with its key can answer "is this person known?" for a person he can name, and
nothing else: no name, number, UID or date can be read out of it. Digests depend on a key of the
vault and, for studies and dates, on their person, so that equal dates of two people do not match.

One chart number, several issuers (the hospital or clinic that gave it): the number alone and the
number with the first issuer ever seen are one person; under a further issuer it is another person.
Once two issuers share a number, the number alone belongs to nobody for certain.
"""

import hmac
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from tracerless.core.errors import VaultError
from tracerless.core.people import Pseudonym

Entry = dict[str, Any]
"""One person: ``names`` (pseudonym by linkage), ``studies`` (by linkage: study digest, day digest,
visit), and where known ``consent``, ``withdrawn`` (date), ``demographics`` (digests)."""


@dataclass(slots=True)
class Registry:
    """The pipeline's memory; its repr shows nothing.

    Args:
        key: makes the digests.
        people: by person digest.
        charts: digests of the issuers of a chart number, by its digest, first seen first.
        linked: the name whose keys a linkage domain shares, by domain; itself when absent.
        marks: how long log and crosswalk were when it was last written.
    """

    key: bytes = field(repr=False)
    people: dict[str, Entry] = field(default_factory=dict, repr=False)
    charts: dict[str, list[str]] = field(default_factory=dict, repr=False)
    linked: dict[str, str] = field(default_factory=dict)
    marks: dict[str, Any] = field(default_factory=lambda: {"log": [0, ""], "crosswalk": 0})
    _owners: dict[str, str] = field(default_factory=dict, repr=False)
    _twins: dict[tuple[str, str], set[str]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Find people by their pseudonyms, and by name and birth date."""
        for owner, entry in self.people.items():
            self._owners.update(dict.fromkeys(entry["names"].values(), owner))
            self._index(owner)

    @classmethod
    def from_bytes(cls, key: bytes, content: bytes | None) -> Self:
        """The registry that `to_bytes` wrote; an empty one for None."""
        return cls(key) if content is None else cls(key, **json.loads(zlib.decompress(content)))

    def to_bytes(self) -> bytes:
        """Everything, compressed; not encrypted."""
        names = ("people", "charts", "linked", "marks")
        plain = {name: getattr(self, name) for name in names}
        return zlib.compress(json.dumps(plain, sort_keys=True).encode(), 6)

    def digest(self, purpose: str, *parts: str) -> str:
        """A keyed digest of 24 hexadecimal digits."""
        text = "\x1f".join((purpose, *parts))
        return hmac.digest(self.key, text.encode(), "sha256").hex()[:24]

    def identify(self, persons: Iterable[str]) -> dict[str, str]:
        """The text under which each person is known, by person; those in doubt are left out.

        Args:
            persons: chart number, a bar, and its issuer where there is one; the order does not
                matter. Issuers are remembered.
        """
        wanted = sorted(set(persons))
        for chart, issuer in map(_split, wanted):
            issuers = self.charts.setdefault(self.digest("chart", chart), [])
            own = self.digest("issuer", issuer)
            if issuer and own not in issuers:
                issuers.append(own)
        known = {person: self.known(person) for person in wanted}
        return {person: text for person, text in known.items() if text}

    def known(self, person: str) -> str:
        """The text under which a person is known; empty when two may be meant."""
        chart, issuer = _split(person)
        issuers = self.charts.get(self.digest("chart", chart), [])
        if not issuer:
            return chart if len(issuers) < 2 else ""
        is_first = not issuers or issuers[0] == self.digest("issuer", issuer)
        return chart if is_first else person

    def owner(self, who: Pseudonym | str) -> str:
        """Digest of the person so called, by a pseudonym in any domain or by chart number.

        Raises:
            VaultError: nobody has that pseudonym, or two people have that chart number.
        """
        if isinstance(who, Pseudonym):
            if str(who) not in self._owners:
                raise VaultError(
                    f"The vault knows no pseudonym {who}.", hint="Check the sign for sign."
                )
            return self._owners[str(who)]
        if not self.known(who):
            raise VaultError(
                "Two people have that chart number, under two issuers.",
                hint="Write the issuer behind it: NUMBER|ISSUER.",
            )
        return self.digest("person", self.known(who))

    def find(self, pseudonym: Pseudonym) -> Entry | None:
        """What is known of whoever has that pseudonym, in any domain; None when nobody has it."""
        return self.people.get(self._owners.get(str(pseudonym), ""))

    def entry(self, who: Pseudonym | str) -> Entry | None:
        """What is known of a person, or None.

        Raises:
            VaultError: nobody has that pseudonym, or two people have that chart number.
        """
        return self.people.get(self.owner(who))

    def new_entry(self, who: Pseudonym | str) -> Entry:
        """What is known of a person, who may be new.

        Raises:
            VaultError: nobody has that pseudonym, or two people have that chart number.
        """
        return self.people.setdefault(self.owner(who), {"names": {}, "studies": {}})

    def name(self, person: str, pseudonym: Pseudonym, linkage: str) -> Entry:
        """The entry of a person, who has this pseudonym from now on.

        Raises:
            VaultError: another person already has it, or this person another one.
        """
        text, owner = str(pseudonym), self.owner(person)
        names = self.people.get(owner, {"names": {}})["names"]
        if names.get(linkage, text) != text or self._owners.get(text, owner) != owner:
            raise VaultError(
                f"Pseudonym {text} does not belong to one person alone.",
                hint="Restore the vault from a backup; its registry does not fit its key.",
            )
        entry = self.new_entry(person)
        entry["names"][linkage], self._owners[text] = text, owner
        return entry

    def visit(self, person: str, linkage: str, study: str, study_date: str) -> tuple[str, bool]:
        """(visit, whether the study is new): studies of one date are one visit."""
        studies = self.new_entry(person)["studies"].setdefault(linkage, [])
        owner = self.owner(person)
        own = self.digest("study", owner, study)
        day = self.digest("day", owner, study_date) if study_date else ""
        visits = {known: visit for known, _, visit in studies}
        if own in visits:
            return visits[own], False
        same_day = [visit for _, other, visit in studies if day and other == day]
        visit = same_day[0] if same_day else f"{len(set(visits.values())) + 1:02d}"
        studies.append([own, day, visit])
        return visit, True

    def visits(self, who: Pseudonym | str, linkage: str) -> dict[str, list[str]]:
        """Visits of a person by the digest of their day; those without a date are left out.

        Raises:
            VaultError: nobody has that pseudonym, or two people have that chart number.
        """
        studies = (self.entry(who) or {"studies": {}})["studies"].get(linkage, ())
        found: dict[str, list[str]] = {}
        for _, day, visit in studies:
            if day:
                found.setdefault(day, []).append(visit)
        return found

    def withdraw(self, who: Pseudonym | str, date: str) -> list[str]:
        """Note that a person withdrew, and forget the rest; the pseudonyms, which stay.

        Raises:
            VaultError: nobody has that pseudonym, or two people have that chart number.
        """
        entry, owner = self.new_entry(who), self.owner(who)
        since = entry.get("withdrawn", date)
        self.people[owner] = {"names": entry["names"], "studies": {}, "withdrawn": since}
        for twins in self._twins.values():
            twins.discard(owner)
        return list(entry["names"].values())

    def withdrawn(self, linkage: str) -> Iterator[Pseudonym]:
        """Pseudonyms in a linkage of those who withdrew."""
        for entry in self.people.values():
            if linkage in entry["names"] and entry.get("withdrawn"):
                yield Pseudonym(entry["names"][linkage])

    def linkage(self, domain: str) -> str:
        """The name whose keys a domain uses."""
        return self.linked.get(domain, domain)

    def share(self, one: str, other: str) -> None:
        """From now on both domains use the same keys, so their pseudonyms are the same.

        Raises:
            VaultError: both hold people already, under keys of their own.
        """
        first, second = self.linkage(one), self.linkage(other)
        used = {linkage for entry in self.people.values() for linkage in entry["names"]}
        if first != second and {first, second} <= used:
            raise VaultError(
                f"Domains {one} and {other} both hold people already, under keys of their own.",
                hint="Share domains before the second one is filled.",
            )
        keep, give = (second, first) if second in used else (first, second)
        followers = [each for each, linkage in self.linked.items() if linkage == give]
        self.linked.update(dict.fromkeys([*followers, give], keep))

    def doubt(self, person: str, met: Mapping[str, Any]) -> str | None:
        """What speaks against these demographics of a person; None when nothing does.

        Args:
            person: who states them.
            met: ``names`` (a list of digests), ``birth``, ``sex`` (a digest, empty when not
                stated). Remembered, unless they conflict with what is.

        Returns:
            ``""`` when they conflict with what is known of this person, else the digest of another
            person who has a name, the birth date and no other sex than these.
        """
        entry, own = self.new_entry(person), self.owner(person)
        known = entry.setdefault("demographics", {"names": [], "birth": "", "sex": ""})
        if _differ(known, met):
            return ""
        known["names"] = sorted({*known["names"], *met["names"]})
        known.update({key: known[key] or met[key] for key in ("birth", "sex")})
        others = [
            other
            for name in known["names"]
            for other in self._twins.get((name, known["birth"]), ())
            if other != own and not _differ(self.people[other]["demographics"], known)
        ]
        self._index(own)
        return min(others, key=lambda each: (not self.people[each]["names"], each), default=None)

    def _index(self, owner: str) -> None:
        known = self.people[owner].get("demographics")
        if known and known["birth"]:
            for name in known["names"]:
                self._twins.setdefault((name, known["birth"]), set()).add(owner)


def _differ(known: Mapping[str, Any], met: Mapping[str, Any]) -> bool:
    """Whether two sets of demographic digests, as far as both state something, are not one's."""
    names = known["names"] and met["names"] and set(known["names"]).isdisjoint(met["names"])
    return bool(names) or any(
        known[key] and met[key] and known[key] != met[key] for key in ("birth", "sex")
    )


def _split(person: str) -> tuple[str, str]:
    """Chart number and issuer."""
    chart, _, issuer = person.partition("|")
    return chart, issuer
