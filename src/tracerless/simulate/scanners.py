"""What scanners are: tissue values, machines and matrix sizes, as frozen values.

The numbers lie in data files (``data/simulate/scanners*``), each row with its source; the reader is
``io.simulate_scanners``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from tracerless.core.errors import RecipeError, did_you_mean
from tracerless.core.seeds import generator
from tracerless.simulate.protocols import AslProtocol, PetProtocol, T1wProtocol, T2wProtocol

BRAIN_TISSUES = ("grey", "deep_grey", "white", "lesion")
"""Tissues with flow and metabolism of their own."""

TISSUES = (*BRAIN_TISSUES, "csf", "fat", "muscle", "bone", "air", "eye")
"""Every tissue of a head; their fractions sum to 1 everywhere."""


@dataclass(frozen=True, slots=True)
class Tissue:
    """What one tissue is to a scanner.

    ``pd`` 0-1 against fluid; ``t1_s``, ``t2_s`` at 3 T; ``mu_…_per_cm`` linear attenuation of
    511 and 140 keV photons; ``fdg_suv`` and ``perfusion_share`` (against retention in grey matter)
    where the person has no field of his own for it, else NaN.
    """

    key: str
    pd: float
    t1_s: float
    t2_s: float
    mu_511_per_cm: float
    mu_140_per_cm: float
    fdg_suv: float
    perfusion_share: float


@dataclass(frozen=True, slots=True)
class PetMrScanner:
    """One PET/MR machine and how it exports (``asl_style``: ge, siemens or philips)."""

    key: str
    vendor: str
    model: str
    asl_style: str
    has_cbf_map: bool
    t1w: T1wProtocol
    t2w: T2wProtocol
    asl: AslProtocol
    pet: PetProtocol

    @property
    def name(self) -> str:
        """Maker and model, as a site is told by."""
        return f"{self.vendor} {self.model}"

    def __post_init__(self) -> None:
        """Refuse an unknown export."""
        if self.asl_style not in {"ge", "siemens", "philips"}:
            raise RecipeError(f"asl_style={self.asl_style!r} is not ge, siemens or philips.")


@dataclass(frozen=True, slots=True)
class SpectScanner:
    """One gamma camera: collimator (FWHM = offset + slope x depth), counts, reconstruction.

    ``fwhm_mm`` and ``noise`` (coefficient of variation in grey matter) serve the fast mode only.
    """

    key: str
    vendor: str
    model: str
    tracer: str
    intrinsic_fwhm_mm: float
    collimator_offset_mm: float
    collimator_slope: float
    orbit_mm: float
    counts: float
    scatter: float
    n_angles: int
    iterations: int
    subsets: int
    cutoff_per_cm: float
    order: float
    chang_per_cm: float
    fwhm_mm: float
    noise: float
    dose_mbq: float
    uptake_s: float
    view_s: float
    description: str


@dataclass(frozen=True, slots=True)
class Sizes:
    """Matrices (columns, rows, slices) and voxels (mm) of every series.

    ``head_mm``, ``head_shape``: the lattice on which a head is sampled once for every series whose
    resolution is coarser than it.
    """

    head_mm: float
    head_shape: tuple[int, int, int]
    n_pairs: int
    t1w_axial: tuple[int, int, int]
    t1w_sagittal: tuple[int, int, int]
    t1w_mm: tuple[float, float, float]
    t2w: tuple[int, int, int]
    t2w_mm: tuple[float, float, float]
    asl: tuple[int, int, int]
    asl_mm: tuple[float, float, float]
    pet: tuple[int, int, int]
    pet_mm: tuple[float, float, float]
    pet_angles: int
    spect: tuple[int, int, int]
    spect_mm: tuple[float, float, float]
    spect_acquired_mm: float


@dataclass(frozen=True, slots=True)
class Placement:
    """How a head lies: SD per axis of the pose and of the motion between series; FOV center."""

    pose_deg: float
    pose_mm: float
    motion_deg: float
    motion_mm: float
    center_mm: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Staff:
    """The invented hospital: every text as it stands in a header."""

    institution: str
    address: str
    department: str
    physicians: tuple[str, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Perfusion:
    """Constants of labeled blood: partition mL/g, flow in lesions, late arrival.

    Where label is late, ``vessel_signal`` (against M0 of fluid) shines at the spots where smooth
    noise of grain ``vessel_fwhm_mm`` exceeds ``vessel_threshold`` SD.
    """

    partition_ml_g: float
    transit_white_extra_s: float
    lesion_flow: float
    late_s: float
    late_width_s: float
    late_share: float
    vessel_signal: float
    vessel_threshold: float
    vessel_fwhm_mm: float


@dataclass(frozen=True, slots=True)
class Emission:
    """Constants of tracers: half-lives, uptake of lesions, linearity of retention."""

    lesion_uptake: float
    half_life_f18_s: float
    half_life_tc99m_s: float
    lassen_hmpao: float
    lassen_ecd: float


@dataclass(frozen=True, slots=True)
class Scanners:
    """Everything the simulated hospital measures with.

    Raises:
        RecipeError: a tissue is missing, or fewer than three machines of a kind.
    """

    tissues: Mapping[str, Tissue]
    petmr: tuple[PetMrScanner, ...]
    spect: tuple[SpectScanner, ...]
    sizes: Mapping[str, Sizes]
    placement: Placement
    staff: Staff
    perfusion: Perfusion
    emission: Emission

    def __post_init__(self) -> None:
        """Check once, and lock."""
        missing = set(TISSUES) - set(self.tissues)
        if missing:
            raise RecipeError(f"No scanner values for the tissue {min(missing)!r}.")
        if min(len(self.petmr), len(self.spect)) < 3:
            raise RecipeError("A simulated hospital needs three machines of each kind.")
        object.__setattr__(self, "tissues", MappingProxyType(dict(self.tissues)))
        object.__setattr__(self, "sizes", MappingProxyType(dict(self.sizes)))

    def size(self, name: str) -> Sizes:
        """The matrices so named.

        Raises:
            RecipeError: no size has that name.
        """
        if name not in self.sizes:
            raise RecipeError(
                f"There is no size {name!r}.",
                hint=did_you_mean(name, self.sizes),
            )
        return self.sizes[name]

    def values(self, name: str) -> dict[str, float]:
        """One column of the tissue table, by tissue."""
        if name not in {field.name for field in fields(Tissue)}:
            raise RecipeError(f"Tissues have no {name!r}.")
        return {key: getattr(self.tissues[key], name) for key in TISSUES}


def machines(scanners: Scanners, *seed: str | int) -> tuple[PetMrScanner, SpectScanner]:
    """The PET/MR machine and the gamma camera that see a person; equal seed, equal machines."""
    rng = generator("machines", *seed)
    petmr = scanners.petmr[int(rng.integers(len(scanners.petmr)))]
    return petmr, scanners.spect[int(rng.integers(len(scanners.spect)))]
