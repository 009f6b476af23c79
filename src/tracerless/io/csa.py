"""Numbers from the private image header of Siemens MR ("CSA2"), found by name.

Source:
    The layout is described in the manual of nibabel ("Siemens format DICOM with CSA header"):
    magic, count of tags, then per tag a name of 64 bytes, five words, and its items, each led by
    four words of which the second is its length, padded to four bytes.
"""

import struct

from tracerless.io.tags import MISREAD

_MAGIC = b"SV10"
_MAX_TAGS, _MAX_ITEMS = 1000, 4096


def numbers(raw: bytes, name: str) -> tuple[float, ...]:
    """The numbers of one tag; empty where the header is of another kind, damaged or lacks it."""
    if raw[:4] != _MAGIC:
        return ()
    try:
        return _find(raw, name.encode())
    except MISREAD:
        return ()


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
