"""The values that do not cross: what a proof of absence looks for afterwards.

They identify: they exist between reading and the vault, and nowhere else.
"""

from collections.abc import Iterator

from pydicom import DataElement, Dataset
from pydicom.datadict import keyword_for_tag
from pydicom.uid import UID

from tracerless.deidentify.known import texts

SWEPT_VRS = frozenset(
    {"AE", "AS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "UC", "UI", "UR", "UT"}
)
"""Types whose values can be told from chance; numbers and codes cannot."""

STANDARD_UID_ROOT = "1.2.840.10008."
"""Root of the UIDs that the standard itself assigns."""

LONGEST = 4096
"""Signs of a value that are remembered; a longer text is known by its start."""

_SHORTEST_UNKNOWN, _LONGEST_UNKNOWN = 4, 256

Removed = tuple[str, str]
"""(keyword, or group, creator and offset of a private field; the value as text)."""


def is_public_uid(uid: str) -> bool:
    """Whether the standard itself assigned the UID: it names a kind, not a thing."""
    return uid.startswith(STANDARD_UID_ROOT) and UID(uid).name != uid


def values(element: DataElement, name: str) -> Iterator[Removed]:
    """Every text-like value of an element, at any depth.

    Args:
        element: identified.
        name: its keyword.
    """
    vr = str(element.VR)
    if vr == "SQ":
        for item in element.value or ():
            yield from of_level(item)
    elif vr in ("UN", "OB") and isinstance(element.value, bytes):
        yield from hidden(element.value, name)
    elif vr in SWEPT_VRS:
        for text in texts(element.value):
            if text.strip() and not (vr == "UI" and is_public_uid(text)):
                yield name, text.strip()[:LONGEST]


def hidden(content: bytes, name: str) -> Iterator[Removed]:
    """The text that bytes without a declared meaning hold, when all of them are text."""
    text = content.strip(b"\0 ").decode("latin-1")
    if _SHORTEST_UNKNOWN <= len(text) <= _LONGEST_UNKNOWN and _is_text(text):
        yield name, text


def of_container(meta: Dataset, preamble: bytes) -> Iterator[Removed]:
    """What the file's own header says beside the attributes: titles, names, a preamble."""
    yield from of_level(meta)
    yield from hidden(preamble, "preamble")


def of_level(dataset: Dataset) -> Iterator[Removed]:
    """Every text-like value of a level and of the levels below."""
    for tag in sorted(dataset.keys()):
        try:
            element = dataset[tag]
        except (ValueError, TypeError, NotImplementedError, KeyError):
            continue  # a value that cannot be read holds no text that could be looked for
        name = private_name(dataset, tag) if tag.is_private else keyword_for_tag(tag)
        yield from values(element, name or "unknown")


def private_name(dataset: Dataset, tag: int) -> str:
    """How a private field is called: ``private:GGGG:creator:EE``, its creator empty if unnamed."""
    group, element = int(tag) >> 16, int(tag) & 0xFFFF
    holder = (group << 16) + (element >> 8)
    creator = str(dataset[holder].value) if element >= 0x1000 and holder in dataset else ""
    return f"private:{group:04X}:{creator}:{element & 0xFF:02X}"


def _is_text(text: str) -> bool:
    return all(sign.isprintable() or sign in "\r\n\t" for sign in text)
