"""Where the values of one session are kept, each under its digest.

A value is complete when its record ``…_desc-<name>.json`` stands; the record is written last and
holds the digest, so that a killed command leaves either the whole value or nothing.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tracerless.core.people import SessionKey
from tracerless.io.atomic import write_json
from tracerless.io.bids import session_file
from tracerless.workspace import kinds
from tracerless.workspace.dataset import Dataset

Save = Callable[[Path, SessionKey, Any], dict[str, Any]]
Load = Callable[[Path, SessionKey, dict[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of value is kept: among raw or derived files, and by which pair of functions."""

    place: Literal["raw", "derived"]
    save: Save
    load: Load


KINDS: Mapping[str, Kind] = {
    "native": Kind("raw", kinds.save_native, kinds.load_native),
    "prepared": Kind("derived", kinds.save_prepared, kinds.load_prepared),
    "uptake": Kind("derived", kinds.save_uptake, kinds.load_uptake),
    "synthetic": Kind("derived", kinds.save_synthetic, kinds.load_synthetic),
    "synthetic_native": Kind("derived", kinds.save_synthetic_native, kinds.load_synthetic_native),
    "synthetic_uptake": Kind("derived", kinds.save_synthetic_uptake, kinds.load_synthetic_uptake),
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
        if record is None or record["digest"] != digest:
            return None
        return KINDS[name].load(self._root(name), self.key, record)

    def latest(self, name: str) -> Any:
        """The value kept under that name whatever it was made from, or None."""
        record = self.record(name)
        return None if record is None else self.load(name, record["digest"])

    def save(self, name: str, value: Any, digest: str) -> None:
        """Keep a value under its name and digest; an older one gives way.

        A value without a kind is quicker made than kept, and is not kept.
        """
        if name not in KINDS:
            return
        path = self._record_path(name)
        path.unlink(missing_ok=True)
        record = KINDS[name].save(self._root(name), self.key, value)
        write_json(path, {**record, "digest": digest})

    def record(self, name: str) -> dict[str, Any] | None:
        """What stands in the record of that value, or None when there is none."""
        path = self._record_path(name)
        if not path.is_file():
            return None
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return record

    def _record_path(self, name: str) -> Path:
        return session_file(self.dataset.derivatives, self.key, name.replace("_", ""), ".json")

    def _root(self, name: str) -> Path:
        return self.dataset.root if KINDS[name].place == "raw" else self.dataset.derivatives
