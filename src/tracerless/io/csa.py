"""Facts from the private headers of Siemens MR: numbers of "CSA2", and lines of the protocol.

Source:
    The layout of CSA2 is described in the manual of nibabel ("Siemens format DICOM with CSA
    header"): magic, count of tags, then per tag a name of 64 bytes, five words, and its items, each
    led by four words of which the second is its length, padded to four bytes. The protocol is text
    inside it, lines of ``key = value`` between marks (nibabel, ``nicom.ascconv``).
"""

import re
import struct
from collections.abc import Iterator, Mapping

from tracerless.io.tags import MISREAD

_MAGIC = b"SV10"
_MAX_TAGS, _MAX_ITEMS = 1000, 4096
_BEGIN, _END = b"### ASCCONV BEGIN", b"### ASCCONV END"
_MAX_PROTOCOL_BYTES = 4 * 2**20
_MAX_LINE = 512
_LINE = re.compile(r"\s*(?P<key>[A-Za-z][\w.\[\]]*)\s*=\s*(?P<value>.*?)\s*\Z")


def numbers(raw: bytes, name: str) -> tuple[float, ...]:
    """The numbers of one tag; empty where the header is of another kind, damaged or lacks it."""
    if raw[:4] != _MAGIC:
        return ()
    try:
        return _find(raw, name.encode())
    except MISREAD:
        return ()


def protocol(raw: bytes, wanted: re.Pattern[str]) -> Mapping[str, str]:
    """The protocol's lines whose key is wanted, quotes and comments taken off.

    A header repeats the person's weight and names in the same text: nothing but the wanted lines is
    kept. Empty where there is no protocol.
    """
    found: dict[str, str] = {}
    for line in _protocol_lines(raw):
        match = _LINE.match(line.partition("#")[0])
        if match is not None and wanted.fullmatch(match["key"]):
            found.setdefault(match["key"], match["value"].strip('"'))
    return found


def number(lines: Mapping[str, str], key: str) -> float | None:
    """A number of the protocol, decimal or hexadecimal; None where it is not stated or is none."""
    text = lines.get(key, "")
    try:
        return float(int(text, 16)) if text.lower().startswith("0x") else float(text)
    except ValueError:
        return None


def _protocol_lines(raw: bytes) -> Iterator[str]:
    """Lines of every protocol text in a header."""
    start = raw.find(_BEGIN)
    while start >= 0:
        stop = raw.find(_END, start)
        if stop < 0 or stop - start > _MAX_PROTOCOL_BYTES:
            return
        lines = raw[start:stop].decode("latin-1").splitlines()[1:]
        yield from (line for line in lines if len(line) <= _MAX_LINE)
        start = raw.find(_BEGIN, stop)


def _find(raw: bytes, name: bytes) -> tuple[float, ...]:
    (n_tags,) = struct.unpack_from("<L", raw, 8)
    at = 16
    for _ in range(min(n_tags, _MAX_TAGS)):
        found, n_values, _, _, n_items, _ = struct.unpack_from("<64sl4slll", raw, at)
        at += 84
        texts = []
        for _ in range(min(n_items, _MAX_ITEMS)):
            (length,) = struct.unpack_from("<4xL8x", raw, at)
            texts.append(raw[at + 16 : at + 16 + length])
            at += 16 + length + (-length % 4)
        if found.split(b"\0", 1)[0] == name:
            return tuple(float(text.split(b"\0", 1)[0]) for text in texts[:n_values])
    return ()
