"""The one thing that is needed from a Siemens CSA header: which way the slices of a mosaic run.

The header itself never crosses: it repeats the body weight and UIDs made of dates. A new one that
holds nothing but that direction takes its place, so that every reader of mosaics finds it.

Source: layout of the SV10 header as described at nipy.org/nibabel/dicom/siemens_csa.html.
"""

import struct

from pydicom import Dataset

CREATOR = "SIEMENS CSA HEADER"
GROUP = 0x0029
IMAGE_HEADER = 0x10

_MAGIC = b"SV10\x04\x03\x02\x01"
_TAG = struct.Struct("<64s i 4s i i i")
_ITEM = struct.Struct("<4i")
_CHECK = 77
_FIELD = b"SliceNormalVector"
_MAX_TAGS = 1000
_MAX_ITEMS = 10_000

Vector = tuple[float, float, float]


def slice_normal(dataset: Dataset) -> Vector | None:
    """Direction in which the slices of a mosaic follow each other, LPS; None when not stated."""
    numbers = field(dataset, _FIELD)
    if len(numbers) != 3 or abs(sum(n * n for n in numbers) - 1.0) > 1e-3:
        return None
    return numbers[0], numbers[1], numbers[2]


def field(dataset: Dataset, name: bytes) -> tuple[float, ...]:
    """The numbers of one named field of the image header; empty when absent or damaged."""
    try:
        content = dataset.private_block(GROUP, CREATOR)[IMAGE_HEADER].value
    except KeyError:
        return ()
    return tuple(_numbers(content, name)) if isinstance(content, bytes) else ()


def write_slice_normal(clean: Dataset, normal: Vector) -> None:
    """Put a new header with nothing but the direction of the slices into a clean instance.

    It takes the block in which scanners write it, for the readers that go by address.
    """
    items = [f"{number:.8f}".encode() for number in normal]
    content = _MAGIC + struct.pack("<2I", 1, _CHECK)
    content += _TAG.pack(_FIELD, len(items), b"FD", 4, len(items), _CHECK)
    for item in items:
        content += _ITEM.pack(len(item), len(item), _CHECK, len(item))
        content += item.ljust(-(-len(item) // 4) * 4, b"\0")
    block = clean.private_block(GROUP, CREATOR, create=True)
    block.add_new(IMAGE_HEADER, "OB", content + b"\0" * (len(content) % 2))


def _numbers(content: bytes, wanted: bytes) -> list[float]:
    """The numbers that one field of an SV10 header holds; none when the header is damaged."""
    if not content.startswith(_MAGIC) or len(content) < 16:
        return []
    (n_tags,) = struct.unpack_from("<I", content, 8)
    place = 16
    try:
        for _ in range(min(n_tags, _MAX_TAGS)):
            name, _vm, _vr, _sync, n_items, _end = _TAG.unpack_from(content, place)
            items, place = _items(content, place + _TAG.size, n_items)
            if name.split(b"\0", 1)[0] == wanted:
                return [float(item) for item in items]
    except (struct.error, ValueError):
        pass  # a damaged header states nothing
    return []


def _items(content: bytes, place: int, n_items: int) -> tuple[list[bytes], int]:
    """(values that are not empty, where the next field starts).

    Raises:
        ValueError: counts or lengths that no header has.
    """
    if not 0 <= n_items <= _MAX_ITEMS:
        raise ValueError(n_items)
    values = []
    for _ in range(n_items):
        length = _ITEM.unpack_from(content, place)[1]
        place += _ITEM.size
        if not 0 <= length <= len(content) - place:
            raise ValueError(length)
        text = content[place : place + length].split(b"\0", 1)[0].strip()
        if text:
            values.append(text)
        place += -(-length // 4) * 4
    return values, place
