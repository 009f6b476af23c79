"""From a study to the columns that hazards see; every step is fitted on training rows only."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.errors import DatasetError, ModelError
from tracerless.core.norm import Array
from tracerless.core.risk import STAGE, Clock
from tracerless.core.steps import FittedZ, Harmonizer, Imputer, Scaler
from tracerless.core.study import Arm, Kind, Predictor, Study
from tracerless.foresee.settings import NO_TOOLS, RiskSettings, Tools
from tracerless.statistics import steps

AGE = "age"
_CN, _MCI = "CN", "MCI"
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """Fitted steps of regions: scanners, then z; either may be absent.

    Args:
        harmonizer: what scanners add.
        norm: regions to z; None where ratios are used.
        tools: what applies the former.
        note: what to know of the scanners.
    """

    harmonizer: Harmonizer | None = None
    norm: FittedZ | None = None
    tools: Tools = NO_TOOLS
    note: str = ""

    def even(self, study: Study, names: list[str]) -> pd.DataFrame:
        """Regions of all rows of a study, harmonized where that was fitted."""
        values = study.table[names]
        if self.harmonizer is None or self.tools.scanners is None:
            return values
        scanner = np.array(study.scanner, dtype=np.str_)
        return self.tools.scanners.apply(self.harmonizer, values, study.people, scanner=scanner)


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """Fitted steps: regions to z, missing values, scale.

    Args:
        predictors: what is needed.
        image: regions to what the model sees of them.
        imputer, scaler: as in `statistics.steps`.
    """

    predictors: tuple[Predictor, ...]
    image: "Image"
    imputer: Imputer
    scaler: Scaler

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Of each column behind the scaler; an indicator is of the kind of what is missing."""
        by_name = {each.key: each.kind for each in self.predictors}
        lacking = {steps.indicator(each.key): each.kind for each in self.predictors}
        return tuple((by_name | lacking)[name] for name in self.scaler.names)

    @property
    def groups(self) -> NDArray[np.intp]:
        """(p,) columns that share a penalty: person, region, test."""
        kinds = list(Kind)
        return np.array([kinds.index(kind) for kind in self.kinds], dtype=np.intp)

    def death_penalty(self) -> Array:
        """(p,) of the weights of death, which goes by age, sex and schooling: inf elsewhere."""
        person = np.array([kind is Kind.PERSON for kind in self.kinds], dtype=np.bool_)
        return np.where(person, 1.0, np.inf)


def predictors(study: Study, arm: Arm, settings: RiskSettings) -> tuple[Predictor, ...]:
    """What an arm sees: columns that nobody has in the study are left out.

    Raises:
        ModelError: nothing is left, or the arm sees scores that stage the illness.
    """
    if arm is Arm.LEAKY:
        raise ModelError(
            "Scores that stage the illness never predict it.", hint="Choose another arm."
        )
    keys = set(study.keys(arm))
    empty = study.table.isna().all(axis=0)
    found = [each for each in study.predictors if each.key in keys and not empty[each.key]]
    if settings.clock is Clock.AGE:
        found = [each for each in found if each.key != AGE]
    if settings.with_stage:
        found.append(STAGE)
    if not found:
        raise ModelError(f"The study has no predictor for {arm.value}.")
    return tuple(found)


def fit(
    study: Study,
    rows: Rows,
    needed: tuple[Predictor, ...],
    *,
    features: str,
    tools: Tools,
    held_out: Rows | None = None,
) -> tuple[Steps, Array]:
    """Steps fitted on training rows, and (n, p) what these rows become.

    Args:
        study: all rows.
        rows: training rows.
        needed: predictors of the arm.
        features: ``z`` or ``ratio``.
        tools: harmonize, and make z where ``features`` is z.
        held_out: rows whose people must not enter the norm of the regions.

    Raises:
        ModelError: z is asked for and there is no step.
        DatasetError: too few normal people for z.
    """
    image = _image(study, rows, needed, (features, tools), held_out)
    members = _normal_rows(study, held_out) if image.norm is not None else None
    table = columns(study, rows, needed, image, members)
    imputer = steps.fit_imputer(table)
    filled = steps.impute(imputer, table)
    scaler = steps.fit_scaler(filled)
    x = steps.scale(scaler, filled).to_numpy(dtype=np.float64)
    return Steps(needed, image, imputer, scaler), x


def apply(made: Steps, study: Study, rows: Rows) -> Array:
    """(n, p) what other rows become."""
    table = columns(study, rows, made.predictors, made.image, None)
    filled = steps.impute(made.imputer, table)
    return steps.scale(made.scaler, filled).to_numpy(dtype=np.float64)


def columns(
    study: Study,
    rows: Rows,
    needed: Sequence[Predictor],
    image: Image,
    members: NDArray[np.bool_] | None,
) -> pd.DataFrame:
    """The predictors of some rows, numbered anew; regions harmonized and as z where fitted.

    Raises:
        DatasetError: the study lacks a predictor.
    """
    stage = [float(word == _MCI) for word in study.diagnosis]
    table = study.table.assign(**{STAGE.key: stage})
    lacking = [each.key for each in needed if each.key not in table]
    if lacking:
        raise DatasetError(
            f"The model needs {lacking[0]}, which these people do not have.",
            hint=f"{len(lacking)} of {len(needed)} predictors are absent.",
        )
    table = table[[each.key for each in needed]].astype(np.float64)
    names = [each.key for each in needed if each.kind is Kind.REGION]
    if names:
        even = image.even(study, names)
        table[names] = even if image.norm is None else image.norm.z(even, study.people, members)
    return table.iloc[rows].reset_index(drop=True)


def _image(
    study: Study,
    rows: Rows,
    needed: tuple[Predictor, ...],
    how: tuple[str, Tools],
    held_out: Rows | None,
) -> Image:
    features, tools = how
    names = [each.key for each in needed if each.kind is Kind.REGION]
    if not names:
        return Image()
    if features == "z" and tools.z is None:
        raise ModelError("Regions as z need a norm.", hint="Use ratios (--features ratio).")
    harmonizer, note = None, ""
    if tools.scanners is not None:
        harmonizer, note = tools.scanners.fit(
            study.table[names].iloc[rows],
            study.people.iloc[rows],
            scanner=np.array(study.scanner, dtype=np.str_)[rows],
            truth=np.array([word == _MCI for word in study.diagnosis], dtype=np.intp)[rows],
        )
    image = Image(harmonizer, None, tools, note)
    if features == "ratio" or tools.z is None:
        return image
    even = image.even(study, names)
    return replace(image, norm=tools.z.fit(even, study.people, _normal_rows(study, held_out)))


def _normal_rows(study: Study, held_out: Rows | None) -> NDArray[np.bool_]:
    """First scans of normal people who are not held out."""
    normal = np.array([word == _CN for word in study.diagnosis], dtype=np.bool_)
    seen: set[str] = set()
    for row in sorted(range(len(study)), key=lambda r: (study.person[r], study.visit[r])):
        normal[row] &= study.person[row] not in seen
        seen.add(study.person[row])
    if held_out is not None:
        out = {study.person[row] for row in held_out}
        normal &= np.array([person not in out for person in study.person], dtype=np.bool_)
    return normal
