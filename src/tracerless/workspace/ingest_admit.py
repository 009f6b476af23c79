"""Who the series of a batch belong to: identities, doubts about people, the visits they join."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydicom import Dataset

from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.source import SourceSeries
from tracerless.deidentify.keys import hash_uid, pseudonym, source_digest
from tracerless.io import dicom_read, tags
from tracerless.io.claims import claim_of
from tracerless.io.vault import Vault
from tracerless.workspace import ingest_prior, ingest_quarantine
from tracerless.workspace.ingest_values import Border, Named

_LOOK = (0x0020000E, 0x00180081, 0x00200037, 0x00280030, 0x00280010, 0x00280011)
"""Series UID, echo time, orientation, pixel spacing, rows and columns."""

_CLAIM = tuple(0x00100000 + element for element in (0x10, 0x30, 0x40))
_CHARACTERS = 0x00080005

AMBIGUOUS, IDENTITY = "ambiguous-person", "identity"


@dataclass(slots=True)
class Admission:
    """What the vault says of a batch.

    Args:
        sessions: the visit of every series, by identity; series without any use have none.
        outside: why series may not cross whose people are in doubt: (kind, sentence), by identity.
        doubles: pairs of pseudonyms that seem to be one person.
    """

    sessions: dict[str, SessionKey] = field(default_factory=dict)
    outside: dict[str, tuple[str, str]] = field(default_factory=dict)
    doubles: set[tuple[str, str]] = field(default_factory=set)

    @property
    def people(self) -> set[Pseudonym]:
        """Whom the series belong to."""
        return {key.person for key in self.sessions.values()}

    def notes(self) -> list[dict[str, Any]]:
        """What a person should look into, by pseudonyms."""
        text = (
            "Two pseudonyms have the same name and birth date: one person under two chart numbers?"
        )
        return [
            {"kind": "same-person", "pseudonyms": list(pair), "text": text}
            for pair in sorted(self.doubles)
        ]


def identified(series: Iterable[SourceSeries], border: Border) -> list[Named]:
    """Series with their identities, in an order that does not depend on file names."""
    seen: Counter[str] = Counter()
    named = []
    for each in series:
        header = _header(each)
        look = [tags.text(header, tag) for tag in _LOOK]
        kind = [each.sop_class, str(each.series_number), str(each.contrast)]
        text = "\x1f".join([each.person, each.study, *kind, *look])
        seen[text] += 1
        identity = source_digest(border.keys.source, text, str(seen[text]))
        named.append(Named(each, identity, claim_of(header), ingest_prior.damage(header)))
    return sorted(named, key=lambda n: (n.series.series_number, str(n.series.contrast), n.identity))


def admit(batch: Iterable[Named], border: Border, vault: Vault) -> Admission:
    """The visit of every series that may cross, and why others may not.

    Studies are seen in the order of their dates, so that visits are numbered in time, and so that
    of two people under one PatientID the one who was seen first keeps it.
    """
    found, batch = Admission(), list(batch)
    known = vault.identify({named.series.person for named in batch})
    studies: dict[tuple[Pseudonym, str, str], list[Named]] = {}
    for named in batch:
        series = named.series
        if series.person not in known:
            text = "Two issuers use this chart number; the file does not say which one is meant."
            found.outside[named.identity] = AMBIGUOUS, text
        elif vault.is_withdrawn(series.person):
            found.outside[named.identity] = ingest_quarantine.WITHDRAWN, "This person withdrew."
        else:
            person = pseudonym(border.keys.person, known[series.person])
            order = (person, series.study_date or "9", hash_uid(border.keys.uid, series.study))
            studies.setdefault(order, []).append(named)
    for (person, *_), members in sorted(studies.items()):
        _admit_study(person, members, vault, found)
    return found


def _admit_study(person: Pseudonym, members: list[Named], vault: Vault, found: Admission) -> None:
    """Give a study its visit, unless it is another person's."""
    if not any(_is_useful(named.series) for named in members):
        return
    whose = [named for named in members if not _is_doubtful(person, named, vault, found)]
    for named in whose:
        series = named.series
        if any(_is_useful(each.series) for each in whose):
            key = vault.admit(series.person, person, series.study, series.study_date)
            found.sessions[named.identity] = key


def _is_doubtful(person: Pseudonym, named: Named, vault: Vault, found: Admission) -> bool:
    """Whether the series cannot be this person's; a person under two numbers is noted."""
    claim = named.claim
    doubt = vault.doubts(named.series.person, names=claim.names, birth=claim.birth, sex=claim.sex)
    if doubt is None:
        return False
    if doubt.kind == "conflict":
        text = "Its PatientID belongs to a person of another name, birth date or sex."
        found.outside[named.identity] = IDENTITY, text
        return True
    if doubt.pseudonym is not None:
        one, other = sorted((str(person), str(doubt.pseudonym)))
        found.doubles.add((one, other))
    return False


def _is_useful(series: SourceSeries) -> bool:
    return ingest_quarantine.why_outside(series) is None or series.is_blocked


def _header(series: SourceSeries) -> Dataset:
    """What tells a series from all others of its study, whose it is, and what was done to it."""
    wanted = (*_LOOK, *_CLAIM, _CHARACTERS, *ingest_prior.LOOKED_AT)
    header = dicom_read.read(series.files[0], tags=wanted)
    return Dataset() if isinstance(header, dicom_read.Rejection) else header
