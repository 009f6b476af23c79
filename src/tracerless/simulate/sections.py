"""The sections of ``people.toml`` as values; the file says where every number comes from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Demography:
    """Age, sex, schooling and body of the people: years, shares 0-1, m, kg/m2."""

    age_sd_years: float
    age_low_years: float
    age_high_years: float
    women_share: float
    education_mean_years: float
    education_sd_years: float
    education_high_years: float
    height_men_m: float
    height_women_m: float
    height_sd_m: float
    bmi_mean: float
    bmi_sd: float


@dataclass(frozen=True, slots=True)
class SeverityModel:
    """How one latent severity (0 none - 1 full) drives flow, metabolism and atrophy.

    Each follows it with its own error, which shrinks in proportion below ``error_full_from``;
    asymmetries are shares of the mean of both sides.
    """

    error_sd: float
    error_full_from: float
    flow_share: float
    atrophy_share: float
    asymmetry_sd: float
    metabolic_asymmetry_sd: float
    preclinical_low: float
    preclinical_span: float


@dataclass(frozen=True, slots=True)
class ScoreModel:
    """Tests as functions of cognition (severity, schooling, age), in points, with ceilings."""

    cognition_sd: float
    reserve_per_year: float
    reserve_from_severity: float
    age_per_year: float
    test_sd: float
    curve: float
    low_schooling_years: float
    low_schooling_penalty: float
    mmse_top: float
    mmse_drop: float
    mmse_sd: float
    casi_top: float
    casi_schooling: float
    casi_drop: float
    casi_sd: float
    boxes_slope: float
    boxes_from: float
    boxes_curve: float
    boxes_sd: float
    cdr_cuts: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ShapeModel:
    """Smooth mirror-symmetric and private displacements (mm), head size and its spread.

    The log-Jacobians of ventricles and hippocampus hold at 65 years and change with age.
    """

    symmetric_weight: float
    private_weight: float
    wide_mm: float
    wide_fwhm_mm: float
    fine_mm: float
    fine_fwhm_mm: float
    private_mm: float
    private_fwhm_mm: float
    size_men: float
    size_women: float
    size_sd: float
    axis_sd: float
    shear_sd: float
    ventricle_log_jacobian: float
    ventricle_per_year: float
    ventricle_sd: float
    hippocampus_log_jacobian: float
    hippocampus_per_year: float
    hippocampus_sd: float


@dataclass(frozen=True, slots=True)
class ThinningModel:
    """Widening of sulci as log-odds of CSF against tissue; what is spared is a share 0-1."""

    at_65: float
    per_year: float
    person_sd: float
    local_sd: float
    local_fwhm_mm: float
    focal: float
    global_per_severity: float
    low: float
    high: float
    deep_grey_spared: float
    cerebellum_spared: float


@dataclass(frozen=True, slots=True)
class LesionModel:
    """White-matter lesions: a noise field above a threshold that falls with place and load."""

    log_load_mean: float
    log_load_sd: float
    log_load_per_year: float
    log_load_vascular: float
    fine_fwhm_mm: float
    coarse_fwhm_mm: float
    coarse_weight: float
    threshold: float
    threshold_per_load: float
    place_weight: float
    place_per_load: float
    edge: float
    ventricle_reach_mm: float
    deep_weight: float
    deep_from_surface_mm: float


@dataclass(frozen=True, slots=True)
class CovarianceModel:
    """Log-SDs and scales of the fields that flow and metabolism share and do not share."""

    shared_sd: float
    shared_into_metabolism: float
    flow_sd: float
    metabolism_sd: float
    wide_fwhm_mm: float
    wide_weight: float
    local_fwhm_mm: float
    local_weight: float
    symmetric_weight: float
    private_weight: float
    topography_sd: float
    topography_fwhm_mm: float
    atrophy_own_sd: float
    flow_own_sd: float
    metabolism_own_sd: float


@dataclass(frozen=True, slots=True)
class FlowModel:
    """Blood flow of pure tissue, mL/100 g/min, and how it depends on age, sex and disease."""

    grey: float
    white: float
    log_per_year: float
    frontal_log_per_year: float
    women_factor: float
    log_sd: float
    disease_drop: float


@dataclass(frozen=True, slots=True)
class MetabolismModel:
    """FDG of pure grey matter (SUV), white over grey, and their dependence on age and disease."""

    grey: float
    white_ratio: float
    white_ratio_sd: float
    log_per_year: float
    frontal_excess: float
    log_sd: float
    share_of_flow_level: float
    disease_drop: float


@dataclass(frozen=True, slots=True)
class VascularModel:
    """Patches of low flow and metabolism in vascular disease."""

    patch_fwhm_mm: float
    patch_threshold: float
    patch_edge: float
    metabolism_foci: float
    metabolism_patches: float
    flow_foci: float
    flow_patches: float


@dataclass(frozen=True, slots=True)
class TransitModel:
    """Arterial transit time to grey matter, s."""

    young_s: float
    person_sd_s: float
    late_share: float
    late_mean_s: float
    per_year_s: float
    vascular_s: float
    local_sd_s: float
    local_fwhm_mm: float
    watershed_s: float


@dataclass(frozen=True, slots=True)
class RelaxationModel:
    """Spread of tissue T1 between and within people, shares of 1."""

    person_sd: float
    local_sd: float
    local_fwhm_mm: float


@dataclass(frozen=True, slots=True)
class CalibrationModel:
    """How the regional table is met at the resolution of scanners."""

    fdg_fwhm_mm: float
    cbf_fwhm_mm: float
    steps: float
    damping: float
    low: float
    high: float
