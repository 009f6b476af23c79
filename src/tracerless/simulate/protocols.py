"""What sequences and PET acquisitions are, as frozen values; their numbers: see ``scanners``."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class T1wProtocol:
    """MPRAGE: ``shot_s`` from inversion to inversion, ``inversion_s`` to the k-space center.

    ``snr``: white-matter mean over noise in one voxel; ``bias``: SD of the log receive field;
    ``scale``: white matter in stored units; ``plane``: ``axial`` or ``sagittal``.
    """

    shot_s: float
    inversion_s: float
    echo_spacing_s: float
    n_echoes: int
    flip_deg: float
    echo_s: float
    snr: float
    bias: float
    scale: float
    plane: str
    description: str


@dataclass(frozen=True, slots=True)
class T2wProtocol:
    """Turbo spin echo; ``echo_s`` is the effective echo time, the rest as ``T1wProtocol``."""

    repetition_s: float
    echo_s: float
    snr: float
    bias: float
    scale: float
    plane: str
    description: str


@dataclass(frozen=True, slots=True)
class AslProtocol:
    """Pseudo-continuous labeling with one delay and a 3D readout.

    ``efficiency`` counts the background suppression in; ``m0_recovery_s`` is the time that M0
    recovered from saturation; ``suppression`` is the share of static signal left; ``snr_m0``: white
    matter in M0 over the thermal noise of one volume; ``physiological``: SD of the static signal
    between volumes; ``fwhm_mm`` along columns, rows, slices; ``scale``: M0 of fluid, stored units.
    """

    label_duration_s: float
    pld_s: float
    efficiency: float
    t1_blood_s: float
    m0_recovery_s: float
    suppression: float
    snr_m0: float
    physiological: float
    fwhm_mm: tuple[float, float, float]
    bias: float
    scale: float
    description: str


@dataclass(frozen=True, slots=True)
class PetProtocol:
    """FDG-PET of the brain, one bed.

    ``detector_fwhm_mm`` then ``post_fwhm_mm`` make the resolution; ``noise``: coefficient of
    variation in grey matter after the post-filter (fast mode); ``counts`` all coincidences of which
    the share ``background`` is randoms and scatter (projected mode).
    """

    detector_fwhm_mm: float
    post_fwhm_mm: float
    noise: float
    counts: float
    background: float
    iterations: int
    subsets: int
    dose_mbq: float
    uptake_s: float
    duration_s: float
    description: str
