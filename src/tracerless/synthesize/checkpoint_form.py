"""How a checkpoint becomes tensors and plain facts, and back.

A model must stay small: maps are kept in the brain and its surroundings only, as float16, masks as
bits. Memory holds the same numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.grid import Grid
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.synthesize.calibration import Calibration
from tracerless.synthesize.conformal import Held
from tracerless.synthesize.expected import Expected, half
from tracerless.synthesize.intervals import Interval, VoxelWidth
from tracerless.synthesize.objectives import objective
from tracerless.synthesize.output import SURROUNDINGS_MM

Tensors = dict[str, NDArray[Any]]


def support(brain: NDArray[np.bool_], grid: Grid) -> NDArray[np.bool_]:
    """(I, J, K) where maps are kept: the brain, and as far beyond as an output may reach."""
    reach_mm = SURROUNDINGS_MM + float(np.linalg.norm(grid.spacing_mm))
    away_mm = ndimage.distance_transform_edt(~brain, sampling=grid.spacing_mm)
    near: NDArray[np.bool_] = away_mm <= reach_mm
    return near


def within(expected: Expected, kept: NDArray[np.bool_]) -> Expected:
    """The maps as they are kept: float16 numbers, nothing outside."""
    mean = np.where(kept, half(expected.mean), np.nan).astype(np.float32)
    effects = np.where(kept & np.isfinite(mean), half(expected.effects), 0).astype(np.float32)
    return Expected(mean, effects, expected.names, expected.centers, expected.limits)


def rounded(weights: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """The weights as float16 numbers, which a checkpoint keeps in half the space.

    Raises:
        OverflowError: a weight is too large for float16.
    """
    made = {}
    for name, weight in weights.items():
        if np.abs(weight).max(initial=0) > np.finfo(np.float16).max:
            raise OverflowError(name)
        made[name] = half(weight)
    return made


def packed_weights(weights: Mapping[str, NDArray[np.float32]]) -> Tensors:
    """``weight/<name>``; as float16 where that loses nothing."""
    return {f"weight/{name}": _narrow(array) for name, array in weights.items()}


def unpacked_weights(tensors: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    """What ``packed_weights`` was given."""
    return {
        name.removeprefix("weight/"): array.astype(np.float32)
        for name, array in tensors.items()
        if name.startswith("weight/")
    }


def packed_expected(name: str, expected: Expected, kept: NDArray[np.bool_]) -> Tensors:
    """Mean and effects over the kept voxels."""
    effects = expected.effects[:, kept]
    return {
        f"{name}/mean": expected.mean[kept].astype(np.float16),
        f"{name}/effects": effects.astype(np.float16),
    }


def plain_expected(expected: Expected) -> dict[str, Any]:
    """What is not a map."""
    return {
        "names": list(expected.names),
        "centers": list(expected.centers),
        "limits": [list(each) for each in expected.limits],
    }


def expected_of(
    name: str, tensors: Mapping[str, NDArray[Any]], facts: Mapping[str, Any],
    kept: NDArray[np.bool_],
) -> Expected:  # fmt: skip
    """What both were given."""
    effects = tensors[f"{name}/effects"]
    return Expected(
        laid(tensors[f"{name}/mean"].astype(np.float32), kept),
        np.stack([laid(e.astype(np.float32), kept, outside=0) for e in effects])
        if len(effects)
        else np.zeros((0, *kept.shape), dtype=np.float32),
        tuple(facts["names"]),
        tuple(facts["centers"]),
        tuple((float(low), float(high)) for low, high in facts["limits"]),
    )


def laid(values: NDArray[Any], where: NDArray[np.bool_], outside: float = np.nan) -> NDArray[Any]:
    """(V,) values of the voxels ``where`` as (I, J, K)."""
    array = np.full(where.shape, outside, dtype=values.dtype)
    array[where] = values
    return array


def shapes(recipe: SynthesizeRecipe, shape: tuple[int, int, int]) -> dict[str, tuple[int, ...]]:
    """Shapes of the weights kept, by ``<part>/<parameter>``.

    Args:
        recipe: that names network and objective.
        shape: voxels of the brain's box.
    """
    plan = objective(recipe)
    with torch.random.fork_rng(devices=[]):  # torch's random state stays
        parts = plan.parts(shape)
    return {
        f"{part}/{name}": tuple(weight.shape)
        for part in plan.kept
        for name, weight in parts[part].state_dict().items()
    }


def bits(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A mask, eight voxels a byte."""
    return np.packbits(mask)


def mask_of(packed: NDArray[np.uint8], shape: Sequence[int]) -> NDArray[np.bool_]:
    """What ``bits`` was given."""
    count = int(np.prod(shape))
    return np.unpackbits(packed, count=count).astype(bool).reshape(tuple(shape))


def plain(value: Any) -> Any:
    """A frozen value as what JSON knows."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def plain_interval(each: Interval) -> Any:
    """An interval as what JSON knows."""
    return plain(asdict(each))


def interval_of(record: Mapping[str, Any]) -> Interval:
    """What ``plain_interval`` was given."""
    fields = dict(record)
    for name in ("regions", "base", "factor"):
        fields[name] = tuple(fields[name])
    held = {name: tuple((g, int(n)) for g, n in pairs) for name, pairs in fields["held"].items()}
    voxels = fields["voxels"]
    if voxels is not None:
        voxels = VoxelWidth(**{**voxels, "factors": tuple(voxels["factors"])})
    return Interval(**{**fields, "held": Held(**held), "voxels": voxels})


def calibration_of(record: Mapping[str, Any]) -> Calibration:
    """A calibration from its plain form."""
    return Calibration(**{**record, "slopes": tuple(record["slopes"])})


def _narrow(array: NDArray[np.float32]) -> NDArray[Any]:
    small = np.abs(array).max(initial=0) <= np.finfo(np.float16).max
    narrow = array.astype(np.float16) if small else None
    return array if narrow is None or not np.array_equal(narrow, array) else narrow
