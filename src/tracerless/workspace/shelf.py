"""Where the values of one session are kept, each under its digest.

A value is complete when its record ``…_desc-<name>.json`` stands; the record is written last and
holds the digest, so that a killed command leaves either the whole value or nothing.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tracerless.core.errors import DatasetError
from tracerless.core.people import SessionKey
from tracerless.io.atomic import write_json
from tracerless.io.bids import context_path, session_file
from tracerless.io.nifti import sidecar_path
from tracerless.workspace import kinds, kinds_tables
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.provenance import provenance

Save = Callable[[Path, SessionKey, Any], dict[str, Any]]
Load = Callable[[Path, SessionKey, dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of value is kept: among raw or derived files, and by which pair of functions."""

    place: Literal["raw", "derived"]
    save: Save
    load: Load


FORM = 2
"""Version of how values are kept; one kept in another form is made anew."""

_UNFINISHED = "unfinished"
"""Alone in a record while the value gives way to another: the files of the older one."""

KINDS: Mapping[str, Kind] = {
    "native": Kind("raw", kinds.save_native, kinds.load_native),
    "prepared": Kind("derived", kinds.save_prepared, kinds.load_prepared),
    "uptake": Kind("derived", kinds_tables.save_uptake, kinds_tables.load_uptake),
    "corrected": Kind("derived", kinds_tables.save_uptake, kinds_tables.load_uptake),
    "synthetic": Kind("derived", kinds.save_synthetic, kinds.load_synthetic),
    "synthetic_native": Kind("derived", kinds.save_synthetic_native, kinds.load_synthetic_native),
    "synthetic_uptake": Kind(
        "derived", kinds_tables.save_synthetic_uptake, kinds_tables.load_synthetic_uptake
    ),
}
"""Every value of the flow that outlives a command."""


@dataclass(frozen=True, slots=True)
class SessionShelf:
    """The kept values of one session of one dataset."""

    dataset: Dataset
    key: SessionKey

    def load(self, name: str, digest: str) -> Any:
        """The value kept under that name and digest, or None."""
        record = self.record(name) if name in KINDS else None
        if record is None or (record["digest"], record.get("form")) != (digest, FORM):
            return None
        return KINDS[name].load(self._root(name), self.key, record)

    def latest(self, name: str) -> Any:
        """The value kept under that name whatever it was made from, or None.

        Raises:
            DatasetError: it was kept in another form, by another version.
        """
        record = self.record(name)
        if record is not None and record.get("form") != FORM:
            raise DatasetError(
                f"{self.key}: {name} was kept by another version of tracerless.",
                hint="Run the command that makes it again, or the version that made the dataset.",
            )
        return None if record is None else self.load(name, record["digest"])

    def save(self, name: str, value: Any, digest: str) -> None:
        """Keep a value under its name and digest; an older one gives way, with all its files.

        A value without a kind is quicker made than kept, and is not kept.
        """
        if name not in KINDS:
            return
        path, older = self._record_path(name), self._read(name)
        before = {*older.get("files", ()), *older.get(_UNFINISHED, ())}
        if older:  # until the new record stands there is none, but what may lie about is known
            write_json(path, {_UNFINISHED: sorted(before)})
        record = KINDS[name].save(self._root(name), self.key, value)
        self._forget(name, before - set(record["files"]))
        made = provenance(self.dataset, native=name == "native")
        write_json(path, {**record, "digest": digest, "form": FORM, "made_by": made})

    def record(self, name: str) -> dict[str, Any] | None:
        """What stands in the record of that value, or None when there is none."""
        record = self._read(name)
        return None if _UNFINISHED in record else record or None

    def _read(self, name: str) -> dict[str, Any]:
        path = self._record_path(name)
        if not path.is_file():
            return {}
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:  # of JSON, or of UTF-8
            record = None
        if not isinstance(record, dict):
            raise DatasetError(
                f"The record of {name} of {self.key} is damaged.",
                hint=f"Remove {path.name}; the command that made it makes it again.",
            )
        return record

    def _forget(self, name: str, files: set[str]) -> None:
        """Remove files of an older value that the new one did not write again."""
        for each in files:
            path = self._root(name) / each
            for gone in (path, sidecar_path(path), context_path(path)):
                gone.unlink(missing_ok=True)

    def _record_path(self, name: str) -> Path:
        return session_file(self.dataset.derivatives, self.key, name.replace("_", ""), ".json")

    def _root(self, name: str) -> Path:
        return self.dataset.root if KINDS[name].place == "raw" else self.dataset.derivatives
