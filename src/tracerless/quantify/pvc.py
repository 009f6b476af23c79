"""Partial-volume correction of emission: what each region took up, had nothing spilled."""

import logging
from collections.abc import Mapping

import numpy as np

from tracerless.core.atlas import Atlas, RoiTable
from tracerless.core.errors import ContrastError, QuantityError
from tracerless.core.recipe import PrepareRecipe, QuantifyRecipe
from tracerless.core.recipe import fingerprint as digest
from tracerless.core.session import Anatomy, Native, NativeSeries, Prepared
from tracerless.core.transform import resample
from tracerless.core.volume import Contrast, Quantity, Scale, Volume, with_array
from tracerless.quantify import pvc_model
from tracerless.quantify.pvc_atoms import Atoms, Map, atoms
from tracerless.quantify.pvc_tables import Corrected

VERSION = 1
"""Part of every fingerprint; raised when a change of the code moves a number."""

CORRECTED = (Contrast.FDG, Contrast.ECD, Contrast.HMPAO)
"""Contrasts that are corrected."""

POINT_SPREAD = "PointSpreadFWHM"
"""Field of the sidecar that declares a scanner's resolution, mm FWHM."""

WIDEST_MM = 20.0
"""No scanner is that blunt, mm."""

_log = logging.getLogger(__name__)


def corrected(
    native: Native,
    prepared: Prepared,
    atlas: Atlas,
    *,
    prepare_recipe: PrepareRecipe,
    quantify_recipe: QuantifyRecipe,
) -> Mapping[Contrast, RoiTable]:
    """Partial-volume corrected region tables of a session's emission, by contrast.

    The scanner's own volume is sampled once on the lattice of the tissue maps and corrected there;
    nothing that was blurred or resampled before goes in.

    Args:
        native: the session's converted series; each emission series declares its resolution.
        prepared: the same session with its anatomy and alignments.
        atlas: regions in the template space of ``prepared``.
        prepare_recipe: names the reference region of each contrast.
        quantify_recipe: the method, ``none``, ``gtm`` or ``mg``.

    Returns:
        SUVR per region: the level of its grey matter (of deep structures: of all their tissue),
        divided by that of the reference. ``volume_ml`` is the person's own, ``n_voxels`` counts
        voxels of the lattice. ``gtm`` knows a mean only, its median and spread are NaN; so is the
        mean of a region of which too little was seen. Empty when the method is ``none`` or there is
        no emission.

    Raises:
        ContrastError: the session has no T1.
        QuantityError: a scanner's resolution is undeclared, not believable or finer than the
            lattice; the regions cannot be told apart; the reference is not positive.
        GeometryError: atlas and anatomy do not meet.
    """
    wanted = [contrast for contrast in CORRECTED if contrast in prepared.volumes]
    if quantify_recipe.pvc == "none" or not wanted:
        return {}
    anatomy = _require_anatomy(prepared)
    chosen = {contrast: _require_series(native, contrast) for contrast in wanted}
    for contrast, series in chosen.items():
        _require_wider(_point_spread_mm(series), contrast, anatomy)
    pieces = atoms(atlas, anatomy, prepared.to_template)
    return {
        contrast: _table(series, prepared, atlas, pieces, prepare_recipe, quantify_recipe)
        for contrast, series in chosen.items()
    }


def _table(
    series: NativeSeries,
    prepared: Prepared,
    atlas: Atlas,
    pieces: Atoms,
    prepare_recipe: PrepareRecipe,
    quantify_recipe: QuantifyRecipe,
) -> RoiTable:
    contrast, fwhm_mm = series.contrast, _point_spread_mm(series)
    name = prepare_recipe.reference(contrast)
    atlas.reference(name)
    pull = prepared.alignments.get(contrast)
    sampled = resample(_mean(series), pieces.grid, pull, order=3).array
    found = _corrected(sampled, pieces, fwhm_mm, quantify_recipe.pvc)
    level = _positive(found.reference(name), name, contrast)
    _log.info("%s: condition of the transfer matrix %.0f", contrast, found.levels.condition)
    return RoiTable(
        contrast=contrast,
        quantity=Quantity.SUVR,
        atlas=atlas.key,
        reference=name,
        fingerprint=digest(prepared.fingerprint, "pvc", VERSION, quantify_recipe, fwhm_mm),
        values=found.table(atlas.keys, level),
        composites=found.table(atlas.composites, level),
        references={each: found.reference(each) / level for each in atlas.references},
        pvc=quantify_recipe.pvc,
        scale=_scale(series, level) if contrast in prepared.scales else None,
    )


def _corrected(sampled: Map, pieces: Atoms, fwhm_mm: float, method: str) -> Corrected:
    found = pvc_model.levels(sampled, pieces, fwhm_mm)
    voxels = pvc_model.voxelwise(sampled, pieces, fwhm_mm, found) if method == "mg" else None
    return Corrected(pieces, np.isfinite(sampled), found, voxels)


def _mean(series: NativeSeries) -> Volume:
    """The mean of all frames, (I, J, K); NaN where a frame saw nothing."""
    first = series.volumes[0]
    if len(series.volumes) == 1:
        return first
    frames = np.stack([frame.array for frame in series.volumes])
    return with_array(first, frames.mean(axis=0, dtype=np.float64).astype(np.float32))


def _scale(series: NativeSeries, level: float) -> Scale | None:
    factor = series.sidecar.get("SuvFactor")
    return None if factor is None else Scale(Quantity.SUV, level * float(factor))


def _positive(level: float, name: str, contrast: Contrast) -> float:
    if not level > 0:
        raise QuantityError(
            f"The corrected mean {contrast} in the {name} is {level:.4g}, not positive.",
            hint="Check the series and its alignment, or choose another reference.",
        )
    return level


def _require_anatomy(prepared: Prepared) -> Anatomy:
    if prepared.anatomy is None:
        raise ContrastError(
            f"{prepared.key} has no tissue maps: partial-volume correction needs a T1.",
            hint='Add the T1 of this visit, or set quantify.pvc = "none".',
        )
    return prepared.anatomy


def _require_series(native: Native, contrast: Contrast) -> NativeSeries:
    series = native.of(contrast)
    if series is None:
        raise ContrastError(
            f"{native.key} has no {contrast} series of its own to correct.",
            hint="Prepare and measure the session from the same scans.",
        )
    return series


def _point_spread_mm(series: NativeSeries) -> float:
    """The declared resolution, mm FWHM.

    Raises:
        QuantityError: nothing is declared, or not a number that a scanner can have.
    """
    value = series.sidecar.get(POINT_SPREAD)
    hint = f"Declare {POINT_SPREAD} (mm) of this scanner in site.toml; it is never guessed."
    if value is None:
        raise QuantityError(
            f"Partial-volume correction of {series.contrast} needs the scanner's resolution "
            f"({POINT_SPREAD}), which is undeclared.",
            hint=hint,
        )
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value <= WIDEST_MM:
        raise QuantityError(
            f"{POINT_SPREAD}={value!r} of {series.contrast} is not a number of 0-{WIDEST_MM:g} mm.",
            hint=hint,
        )
    return float(value)


def _require_wider(fwhm_mm: float, contrast: Contrast, anatomy: Anatomy) -> None:
    spacing_mm = max(anatomy.grid.spacing_mm)
    if fwhm_mm < spacing_mm:
        raise QuantityError(
            f"{POINT_SPREAD}={fwhm_mm:g} mm of {contrast} is finer than the tissue maps "
            f"({spacing_mm:g} mm).",
            hint="Lower prepare.voxel_mm, and prepare again.",
        )
