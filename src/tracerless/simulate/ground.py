"""What all people share: the base head, prepared for warping, and the places of disease."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.cohort import Diagnosis
from tracerless.core.grid import points_mm
from tracerless.core.transform import Points
from tracerless.simulate.anatomy import BASE_TISSUES, CANVAS_HIGH_MM, CANVAS_LOW_MM, Anatomy
from tracerless.simulate.brain import CEREBELLAR_LABELS, STEM_LABELS, with_wider_sulci
from tracerless.simulate.fields import Field, Stack, axes_mm, blur, lattice, sample_stack
from tracerless.simulate.levels import level_map, pure_levels, region_index, spread
from tracerless.simulate.parameters import VENTRICLES, Disease, PeopleParameters

VENTRICLE_LABELS = (4, 5, 14, 15, 31, 43, 44, 63)
"""Ventricles with their choroid plexus."""

DEEP_LABELS = (10, 11, 12, 13, 26, 49, 50, 51, 52, 58, *STEM_LABELS)

BRAIN_GRID = lattice((-78, -112, -76), (78, 80, 88), 2.0)
"""Where regional levels and lesions live, template mm."""

FIELD_GRID = lattice((-78, -112, -76), (78, 80, 88), 3.0)
"""Where everybody's own smooth fields live, template mm."""

SHAPE_GRID = lattice(CANVAS_LOW_MM, CANVAS_HIGH_MM, 3.0)
"""Where displacements live, template mm."""

_FOCUS_SIGMA_PER_RADIUS = 0.75
_SPARING = 0.92
_SHRINKING_FWHM_MM = 6.0
"""Edge of a shrinking region: two steps of ``SHAPE_GRID``, so that maps stay invertible on it."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """The base head and all that follows from it and the parameters; the same for everybody.

    Args:
        anatomy: the base head.
        parameters: what people are drawn from.
        tissues: ``BASE_TISSUES`` on the canvas.
        levels: ``fdg``, ``cbf`` (relative to mean cortical grey) and ``thinning`` (share of
            thinning that reaches a place, 0-1) on ``BRAIN_GRID``.
        foci: by disease, the (left, right) pattern on ``FIELD_GRID``, 0 to about 1.
        lesion_place: where lesions gather, on ``BRAIN_GRID``, 0 to about 1.
        regions: shrinking or widening regions on ``SHAPE_GRID``, soft masks 0-1.
        outer_csf: where volume can be given back, on ``SHAPE_GRID``.
    """

    anatomy: Anatomy
    parameters: PeopleParameters
    tissues: Stack
    levels: Stack
    foci: Mapping[Diagnosis, tuple[Field, Field]]
    lesion_place: Field
    regions: Mapping[str, Field]
    outer_csf: NDArray[np.bool_]


@functools.lru_cache(maxsize=2)
def ground(anatomy: Anatomy, parameters: PeopleParameters) -> Ground:
    """What all people drawn from this head and these parameters share; made once."""
    tissues = Stack(BASE_TISSUES, anatomy.grid, anatomy.fractions, "zeros")
    place = points_mm(BRAIN_GRID)
    labels = nearest_labels(anatomy, place)
    matter = sample_stack(tissues, place)
    ventricles = np.isin(labels, VENTRICLE_LABELS)
    regions = _regions(labels, parameters)
    csf = sample_stack(tissues, points_mm(SHAPE_GRID))["csf"]
    return Ground(
        anatomy=anatomy,
        parameters=parameters,
        tissues=tissues,
        levels=_levels(matter, labels, parameters),
        foci=MappingProxyType(
            {name: _foci(each, labels, parameters) for name, each in parameters.diseases.items()}
        ),
        lesion_place=_lesion_place(matter, labels, ventricles, parameters),
        regions=regions,
        outer_csf=(csf > 0.5) & (regions[VENTRICLES] < 0.2),
    )


def nearest_labels(anatomy: Anatomy, points: Points) -> NDArray[np.int16]:
    """The label at (..., 3) template mm, nearest voxel; 0 beyond the canvas."""
    origin = anatomy.grid.affine[:3, 3].astype(np.float32)
    index = np.rint((points - origin) / np.float32(anatomy.grid.spacing_mm[0])).astype(np.int32)
    inside = ((index >= 0) & (index < np.array(anatomy.grid.shape))).all(axis=-1)
    i, j, k = np.moveaxis(np.where(inside[..., None], index, 0), -1, 0)
    return np.where(inside, anatomy.labels[i, j, k], 0).astype(np.int16)


def _levels(
    matter: Mapping[str, Field], labels: NDArray[np.int16], parameters: PeopleParameters
) -> Stack:
    regions, model = parameters.regions, parameters.calibration
    index = region_index(labels, regions)
    nearest = spread(index)
    thinning = _thinning(labels, parameters)
    matter = with_wider_sulci(matter, _usual_thinning(parameters) * thinning)
    brain = (matter["grey"] + matter["deep_grey"], matter["white"], index)
    cortex = np.array([region.is_cortex for region in regions])
    shrink = (parameters.shape.size_men + parameters.shape.size_women) / 2
    tables = {
        "fdg": (parameters.metabolism.white_ratio, model.fdg_fwhm_mm, [r.fdg for r in regions]),
        "cbf": (
            parameters.flow.white / parameters.flow.grey,
            model.cbf_fwhm_mm,
            [r.cbf for r in regions],
        ),
    }
    maps = []
    for white_ratio, fwhm_mm, table in tables.values():
        levels = pure_levels(
            np.array(table), white_ratio, fwhm_mm / shrink, brain,
            grid=BRAIN_GRID, cortex=cortex, model=model,
        )  # fmt: skip
        maps.append(level_map(levels, nearest, BRAIN_GRID))
    return Stack((*tables, "thinning"), BRAIN_GRID, np.stack([*maps, thinning]))


def _usual_thinning(parameters: PeopleParameters) -> np.float32:
    """Log-odds of CSF in a control of the usual age, at which the regional table holds."""
    model, age = parameters.thinning, parameters.clinic[Diagnosis.CN].age_mean
    return np.float32(model.at_65 + model.per_year * (age - 65))


def _thinning(labels: NDArray[np.int16], parameters: PeopleParameters) -> Field:
    """Share of thinning that reaches each place: none in deep nuclei, less in the cerebellum."""
    deep = blur(np.isin(labels, DEEP_LABELS).astype(np.float32), BRAIN_GRID, 2.4)
    cerebellum = blur(np.isin(labels, CEREBELLAR_LABELS).astype(np.float32), BRAIN_GRID, 3.3)
    model = parameters.thinning
    reach: Field = (1 - np.float32(model.deep_grey_spared) * deep) * (
        1 - np.float32(model.cerebellum_spared) * cerebellum
    )
    return reach


def _foci(
    disease: Disease, labels: NDArray[np.int16], parameters: PeopleParameters
) -> tuple[Field, Field]:
    """Left and right pattern: the strongest focus at each place, weak where a region is spared."""
    spared = np.isin(labels, parameters.labels_of(disease.spared)).astype(np.float32)
    soft = Stack(("spared",), BRAIN_GRID, blur(spared, BRAIN_GRID, 5.65)[None])
    found = sample_stack(soft, points_mm(FIELD_GRID))["spared"]
    kept = (1 - _SPARING * np.clip(1.3 * found, 0, 1)).astype(np.float32)
    return _side(disease, -1) * kept, _side(disease, 1) * kept


def _side(disease: Disease, side: int) -> Field:
    x, y, z = axes_mm(FIELD_GRID)
    pattern = np.zeros(FIELD_GRID.shape, dtype=np.float32)
    for focus in disease.foci:
        cx, cy, cz = focus.center_mm
        square = (x - side * cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2
        sigma = _FOCUS_SIGMA_PER_RADIUS * focus.radius_mm
        pattern = np.maximum(pattern, focus.weight * np.exp(-square / np.float32(2 * sigma**2)))
    return pattern


def _lesion_place(
    matter: Mapping[str, Field],
    labels: NDArray[np.int16],
    ventricles: NDArray[np.bool_],
    parameters: PeopleParameters,
) -> Field:
    model = parameters.lesions
    _, _, z = axes_mm(BRAIN_GRID)
    white = (matter["white"] > 0.7) & ~np.isin(labels, (*CEREBELLAR_LABELS, *STEM_LABELS))
    inside = sum(matter[name] for name in ("grey", "deep_grey", "white")) > 0.5
    from_ventricle_mm = 2.0 * ndimage.distance_transform_edt(~ventricles)
    depth_mm = 2.0 * ndimage.distance_transform_edt(inside | ventricles)
    near = np.exp(-from_ventricle_mm / model.ventricle_reach_mm) * (z > -20)
    deep = model.deep_weight * (z > 5) * (depth_mm > model.deep_from_surface_mm)
    place: Field = np.clip(white * (near + deep), 0, 1).astype(np.float32)
    return place


def _regions(labels: NDArray[np.int16], parameters: PeopleParameters) -> Mapping[str, Field]:
    """Soft masks on ``SHAPE_GRID`` of every region that some disease or age shrinks or widens."""
    names = {name for disease in parameters.diseases.values() for name in disease.atrophy}
    ordered = tuple(sorted(names | {VENTRICLES, "hippocampus"}))
    masks = [
        np.isin(labels, VENTRICLE_LABELS if n == VENTRICLES else parameters.labels_of((n,)))
        for n in ordered
    ]
    soft = np.stack(
        [blur(mask.astype(np.float32), BRAIN_GRID, _SHRINKING_FWHM_MM) for mask in masks]
    )
    edge = np.zeros_like(soft)
    edge[:, 1:-1, 1:-1, 1:-1] = soft[:, 1:-1, 1:-1, 1:-1]
    stack = Stack(ordered, BRAIN_GRID, edge, "zeros")
    return MappingProxyType(sample_stack(stack, points_mm(SHAPE_GRID)))
