"""Volumes that lie in installed packages.

They are found without importing those packages: one of them cannot be imported beside a current
nilearn, and none needs to be.
"""

import importlib.resources
import importlib.util
import tomllib
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from tracerless.core.errors import DatasetError
from tracerless.core.grid import Grid
from tracerless.core.volume import Contrast, Quantity, Volume


def wheel_volume(package: str, file: str, quantity: Quantity) -> Volume:
    """A volume that lies in an installed package, turned to R, A, S.

    Args:
        package: import name; it is looked for, never imported.
        file: path below the package's folder.
        quantity: what its numbers mean; T1w volumes are of that contrast, others of none.

    Raises:
        DatasetError: the package is not installed, or lacks the file.
    """
    spec = importlib.util.find_spec(package)
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    path = next((Path(f) / file for f in folders if (Path(f) / file).is_file()), None)
    if path is None:
        raise DatasetError(
            f"The package {package} that holds {Path(file).name} is not installed.",
            hint=f"Install it: pip install {package}.",
        )
    nifti = nib.as_closest_canonical(nib.load(path))
    array = np.asarray(nifti.dataobj, dtype=np.float32)
    contrast = Contrast.T1W if quantity is Quantity.T1W else Contrast.UNKNOWN
    return Volume(array, Grid(array.shape, nifti.affine), quantity, contrast)


def package_data(*parts: str) -> Traversable:
    """A file or folder below this package's ``data``."""
    return importlib.resources.files("tracerless").joinpath("data", *parts)


def card(*parts: str) -> dict[str, Any]:
    """A TOML file below this package's ``data``."""
    return tomllib.loads(package_data(*parts).read_text(encoding="utf-8"))
