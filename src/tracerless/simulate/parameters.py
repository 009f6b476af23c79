"""Everything that is assumed about simulated people, as one checked, frozen value.

The numbers lie in ``data/simulate/people*`` with their sources; ``io.simulate_tables`` reads them.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, TypeVar

from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import RecipeError, did_you_mean
from tracerless.core.recipe import fingerprint
from tracerless.simulate import sections

Section = TypeVar("Section")

SECTIONS: Mapping[str, type] = MappingProxyType(
    {
        "demography": sections.Demography,
        "severity": sections.SeverityModel,
        "scores": sections.ScoreModel,
        "shape": sections.ShapeModel,
        "thinning": sections.ThinningModel,
        "lesions": sections.LesionModel,
        "covariance": sections.CovarianceModel,
        "flow": sections.FlowModel,
        "metabolism": sections.MetabolismModel,
        "vascular": sections.VascularModel,
        "transit": sections.TransitModel,
        "relaxation": sections.RelaxationModel,
        "calibration": sections.CalibrationModel,
    }
)
"""Sections of ``people.toml`` that hold plain numbers, and the values they become."""


@dataclass(frozen=True, slots=True)
class Clinic:
    """Who comes with one diagnosis: shares 0-1, severity = low + span * Beta(a, b)."""

    prevalence: float
    age_mean: float
    severity_low: float
    severity_span: float
    severity_beta: tuple[float, float]
    mimic_share: float
    preclinical_share: float


@dataclass(frozen=True, slots=True)
class RegionLevel:
    """One region of the brain: its labels, and its level relative to mean cortex (1)."""

    region: str
    labels: tuple[int, ...]
    fdg: float
    cbf: float

    @property
    def is_cortex(self) -> bool:
        """Whether it belongs to the cerebral cortex."""
        return self.labels[0] >= 1000


@dataclass(frozen=True, slots=True)
class Focus:
    """A place that a disease strikes on both sides: center (x > 0) and radius in template mm."""

    center_mm: tuple[float, float, float]
    radius_mm: float
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Disease:
    """The topography of one disease: foci, regions spared, log-Jacobian by shrinking region."""

    foci: tuple[Focus, ...]
    spared: tuple[str, ...]
    atrophy: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Names:
    """Parts of invented identities: (Chinese, romanized) pairs, and the days of visits."""

    surnames: tuple[tuple[str, str], ...]
    given: Mapping[str, tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]]
    chart_prefix: str
    first_visit: dt.date
    last_visit: dt.date


@dataclass(frozen=True, slots=True, eq=False)
class PeopleParameters:
    """What simulated people are drawn from; ``fingerprint`` names exactly these numbers."""

    clinic: Mapping[Diagnosis, Clinic]
    regions: tuple[RegionLevel, ...]
    diseases: Mapping[Diagnosis, Disease]
    names: Names
    demography: sections.Demography
    severity: sections.SeverityModel
    scores: sections.ScoreModel
    shape: sections.ShapeModel
    thinning: sections.ThinningModel
    lesions: sections.LesionModel
    covariance: sections.CovarianceModel
    flow: sections.FlowModel
    metabolism: sections.MetabolismModel
    vascular: sections.VascularModel
    transit: sections.TransitModel
    relaxation: sections.RelaxationModel
    calibration: sections.CalibrationModel
    fingerprint: str

    def __post_init__(self) -> None:
        """Check what could contradict itself."""
        total = sum(clinic.prevalence for clinic in self.clinic.values())
        if abs(total - 1) > 1e-6:
            raise RecipeError(f"The prevalences of the diagnoses sum to {total}, not to 1.")
        known = {level.region for level in self.regions} | {VENTRICLES}
        for diagnosis, disease in self.diseases.items():
            for region in (*disease.spared, *disease.atrophy):
                if region not in known:
                    raise RecipeError(
                        f"{diagnosis} names an unknown region {region!r}.",
                        hint=did_you_mean(region, known),
                    )

    def labels_of(self, regions: Sequence[str]) -> tuple[int, ...]:
        """Labels of the regions so named."""
        wanted = set(regions)
        return tuple(
            label for level in self.regions if level.region in wanted for label in level.labels
        )


VENTRICLES = "ventricles"
"""Name of the ventricular system where a table of regions may name it."""


def people_parameters(tables: Mapping[str, Any]) -> PeopleParameters:
    """The parameters that the data files declare.

    Args:
        tables: what ``io.simulate_tables.read_people_tables`` returns.

    Raises:
        RecipeError: a section, a source or a number is missing, or two numbers contradict.
    """
    people = tables["people"]
    made: dict[str, Any] = {
        name: section(people.get(name), kind, name) for name, kind in SECTIONS.items()
    }
    return PeopleParameters(
        clinic=MappingProxyType({d: section(people["clinic"][d], Clinic, d) for d in Diagnosis}),
        regions=tuple(_level(row) for row in tables["people_regions"]),
        diseases=MappingProxyType(_diseases(tables)),
        names=_names(tables["people_names"]),
        **made,
        fingerprint=fingerprint({key: repr(table) for key, table in sorted(tables.items())}),
    )


def section(table: Mapping[str, Any] | None, kind: type[Section], name: str) -> Section:
    """The numbers of one declared section as a value.

    Args:
        table: numbers and pairs by name, with their ``source``; None when the section is missing.
        kind: a dataclass with exactly those names.
        name: of the section, for messages.

    Raises:
        RecipeError: the section, its source or a number is missing, or a name is unknown.
    """
    if table is None:
        raise RecipeError(f"The simulator's data has no section [{name}].")
    if not table.get("source"):
        raise RecipeError(f"Section [{name}] does not say where its numbers come from.")
    wanted = {each.name for each in fields(kind)}  # type: ignore[arg-type]
    given = set(table) - {"source"}
    if wanted != given:
        raise RecipeError(f"Section [{name}] should hold {sorted(wanted)}, got {sorted(given)}.")
    return kind(**{key: _number(table[key]) for key in given})


def _number(value: Any) -> Any:
    return tuple(float(v) for v in value) if isinstance(value, list) else float(value)


def _level(row: Mapping[str, str]) -> RegionLevel:
    labels = tuple(int(label) for label in row["labels"].split())
    return RegionLevel(row["region"], labels, float(row["fdg"]), float(row["cbf"]))


def _diseases(tables: Mapping[str, Any]) -> dict[Diagnosis, Disease]:
    effects, foci = tables["people_regional_disease"], tables["people_foci"]
    return {
        diagnosis: Disease(
            foci=tuple(_focus(row) for row in foci if row["disease"] == diagnosis),
            spared=tuple(row["region"] for row in _effects(effects, diagnosis, "spared")),
            atrophy=MappingProxyType(
                {r["region"]: float(r["value"]) for r in _effects(effects, diagnosis, "atrophy")}
            ),
        )
        for diagnosis in (Diagnosis.AD, Diagnosis.FTD, Diagnosis.DLB, Diagnosis.VAD)
    }


def _effects(
    rows: Sequence[Mapping[str, str]], diagnosis: Diagnosis, effect: str
) -> list[Mapping[str, str]]:
    return [row for row in rows if row["disease"] == diagnosis and row["effect"] == effect]


def _focus(row: Mapping[str, str]) -> Focus:
    center = (float(row["x_mm"]), float(row["y_mm"]), float(row["z_mm"]))
    return Focus(center, float(row["radius_mm"]), float(row["weight"]))


def _names(table: Mapping[str, Any]) -> Names:
    def pairs(rows: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
        return tuple((zh, latin) for zh, latin in rows)

    given = {s: (pairs(g["first"]), pairs(g["second"])) for s, g in table["given"].items()}
    visits = table["visits"]
    return Names(
        pairs(table["surnames"]),
        MappingProxyType(given),
        table["chart_prefix"],
        visits["first"],
        visits["last"],
    )
