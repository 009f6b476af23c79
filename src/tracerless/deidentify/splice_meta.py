"""What lies around the attributes, by bytes: the old file meta's texts, and the new file meta."""

import re

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from tracerless.deidentify import removed
from tracerless.deidentify.container import file_meta, to_bytes
from tracerless.deidentify.removed import Removed, is_public_uid
from tracerless.deidentify.splice_judge import encoded, hush, parsed
from tracerless.deidentify.splice_scan import Element

MOST = 256
"""Elements of file metas that are remembered at a time."""

_INSTANCE = 0x00020003
_UID = re.compile(rb"[0-9.]{1,64}\0?")
_EMPTY = b"\0" * 128
_USUAL = 44
"""Length of most clean instance UIDs; even, so that nothing pads it."""


class Container:
    """Preambles and file metas; the same for every person, for they hold nothing of one."""

    def __init__(self) -> None:
        self._said: dict[bytes, frozenset[Removed]] = {}
        self._metas: dict[tuple[str, bool, int], tuple[bytes, bytes]] = {}

    def lost(self, content: bytes, meta: list[Element]) -> list[frozenset[Removed]]:
        """What preamble and file meta hold that does not cross.

        Args:
            content: the file.
            meta: elements of its file meta.

        Raises:
            UnusualError: an element cannot be read here.
        """
        found = []
        for tag, start, value, stop in meta:
            if tag == _INSTANCE and _UID.fullmatch(content, value, stop):
                uid = content[value:stop].rstrip(b"\0").decode("ascii")
                if not is_public_uid(uid):
                    found.append(frozenset((("MediaStorageSOPInstanceUID", uid),)))
            else:
                raw = content[start:stop]
                if raw not in self._said:
                    self._read(raw)
                found.append(self._said[raw])
        if not content.startswith(_EMPTY):
            found.append(frozenset(removed.hidden(content[:128], "preamble")))
        return found

    def written(self, sop_class: str, uid: bytes, *, implicit: bool) -> bytes:
        """Preamble and file meta of a clean file.

        Args:
            sop_class: its UID.
            uid: of the clean instance.
            implicit: whether the source left types out.

        Raises:
            UnusualError: they cannot be written.
        """
        key = (sop_class, implicit, len(uid))
        around = self._metas.get(key)
        if around is None:
            usual = (sop_class, implicit, _USUAL)
            if usual not in self._metas:
                self._metas[usual] = _made(sop_class, "9" * _USUAL, implicit=implicit)
            around = self._metas[key] = _resized(self._metas[usual], len(uid))
        return uid.join(around)

    def _read(self, raw: bytes) -> None:
        while len(self._said) >= MOST:
            del self._said[next(iter(self._said))]
        with hush():
            self._said[raw] = frozenset(removed.of_level(parsed(raw, {}, implicit=False)))


def _made(sop_class: str, uid: str, *, implicit: bool) -> tuple[bytes, bytes]:
    """What stands before and behind the instance UID in preamble and file meta."""
    source, clean = Dataset(), Dataset()
    source.file_meta = FileMetaDataset()
    source.file_meta.TransferSyntaxUID = UID(
        ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    )
    with hush():
        clean.SOPClassUID, clean.SOPInstanceUID = sop_class, uid
        clean.file_meta = file_meta(source, clean)
        whole = to_bytes(clean)
    front = whole[: -len(encoded(clean))]
    before, _, behind = front.rpartition(uid.encode())
    return before, behind


def _resized(around: tuple[bytes, bytes], length: int) -> tuple[bytes, bytes]:
    """The same for an instance UID of another length."""
    before, behind = around
    padded = length + length % 2
    group = int.from_bytes(before[140:144], "little") + padded - _USUAL
    head = before[:140] + group.to_bytes(4, "little") + before[144:-2]
    return head + padded.to_bytes(2, "little"), b"\0" * (length % 2) + behind
