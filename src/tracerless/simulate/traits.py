"""Who a person is before any picture: age, sex, schooling, disease and its severities."""

from dataclasses import dataclass

import numpy as np

from tracerless.core.cohort import Diagnosis
from tracerless.simulate.parameters import PeopleParameters

_AD_SPECTRUM = (Diagnosis.CN, Diagnosis.MCI, Diagnosis.AD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """The latent person.

    Args:
        diagnosis: what the clinic says.
        pathology: the disease whose topography the brain follows, at whatever severity.
        age: years.
        sex: ``F`` or ``M``.
        education_years: completed years of schooling.
        severity: 0 none to 1 full, of the pathology.
        metabolic: severity as metabolism shows it, 0-1.1.
        perfusion: severity as flow shows it, 0-1.1.
        atrophy: severity as anatomy shows it, -0.1 to 1.1.
        asymmetry: of flow and atrophy; positive = left side struck harder, a share.
        metabolic_asymmetry: the same for metabolism.
        is_mimic: a clinical AD or MCI without AD topography.
        is_preclinical: a control with silent pathology.
    """

    diagnosis: Diagnosis
    pathology: Diagnosis
    age: float
    sex: str
    education_years: float
    severity: float
    metabolic: float
    perfusion: float
    atrophy: float
    asymmetry: float
    metabolic_asymmetry: float
    is_mimic: bool
    is_preclinical: bool


def draw_diagnosis(parameters: PeopleParameters, rng: np.random.Generator) -> Diagnosis:
    """A diagnosis by the declared prevalences."""
    order = list(parameters.clinic)
    shares = [parameters.clinic[each].prevalence for each in order]
    return order[int(rng.choice(len(order), p=shares))]


def draw_traits(
    parameters: PeopleParameters, diagnosis: Diagnosis, rng: np.random.Generator
) -> Traits:
    """The latent person of that diagnosis.

    Severities overlap between diagnoses: the label is a clinician's, told by an informant.
    """
    clinic, model, people = (
        parameters.clinic[diagnosis],
        parameters.severity,
        parameters.demography,
    )
    age = np.clip(
        rng.normal(clinic.age_mean, people.age_sd_years),
        people.age_low_years,
        people.age_high_years,
    )
    sex = "F" if rng.random() < people.women_share else "M"
    education = np.clip(
        rng.normal(people.education_mean_years, people.education_sd_years),
        0,
        people.education_high_years,
    )
    severity = clinic.severity_low + clinic.severity_span * rng.beta(*clinic.severity_beta)
    is_mimic = bool(rng.random() < clinic.mimic_share)
    is_preclinical = bool(rng.random() < clinic.preclinical_share)
    if is_preclinical:
        severity += model.preclinical_low + model.preclinical_span * rng.random()
    severity = float(np.clip(severity, 0, 1))
    errors = rng.normal(0, model.error_sd, 3) * min(severity / model.error_full_from, 1.0)
    asymmetry = float(rng.normal(0, model.asymmetry_sd))
    return Traits(
        diagnosis=diagnosis,
        pathology=_pathology(diagnosis, is_mimic=is_mimic),
        age=round(float(age), 1),
        sex=sex,
        education_years=round(float(education)),
        severity=severity,
        metabolic=float(np.clip(severity + errors[0], 0, 1.1)),
        perfusion=float(np.clip(model.flow_share * severity + errors[1], 0, 1.1)),
        atrophy=float(np.clip(model.atrophy_share * severity + errors[2], -0.1, 1.1)),
        asymmetry=asymmetry,
        metabolic_asymmetry=asymmetry + float(rng.normal(0, model.metabolic_asymmetry_sd)),
        is_mimic=is_mimic,
        is_preclinical=is_preclinical,
    )


def _pathology(diagnosis: Diagnosis, *, is_mimic: bool) -> Diagnosis:
    if is_mimic:
        return Diagnosis.VAD
    return Diagnosis.AD if diagnosis in _AD_SPECTRUM else diagnosis
