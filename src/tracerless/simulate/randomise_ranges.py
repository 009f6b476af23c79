"""Within which limits randomised scanners and people are drawn, as one checked, frozen value.

The numbers lie in ``data/simulate/randomise.toml`` with their sources.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from tracerless.core.errors import RecipeError
from tracerless.core.recipe import fingerprint
from tracerless.simulate.parameters import section

Range = tuple[float, float]
"""Lowest and highest of a uniform draw."""


@dataclass(frozen=True, slots=True)
class SiteRanges:
    """How many sites there are, and what their field strength does to tissue and noise.

    ``t1_power``: T1 grows with field to that power; ``t2_low_field`` and ``snr_low_field`` are
    factors of the low field against the high one.
    """

    count: float
    low_field_share: float
    low_field_t: float
    high_field_t: float
    t1_power: float
    t2_low_field: Range
    t1_blood_low_field_s: float
    snr_low_field: Range


@dataclass(frozen=True, slots=True)
class T1wRanges:
    """MPRAGE of a site; fields as ``protocols.T1wProtocol``, voxels in plane and across."""

    shot_s: Range
    inversion_s: Range
    echo_spacing_s: Range
    flip_deg: Range
    snr: Range
    voxel_mm: Range
    slice_mm: Range


@dataclass(frozen=True, slots=True)
class T2wRanges:
    """Turbo spin echo of a site; fields as ``protocols.T2wProtocol``."""

    repetition_s: Range
    echo_s: Range
    snr: Range
    voxel_mm: Range
    slice_mm: Range


@dataclass(frozen=True, slots=True)
class AslRanges:
    """Labeling of a site; fields as ``protocols.AslProtocol``, blur in plane and across slices."""

    label_duration_s: Range
    pld_s: Range
    efficiency: Range
    m0_recovery_s: Range
    suppression: Range
    snr_m0: Range
    physiological: Range
    plane_fwhm_mm: Range
    slice_fwhm_mm: Range
    voxel_mm: Range
    slice_mm: Range
    n_pairs: Range


@dataclass(frozen=True, slots=True)
class PetRanges:
    """PET of a site; fields as ``protocols.PetProtocol``."""

    detector_fwhm_mm: Range
    post_fwhm_mm: Range
    noise: Range
    voxel_mm: Range


@dataclass(frozen=True, slots=True)
class VisitRanges:
    """What differs from visit to visit, and what preparation leaves.

    ``residual_mm``: smooth registration error, root mean square; ``unregistered``: share of the
    person's own shape that registration leaves in; ``…_mm``: rigid error of a series against T1w,
    with ``degrees_per_mm``; ``receive_field``: SD of its logarithm; ``snr``: factor on the site's.
    """

    residual_mm: Range
    unregistered: Range
    t2w_mm: Range
    asl_mm: Range
    pet_mm: Range
    degrees_per_mm: float
    receive_field: Range
    snr: Range


@dataclass(frozen=True, slots=True)
class CutRanges:
    """How often a series misses a part of the brain, by how much, and how often it is absent."""

    asl_below_share: float
    asl_below_mm: Range
    asl_above_share: float
    asl_above_mm: Range
    t2w_below_share: float
    t2w_below_mm: Range
    t2w_above_share: float
    t2w_above_mm: Range
    pet_above_share: float
    pet_above_mm: Range
    tilt_deg: Range
    t2w_missing_share: float
    asl_missing_share: float


@dataclass(frozen=True, slots=True)
class AnatomyRanges:
    """How much wider people differ than ``people.toml`` says.

    Factors on displacements and on local thinning; further SDs of ventricles and hippocampus
    (log-Jacobian), thinning (log-odds), lesions (log load, threshold in SD) and arrival (s).
    """

    displacement: Range
    ventricle_sd: float
    hippocampus_sd: float
    thinning_sd: float
    thinning_local: Range
    lesion_log_load_sd: float
    lesion_threshold_sd: float
    transit_sd_s: float


@dataclass(frozen=True, slots=True)
class Ranges:
    """Everything that randomised people are drawn from; ``fingerprint`` names these numbers.

    Raises:
        RecipeError: a range that runs backwards.
    """

    sites: SiteRanges
    t1w: T1wRanges
    t2w: T2wRanges
    asl: AslRanges
    pet: PetRanges
    visit: VisitRanges
    cuts: CutRanges
    anatomy: AnatomyRanges
    fingerprint: str

    def __post_init__(self) -> None:
        """Check once."""
        for name in SECTIONS:
            part = getattr(self, name)
            for each in fields(part):
                value = getattr(part, each.name)
                if isinstance(value, tuple) and not (len(value) == 2 and value[0] <= value[1]):
                    raise RecipeError(
                        f"{name}.{each.name}={list(value)} should be [low, high].",
                        hint="Correct it in randomise.toml.",
                    )


SECTIONS: Mapping[str, type] = {
    "sites": SiteRanges,
    "t1w": T1wRanges,
    "t2w": T2wRanges,
    "asl": AslRanges,
    "pet": PetRanges,
    "visit": VisitRanges,
    "cuts": CutRanges,
    "anatomy": AnatomyRanges,
}
"""Sections of ``randomise.toml``, and the values they become."""


def ranges(tables: Mapping[str, Any]) -> Ranges:
    """The ranges that ``randomise.toml`` declares.

    Args:
        tables: that file, as ``io.simulate_tables.read_toml`` returns it.

    Raises:
        RecipeError: a section, a source or a number is missing, or a range runs backwards.
    """
    made: dict[str, Any] = {
        name: section(tables.get(name), kind, name) for name, kind in SECTIONS.items()
    }
    return Ranges(**made, fingerprint=fingerprint(repr(tables)))


def drawn(span: Range, rng: np.random.Generator) -> float:
    """A number within the range."""
    return float(rng.uniform(*span))
