"""One batch on its way over the border: what waits, what is remembered, what takes its place."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tracerless.core.people import SessionKey
from tracerless.deidentify import Refusal
from tracerless.deidentify.proof_facts import series_record
from tracerless.io.vault import Vault
from tracerless.workspace import ingest_quarantine
from tracerless.workspace.ingest_admit import Admission
from tracerless.workspace.ingest_report import Tally
from tracerless.workspace.ingest_seen import Seen
from tracerless.workspace.ingest_series import discard, record_of, take_place
from tracerless.workspace.ingest_uids import Instances
from tracerless.workspace.ingest_values import Border, Crossing, Named, Order, SessionWork
from tracerless.workspace.ingest_workers import staged


@dataclass(slots=True)
class Batch:
    """The series of one batch and what becomes of them.

    Args:
        series: all of them, in order.
        admission: whose they are.
        border: the border.
        vault: opened.
        seen: which sources are as they were.
        instances: of earlier batches.
        there: policy digests of the series that lie in the dataset, by identity.
    """

    series: list[Named]
    admission: Admission
    border: Border
    vault: Vault = field(repr=False)
    seen: Seen = field(repr=False)
    instances: Instances = field(repr=False)
    there: dict[str, str] = field(default_factory=dict, repr=False)
    tally: Tally = field(default_factory=Tally)

    @property
    def n_of_other_policies(self) -> int:
        """Series of the dataset that another policy made."""
        return sum(digest != self.border.profile.digest for digest in self.there.values())

    @property
    def n_crossing(self) -> int:
        """Series that are tried."""
        return sum(self._reason(named) is None for named in self.series)

    def cross(self, order: Order, workers: int) -> Iterator[Named]:
        """Bring every series over that may cross, session by session; gives each once it is done.

        Raises:
            StorageError: the disk refused; what is finished stays.
        """
        for work, crossings in staged(self._works(), order, self.border, workers):
            try:
                for crossing in crossings:
                    self._finish(crossing, work.key)
                    yield crossing.named
            finally:
                discard(crossings)

    def keep_out(self) -> list[dict[str, Any]]:
        """Entries of every series that stays outside."""
        for named in self.series:
            why = self._reason(named)
            if why is not None:
                key = self.admission.sessions.get(named.identity)
                self.tally.keep_out(named, key, *why)
        return self.tally.outside

    def _reason(self, named: Named) -> tuple[str, str] | None:
        """Why a series is not even tried; None when it is."""
        doubt = self.admission.outside.get(named.identity)
        return doubt or ingest_quarantine.why_outside(named.series)

    def _works(self) -> Iterable[SessionWork]:
        """Sessions with the series that are tried, in order of their keys."""
        sessions: dict[SessionKey, list[Named]] = {}
        for named in self.series:
            if self._reason(named) is None:
                key = self.admission.sessions[named.identity]
                sessions.setdefault(key, []).append(named)
        for key, members in sorted(sessions.items()):
            found = {n.identity: self.seen.sources(n.identity, n.series.files) for n in members}
            yield SessionWork(key, tuple(members), {name: s for name, s in found.items() if s})

    def _finish(self, crossing: Crossing, key: SessionKey) -> None:
        """Remember what was removed, then give the series its place, then count it."""
        named, refusal = crossing.named, crossing.refusal or self._twice(crossing)
        if refusal is not None or crossing.folder is None:
            if refusal is not None:
                self.tally.keep_out(named, key, refusal.kind, refusal.text)
            return
        if crossing.is_new:
            place = crossing.folder.relative_to(self.border.root).as_posix()
            facts = series_record(place, crossing.facts)
            self.vault.remember(key.person, crossing.removed, facts)
            self.instances.add(named.identity, _uids(crossing))
            take_place(crossing)
        self.there[named.identity] = self.border.profile.digest
        self.seen.note(named.identity, named.series.files, crossing.sources)
        self.tally.add(crossing, record_of(crossing.folder))

    def _twice(self, crossing: Crossing) -> Refusal | None:
        """Why a series stays outside whose instances lie in another series already."""
        if not crossing.is_new:
            return None
        n = self.instances.n_elsewhere(crossing.named.identity, _uids(crossing), self.there)
        text = f"{n} instances lie in another series of the dataset already."
        return Refusal("duplicate", text) if n else None


def _uids(crossing: Crossing) -> list[str]:
    return [str(fact["uid"]) for fact in crossing.facts]
