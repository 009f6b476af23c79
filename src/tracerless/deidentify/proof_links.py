"""Whether every reference of a person's files leads to a file of theirs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydicom.datadict import keyword_for_tag

from tracerless.deidentify.proof_findings import WARNING, Finding
from tracerless.deidentify.proof_scan import Level, walk
from tracerless.deidentify.removed import is_public_uid

INSTANCES = frozenset({0x00081155, 0x00880140})
"""ReferencedSOPInstanceUID, StorageMediaFileSetUID: they name instances."""

SERIES = 0x0020000E

_STEPS = frozenset({"1.2.840.10008.3.1.2.3.3", "1.2.840.10008.3.1.2.3.1"})
"""Performed and scheduled steps: worklist entries, never a file."""


@dataclass(slots=True)
class References:
    """References of the files of one person, each with the first file that makes it.

    Args:
        instances, series: where they lead, from which file, in which attribute.
    """

    instances: dict[str, tuple[str, str]] = field(default_factory=dict)
    series: dict[str, tuple[str, str]] = field(default_factory=dict)

    def add(self, body: Level, file: str) -> None:
        """Take up the references of one file."""
        for element in body.values():
            if element.items and not element.tag >> 16 & 1:
                self._within(body, element.tag, file)

    def _within(self, body: Level, tag: int, file: str) -> None:
        name = keyword_for_tag(tag)
        for level, element, depth in walk({tag: body[tag]}):
            if not depth or element.vr != "UI":
                continue
            uid = element.text.strip()
            if not uid or is_public_uid(uid):
                continue
            if element.tag == SERIES:
                self.series.setdefault(uid, (file, name))
            elif element.tag in INSTANCES and not _is_step(level):
                self.instances.setdefault(uid, (file, name))


def dangling(found: References, instances: Mapping[str, str], series: set[str]) -> list[Finding]:
    """References that lead nowhere in the dataset: a warning, for their target may never have come.

    Args:
        found: all references.
        instances: path by SOP Instance UID of everything that is there.
        series: Series Instance UIDs of everything that is there.
    """
    lost = [
        Finding("references", "dangling", file, name, "", WARNING)
        for uid, (file, name) in found.instances.items()
        if uid not in instances
    ]
    lost += [
        Finding("references", "dangling", file, name, "SeriesInstanceUID", WARNING)
        for uid, (file, name) in found.series.items()
        if uid not in series
    ]
    return sorted(set(lost))


def _is_step(level: Level) -> bool:
    sop_class = level.get(0x00081150)
    return sop_class is not None and sop_class.text.strip() in _STEPS
