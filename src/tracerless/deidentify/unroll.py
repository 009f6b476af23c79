"""A Siemens mosaic, many slices in one plane, becomes one standard MR object per slice.

What only the private header says (how many tiles, which way they run, when each was taken) is read
before that header is dropped, and written where the standard has a place for it.

Source: the layout as described in nibabel's manual ("Siemens mosaic format"): tiles run row by row
on a sheet that is square in tiles, and ImagePositionPatient is the corner that one slice as large
as the sheet would have.
"""

import copy
import math
import struct
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from pydicom import DataElement, Dataset
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.multival import MultiValue
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID, ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

from tracerless.deidentify import csa
from tracerless.deidentify.keys import hash_uid

MOSAIC_GROUP, MOSAIC_CREATOR = 0x0019, "SIEMENS MR HEADER"
COUNT, TIMES = 0x0A, 0x29
"""NumberOfImagesInMosaic and MosaicRefAcqTimes (ms after the volume's start), by offset."""

_MR = "1.2.840.10008.5.1.4.1.1.4"
_PIXEL_LIMITS = {0: ("US", 0x00280106, 0x00280107), 1: ("SS", 0x00280106, 0x00280107)}
_MAX_TIME_MS = 3_600_000.0


@dataclass(frozen=True, slots=True)
class Layout:
    """What only a mosaic's private header says.

    Args:
        n_slices: tiles in use.
        normal: direction in which tiles follow each other, LPS.
        times_ms: when each slice was taken after the start of its volume; empty when not stated.
    """

    n_slices: int
    normal: csa.Vector
    times_ms: tuple[float, ...] = ()

    @property
    def side(self) -> int:
        """Tiles along one side of the sheet."""
        return math.ceil(math.sqrt(self.n_slices))


def layout(dataset: Dataset) -> Layout | None:
    """How the tiles of a mosaic lie; None when it is none, or does not say what is needed.

    Args:
        dataset: identified, with its private header; pixels are not looked at.
    """
    if not is_mosaic(dataset):
        return None
    normal = csa.slice_normal(dataset)
    counted = _private(dataset, COUNT, "H") or csa.field(dataset, b"NumberOfImagesInMosaic")
    count = int(counted[0]) if counted else 0
    if normal is None or count < 1:
        return None
    found = Layout(count, normal, _times(dataset, count))
    return found if _fits(dataset, found.side) else None


def unroll(
    clean: Dataset, tiles: Layout, *, uid_key: bytes, volume: int = 1, n_volumes: int = 1
) -> list[Dataset]:
    """One object per slice, in the order of the tiles.

    Each carries its own position, SliceLocation (along the normal of its plane, mm), UID (keyed
    digest of the mosaic's and the slice's number) and number in the series; TemporalPositionIndex
    and AcquisitionNumber count volumes. The time of a slice is its AcquisitionTime: that of
    the volume, or midnight where the policy lets none cross, and as much later as it was taken.

    Args:
        clean: the mosaic past the border, with pixels and file meta; left as it is.
        tiles: as `layout` read it from the identified mosaic.
        uid_key: of the vault, for UIDs.
        volume: which volume of its series it is, from 1.
        n_volumes: volumes in the series.

    Raises:
        ValueError: the pixels cannot be decoded.
    """
    sheet = pixel_array(clean)
    common = _common(clean, tiles, volume, n_volumes)
    rows, columns = int(common.Rows), int(common.Columns)
    positions = _positions(clean, tiles)
    made = []
    for index in range(tiles.n_slices):
        top, left = (
            place * size
            for place, size in zip(divmod(index, tiles.side), (rows, columns), strict=True)
        )
        one = _sharing(common)
        _identify(one, hash_uid(uid_key, f"{clean.SOPInstanceUID}/{index}"))
        _place(one, positions[index])
        _put(one, "InstanceNumber", (volume - 1) * tiles.n_slices + index + 1)
        if tiles.times_ms:
            _set_time(one, tiles.times_ms[index])
        _fill(one, sheet[top : top + rows, left : left + columns])
        made.append(one)
    return made


def is_mosaic(dataset: Dataset) -> bool:
    """Whether the object says that it is a sheet of tiles."""
    return "MOSAIC" in {word.strip().upper() for word in _words(dataset)}


def _words(dataset: Dataset) -> list[str]:
    words = dataset.get("ImageType") or ()
    return [words] if isinstance(words, str) else [str(word) for word in words]


def _fits(dataset: Dataset, side: int) -> bool:
    """Whether the sheet divides into tiles that have a place in the patient."""
    rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
    lengths = {"ImagePositionPatient": 3, "ImageOrientationPatient": 6, "PixelSpacing": 2}
    known = all(len(dataset.get(key) or ()) == n for key, n in lengths.items())
    is_single = int(dataset.get("NumberOfFrames") or 1) == 1
    whole = rows > 0 and columns > 0 and rows % side == 0 and columns % side == 0
    return known and is_single and whole and _depth_mm(dataset) > 0


def _times(dataset: Dataset, count: int) -> tuple[float, ...]:
    """Milliseconds after the start of the volume, one per slice, or nothing."""
    found = _private(dataset, TIMES, "d") or csa.field(dataset, b"MosaicRefAcqTimes")
    whole = len(found) >= count and all(0 <= ms < _MAX_TIME_MS for ms in found[:count])
    return tuple(round(ms, 5) for ms in found[:count]) if whole else ()


def _private(dataset: Dataset, offset: int, kind: str) -> tuple[float, ...]:
    """Numbers of a private field, whatever type an archive gave it."""
    try:
        value = dataset.private_block(MOSAIC_GROUP, MOSAIC_CREATOR)[offset].value
        if isinstance(value, bytes):
            value = struct.unpack(f"<{len(value) // struct.calcsize(kind)}{kind}", value)
        many = value if isinstance(value, MultiValue | list | tuple) else [value]
        return tuple(float(each) for each in many)
    except (KeyError, ValueError, TypeError, struct.error):
        return ()


def _depth_mm(dataset: Dataset) -> float:
    return abs(float(dataset.get("SpacingBetweenSlices") or dataset.get("SliceThickness") or 0.0))


def _positions(clean: Dataset, tiles: Layout) -> NDArray[np.float64]:
    """(slices, 3) LPS mm of the first pixel of every tile."""
    orientation = np.array([float(n) for n in clean.ImageOrientationPatient]).reshape(2, 3)
    across, down = orientation / np.linalg.norm(orientation, axis=1, keepdims=True)
    normal = np.cross(across, down)
    sign = 1.0 if float(np.array(tiles.normal) @ normal) > 0 else -1.0
    between_rows, between_columns = (float(mm) for mm in clean.PixelSpacing)
    spare = 1 - 1 / tiles.side
    corner = np.array([float(mm) for mm in clean.ImagePositionPatient])
    corner = corner + across * between_columns * int(clean.Columns) * spare / 2
    corner = corner + down * between_rows * int(clean.Rows) * spare / 2
    steps = np.arange(tiles.n_slices)[:, None]
    places: NDArray[np.float64] = corner + sign * normal * _depth_mm(clean) * steps
    return places


def _common(clean: Dataset, tiles: Layout, volume: int, n_volumes: int) -> Dataset:
    """What every slice of the volume shares: everything but the sheet and what describes it."""
    common = Dataset()
    own = _sheet_fields(clean)
    for element in clean:
        if element.tag != 0x7FE00010 and int(element.tag) not in own:
            common.add(copy.deepcopy(element))
    common.file_meta = copy.deepcopy(clean.file_meta)
    common.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    words = [word for word in _words(clean) if word.upper() != "MOSAIC"]
    if words:
        common.ImageType = words
    common.Rows, common.Columns = clean.Rows // tiles.side, clean.Columns // tiles.side
    common.AcquisitionNumber = common.TemporalPositionIdentifier = volume
    common.NumberOfTemporalPositions = n_volumes
    if "ImagesInAcquisition" in common:
        common.ImagesInAcquisition = tiles.n_slices
    return common


def _sheet_fields(clean: Dataset) -> set[int]:
    """Private fields that describe the sheet as a whole, with the names of blocks left empty."""
    private = [int(tag) for tag in clean.keys() if tag.is_private]  # noqa: SIM118
    creators = {
        (tag >> 16, tag & 0xFF): str(clean[tag].value) for tag in private if tag & 0xFFFF < 0x100
    }
    gone: set[int] = set()
    for (group, block), creator in creators.items():
        fields = {
            t for t in private if t >> 16 == group and t >> 8 & 0xFF == block and t & 0xFFFF > 0xFF
        }
        of_sheet = {
            t
            for t in fields
            if creator == csa.CREATOR or (creator == MOSAIC_CREATOR and t & 0xFF in (COUNT, TIMES))
        }
        gone |= of_sheet | ({(group << 16) + block} if fields == of_sheet else set())
    return gone


def _sharing(common: Dataset) -> Dataset:
    """A dataset of the same elements; they are replaced in it, never changed."""
    one = Dataset()
    for element in common:
        one.add(element)
    one.file_meta = copy.deepcopy(common.file_meta)
    return one


def _put(one: Dataset, keyword: str, value: object) -> None:
    """Set an attribute without touching the element that other slices share."""
    tag = tag_for_keyword(keyword) or 0
    one.add(DataElement(tag, dictionary_VR(tag), value))


def _identify(one: Dataset, uid: str) -> None:
    _put(one, "SOPClassUID", UID(_MR))
    _put(one, "SOPInstanceUID", UID(uid))
    one.file_meta.MediaStorageSOPClassUID = UID(_MR)
    one.file_meta.MediaStorageSOPInstanceUID = UID(uid)


def _place(one: Dataset, position: NDArray[np.float64]) -> None:
    orientation = np.array([float(n) for n in one.ImageOrientationPatient])
    along = float(np.cross(orientation[:3], orientation[3:]) @ position)
    _put(one, "ImagePositionPatient", [format_number_as_ds(float(mm)) for mm in position])
    _put(one, "SliceLocation", format_number_as_ds(along))


def _set_time(one: Dataset, after_ms: float) -> None:
    """Write when the slice was taken, as time of day.

    A policy that lets no time of day cross leaves a day that begins with the volume: only the
    times between slices are told.
    """
    stated = str(one.get("AcquisitionTime") or "") or "000000"
    date = str(one.get("AcquisitionDate") or "")
    try:
        form = "%H%M%S.%f" if "." in stated else "%H%M%S"
        start = datetime.strptime(stated, form)
        later = start + timedelta(milliseconds=after_ms)
        _put(one, "AcquisitionTime", later.strftime("%H%M%S.%f"))
        if date and later.date() != start.date():
            day = datetime.strptime(date, "%Y%m%d") + timedelta(days=1)
            _put(one, "AcquisitionDate", day.strftime("%Y%m%d"))
    except ValueError:
        pass  # a time that is not whole stays the time of the volume


def _fill(one: Dataset, tile: NDArray[np.generic]) -> None:
    """Put one tile in, and what is said of its smallest and largest number."""
    little = np.ascontiguousarray(tile, dtype=tile.dtype.newbyteorder("<"))
    content = little.tobytes()
    wide = int(one.BitsAllocated) > 8
    one.add(DataElement(0x7FE00010, "OW" if wide else "OB", content + b"\0" * (len(content) % 2)))
    vr, low, high = _PIXEL_LIMITS[int(one.PixelRepresentation)]
    for tag, value in ((low, tile.min()), (high, tile.max())):
        if tag in one:
            one.add(DataElement(tag, vr, int(value)))
