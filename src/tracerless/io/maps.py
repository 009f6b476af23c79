"""Maps between spaces as files: exact to the bit, as ``.npz`` without pickled objects."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tracerless.core.errors import DatasetError
from tracerless.core.grid import Grid
from tracerless.core.transform import Affine, Chain, Displacement, PointMap
from tracerless.io.atomic import atomic


def write_map(path: Path, point_map: PointMap) -> None:
    """Write an affine, a displacement, or a chain of them; equal maps give equal bytes.

    Raises:
        TypeError: the map is of another kind.
    """
    steps: list[dict[str, Any]] = []
    arrays: dict[str, Any] = {}
    for number, step in enumerate(_flat(point_map)):
        record: dict[str, Any] = {"source": step.source, "target": step.target}
        if isinstance(step, Affine):
            arrays[f"matrix{number}"] = step.matrix
        else:
            arrays[f"affine{number}"] = step.grid.affine
            arrays[f"vectors{number}"] = step.vectors
        steps.append(record)
    text = np.frombuffer(json.dumps(steps, sort_keys=True).encode(), dtype=np.uint8)
    with atomic(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, steps=text, **arrays)


def read_map(path: Path) -> PointMap:
    """The map in that file, equal to the bit to the one written.

    Raises:
        DatasetError: the file is not such a map.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            steps = json.loads(stored["steps"].tobytes())
            maps = [_step(dict(stored), number, step) for number, step in enumerate(steps)]
    except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DatasetError(
            f"{path.name} is not a map between spaces ({type(error).__name__}).",
            hint="Delete it and run `tracerless prepare` again.",
        ) from None
    return maps[0] if len(maps) == 1 else Chain(tuple(maps))


def _flat(point_map: PointMap) -> list[Affine | Displacement]:
    if isinstance(point_map, Chain):
        return [step for each in point_map.maps for step in _flat(each)]
    if isinstance(point_map, Affine | Displacement):
        return [point_map]
    raise TypeError(f"A map of kind {type(point_map).__name__} has no file format.")


def _step(arrays: dict[str, Any], number: int, record: dict[str, str]) -> PointMap:
    source, target = record["source"], record["target"]
    if f"matrix{number}" in arrays:
        return Affine(source, target, arrays[f"matrix{number}"])
    vectors = arrays[f"vectors{number}"]
    grid = Grid(vectors.shape[:3], arrays[f"affine{number}"])
    return Displacement(source, target, grid, vectors)
