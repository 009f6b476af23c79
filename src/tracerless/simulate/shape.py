"""A person's shape: how the base head is bent, shrunk and scaled into theirs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import fft

from tracerless.core.transform import Affine, Chain, Displacement, PointMap
from tracerless.simulate.fields import Field, axes_mm, smooth_noise
from tracerless.simulate.ground import SHAPE_GRID, Ground
from tracerless.simulate.parameters import VENTRICLES
from tracerless.simulate.sections import ShapeModel
from tracerless.simulate.traits import Traits

NATIVE, TEMPLATE = "native", "template"
"""Names of a person's own space and of the space of the base head."""

_SCALED = "native-scaled"
_SQUARINGS = 6
_PADDING_VOX = 12
_REFERENCE_AGE = 65.0
_TAPER_MM = 24.0

Vectors = NDArray[np.float32]
"""(3, I, J, K) mm on ``SHAPE_GRID``."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """The maps between a person's head and the base head, and the affine part of them.

    ``native_from_template`` is (4, 4), mm; its determinant is the size of the head over the
    template's.
    """

    to_template: PointMap
    to_native: PointMap
    native_from_template: NDArray[np.float64]


def draw_shape(ground: Ground, traits: Traits, rng: np.random.Generator) -> Shape:
    """Bend the base head: random shape, aging, atrophy by the Poisson equation, head size."""
    model = ground.parameters.shape
    velocity = _random_velocity(model, rng)
    velocity += _shrinking_velocity(_log_jacobian(ground, traits, rng))
    velocity *= _taper()
    native_from_scaled = _head_affine(model, traits, rng)
    affine = Affine(NATIVE, _SCALED, np.linalg.inv(native_from_scaled).astype(np.float64))
    bend = Displacement(_SCALED, TEMPLATE, SHAPE_GRID, exponential(-velocity))
    unbend = Displacement(TEMPLATE, _SCALED, SHAPE_GRID, exponential(velocity))
    return Shape(Chain((affine, bend)), Chain((unbend, affine.inverse)), native_from_scaled)


def exponential(velocity: Vectors) -> Vectors:
    """The displacement that following a stationary velocity for unit time leads to.

    Args:
        velocity: (3, I, J, K) mm on ``SHAPE_GRID``.

    Returns:
        (I, J, K, 3) mm, by scaling and squaring.
    """
    counts = torch.tensor(SHAPE_GRID.shape, dtype=torch.float32)
    to_unit = 2.0 / ((counts - 1) * SHAPE_GRID.spacing_mm[0])
    axes = [torch.linspace(-1, 1, n) for n in SHAPE_GRID.shape]
    home = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)
    moved = torch.from_numpy(velocity / np.float32(2**_SQUARINGS))[None]
    moved = moved.contiguous(memory_format=torch.channels_last_3d)
    for _ in range(_SQUARINGS):
        place = home + moved[0].permute(1, 2, 3, 0) * to_unit
        further = torch.nn.functional.grid_sample(
            moved, place.flip(-1)[None], padding_mode="border", align_corners=True
        )
        moved = moved + further
    found: Vectors = moved[0].permute(1, 2, 3, 0).numpy()
    return found


def _random_velocity(model: ShapeModel, rng: np.random.Generator) -> Vectors:
    """Smooth displacements, mostly the same on both sides."""

    def component() -> Field:
        wide = smooth_noise(rng, SHAPE_GRID, model.wide_fwhm_mm)
        return model.wide_mm * wide + model.fine_mm * smooth_noise(
            rng, SHAPE_GRID, model.fine_fwhm_mm
        )

    both = np.stack([component() for _ in range(3)])
    mirrored = both[:, ::-1] * np.array([-1, 1, 1], dtype=np.float32)[:, None, None, None]
    private = np.stack(
        [model.private_mm * smooth_noise(rng, SHAPE_GRID, model.private_fwhm_mm) for _ in range(3)]
    )
    symmetric = model.symmetric_weight * (both + mirrored) / np.float32(np.sqrt(2))
    velocity: Vectors = (symmetric + model.private_weight * private).astype(np.float32)
    return velocity


def _log_jacobian(ground: Ground, traits: Traits, rng: np.random.Generator) -> Field:
    """How much each place widens (+) or shrinks (-); the CSF outside the brain makes up for it."""
    model, years = ground.parameters.shape, traits.age - _REFERENCE_AGE
    amounts: dict[str, float] = {
        region: value * traits.atrophy for region, value in _atrophy(ground, traits).items()
    }
    aging = {
        VENTRICLES: model.ventricle_log_jacobian
        + model.ventricle_per_year * years
        + rng.normal(0, model.ventricle_sd),
        "hippocampus": model.hippocampus_log_jacobian
        + model.hippocampus_per_year * years
        + rng.normal(0, model.hippocampus_sd),
    }
    for region, value in aging.items():
        amounts[region] = amounts.get(region, 0.0) + value
    change = np.zeros(SHAPE_GRID.shape, dtype=np.float32)
    for region, amount in amounts.items():
        change += np.float32(amount) * ground.regions[region]
    change -= ground.outer_csf * np.float32(change.sum() / max(int(ground.outer_csf.sum()), 1))
    return change


def _atrophy(ground: Ground, traits: Traits) -> Mapping[str, float]:
    return ground.parameters.diseases[traits.pathology].atrophy


def _shrinking_velocity(log_jacobian: Field) -> Vectors:
    """The curl-free velocity whose divergence is that field, mm: gradient of a Poisson solution."""
    shape = tuple(n + _PADDING_VOX for n in log_jacobian.shape)
    padded = np.zeros(shape, dtype=np.float32)
    padded[tuple(slice(0, n) for n in log_jacobian.shape)] = log_jacobian
    padded -= padded.mean()
    step = SHAPE_GRID.spacing_mm[0]
    waves = [
        (2 * np.pi * frequency(n, step)).astype(np.float32)
        for n, frequency in zip(shape, (fft.fftfreq, fft.fftfreq, fft.rfftfreq), strict=True)
    ]
    kx, ky, kz = np.meshgrid(*waves, indexing="ij", sparse=True)
    square = kx**2 + ky**2 + kz**2
    square[0, 0, 0] = 1
    potential = fft.rfftn(padded) / square
    inside = tuple(slice(0, n) for n in log_jacobian.shape)
    velocity: Vectors = np.stack(
        [fft.irfftn(-1j * k * potential, s=shape)[inside].astype(np.float32) for k in (kx, ky, kz)]
    )
    return velocity


def _taper() -> Field:
    """1 inside, falling to 0 at the edge of the grid, so that the maps end at rest."""
    edge = np.ones((1, 1, 1), dtype=np.float32)
    for axis, place in enumerate(axes_mm(SHAPE_GRID)):
        low = SHAPE_GRID.affine[axis, 3]
        high = low + SHAPE_GRID.spacing_mm[axis] * (SHAPE_GRID.shape[axis] - 1)
        edge = edge * np.clip(np.minimum(place - low, high - place) / _TAPER_MM, 0, 1)
    taper: Field = edge.astype(np.float32)
    return taper


def _head_affine(
    model: ShapeModel, traits: Traits, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Template-sized to own size, (4, 4): head size by sex, unequal axes, a little shear."""
    size = rng.normal(model.size_men if traits.sex == "M" else model.size_women, model.size_sd)
    axes = size * (1 + rng.normal(0, model.axis_sd, 3))
    shear = np.eye(3) + np.triu(rng.normal(0, model.shear_sd, (3, 3)), 1)
    affine = np.eye(4)
    affine[:3, :3] = shear @ np.diag(axes)
    return affine
