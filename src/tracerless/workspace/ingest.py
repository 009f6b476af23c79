"""A folder of identified scans becomes a dataset: resumable, repeatable, and never half-done."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom import Dataset

from tracerless.core.errors import DatasetError
from tracerless.core.people import SessionKey
from tracerless.core.source import SourceSeries
from tracerless.deidentify import Keys, Profile
from tracerless.deidentify.keys import hash_uid, pseudonym, source_digest
from tracerless.deidentify.profile import Action
from tracerless.deidentify.values import Audit
from tracerless.io import dicom_read, profiles, tags
from tracerless.io.atomic import write_json
from tracerless.io.dicom_scan import Inventory
from tracerless.io.vault import RECORD, Vault
from tracerless.workspace import dataset as datasets
from tracerless.workspace import ingest_people, ingest_quarantine
from tracerless.workspace.ingest_series import Border, Crossing, Named, clear_staging, cross

Track = Callable[[Iterable[Named], str, int], Iterable[Named]]
"""Walks series and shows progress: (series, what is done, how many)."""

_LOOK = (0x0020000E, 0x00180081, 0x00200037, 0x00280030, 0x00280010, 0x00280011)
"""Series UID, echo time, orientation, pixel spacing, rows and columns."""


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What a batch did, in counts and sentences without identifiers.

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
class _Tally:
    """Counts while series cross."""

    written: int = 0
    skipped: int = 0
    instances: int = 0
    audit: Audit = field(default_factory=lambda: Audit({}))
    outside: list[dict[str, Any]] = field(default_factory=list)
    blocked: int = 0

    def add(self, crossing: Crossing, named: Named) -> None:
        """Count one series that crossed, now or before."""
        if crossing.folder is None:
            return
        self.written += crossing.is_new
        self.skipped += not crossing.is_new
        self.instances += len(named.series.files) if crossing.is_new else 0
        self.audit = self.audit + crossing.audit


def ingest(
    inventory: Inventory,
    dataset: Path,
    *,
    vault: Path,
    profile: str = "seed",
    phenotype: Path | None = None,
    progress: Track = lambda items, _what, _total: items,
) -> IngestReport:
    """De-identify every usable series of a folder into a dataset.

    Args:
        inventory: what the folder holds.
        dataset: made if new; an existing one is added to.
        vault: made if new; holds the key and the crosswalk.
        profile: name of the policy.
        phenotype: CSV keyed by chart number; rows of people in the dataset cross.
        progress: walks series.

    Raises:
        ProfileError: no such policy.
        VaultError: the vault cannot be used, or is not this dataset's.
        DatasetError: the dataset or the phenotype table cannot be used.
        StorageError: the disk refused; what is finished stays.
    """
    policy = Profile.parse(profile, profiles.read(profile))
    _require_outside(inventory, dataset)
    table = ingest_people.read_phenotype(phenotype) if phenotype else None
    if not Vault.exists(vault):
        Vault.create(vault, dataset=dataset)
    with Vault.open(vault, dataset=dataset) as opened:
        home = datasets.Dataset.create_or_open(dataset)
        border = Border(home.root, policy, Keys.from_secret(opened.secret))
        home.clean_partials()
        clear_staging(border.sourcedata)
        batch = _identified(inventory.series, border)
        sessions = _admit(batch, border, opened)
        people = {key.person for key in sessions.values()}
        counts = {"people": len(people), "series": len(batch), "sessions": _n(sessions)}
        opened.save("admitted", {**counts, "profile": policy.name, "digest": policy.digest})
        _write_record(border, opened)
        tally = _cross_all(progress(batch, "deidentify", len(batch)), sessions, border)
        n_crossed = ingest_people.write_people(home, opened.people, table)
        seen = (named.identity for named in batch)
        ingest_quarantine.write(home.root, tally.outside, seen=seen, files=inventory.rejected)
        opened.save("crossed", {"written": tally.written, "skipped": tally.skipped})
    notes = (
        *_notes(tally.audit, policy),
        *(ingest_people.notes(table, n_crossed) if table else ()),
    )
    return IngestReport(
        people=len(people),
        sessions=_n(sessions),
        written=tally.written,
        skipped=tally.skipped,
        instances=tally.instances,
        quarantined=ingest_quarantine.counts(tally.outside),
        blocked=tally.blocked,
        files=dict(inventory.rejected),
        audit=tally.audit,
        notes=notes,
    )


def _require_outside(inventory: Inventory, dataset: Path) -> None:
    """A dataset inside the scanned folder would be taken for scans the next time.

    Raises:
        DatasetError: a scanned file lies in the dataset.
    """
    root = dataset.resolve()
    inside = sum(root in path.resolve().parents for each in inventory.series for path in each.files)
    if inside:
        raise DatasetError(
            f"{inside} of the scanned files lie in the dataset {dataset} itself.",
            hint="Name a dataset outside the folder of scans.",
        )


def _n(sessions: dict[str, SessionKey]) -> int:
    return len(set(sessions.values()))


def _identified(series: Iterable[SourceSeries], border: Border) -> list[Named]:
    """Series with their identities, in an order that does not depend on file names."""
    seen: Counter[str] = Counter()
    named = []
    for each in series:
        text = "\x1f".join([each.person, each.study, *_look(each)])
        seen[text] += 1
        named.append(Named(each, source_digest(border.keys.source, text, str(seen[text]))))
    return sorted(named, key=lambda n: (n.series.series_number, str(n.series.contrast), n.identity))


def _look(series: SourceSeries) -> list[str]:
    """What tells a series, and each part of one that was split, from all others of its study."""
    header = dicom_read.read(series.files[0], tags=_LOOK)
    known = Dataset() if isinstance(header, dicom_read.Rejection) else header
    look = [tags.text(known, tag) for tag in _LOOK]
    return [series.sop_class, str(series.series_number), str(series.contrast), *look]


def _admit(batch: Iterable[Named], border: Border, vault: Vault) -> dict[str, SessionKey]:
    """The session of every series, by identity; series of studies without any use have none.

    Studies are seen in the order of their dates, so that visits are numbered in time.
    """
    useful = {}
    for series in (named.series for named in batch):
        why = ingest_quarantine.why_outside(series)
        if why is None or series.is_blocked:
            person = pseudonym(border.keys.person, series.person)
            order = (person, series.study_date or "9", hash_uid(border.keys.uid, series.study))
            useful[order] = series
    sessions = {}
    for (person, *_), series in sorted(useful.items()):
        key = vault.admit(series.person, person, series.study, series.study_date)
        sessions[series.person, series.study] = key
    wanted = ((n.identity, (n.series.person, n.series.study)) for n in batch)
    return {identity: sessions[study] for identity, study in wanted if study in sessions}


def _cross_all(batch: Iterable[Named], sessions: dict[str, SessionKey], border: Border) -> _Tally:
    tally = _Tally()
    for named in batch:
        session = sessions.get(named.identity)
        why = ingest_quarantine.why_outside(named.series)
        if why is None and session is not None:
            crossing = cross(named, session, border)
            tally.add(crossing, named)
            refusal = crossing.refusal
            why = (refusal.kind, refusal.text) if refusal else None
        if why is not None:
            label = "" if session is None else str(session)
            tally.outside.append(ingest_quarantine.entry(named, label, *why))
            tally.blocked += why[0] != ingest_quarantine.UNKNOWN
    return tally


def _write_record(border: Border, vault: Vault) -> None:
    """Note in the dataset which vault and which policy made it."""
    record = {
        "vault_key": vault.key_id,
        "profile": border.profile.name,
        "profile_digest": border.profile.digest,
    }
    write_json(border.root / RECORD, record)


def _notes(audit: Audit, policy: Profile) -> list[str]:
    kept, redacted = (dict(audit.counts.get(name, {})) for name in (Action.KEEP, "redact"))
    doubtful = [f"{name} ({kept[name]})" for name in policy.doubtful if kept.get(name)]
    notes = []
    if doubtful:
        notes.append(
            f"Profile {policy.name} keeps texts that people type, as its table orders: "
            f"{', '.join(doubtful)}. They may hold names: read them before sharing."
        )
    if redacted:
        n = sum(redacted.values())
        notes.append(f"{n} kept texts repeated an identifier of their person and were emptied.")
    return notes
