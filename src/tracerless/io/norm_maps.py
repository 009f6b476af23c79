"""Norms of maps as ``.npz`` without pickled objects, and where the maps of z lie."""

import dataclasses
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from tracerless.core.errors import ModelError
from tracerless.core.grid import Grid
from tracerless.core.norm import Measured, Regression
from tracerless.core.norm_maps import MapNorm
from tracerless.core.people import SessionKey
from tracerless.core.volume import Contrast
from tracerless.io import bids
from tracerless.io.atomic import atomic
from tracerless.io.norms import design_of, plain_design
from tracerless.io.templates import TEMPLATE

FORMAT = 1
_SINGLE = ("coefficients", "sd", "sd_slope", "dof", "shift", "extra", "ratio")
_PLAIN = ("key", "kind", "n", "n_local", "pooled_mm", "fwhm_mm", "family_cut")


def write(path: Path, norm: MapNorm) -> None:
    """Write a norm of maps in single precision; equal norms give equal bytes."""
    head = {
        "format": FORMAT,
        "measured": dataclasses.asdict(norm.measured),
        "design": plain_design(norm.design),
        "people": list(norm.people),
        "shape": list(norm.grid.shape),
        "max_leverage": norm.regression.max_leverage,
        **{name: getattr(norm, name) for name in _PLAIN},
    }
    arrays = {name: getattr(norm.regression, name).astype(np.float32) for name in _SINGLE}
    text = np.frombuffer(json.dumps(head, sort_keys=True).encode(), dtype=np.uint8)
    with atomic(path) as partial, partial.open("wb") as file:
        np.savez_compressed(
            file,
            head=text,
            affine=norm.grid.affine,
            places=norm.places,
            leverage=norm.regression.leverage,
            own=norm.own,
            **arrays,
        )


def read(path: Path) -> MapNorm:
    """The norm in that file.

    Raises:
        ModelError: the file is absent, damaged, or of another format.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return _norm(json.loads(stored["head"].tobytes()), dict(stored))
    except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"{path.name} is not a norm of maps ({type(error).__name__}).",
            hint="Fit it again with `tracerless norms fit --voxels`.",
        ) from None


def map_path(root: Path, key: SessionKey, contrast: Contrast, norm: str, voxel_mm: float) -> Path:
    """Where the map of z of a scan against a norm lies; a synthetic one says so in its name."""
    return _beside(root, key, contrast, norm, voxel_mm, "stat-z_statmap.nii.gz")


def picture_path(
    root: Path, key: SessionKey, contrast: Contrast, norm: str, voxel_mm: float
) -> Path:
    """Where the surface projections of a scan against a norm lie."""
    return _beside(root, key, contrast, norm, voxel_mm, "surface.png")


def _beside(
    root: Path, key: SessionKey, contrast: Contrast, norm: str, voxel_mm: float, end: str
) -> Path:
    prepared = bids.derived_path(root, key, contrast, space=TEMPLATE, voxel_mm=voxel_mm)
    stem = prepared.name.rpartition("_desc-")[0]
    mark = "synth" if contrast is Contrast.SYNTHETIC_FDG else ""
    label = mark + "".join(filter(str.isalnum, norm))
    return prepared.with_name(f"{stem}_desc-{label}_{end}")


def _norm(head: dict[str, Any], arrays: dict[str, Any]) -> MapNorm:
    if head["format"] != FORMAT:
        raise ModelError(
            f"A norm of maps of format {head['format']}; {FORMAT} is read.",
            hint="Fit the norm again.",
        )
    i, j, k = head["shape"]
    return MapNorm(
        measured=Measured(**head["measured"]),
        design=design_of(head["design"]),
        people=tuple(head["people"]),
        grid=Grid((i, j, k), arrays["affine"]),
        places=arrays["places"],
        own=arrays["own"],
        regression=Regression(
            leverage=arrays["leverage"],
            max_leverage=float(head["max_leverage"]),
            **{name: arrays[name] for name in _SINGLE},
        ),
        **{name: head[name] for name in _PLAIN},
    )
