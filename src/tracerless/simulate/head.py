"""A procedural head around the brain: skull, scalp, eyes, airways, a neck and a face.

No averaged head comes with the standard brain, so this one is built: shells at fixed distances
around the cranial cavity, and solids placed by hand on the standard brain (nasion near
(0, 84, -38) mm, eyes near (+-32, 64, -38) mm, ear canals near (+-70, -20, -50) mm). It has the
surfaces that attenuate, scatter and identify; it is nobody's face, and no anatomy to measure.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from scipy import ndimage

from tracerless.core.grid import Grid
from tracerless.simulate.fields import Field, axes_mm, blur
from tracerless.simulate.solids import (
    Capsule,
    Column,
    Ellipsoid,
    Solid,
    band,
    blend,
    carve,
    filled,
    union,
)

CSF_MM, BONE_MM, SCALP_MM = 1.5, 6.5, 6.0
"""Thickness of subarachnoid space, skull and scalp over the vault; set by hand within what head
models of adults use (skull 5-8 mm, scalp 4-7 mm)."""

THIN_BONE_MM = 3.5
"""Thickness of bone at the base of the skull."""

SKIN_MM, FAT_MM = 2.0, 5.5
"""Depth to which skin and then subcutaneous fat reach."""

_CLOSING_MM = 10.0
_BLEND_MM = 12.0
_HULL_FWHM_MM = 14.0
_CISTERN_MM = 6.0
_TABLE_MM = 2.0

FACE: tuple[Solid, ...] = (
    Ellipsoid((0, 30, -76), (62, 56, 58)),  # jaws and cheeks
    Ellipsoid((0, 56, -92), (38, 34, 40)),  # muzzle
    Column(-30, (56, 58), -55),  # neck
    Capsule((6, 77, -24), (30, 70, -24), 8, 7),  # brow
    Ellipsoid((40, 54, -61), (18, 16, 12)),  # cheekbone
    Ellipsoid((0, 74, -122), (22, 18, 20)),  # chin
)
NOSE: tuple[Solid, ...] = (
    Capsule((0, 79, -34), (0, 98, -66), 6, 8),  # bridge to tip
    Ellipsoid((10, 89, -71), (7, 9, 7)),  # wing
)
LIPS: tuple[Solid, ...] = (
    Ellipsoid((0, 86, -91), (20, 8, 5)),
    Ellipsoid((0, 84, -101), (17, 8, 5)),
)
HOLLOWS: tuple[Solid, ...] = (
    Ellipsoid((32, 88, -39), (15, 11, 9)),  # before the eye
    Ellipsoid((0, 97, -96), (17, 9, 1.6)),  # between the lips
)
EARS: tuple[Solid, ...] = (Ellipsoid((78, -24, -40), (7, 14, 25)),)
CONCHA: tuple[Solid, ...] = (Ellipsoid((85, -18, -44), (5, 8, 11)),)
EYEBALL = Ellipsoid((32, 64, -38), (12, 12, 12))
LENS = Ellipsoid((32, 72.5, -38), (4.5, 2.2, 4.5))
ORBIT = Capsule((32, 66, -38), (18, 34, -38), 17, 5)
AIRWAYS: tuple[Solid, ...] = (
    Capsule((5, 84, -72), (5, 50, -66), 3.2, 5),  # nasal floor
    Capsule((4, 76, -52), (4, 46, -54), 2.5, 4),  # nasal roof
    Capsule((0, 26, -64), (0, 4, -84), 7, 8),  # nasopharynx
    Capsule((0, 4, -84), (0, 4, -126), 8, 9),  # throat
    Ellipsoid((27, 56, -66), (11, 14, 13)),  # maxillary sinus
    Ellipsoid((9, 58, -42), (5, 16, 7)),  # ethmoid cells
    Ellipsoid((8, 26, -42), (7, 9, 7)),  # sphenoid sinus
    Ellipsoid((10, 80, -20), (9, 2.5, 8)),  # frontal sinus
    Capsule((84, -19, -48), (58, -24, -48), 3, 3),  # ear canal
    Ellipsoid((0, 70, -98), (16, 14, 1.5)),  # mouth
)
MASTOID = Ellipsoid((60, -36, -56), (9, 12, 14))
FACE_BONES: tuple[Solid, ...] = (
    Ellipsoid((0, 56, -80), (30, 24, 9)),  # upper jaw
    Capsule((8, 76, -114), (50, 20, -100), 7, 7),  # lower jaw
    Capsule((50, 20, -100), (54, 4, -64), 7, 6),  # its branch
    Capsule((40, 60, -62), (66, 6, -54), 5, 3),  # cheekbone and its arch
    Capsule((8, 82, -27), (36, 68, -27), 5, 4),  # upper rim of the orbit
    Capsule((0, 80, -36), (0, 86, -48), 4, 2),  # nasal bones
    Ellipsoid((44, -26, -48), (22, 11, 9)),  # petrous bone
)
CORD = Capsule((0, -40, -70), (0, -54, -126), 6, 6)
CANAL = Capsule((0, -40, -70), (0, -54, -126), 9, 9)
SPINE = Capsule((0, -40, -84), (0, -48, -126), 21, 21)


def wrap(brain: Mapping[str, Field], grid: Grid) -> dict[str, Field]:
    """The brain with a head around it.

    Args:
        brain: tissue fractions on the canvas, sum 0-1.
        grid: the canvas.

    Returns:
        ``grey``, ``deep_grey``, ``white``, ``csf``, ``fat``, ``muscle``, ``bone``, ``air``,
        ``eye``: (I, J, K) fractions that sum to 1.
    """
    held = np.clip(sum(brain.values()), 0, 1)
    brain_mm = ndimage.distance_transform_edt(held <= 0.5).astype(np.float32) * grid.spacing_mm[0]
    cavity_mm = _cavity_distance(brain_mm, grid)
    skin_mm = _skin_distance(cavity_mm, grid)
    tissues = {name: np.array(values, dtype=np.float32) for name, values in brain.items()}
    free = (1 - held).astype(np.float32)
    for name, share in _layers(brain_mm, cavity_mm, skin_mm, grid=grid):
        tissues[name] = tissues.get(name, np.float32(0)) + free * share
        free = free * (1 - share)
    tissues["muscle"] = tissues["muscle"] + free
    return tissues


def _layers(
    brain_mm: Field, cavity_mm: Field, skin_mm: Field, *, grid: Grid
) -> Iterator[tuple[str, Field]]:
    """Tissues with the share they take of what those before them left, from the first to win."""
    voxel_mm = grid.spacing_mm[0]
    yield "air", filled(-skin_mm, voxel_mm)
    yield "csf", filled(cavity_mm - CSF_MM, voxel_mm) * filled(brain_mm - _cistern(grid), voxel_mm)
    yield "white", filled(CORD.distance(grid), voxel_mm)
    yield "csf", filled(CANAL.distance(grid), voxel_mm)
    yield "muscle", filled(LENS.distance(grid), voxel_mm)
    yield "eye", filled(EYEBALL.distance(grid), voxel_mm)
    yield from _skull(cavity_mm, grid)
    yield "fat", 0.9 * filled(ORBIT.distance(grid), voxel_mm)
    yield "bone", 0.8 * filled(union((*FACE_BONES, SPINE), grid), voxel_mm)
    depth_mm: Field = -skin_mm
    yield "muscle", band(depth_mm, -1.0, SKIN_MM, voxel_mm)
    yield "fat", 0.85 * band(depth_mm, SKIN_MM, FAT_MM, voxel_mm)
    yield "fat", np.full((1, 1, 1), 0.12, dtype=np.float32)


def _skull(cavity_mm: Field, grid: Grid) -> Iterator[tuple[str, Field]]:
    """Airways before bone, then marrow between two tables of bone."""
    voxel_mm = grid.spacing_mm[0]
    _, _, z = axes_mm(grid)
    vault = np.clip((z + 40) / 30, 0, 1).astype(np.float32)
    bone_mm = (THIN_BONE_MM + (BONE_MM - THIN_BONE_MM) * vault).astype(np.float32)
    table = band(cavity_mm, CSF_MM, CSF_MM + _TABLE_MM, voxel_mm)
    shell = filled(cavity_mm - CSF_MM - bone_mm, voxel_mm)
    middle_mm = CSF_MM + bone_mm / 2
    marrow = np.clip(1 - np.abs(cavity_mm - middle_mm) / 1.6, 0, 1) * 0.8 * vault * shell
    yield "bone", table
    yield "air", filled(union(AIRWAYS, grid), voxel_mm)
    yield "air", 0.5 * filled(MASTOID.distance(grid), voxel_mm)
    yield "fat", marrow.astype(np.float32)
    yield "bone", shell * (1 - _foramen(grid))


def _foramen(grid: Grid) -> Field:
    """The hole through which the cord leaves the skull."""
    return filled(CANAL.distance(grid) - 4.0, grid.spacing_mm[0])


def _cistern(grid: Grid) -> Field:
    """How far from the brain CSF may fill the cavity, mm: bone fills the rest of the base."""
    _, _, z = axes_mm(grid)
    reach: Field = _CISTERN_MM + np.clip(z + 25, 0, None)
    return reach


def _cavity_distance(brain_mm: Field, grid: Grid) -> Field:
    """Distance to the cranial cavity: the brain with its grooves closed, mm, negative inside."""
    voxel_mm = grid.spacing_mm[0]
    filled_up = ndimage.distance_transform_edt(brain_mm <= _CLOSING_MM) * voxel_mm > _CLOSING_MM
    cavity = (brain_mm <= 0) | filled_up
    outside = ndimage.distance_transform_edt(~cavity) * voxel_mm
    inside = ndimage.distance_transform_edt(cavity) * voxel_mm
    signed = np.where(cavity, voxel_mm / 2 - inside, outside - voxel_mm / 2)
    return blur(signed.astype(np.float32), grid, 3.0)


def _skin_distance(cavity_mm: Field, grid: Grid) -> Field:
    """Distance to the skin, mm, negative inside the head."""
    hull_mm = blur(cavity_mm, grid, _HULL_FWHM_MM)
    vault_mm = hull_mm - np.float32(CSF_MM + BONE_MM + SCALP_MM)
    skin_mm = blend(vault_mm, union(FACE, grid, _BLEND_MM), 2 * _BLEND_MM)
    skin_mm = blend(skin_mm, union(NOSE, grid, 5.0), 6.0)
    skin_mm = blend(skin_mm, union(LIPS, grid, 2.0), 4.0)
    for hollow, rim_mm in zip(HOLLOWS, (8.0, 2.0), strict=True):
        skin_mm = carve(skin_mm, hollow.distance(grid), rim_mm)
    lids_mm = EYEBALL.distance(grid) - np.float32(2.5)
    ears_mm = carve(union(EARS, grid), union(CONCHA, grid), 3.0)
    return blend(blend(skin_mm, lids_mm, 4.0), ears_mm, 4.0)
