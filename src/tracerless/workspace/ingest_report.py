"""What a batch did, in counts and sentences without identifiers."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tracerless.core.people import SessionKey
from tracerless.deidentify import Profile
from tracerless.deidentify.profile import Action
from tracerless.deidentify.values import Audit
from tracerless.workspace import ingest_prior, ingest_quarantine
from tracerless.workspace.ingest_values import Crossing, Named


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What a batch did.

    Args:
        people, sessions: in this batch, on the inner side of the border.
        written, skipped: series written now; series that were there already, unchanged.
        instances: files of the series written now.
        quarantined: series that stay outside, by kind.
        blocked: those among them that a person should mend.
        files: files that belong to no series, by kind.
        audit: what was done to attributes, over all series.
        notes: sentences that a person should read.
    """

    people: int
    sessions: int
    written: int
    skipped: int
    instances: int
    quarantined: dict[str, int]
    blocked: int
    files: dict[str, int]
    audit: Audit
    notes: tuple[str, ...] = ()

    def summary(self) -> dict[str, Any]:
        """Machine-readable."""
        return {
            "people": self.people,
            "sessions": self.sessions,
            "series": {"written": self.written, "skipped": self.skipped, "blocked": self.blocked},
            "instances_written": self.instances,
            "quarantined": self.quarantined,
            "files_outside": self.files,
            "audit": self.audit.plain(),
            "notes": list(self.notes),
        }


@dataclass(slots=True)
class Tally:
    """Counts while series cross."""

    written: int = 0
    skipped: int = 0
    instances: int = 0
    blocked: int = 0
    blanked: int = 0
    defaced: int = 0
    audit: Audit = field(default_factory=lambda: Audit({}))
    outside: list[dict[str, Any]] = field(default_factory=list)
    damage: list[tuple[str, ...] | None] = field(default_factory=list)

    def add(self, crossing: Crossing, record: Mapping[str, Any]) -> None:
        """Count one series that crossed, now or before.

        Args:
            crossing: of the series.
            record: its ``series.json``.
        """
        self.written += crossing.is_new
        self.skipped += not crossing.is_new
        self.instances += int(record.get("n_instances", 0)) if crossing.is_new else 0
        self.blanked += bool(record.get("cleaned_boxes")) and crossing.is_new
        self.defaced += bool(record.get("defaced")) and crossing.is_new
        self.audit = self.audit + Audit(crossing.audit)
        self.damage.append(crossing.named.damage)

    def keep_out(self, named: Named, session: SessionKey | None, kind: str, reason: str) -> None:
        """Count one series that stays outside."""
        label = "" if session is None else str(session)
        self.outside.append(ingest_quarantine.entry(named, label, kind, reason))
        self.blocked += kind not in ingest_quarantine.NOBODY_MENDS


def report(
    tally: Tally,
    sessions: Collection[SessionKey],
    files: Mapping[str, int],
    said: Iterable[str],
) -> IngestReport:
    """The report of a batch.

    Args:
        tally: of the batch.
        sessions: of its series.
        files: how many files belong to no series, by kind.
        said: sentences that a person should read.
    """
    return IngestReport(
        people=len({key.person for key in sessions}),
        sessions=len(set(sessions)),
        written=tally.written,
        skipped=tally.skipped,
        instances=tally.instances,
        quarantined=ingest_quarantine.counts(tally.outside),
        blocked=tally.blocked,
        files=dict(files),
        audit=tally.audit,
        notes=tuple(said),
    )


def notes(tally: Tally, policy: Profile, n_copies: int, doubles: Collection[object]) -> list[str]:
    """Sentences that a person should read.

    Args:
        tally: of the batch.
        policy: the policy.
        n_copies: files left out because another holds the same instance.
        doubles: pairs of pseudonyms that seem to be one person.
    """
    said = [*_texts(tally.audit, policy), *ingest_prior.notes(tally.damage)]
    if n_copies:
        said.append(f"{n_copies} files were copies of others and were left out.")
    if doubles:
        said.append(
            f"{len(doubles)} pairs of people have the same name and birth date under two chart "
            "numbers: see notes in quarantine.json."
        )
    if tally.blanked:
        said.append(f"Text was blanked in the pixels of {tally.blanked} series: look at them.")
    return said


def _texts(audit: Audit, policy: Profile) -> Iterable[str]:
    """On texts that people typed and that crossed."""
    kept, redacted = (dict(audit.counts.get(name, {})) for name in (Action.KEEP, "redact"))
    doubtful = [f"{name} ({kept[name]})" for name in policy.doubtful if kept.get(name)]
    if doubtful:
        yield (
            f"Profile {policy.name} keeps texts that people type, as its table orders: "
            f"{', '.join(doubtful)}. They may hold names: read them before sharing."
        )
    if redacted:
        n = sum(redacted.values())
        yield f"{n} kept texts repeated an identifier of their person and were emptied."
