"""A person's tissue and function, as fields over the template: what makes two people differ.

Atrophy, flow and metabolism each have their own copy of the disease's topography, with a part of
its texture in common; flow and metabolism share one part of their healthy variation and not the
other. So metabolism follows neither from anatomy nor wholly from flow.
"""

from dataclasses import dataclass

import numpy as np

from tracerless.core.cohort import Diagnosis
from tracerless.simulate.fields import FWHM_PER_SIGMA, Field, Stack, axes_mm, smooth_noise
from tracerless.simulate.ground import BRAIN_GRID, FIELD_GRID, Ground
from tracerless.simulate.sections import CovarianceModel
from tracerless.simulate.traits import Traits

OWN_FIELDS = ("thinning", "cbf", "fdg", "transit_s", "t1_factor")
"""A person's own fields: log-odds of CSF, factors on regional levels, s, factor on T1."""

_REFERENCE_AGE = 70.0
_THINNING_AGE = 65.0
_STRONGEST = 1.6
_LARGEST_LOSS = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """A person's global levels.

    ``flow_grey``, ``flow_white`` in mL/100 g/min, ``metabolism_grey``, ``metabolism_white`` in SUV.
    """

    flow_grey: float
    flow_white: float
    metabolism_grey: float
    metabolism_white: float


def draw_levels(ground: Ground, traits: Traits, rng: np.random.Generator) -> Levels:
    """Global flow and metabolism by age and sex; they share a part of their spread."""
    flow, metabolism = ground.parameters.flow, ground.parameters.metabolism
    years = traits.age - _REFERENCE_AGE
    flow_log = rng.normal(0, flow.log_sd)
    factor = np.exp(flow_log + flow.log_per_year * years)
    factor *= flow.women_factor if traits.sex == "F" else 1.0
    metabolism_log = metabolism.share_of_flow_level * flow_log + rng.normal(0, metabolism.log_sd)
    metabolism_grey = metabolism.grey * float(np.exp(metabolism_log))
    white_ratio = float(rng.normal(metabolism.white_ratio, metabolism.white_ratio_sd))
    return Levels(
        flow_grey=flow.grey * float(factor),
        flow_white=flow.white * float(factor),
        metabolism_grey=metabolism_grey,
        metabolism_white=metabolism_grey * white_ratio,
    )


def draw_fields(ground: Ground, traits: Traits, rng: np.random.Generator) -> Stack:
    """``OWN_FIELDS`` of one person on ``FIELD_GRID``."""
    texture = smooth_noise(rng, FIELD_GRID, ground.parameters.covariance.topography_fwhm_mm)
    thinning = _thinning(ground, traits, texture, rng)
    cbf, fdg = _function(ground, traits, texture, rng)
    transit = _transit(ground, traits, rng)
    model = ground.parameters.relaxation
    person, local = (
        rng.normal(0, model.person_sd),
        smooth_noise(rng, FIELD_GRID, model.local_fwhm_mm),
    )
    t1 = (1 + person) * (1 + np.float32(model.local_sd) * local)
    return Stack(OWN_FIELDS, FIELD_GRID, np.stack([thinning, cbf, fdg, transit, t1]))


def draw_lesions(ground: Ground, traits: Traits, rng: np.random.Generator) -> Stack:
    """Share of white matter that is lesion, 0-1, on ``BRAIN_GRID``."""
    model = ground.parameters.lesions
    load = np.exp(
        rng.normal(model.log_load_mean, model.log_load_sd)
        + model.log_load_per_year * (traits.age - _REFERENCE_AGE)
        + model.log_load_vascular * (traits.pathology is Diagnosis.VAD)
    )
    noise = smooth_noise(rng, BRAIN_GRID, model.fine_fwhm_mm)
    noise = noise + model.coarse_weight * smooth_noise(rng, BRAIN_GRID, model.coarse_fwhm_mm)
    amount = float(np.log1p(load))
    place: Field = ground.lesion_place * np.float32(1 + model.place_per_load * amount)
    height = (
        noise + model.place_weight * place - (model.threshold - model.threshold_per_load * amount)
    )
    lesion = _sigmoid(height.astype(np.float32), model.edge) * (ground.lesion_place > 0.02)
    return Stack(("lesion",), BRAIN_GRID, lesion[None].astype(np.float32))


def _function(
    ground: Ground, traits: Traits, texture: Field, rng: np.random.Generator
) -> tuple[Field, Field]:
    """Factors on the regional levels of flow and of metabolism."""
    parameters = ground.parameters
    spread, flow, metabolism = parameters.covariance, parameters.flow, parameters.metabolism
    shared = spread.shared_sd * _covariance(spread, rng)
    own_flow = spread.flow_sd * _covariance(spread, rng)
    own_metabolism = spread.metabolism_sd * _covariance(spread, rng)
    flow_loss = (
        flow.disease_drop
        * traits.perfusion
        * _topography(
            ground, traits, texture, rng, own_sd=spread.flow_own_sd, asymmetry=traits.asymmetry
        )
    )
    metabolic_loss = (
        metabolism.disease_drop
        * traits.metabolic
        * _topography(
            ground,
            traits,
            texture,
            rng,
            own_sd=spread.metabolism_own_sd,
            asymmetry=traits.metabolic_asymmetry,
        )
    )
    if traits.pathology is Diagnosis.VAD:
        flow_loss, metabolic_loss = _with_patches(
            ground, traits, flow_loss, metabolic_loss, rng=rng
        )
    frontal = _frontal()
    years = traits.age - _REFERENCE_AGE
    flow_age = flow.frontal_log_per_year * years * frontal
    metabolic_age = metabolism.log_per_year * years * (1 + metabolism.frontal_excess * frontal)
    cbf = np.exp(shared + own_flow + flow_age) * (1 - np.clip(flow_loss, 0, _LARGEST_LOSS))
    fdg = np.exp(spread.shared_into_metabolism * shared + own_metabolism + metabolic_age) * (
        1 - np.clip(metabolic_loss, 0, _LARGEST_LOSS)
    )
    return cbf.astype(np.float32), fdg.astype(np.float32)


def _topography(
    ground: Ground,
    traits: Traits,
    texture: Field,
    rng: np.random.Generator,
    *,
    own_sd: float,
    asymmetry: float,
) -> Field:
    """How hard the disease strikes each place at full severity, 0-1.6."""
    left, right = ground.foci[traits.pathology]
    struck = np.maximum(left * (1 + asymmetry), right * (1 - asymmetry))
    model = ground.parameters.covariance
    own = own_sd * smooth_noise(rng, FIELD_GRID, model.topography_fwhm_mm)
    found: Field = np.clip(struck * np.exp(model.topography_sd * texture + own), 0, _STRONGEST)
    return found.astype(np.float32)


def _with_patches(
    ground: Ground, traits: Traits, flow_loss: Field, metabolic_loss: Field,
    *, rng: np.random.Generator,
) -> tuple[Field, Field]:  # fmt: skip
    """Vascular disease: weaker foci, and patches where this person's arteries failed."""
    model = ground.parameters.vascular
    noise = smooth_noise(rng, FIELD_GRID, model.patch_fwhm_mm)
    patches = _sigmoid(noise - model.patch_threshold, model.patch_edge) * traits.severity
    return (
        model.flow_foci * flow_loss + model.flow_patches * patches,
        model.metabolism_foci * metabolic_loss + model.metabolism_patches * patches,
    )


def _covariance(model: CovarianceModel, rng: np.random.Generator) -> Field:
    """A field of unit variance: two scales, mostly the same on both sides.

    Near the midline a field and its mirror image are one, which is reckoned with.
    """
    both = model.local_weight * smooth_noise(rng, FIELD_GRID, model.local_fwhm_mm)
    both = both + model.wide_weight * smooth_noise(rng, FIELD_GRID, model.wide_fwhm_mm)
    both = (both + both[::-1]) / np.float32(np.sqrt(2))
    private = model.private_weight * smooth_noise(rng, FIELD_GRID, model.local_fwhm_mm)
    symmetric = sum(
        weight**2 * (1 + _own_mirror(fwhm_mm))
        for weight, fwhm_mm in (
            (model.local_weight, model.local_fwhm_mm),
            (model.wide_weight, model.wide_fwhm_mm),
        )
    )
    variance = model.symmetric_weight**2 * symmetric + model.private_weight**2
    sd = np.sqrt(np.asarray(variance, dtype=np.float32))
    unit: Field = (model.symmetric_weight * both + private) / sd
    return unit


def _own_mirror(fwhm_mm: float) -> Field:
    """Correlation of such noise with its mirror image, (I, 1, 1): 1 at the midline."""
    x, _, _ = axes_mm(FIELD_GRID)
    correlation: Field = np.exp(-((x * np.float32(FWHM_PER_SIGMA / fwhm_mm)) ** 2))
    return correlation


def _thinning(ground: Ground, traits: Traits, texture: Field, rng: np.random.Generator) -> Field:
    """Log-odds by which CSF gains on tissue."""
    model = ground.parameters.thinning
    person = model.at_65 + model.per_year * (traits.age - _THINNING_AGE)
    person += rng.normal(0, model.person_sd)
    local = model.local_sd * smooth_noise(rng, FIELD_GRID, model.local_fwhm_mm)
    own_sd = ground.parameters.covariance.atrophy_own_sd
    focal = _topography(ground, traits, texture, rng, own_sd=own_sd, asymmetry=traits.asymmetry)
    struck = model.focal * max(traits.atrophy, 0) * focal
    everywhere = person + model.global_per_severity * traits.atrophy
    thinning: Field = np.clip(everywhere + local + struck, model.low, model.high)
    return thinning.astype(np.float32)


def _transit(ground: Ground, traits: Traits, rng: np.random.Generator) -> Field:
    """Arterial transit time to grey matter, s."""
    model = ground.parameters.transit
    late = model.late_mean_s * rng.exponential() * (rng.random() < model.late_share)
    person = model.young_s + rng.normal(0, model.person_sd_s) + late
    person += model.per_year_s * (traits.age - _REFERENCE_AGE)
    person += model.vascular_s * (traits.pathology is Diagnosis.VAD)
    x, y, _ = axes_mm(FIELD_GRID)
    watershed = np.exp(-np.abs(np.abs(x) - 30) / 10) * np.exp(-(((y + 75) / 25) ** 2))
    local = model.local_sd_s * smooth_noise(rng, FIELD_GRID, model.local_fwhm_mm)
    transit: Field = np.maximum(person + local + model.watershed_s * watershed, 0.2)
    return transit.astype(np.float32)


def _frontal() -> Field:
    """1 in the frontal lobe, 0 behind and below it."""
    _, y, z = axes_mm(FIELD_GRID)
    return _sigmoid(y - 5, 8.0) * (z > -20)


def _sigmoid(values: Field, scale: float) -> Field:
    curve: Field = (1 / (1 + np.exp(-np.clip(values / scale, -30, 30)))).astype(np.float32)
    return curve
