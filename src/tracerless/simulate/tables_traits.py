"""People before any picture, many at once: pathology, severity, what an informant tells, the label.

Severity comes first, the informant sees it with an error, and the label follows the informant; with
the switch for circular labels it follows the test scores too.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracerless.core.cohort import Diagnosis
from tracerless.simulate.tables_kernels import Array
from tracerless.simulate.tables_model import TableModel

SPECTRUM = (Diagnosis.CN, Diagnosis.MCI, Diagnosis.AD)
"""Labels that lie on one line of severity."""

LIMBIC, LIMBIC_MIMIC = "limbic", "limbic-mimic"
"""Mimics without AD that lose limbic uptake, and the subtype that says how."""

_REFERENCE_EDUCATION_YEARS = 9.0
_REFERENCE_AGE = 70.0


@dataclass(frozen=True, slots=True, eq=False)
class Traits:
    """n latent people; every field (n,).

    Args:
        age: years. sex: ``F`` or ``M``. education_years: completed years of schooling.
        severity: 0 none to 1 full, of the pathology.
        subtype: place in the model's subtypes.
        informant: severity as the informant tells it.
        cognition: loss of cognition as a whole, 0 to 1.05.
        metabolic, perfusion, atrophy: severity as uptake, flow and anatomy show it.
        asymmetry, metabolic_asymmetry: positive = left side struck harder, a share.
        is_mimic: a clinical AD or MCI without AD topography.
        is_preclinical: silent pathology.
    """

    age: Array
    sex: NDArray[np.str_]
    education_years: Array
    severity: Array
    subtype: NDArray[np.intp]
    informant: Array
    cognition: Array
    metabolic: Array
    perfusion: Array
    atrophy: Array
    asymmetry: Array
    metabolic_asymmetry: Array
    is_mimic: NDArray[np.bool_]
    is_preclinical: NDArray[np.bool_]

    def __len__(self) -> int:
        """People."""
        return len(self.age)

    def taken(self, rows: NDArray[np.intp]) -> "Traits":
        """Some of the people, in that order."""
        return Traits(*(getattr(self, each.name)[rows] for each in fields(self)))


def joined(parts: list[Traits]) -> Traits:
    """Several groups as one."""
    return Traits(
        *(np.concatenate([getattr(p, each.name) for p in parts]) for each in fields(Traits))
    )


def draw_spectrum(model: TableModel, n: int, rng: np.random.Generator) -> Traits:
    """People from normal to Alzheimer's dementia, unlabeled: a mixture of the three clinics."""
    shares = np.array([model.parameters.clinic[each].prevalence for each in SPECTRUM])
    origin = rng.choice(len(SPECTRUM), size=n, p=shares / shares.sum())
    return _drawn(model, np.array(SPECTRUM, dtype=object)[origin], rng)


def draw_disease(model: TableModel, disease: Diagnosis, n: int, rng: np.random.Generator) -> Traits:
    """People with another dementia, whose label is its name."""
    return _drawn(model, np.full(n, disease, dtype=object), rng)


def _drawn(model: TableModel, origin: NDArray[Any], rng: np.random.Generator) -> Traits:
    n, parameters = len(origin), model.parameters
    people, spread = parameters.demography, parameters.severity
    clinic = {
        name: np.array([getattr(parameters.clinic[each], name) for each in origin], dtype=float)
        for name in ("age_mean", "mimic_share", "preclinical_share")
    }
    age, schooling = _age_and_schooling(model, clinic["age_mean"], rng)
    is_preclinical = rng.random(n) < clinic["preclinical_share"]
    is_mimic = rng.random(n) < clinic["mimic_share"]
    silent = spread.preclinical_low + spread.preclinical_span * rng.random(n)
    severity = np.clip(_severity(model, origin, rng) + is_preclinical * silent, 0, 1)
    shrunk = np.minimum(severity / spread.error_full_from, 1)
    errors = rng.normal(0, spread.error_sd, (3, n)) * shrunk
    subtype = _subtypes(model, origin, is_mimic, rng)
    leaning = np.array([each.asymmetry for each in model.subtypes])[subtype]
    asymmetry = leaning + rng.normal(0, spread.asymmetry_sd, n)
    return Traits(
        age=age,
        sex=np.where(rng.random(n) < people.women_share, "F", "M"),
        education_years=schooling,
        severity=severity,
        subtype=subtype,
        informant=severity + rng.normal(0, model.settings["informant"]["sd"], n),
        cognition=_cognition(model, severity, age, schooling, rng),
        metabolic=np.clip(severity + errors[0], 0, 1.1),
        perfusion=np.clip(spread.flow_share * severity + errors[1], 0, 1.1),
        atrophy=np.clip(spread.atrophy_share * severity + errors[2], -0.1, 1.1),
        asymmetry=asymmetry,
        metabolic_asymmetry=asymmetry + rng.normal(0, spread.metabolic_asymmetry_sd, n),
        is_mimic=is_mimic,
        is_preclinical=is_preclinical,
    )


def _age_and_schooling(
    model: TableModel, age_mean: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    people = model.parameters.demography
    age = rng.normal(age_mean, people.age_sd_years)
    schooling = rng.normal(people.education_mean_years, people.education_sd_years, len(age))
    age = np.clip(age, people.age_low_years, people.age_high_years)
    schooling = np.clip(schooling, 0, people.education_high_years)
    return np.asarray(np.round(age, 1)), np.asarray(np.round(schooling))


def _severity(model: TableModel, origin: NDArray[Any], rng: np.random.Generator) -> Array:
    severity = np.empty(len(origin))
    for each in Diagnosis:
        rows = origin == each
        clinic = model.parameters.clinic[each]
        beta = rng.beta(*clinic.severity_beta, size=int(rows.sum()))
        severity[rows] = clinic.severity_low + clinic.severity_span * beta
    return severity


def _subtypes(
    model: TableModel, origin: NDArray[Any], is_mimic: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.intp]:
    """A subtype of everybody's pathology, which may be another than the clinic's label says."""
    chance = rng.random(len(origin))
    found = np.zeros(len(origin), dtype=np.intp)
    pathology = _pathology(model, origin.astype(str), is_mimic, rng)
    for disease in sorted({str(each.disease) for each in model.subtypes}):
        places = [i for i, each in enumerate(model.subtypes) if each.disease == disease]
        edges = np.cumsum([model.subtypes[i].share for i in places])
        rows = pathology == disease
        chosen = np.searchsorted(edges / edges[-1], chance[rows], side="right")
        found[rows] = np.array(places)[chosen]
    names = [each.name for each in model.subtypes]
    found[pathology == LIMBIC] = names.index(LIMBIC_MIMIC)
    return found


def _pathology(
    model: TableModel,
    origin: NDArray[np.str_],
    is_mimic: NDArray[np.bool_],
    rng: np.random.Generator,
) -> NDArray[np.str_]:
    """The disease behind each label; mimics have one of those that are taken for AD."""
    behind, ad = model.settings["behind"], str(Diagnosis.AD)
    chance = rng.random(len(origin))
    pathology = np.where(np.isin(origin, [str(each) for each in SPECTRUM]), ad, origin)
    for disease in (Diagnosis.DLB, Diagnosis.FTD, Diagnosis.VAD):
        is_other = (origin == str(disease)) & (chance < behind[f"{disease.lower()}_is_ad"])
        pathology = np.where(is_other, ad, pathology)
    is_lewy = (origin == ad) & (chance < behind["ad_is_dlb"])
    pathology = np.where(is_lewy, str(Diagnosis.DLB), pathology)
    shares = {name: value for name, value in model.settings["mimic"].items() if name != "source"}
    taken_for = rng.choice(list(shares), size=len(origin), p=list(shares.values()))
    return np.where(is_mimic, taken_for, pathology)


def pathology_name(model: TableModel, subtype: int) -> str:
    """The disease of a subtype; ``limbic`` for mimics that have none of the six."""
    found = model.subtypes[subtype]
    return LIMBIC if found.name == LIMBIC_MIMIC else str(found.disease)


def _cognition(
    model: TableModel, severity: Array, age: Array, schooling: Array, rng: np.random.Generator
) -> Array:
    """Loss of cognition; schooling protects once disease is there, as in `scores`."""
    scores = model.parameters.scores
    reserve = scores.reserve_per_year * (schooling - _REFERENCE_EDUCATION_YEARS)
    loss = severity - reserve * (severity > scores.reserve_from_severity)
    loss = loss + scores.age_per_year * (age - _REFERENCE_AGE)
    return np.clip(loss + rng.normal(0, scores.cognition_sd, len(severity)), 0, 1.05)
