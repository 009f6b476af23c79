"""What a volume measures in every region of an atlas."""

from collections.abc import Mapping

from tracerless.core.atlas import Atlas, RoiTable
from tracerless.core.errors import GeometryError
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.session import Prepared
from tracerless.core.volume import EMISSION, Contrast, Quantity, Scale, Volume
from tracerless.quantify import sampling

BRAIN = "brain"
"""Relative CBF is divided by its mean over the template brain."""


def session(prepared: Prepared, atlas: Atlas, recipe: PrepareRecipe) -> Mapping[Contrast, RoiTable]:
    """A region table for every volume of a prepared session, by contrast.

    Args:
        prepared: one session on the grid of the atlas.
        atlas: regions, composites and reference regions.
        recipe: names the reference region of each emission contrast.

    Raises:
        GeometryError: session and atlas lie on different grids.
        RecipeError: the atlas has no such reference region.
    """
    return {
        contrast: table(
            volume,
            atlas,
            reference=_reference(volume, atlas, recipe),
            fingerprint=prepared.fingerprint,
            scale=prepared.scales.get(contrast),
        )
        for contrast, volume in prepared.volumes.items()
    }


def _reference(volume: Volume, atlas: Atlas, recipe: PrepareRecipe) -> str:
    """What a prepared volume was divided by; empty when it is no ratio."""
    if volume.contrast in EMISSION:
        name = recipe.reference(volume.contrast)
        atlas.reference(name)
        return name
    return BRAIN if volume.quantity is Quantity.RELATIVE_CBF else ""


def table(
    volume: Volume,
    atlas: Atlas,
    *,
    reference: str,
    fingerprint: str,
    scale: Scale | None = None,
) -> RoiTable:
    """Mean, median and spread of a volume in every region of the atlas.

    Args:
        volume: on the atlas' grid; NaN where nothing was seen. A zero is a measured zero.
        atlas: regions, composites and reference regions.
        reference: what the volume was divided by; empty when its quantity is not a ratio.
        fingerprint: of everything that made the volume.
        scale: what brings the ratio back to a unit, where that is known.

    Returns:
        One row per region and per composite: ``n_voxels`` seen, ``volume_ml`` of the whole region,
        ``coverage`` = seen over all (0-1), ``mean``, ``median``, ``sd`` (population); NaN where
        nothing was seen. Of the reference regions the means, NaN likewise.

    Raises:
        GeometryError: volume and atlas lie on different grids.
    """
    if volume.grid != atlas.grid:
        raise GeometryError(
            f"{volume!r} and atlas {atlas.key} lie on different grids.",
            hint="Load the atlas at the voxel_mm of the recipe that prepared the volume.",
        )
    references = sampling.reference_places(atlas)
    return RoiTable(
        contrast=volume.contrast,
        quantity=volume.quantity,
        atlas=atlas.key,
        reference=reference,
        fingerprint=fingerprint,
        values=sampling.measured(volume.array, sampling.places(atlas)),
        composites=sampling.measured(volume.array, sampling.composite_places(atlas)),
        references=dict(
            zip(
                references.keys,
                sampling.means(volume.array, references).tolist(),
                strict=True,
            )
        ),
        scale=scale,
    )
