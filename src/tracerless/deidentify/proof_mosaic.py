"""Whether the slices that a Siemens mosaic became hold its tiles, in order, in their right places.

Source: layout of the sheet as described in nibabel's manual ("Siemens mosaic format"): tiles run
row by row, and ImagePositionPatient is the corner of one slice as large as the sheet.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tracerless.deidentify.proof_facts import InstanceFacts
from tracerless.deidentify.proof_findings import Finding
from tracerless.deidentify.proof_measure import compare_blocks, equal
from tracerless.deidentify.proof_told import Value

SAME = ("tr_ms", "te_ms", "ti_ms", "flip_deg", "spacing_mm", "thickness_mm", "orientation", "slope")
"""What a slice has in common with the mosaic that it was cut from."""

TOLERANCE_MM = 1e-4
"""How far a slice may lie from its place."""


def compare_tiles(
    before: Sequence[InstanceFacts],
    after: Mapping[str, Mapping[str, Value]],
    folder: str,
    *,
    is_defaced: bool = False,
) -> Iterator[Finding]:
    """What is not as it was in the mosaics.

    Args:
        before: of the mosaics, in their order.
        after: facts of the slices by path, in their order.
        folder: of the series, for what concerns no single file.
        is_defaced: whether a face was taken off after that.
    """
    tiles = [(each, tile) for each in before for tile in _texts(each.values.get("tiles"))]
    if len(tiles) != len(after) or not tiles:
        yield Finding("measures", "pixels", folder, "tiles")
    if is_defaced:
        blocks = [{"blocks": [b]} for e in before for b in _texts(e.values.get("tile_blocks"))]
        yield from compare_blocks(list(zip(blocks, after.values(), strict=False)), folder)
    for (mosaic, tile), (file, found) in zip(tiles, after.items(), strict=False):
        if not is_defaced and found.get("pixels") != tile:
            yield Finding("measures", "pixels", file, "PixelData")
        for name in SAME:
            if not equal(mosaic.values.get(name), found.get(name)):
                yield Finding("measures", "timing", file, name)
    yield from _misplaced(before, after)


def _misplaced(
    before: Sequence[InstanceFacts], after: Mapping[str, Mapping[str, Value]]
) -> Iterator[Finding]:
    """Slices that do not lie where the mosaic says; the first two tell which way tiles run."""
    files = iter(after.items())
    for mosaic in before:
        n_tiles = len(_texts(mosaic.values.get("tiles")))
        slices = [each for _, each in zip(range(n_tiles), files, strict=False)]
        found = [_vector(facts.get("position_mm"), 3) for _, facts in slices]
        expected = _places(mosaic, found)
        for (file, _), place, wanted in zip(slices, found, expected, strict=False):
            if place is None or float(np.abs(place - wanted).max()) > TOLERANCE_MM:
                yield Finding("measures", "geometry", file, "position_mm")


def _places(
    mosaic: InstanceFacts, found: Sequence[NDArray[np.float64] | None]
) -> Sequence[NDArray[np.float64]]:
    """Where the first pixel of every tile lies, LPS mm; nothing when the mosaic does not say."""
    corner = _vector(mosaic.values.get("position_mm"), 3)
    axes = _vector(mosaic.values.get("orientation"), 6)
    spacing = _vector(mosaic.values.get("spacing_mm"), 2)
    depth_mm = mosaic.number("between_mm") or mosaic.number("thickness_mm")
    rows, columns = mosaic.number("rows"), mosaic.number("columns")
    if corner is None or axes is None or spacing is None or not depth_mm or not rows or not columns:
        return ()
    across, down = axes.reshape(2, 3)
    normal = np.cross(across, down)
    spare = 1 - 1 / math.ceil(math.sqrt(max(len(found), 1)))
    corner = (
        corner + across * spacing[1] * columns * spare / 2 + down * spacing[0] * rows * spare / 2
    )
    steps = abs(depth_mm) * normal
    if len(found) > 1 and found[0] is not None and found[1] is not None:
        steps = steps * np.sign((found[1] - found[0]) @ normal)
    return [corner + steps * index for index in range(len(found))]


def _vector(value: Value | None, length: int) -> NDArray[np.float64] | None:
    is_whole = isinstance(value, list) and len(value) == length
    return np.array(value, dtype=np.float64) if is_whole else None


def _texts(value: Value | None) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
