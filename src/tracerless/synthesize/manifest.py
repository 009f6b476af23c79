"""Who a model learned from, as counts and digests, and how learning went."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracerless.core.cohort import PersonFacts
from tracerless.core.people import Pseudonym, person_digest
from tracerless.core.recipe import fingerprint

UNKNOWN = "unknown"
"""A diagnosis or site that nobody wrote down."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The people behind a model; no pseudonym is among it.

    Args:
        digest: over the digests of the people in training and of those held out.
        split: ``person`` or ``site``: what was held out whole.
        diagnoses: people in training by diagnosis.
        held_out: people held out by diagnosis.
        sites: people in training by site.
        sites_held_out: people held out by site.
    """

    digest: str
    split: str = "person"
    diagnoses: Mapping[str, int] = field(default_factory=dict)
    held_out: Mapping[str, int] = field(default_factory=dict)
    sites: Mapping[str, int] = field(default_factory=dict)
    sites_held_out: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Hand out nothing that can be changed."""
        for name in ("diagnoses", "held_out", "sites", "sites_held_out"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))


@dataclass(frozen=True, slots=True)
class History:
    """How training went; no clock is among it, so that the same run gives the same bytes.

    Args:
        losses: one number a step, by ``<member>/<part>``.
        checks: (step, skill on held-out people before calibration), by member.
        threads: torch threads; another number may change the last bits.
        torch: version that trained it.
        device: ``cpu`` or ``cuda``.
        processes: that shared the work.
    """

    losses: Mapping[str, tuple[float, ...]]
    checks: Mapping[str, tuple[tuple[int, float], ...]]
    threads: int
    torch: str
    device: str = "cpu"
    processes: int = 1

    def __post_init__(self) -> None:
        """Hand out nothing that can be changed."""
        for name in ("losses", "checks"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))


def manifest(
    people: Sequence[Pseudonym],
    facts: Sequence[PersonFacts],
    trained: NDArray[np.integer],
    *,
    split: str,
) -> Manifest:
    """The manifest of these sessions.

    Args:
        people: whose sessions.
        facts: of each session's person.
        trained: rows that were learned from; the others were held out.
        split: ``person`` or ``site``.
    """
    inside = {people[i]: facts[i] for i in trained.tolist()}
    apart = {p: f for p, f in zip(people, facts, strict=True) if p not in inside}
    return Manifest(
        fingerprint(list(people_digests(inside)), list(people_digests(apart)), split),
        split,
        _counts(each.diagnosis for each in inside.values()),
        _counts(each.diagnosis for each in apart.values()),
        _counts(each.site for each in inside.values()),
        _counts(each.site for each in apart.values()),
    )


def history_of(record: Mapping[str, Any]) -> History:
    """A history from its plain form.

    Raises:
        KeyError: a fact is missing.
    """
    losses = {part: tuple(map(float, each)) for part, each in record["losses"].items()}
    checks = {
        member: tuple((int(step), float(skill)) for step, skill in each)
        for member, each in record["checks"].items()
    }
    return History(**{**record, "losses": losses, "checks": checks})


def people_digests(people: Iterable[Pseudonym]) -> tuple[str, ...]:
    """The digests of all of them, sorted, each once."""
    return tuple(sorted({person_digest(person) for person in people}))


def _counts(words: Iterable[str]) -> dict[str, int]:
    named = [word or UNKNOWN for word in words]
    return {word: named.count(word) for word in sorted(set(named))}
