"""What of an instance must be the same on both sides of the border, small enough to remember.

Facts are taken from the identified instance while it crosses, kept in the vault, and taken again
from the clean one when a dataset is verified. They hold numbers and digests, never a name.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

import pydicom
from pydicom import Dataset
from pydicom.encaps import generate_fragments

from tracerless.core.errors import DicomError, VaultError
from tracerless.deidentify import proof_pixels as pixels_of
from tracerless.deidentify.proof_pixels import Box
from tracerless.deidentify.proof_scan import Element, Level, level_of, scan
from tracerless.deidentify.proof_told import Value, n_tiles, told


@dataclass(frozen=True, slots=True, eq=False)
class InstanceFacts:
    """Facts of one instance.

    Args:
        uid: SOP Instance UID past the border.
        series: Series Instance UID past the border.
        values: facts by name; what a header does not tell is absent.
    """

    uid: str
    series: str
    values: Mapping[str, Value]

    def __post_init__(self) -> None:
        """Lock."""
        object.__setattr__(self, "values", MappingProxyType(dict(self.values)))

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {"uid": self.uid, "series": self.series, **self.values}

    @classmethod
    def parse(cls, plain: Mapping[str, Any]) -> Self:
        """The facts that ``plain`` made."""
        rest = {name: value for name, value in plain.items() if name not in {"uid", "series"}}
        return cls(str(plain["uid"]), str(plain["series"]), rest)

    def number(self, name: str) -> float | None:
        """A fact that is one number."""
        value = self.values.get(name)
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        return float(value) if isinstance(value, int | float) else None


def facts_of(
    content: bytes,
    *,
    uid: str,
    series: str,
    iod_errors: int | None = None,
    boxes: Sequence[Box] = (),
    blocks: bool = False,
) -> InstanceFacts:
    """Facts from the bytes of a file.

    Args:
        content: the whole file.
        uid: SOP Instance UID of the clean instance.
        series: its Series Instance UID.
        iod_errors: errors that an IOD validator counted in it, where somebody counted.
        boxes: rectangles that were blanked, of every frame.
        blocks: whether to remember digests of blocks, for pixels that are changed in part.

    Returns:
        What could be read; unreadable facts are absent.
    """
    try:
        header = scan(content).body
    except DicomError:
        header = {}
    found = facts_in(header, content, boxes=boxes, blocks=_side(is_wanted=blocks))
    if iod_errors is not None:
        found["iod_errors"] = float(iod_errors)
    return InstanceFacts(uid, series, found)


def facts_in(
    header: Level, content: bytes, *, boxes: Sequence[Box] = (), blocks: int = 0
) -> dict[str, Value]:
    """Facts of a file that was scanned already, by name.

    Args:
        header: of the file.
        content: of the file, where pixels have to be decoded.
        boxes: rectangles that were blanked, of every frame.
        blocks: blocks along each side of a frame, 0 for none.
    """
    found = told(header)
    element = pixels_of.pixel_element(header)
    if element is None:
        return found
    found |= _stored(header, element)
    if boxes or blocks or "n_tiles" in found:
        plain = _decoded(content) if element.fragments else element
        found |= _parts(header, plain, boxes, blocks=blocks)
    return found


def facts(
    dataset: Dataset,
    pixels: bytes,
    *,
    uid: str,
    series: str,
    iod_errors: int | None = None,
    boxes: Sequence[Box] = (),
    blocks: bool = False,
) -> InstanceFacts:
    """Facts from a data set in memory and the value of its pixels; else like ``facts_of``."""
    try:
        header = level_of(dataset)
    except DicomError:
        header = {}
    found = told(header)
    syntax = getattr(dataset, "file_meta", Dataset()).get("TransferSyntaxUID")
    is_packed = syntax is not None and syntax.is_compressed
    if pixels and is_packed:
        packed = Element(0x7FE00010, "OB", b"", fragments=list(generate_fragments(pixels)))
        found |= _stored(header, packed)
    elif pixels:
        found |= _stored(header, Element(0x7FE00010, "OW", pixels))
    if pixels and (boxes or blocks or "n_tiles" in found):
        plain = _array(dataset) if is_packed else Element(0x7FE00010, "OW", pixels)
        found |= _parts(header, plain, boxes, blocks=_side(is_wanted=blocks))
    if iod_errors is not None:
        found["iod_errors"] = float(iod_errors)
    return InstanceFacts(uid, series, found)


def series_record(
    folder: str, instances: Iterable[InstanceFacts | Mapping[str, Any]]
) -> dict[str, Any]:
    """What the vault remembers of one series; a later record of the folder replaces this one.

    Args:
        folder: of the series, its path inside the dataset.
        instances: facts of every instance, plain or not; none when the series left the dataset.
    """
    plain = [e.plain() if isinstance(e, InstanceFacts) else dict(e) for e in instances]
    return {"folder": folder, "instances": plain}


def gathered(records: Iterable[object]) -> dict[str, InstanceFacts]:
    """Facts by UID from everything that the vault remembers of a person, the latest of each folder.

    A record that names no folder only adds to what is known.

    Raises:
        VaultError: a record holds no facts.
    """
    latest: dict[str, list[InstanceFacts]] = {}
    for record in records:
        if record in ({}, b""):
            continue
        try:
            if not isinstance(record, Mapping):
                raise TypeError
            folder = str(record.get("folder", "")) or f"\0{len(latest)}"
            latest.pop(folder, None)
            latest[folder] = [InstanceFacts.parse(e) for e in record["instances"]]
        except (KeyError, TypeError, ValueError):
            raise VaultError(
                "The vault remembers facts in a form that this version does not know.",
                hint="Verify with the version that de-identified, or de-identify again.",
            ) from None
    return {each.uid: each for instances in latest.values() for each in instances}


def _stored(header: Level, element: Element) -> dict[str, Value]:
    """Digest of the pixels as they are stored."""
    if element.fragments:
        return {"pixels": pixels_of.encapsulated(element.fragments)}
    return {"pixels": pixels_of.whole(element.raw, pixels_of.layout(header))}


def _parts(
    header: Level, plain: Element | None, boxes: Sequence[Box], *, blocks: int
) -> dict[str, Value]:
    """Digests of parts of uncompressed pixels."""
    shape, found = pixels_of.layout(header), dict[str, Value]()
    if plain is None:
        return found
    if boxes:
        found["outside"] = pixels_of.outside(plain.raw, shape, boxes)
    if blocks:
        found["blocks"] = pixels_of.blocks(plain.raw, shape, blocks)
    count = n_tiles(header)
    if count:
        found["tiles"] = pixels_of.tiles(plain.raw, shape, count)
    if count and blocks:
        found["tile_blocks"] = pixels_of.tile_blocks(plain.raw, shape, count)
    return found


def _side(*, is_wanted: bool) -> int:
    return pixels_of.BLOCKS if is_wanted else 0


def _decoded(content: bytes) -> Element | None:
    try:
        return _array(pydicom.dcmread(io.BytesIO(content), force=True))
    except Exception:  # noqa: BLE001 - what cannot be read has no facts
        return None


def _array(dataset: Dataset) -> Element | None:
    """Compressed pixels as plain ones; None when nothing here can decode them."""
    try:
        array = dataset.pixel_array
    except Exception:  # noqa: BLE001 - codecs raise whatever they like
        return None
    return Element(0x7FE00010, "OW", array.astype(array.dtype.newbyteorder("<")).tobytes())
