"""What made a value: versions, settings and digests, as they stand in every record."""

import dataclasses
import functools
import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tracerless import __version__
from tracerless.core.recipe import Recipe
from tracerless.core.session import Template
from tracerless.io import resources
from tracerless.workspace.dataset import Dataset

SOFTWARE = ("antspyx", "deepbet", "nibabel", "numpy", "pydicom", "scipy", "torch")
"""Packages whose version can move a number."""

THREADS = 1
"""Threads of the registration engine: on more, sums round in another order (`prepare.engine`)."""


def provenance(dataset: Dataset, *, native: bool = False) -> dict[str, Any]:
    """Versions; and for values after conversion settings, seed, threads, template and atlas.

    No time, no path and no name of a machine: equal input, equal bytes.
    """
    if native:
        return {"software": software()}
    return {"software": software(), **_settings(dataset.root, dataset.recipe)}


@functools.cache
def software() -> dict[str, str]:
    """Versions by package, Python among them; ``absent`` where a package is not installed."""
    known = {name: _version(name) for name in SOFTWARE}
    return {"tracerless": __version__, "python": platform.python_version(), **known}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def template_digest(template: Template) -> str:
    """SHA-256 over the volumes of a template and its grid."""
    digest = hashlib.sha256(template.grid.affine.tobytes())
    for volume in (template.t1, template.grey, template.white, template.brain):
        digest.update(volume.array.tobytes())
    return digest.hexdigest()


@functools.lru_cache(maxsize=8)
def _settings(root: Path, recipe: Recipe) -> dict[str, Any]:
    made_by = recipe.prepare
    template = resources.template(made_by.voxel_mm)
    atlas = resources.atlas(made_by.atlas, made_by.voxel_mm, root)
    return {
        "settings": {
            "prepare": dataclasses.asdict(made_by),
            "quantify": dataclasses.asdict(recipe.quantify),
        },
        "seed": made_by.seed,
        "threads": THREADS,
        "template": {
            "key": template.key,
            "voxel_mm": made_by.voxel_mm,
            "sha256": template_digest(template),
        },
        "atlas": {"key": atlas.key, "fingerprint": atlas.fingerprint},
    }
