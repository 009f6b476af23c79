"""People, scores, regional uptake and follow-up as tables: thousands of people in seconds.

No picture is made. Regions follow constants that were derived from the voxel simulator
(`tables_physics`), so what is easy or hard in them is so for physical reasons.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import RecipeError
from tracerless.core.seeds import generator
from tracerless.simulate import tables_course as courses
from tracerless.simulate.tables_label import Calibration, Labeled, calibration, labeled
from tracerless.simulate.tables_model import Machine, TableModel, moved
from tracerless.simulate.tables_scan import ratios, scan_all
from tracerless.simulate.tables_scores import draw_gaps, draw_missing
from tracerless.simulate.tables_traits import pathology_name

__all__ = ["SimulatedTables", "TableOptions", "draw", "ratios"]

PEOPLE_SCORES = ("MMSE", "CASI", "CDR", "CDRSB")
"""Scores that the people's table holds too."""

_N_MACHINES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOptions:
    """What is wanted of a simulated cohort.

    Args:
        diagnoses: taken in turn; empty draws them by the declared prevalences.
        scanners: machines of each tracer, 1-5.
        first_scanner: which of the five comes first, 1-5; another one makes another site.
        shift: size of what machines differ by; 1 as declared, 0 all alike.
        circular: whether the label uses the test scores too.
        retest: share of people scanned again after some two weeks, 0-1.
        missing: share of instruments not taken, 0 to below .9.
        years: of follow-up at most; 0 for none.

    Raises:
        RecipeError: a value is out of its range.
    """

    diagnoses: tuple[str, ...] = ()
    scanners: int = 1
    first_scanner: int = 1
    shift: float = 1.0
    circular: bool = False
    retest: float = 0.0
    missing: float = 0.03
    years: float = 8.0

    def __post_init__(self) -> None:
        """Check once."""
        ranges = {
            "scanners": (1, 5), "first_scanner": (1, 5), "shift": (0, 5), "retest": (0, 1),
            "missing": (0, 0.89), "years": (0, 30),
        }  # fmt: skip
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise RecipeError(f"{name}={value} is outside {low}-{high}.")
        unknown = sorted(set(self.diagnoses) - {str(each) for each in Diagnosis})
        if unknown:
            raise RecipeError(
                f"No diagnosis {unknown[0]!r}.", hint=f"Choose among {', '.join(Diagnosis)}."
            )


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedTables:
    """A simulated cohort; people are numbered from 0.

    Args:
        people: ``participant`` (pseudonym), ``age``, ``sex``, ``education_years``,
            ``diagnosis``, ``PEOPLE_SCORES``.
        scores: the battery by code; NaN = not taken.
        gap_days: days from the scan to each instrument; negative = before.
        scans: by tracer (FDG, ECD, HMPAO): ``participant``, ``visit``, ``scanner``, the regions and
            composites as ratios (FDG to the pons, SPECT to the cerebellum), ``ref_…``; first visits
            in the order of people, then retests.
        followup: later visits, deaths and last contacts, as ``core.study.Followup`` takes them.
        truth: what only the simulator knows.
        options: what was asked for.
        fingerprint: of the model that made it.
    """

    people: pd.DataFrame
    scores: pd.DataFrame
    gap_days: pd.DataFrame
    scans: Mapping[str, pd.DataFrame]
    followup: pd.DataFrame
    truth: pd.DataFrame
    options: TableOptions
    fingerprint: str

    def __len__(self) -> int:
        """People."""
        return len(self.people)


def draw(
    n: int, *, seed: str, model: TableModel, options: TableOptions | None = None
) -> SimulatedTables:
    """A cohort of ``n`` people; equal arguments, equal tables.

    Args:
        n: people, 1 or more.
        seed: name of the cohort; the family ``holdout-*`` is never used to tune anything.
        model: constants (`workspace.simulate_tables.table_model` reads them).
        options: what is wanted of it.

    Raises:
        RecipeError: fewer than one person.
    """
    if n < 1:
        raise RecipeError(f"A cohort needs at least one person, got n={n}.")
    wanted = options or TableOptions()

    def rng(aspect: str) -> np.random.Generator:
        return generator("tables", seed, aspect)

    diagnosis, names = _diagnoses(model, n, wanted, rng("diagnosis")), _names(seed, n)
    fixed = calibration(model, circular=wanted.circular)
    found = labeled(model, diagnosis, fixed, rng("people"), circular=wanted.circular)
    scores = draw_missing(
        model, found.scores, found.traits.severity, wanted.missing, rng("missing")
    )
    scans = scan_all(
        model,
        found.traits,
        names,
        machines=_machines(model, wanted),
        retest=wanted.retest,
        rng=rng,
    )
    course = _course(model, found, diagnosis, fixed, rng("course"))
    visits = courses.draw_visits(
        model, names, diagnosis, course, years=wanted.years, rng=rng("visits")
    )
    return SimulatedTables(
        people=_people(names, found.traits_table(), diagnosis, scores),
        scores=scores,
        gap_days=draw_gaps(model, n, rng("gaps")),
        scans=MappingProxyType(scans),
        followup=visits,
        truth=_truth(model, names, found.truth_table(), course),
        options=wanted,
        fingerprint=model.fingerprint,
    )


def _course(
    model: TableModel,
    found: Labeled,
    diagnosis: NDArray[np.str_],
    fixed: Calibration,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Everybody's true course, with the ``group`` that their hazards are of."""
    group = courses.groups(diagnosis, found.recall, fixed.rates.recall)
    course = courses.draw_course(model, found.traits, diagnosis, group, rates=fixed.rates, rng=rng)
    return pd.concat([pd.DataFrame({"group": group}), course], axis=1)


def _diagnoses(
    model: TableModel, n: int, options: TableOptions, rng: np.random.Generator
) -> NDArray[np.str_]:
    if options.diagnoses:
        turns = [options.diagnoses[i % len(options.diagnoses)] for i in range(n)]
        return np.array(turns)
    order = list(model.parameters.clinic)
    shares = [model.parameters.clinic[each].prevalence for each in order]
    return np.array([str(each) for each in order])[rng.choice(len(order), size=n, p=shares)]


def _names(seed: str, n: int) -> NDArray[np.str_]:
    letters = "".join(filter(str.isascii, filter(str.isalnum, seed)))
    return np.array([f"sim{letters}{number:05d}" for number in range(n)])


def _machines(model: TableModel, options: TableOptions) -> dict[str, tuple[Machine, ...]]:
    """As many machines of each tracer as asked for, as far from the base one as asked."""
    places = [(options.first_scanner - 1 + i) % _N_MACHINES for i in range(options.scanners)]
    return {
        tracer: tuple(moved(found[place], found[0], options.shift) for place in places)
        for tracer, found in model.machines.items()
    }


def _people(
    names: NDArray[np.str_],
    traits: pd.DataFrame,
    diagnosis: NDArray[np.str_],
    scores: pd.DataFrame,
) -> pd.DataFrame:
    table = pd.DataFrame({"participant": names})
    table = pd.concat([table, traits], axis=1)
    table["diagnosis"] = diagnosis
    return pd.concat([table, scores[list(PEOPLE_SCORES)]], axis=1)


def _truth(
    model: TableModel,
    names: NDArray[np.str_],
    truth: pd.DataFrame,
    course: pd.DataFrame,
) -> pd.DataFrame:
    table = pd.DataFrame({"participant": names})
    subtypes = truth.pop("subtype")
    table["pathology"] = [pathology_name(model, i) for i in subtypes]
    table["subtype"] = [model.subtypes[i].name for i in subtypes]
    return pd.concat([table, truth, course], axis=1)
