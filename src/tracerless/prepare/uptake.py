"""What an emission series measured: the right series, one volume of it, and its ratio."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracerless.core.atlas import Atlas
from tracerless.core.errors import ContrastError, QuantityError
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.scaling import suvr
from tracerless.core.session import Native, NativeSeries
from tracerless.core.transform import gaussian
from tracerless.core.volume import Contrast, Quantity, Scale, Volume, with_array

ACQUIRED_EMISSION = (Contrast.FDG, Contrast.HMPAO, Contrast.ECD)
"""Contrasts that become SUVR."""

ATTENUATION = "ATTN"
"""DICOM's word in ``CorrectedImage`` for a volume that is corrected for attenuation."""


@dataclass(frozen=True, slots=True, eq=False)
class Uptake:
    """One emission volume in its own space.

    Args:
        series: where it is from.
        volume: mean over its frames, at the recipe's resolution; in the unit of the series.
        source: how it was made.
        notes: one sentence for each thing that makes the session ``review``.
    """

    series: NativeSeries
    volume: Volume
    source: Mapping[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Ratio:
    """SUVR on the template grid, what brings it back to SUV, and how it was made."""

    volume: Volume
    scale: Scale | None
    source: Mapping[str, Any]


def uptake(native: Native, contrast: Contrast, recipe: PrepareRecipe) -> Uptake:
    """The uptake that a session shows in one contrast.

    A PET that is declared not to be corrected for attenuation is never measured: another series of
    the contrast takes its place. Frames that hold a single value are left out; the others count by
    their duration where it is known.

    Args:
        native: the session.
        contrast: one of ``ACQUIRED_EMISSION``.
        recipe: whose ``harmonize_fwhm_mm`` is the resolution to bring it to.

    Raises:
        ContrastError: the session has no such series.
        QuantityError: no series is corrected for attenuation, nothing was measured, or the volume
            cannot be brought to the resolution.
    """
    held = [each for each in native.series if each.contrast == contrast]
    if not held:
        raise ContrastError(f"{native.key} has no {contrast}.")
    usable = [each for each in held if not is_uncorrected(each)]
    if not usable:
        words = ", ".join(_corrections(held[0]))
        raise QuantityError(
            f"The {contrast} is not corrected for attenuation (CorrectedImage holds {words}; "
            f"{ATTENUATION} expected).",
            hint="Export the attenuation-corrected reconstruction of this scan.",
        )
    chosen = usable[0]
    volume, n_frames = mean(chosen)
    blur_mm = harmonizing_fwhm_mm(chosen, recipe)
    source: dict[str, Any] = {
        "n_frames": n_frames,
        "attenuation": _attenuation(chosen),
        "harmonize_fwhm_mm": recipe.harmonize_fwhm_mm,
        "harmonizing_blur_mm": round(blur_mm, 3),
    }
    if len(usable) < len(held):
        source["n_uncorrected_left_out"] = len(held) - len(usable)
    return Uptake(chosen, gaussian(volume, blur_mm), source, _notes(chosen, n_frames))


def is_uncorrected(series: NativeSeries) -> bool:
    """Whether a PET states its corrections, and that for attenuation is not among them."""
    stated = _corrections(series)
    is_pet = series.sidecar.get("Modality", "PT") == "PT"
    return is_pet and bool(stated) and ATTENUATION not in stated


def mean(series: NativeSeries) -> tuple[Volume, int]:
    """The mean over the frames that hold more than one value, and how many these are.

    Frames count by ``FrameDuration`` where every frame has one.

    Raises:
        QuantityError: every frame holds a single value.
    """
    durations = series.sidecar.get("FrameDuration") or ()
    known = len(durations) == len(series.volumes) and all(each > 0 for each in durations)
    weights = durations if known else [1.0] * len(series.volumes)
    pairs = list(zip(series.volumes, weights, strict=True))
    frames = [(frame, weight) for frame, weight in pairs if _varies(frame)]
    if not frames:
        raise QuantityError(
            f"The {series.contrast} holds one single value ({_any_value(series):g}): nothing was "
            "measured.",
            hint="Export the series again from the archive.",
        )
    whole = sum(float(weight) for _, weight in frames)
    average = np.zeros(series.grid.shape, dtype=np.float64)
    for frame, weight in frames:
        average += frame.array * np.float64(float(weight) / whole)
    return with_array(frames[0][0], average.astype(np.float32)), len(frames)


def harmonizing_fwhm_mm(series: NativeSeries, recipe: PrepareRecipe) -> float:
    """The Gaussian that brings a series from its own to the recipe's resolution, mm FWHM.

    Raises:
        QuantityError: the series' own resolution is not declared, or wider than the recipe's.
    """
    target_mm = recipe.harmonize_fwhm_mm
    if not target_mm:
        return 0.0
    own_mm = series.sidecar.get("PointSpreadFWHM")
    if own_mm is None:
        raise QuantityError(
            f"The {series.contrast} cannot be brought to {target_mm:g} mm: its own resolution is "
            "not declared.",
            hint="Declare PointSpreadFWHM in site.toml, or set prepare.harmonize_fwhm_mm to 0.",
        )
    if float(own_mm) > target_mm:
        raise QuantityError(
            f"The {series.contrast} has a resolution of {float(own_mm):g} mm, coarser than the "
            f"{target_mm:g} mm of the recipe.",
            hint="Raise prepare.harmonize_fwhm_mm to the coarsest scanner of the dataset.",
        )
    return float(np.sqrt(target_mm**2 - float(own_mm) ** 2))


def ratio(moved: Volume, series: NativeSeries, atlas: Atlas, recipe: PrepareRecipe) -> Ratio:
    """Uptake on the template grid divided by its mean in the recipe's reference region.

    Args:
        moved: on the grid of the atlas; NaN outside the field of view.
        series: whose ``SuvFactor`` (SUV = value x factor), when known, gives the scale.
        atlas: holds the reference region.
        recipe: names it.

    Raises:
        GeometryError: too little of the reference region is seen.
        QuantityError: the mean uptake in it is not positive.
        RecipeError: the atlas has no such reference region.
    """
    name = recipe.reference(series.contrast)
    smooth = gaussian(moved, recipe.pet_fwhm_mm)
    scaled = suvr(smooth, atlas.reference(name))
    level = _level(smooth, scaled)
    factor = _suv_factor(series)
    scale = Scale(Quantity.SUV, level * factor) if factor else None
    source = {
        "fwhm_mm": recipe.pet_fwhm_mm,
        "reference": name,
        "reference_mean": float(f"{level:.6g}"),
        "reference_unit": str(series.volumes[0].quantity),
        "equation": f"SUVR = uptake / mean uptake in {name}",
        **_suv_source(series, factor, scale),
    }
    return Ratio(scaled, scale, source)


def _level(smooth: Volume, scaled: Volume) -> float:
    """What ``smooth`` was divided by."""
    known = np.isfinite(scaled.array) & (scaled.array > 0)
    total = smooth.array[known].sum(dtype=np.float64)
    return float(total / scaled.array[known].sum(dtype=np.float64))


def _suv_factor(series: NativeSeries) -> float:
    """SUV of one unit of the series' values; 0 when unknown."""
    factor = series.sidecar.get("SuvFactor")
    if factor is None:
        return 1.0 if series.volumes[0].quantity is Quantity.SUV else 0.0
    usable = isinstance(factor, int | float) and 0 < factor < float("inf")
    return float(factor) if usable else 0.0


def _suv_source(series: NativeSeries, factor: float, scale: Scale | None) -> dict[str, Any]:
    if scale is None:
        why = series.sidecar.get("SuvReason") or "the series carries no factor to SUV"
        return {"suv": f"unknown: {why}"}
    origin = dict(series.sidecar.get("ValueOrigins") or {}).get("SuvFactor", "the series' unit")
    return {
        "suv": "SUV = SUVR x reference_mean x suv_factor",
        "suv_factor": factor,
        "suv_factor_origin": origin,
    }


def _attenuation(series: NativeSeries) -> str:
    stated = _corrections(series)
    if ATTENUATION in stated:
        return "corrected"
    return "stated, without attenuation" if stated else "not stated"


def _notes(series: NativeSeries, n_frames: int) -> tuple[str, ...]:
    notes = []
    if series.sidecar.get("SideUnverified"):
        notes.append(f"The {series.contrast} does not say which side is left: side unverified.")
    if n_frames < len(series.volumes):
        n_left_out = len(series.volumes) - n_frames
        notes.append(f"{n_left_out} empty frame(s) of the {series.contrast} are left out.")
    return tuple(notes)


def _corrections(series: NativeSeries) -> tuple[str, ...]:
    """The words of ``CorrectedImage``; empty when not stated."""
    stated = series.sidecar.get("CorrectedImage") or ()
    words = [stated] if isinstance(stated, str) else stated
    return tuple(str(word).strip().upper() for word in words)


def _varies(frame: Volume) -> bool:
    known = frame.array[np.isfinite(frame.array)]
    return bool(known.max() > known.min())


def _any_value(series: NativeSeries) -> float:
    first = series.volumes[0].array
    return float(first[np.isfinite(first)][0])
