"""What goes from hand to hand while series cross the border; all of it can go to a worker."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from tracerless.core.people import SessionKey
from tracerless.core.source import SourceSeries
from tracerless.deidentify import CleanIdentity, Keys, Profile, Refusal
from tracerless.deidentify.keys import shift_days
from tracerless.deidentify.removed import Removed
from tracerless.io import profiles
from tracerless.io.claims import Claim


@dataclass(frozen=True, slots=True)
class Named:
    """A series with what only its header says.

    Args:
        series: as the scan found it.
        identity: digest that knows it again in a later batch.
        claim: whose it says it is; identifies.
        damage: what an earlier de-identification left of it, as words (`ingest_prior`); None when
            no earlier tool left a claim.
    """

    series: SourceSeries
    identity: str
    claim: Claim = field(default=Claim((), "", ""), repr=False)
    damage: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """Everything that makes a `Border`, in a form that reaches other processes."""

    root: Path
    profile: str
    options: tuple[str, ...]
    keys: Keys = field(repr=False)


@dataclass(frozen=True, slots=True)
class Border:
    """What every crossing needs: where to, by which policy, under which keys."""

    root: Path
    profile: Profile
    keys: Keys = field(repr=False)

    @classmethod
    def of(cls, order: Order) -> Self:
        """Read the policy and stand ready.

        Raises:
            ProfileError: no such policy.
        """
        tables = profiles.read(order.profile)
        name = Path(order.profile).resolve().name  # of a policy of one's own, its folder's alone
        policy = Profile.parse(name, tables, order.options)
        return cls(order.root, policy, order.keys)

    @property
    def sourcedata(self) -> Path:
        """Where clean series lie."""
        return self.root / "sourcedata"

    def person(self, key: SessionKey) -> CleanIdentity:
        """Who the instances of a session belong to."""
        return CleanIdentity(key.person, key.visit, shift_days(self.keys.date, key.person))


@dataclass(frozen=True, slots=True)
class SessionWork:
    """The series of one visit in one batch, and digests of their sources known from before."""

    key: SessionKey
    series: tuple[Named, ...]
    sources: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Crossing:
    """What became of one series: written into ``staging`` now, there before, or refused.

    Args:
        named: the series.
        folder: its place; None when refused.
        staging: where it waits for its place; None when it was there before, or refused.
        sources: digest of the bytes of its files; empty when refused.
        audit: how often what was done to which attributes.
        removed: (keyword, value) of everything that did not cross; identifies.
        facts: what a proof compares later, per instance.
        refusal: why it stays outside.
        is_unrolled: whether its files were mosaics.
    """

    named: Named
    folder: Path | None = None
    staging: Path | None = None
    sources: str = ""
    audit: dict[str, dict[str, int]] = field(default_factory=dict)
    removed: frozenset[Removed] = field(default=frozenset(), repr=False)
    facts: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    refusal: Refusal | None = None
    is_unrolled: bool = False

    @property
    def is_new(self) -> bool:
        """Whether it was written now."""
        return self.staging is not None
