"""Visits as one study, and the part of it that each arm sees."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from tracerless.core.atlas import Region
from tracerless.core.norm import Measured
from tracerless.core.study import Arm, Kind, Predictor, Study
from tracerless.core.volume import Contrast
from tracerless.workspace.synthetic_diagnosis_visits import ACQUIRED, SYNTHETIC, VOLUME, Visit

_STRUCTURE = (str(Contrast.T1W), str(Contrast.T2W), VOLUME)
ARMS: Mapping[str, tuple[str, ...]] = {
    "demographics": (),
    "mr": _STRUCTURE,
    "asl": (str(Contrast.CBF),),
    "mr+asl": (*_STRUCTURE, str(Contrast.CBF)),
    "synthetic": (SYNTHETIC,),
    "acquired": (ACQUIRED,),
    "mr+synthetic": (*_STRUCTURE, SYNTHETIC),
}
"""Kinds of image that each arm sees beside age, sex and schooling."""
WORDS: Mapping[str, str] = {
    "sides": "both sides of a region apart",
    "regions": "the mean of both sides of a region",
    "lobes": "lobes",
}
"""How finely every arm sees the brain, finest first."""
_CODE = {"F": 0.0, "M": 1.0}
_FEW = 0.5
"""A column that more visits lack is not taken."""


@dataclass(frozen=True, slots=True, eq=False)
class Wide:
    """All kinds of image side by side.

    Args:
        study: every column, named ``<kind>:<region>``; its scanners are those of the MR.
        pet_scanner: of each row's acquired FDG.
        kinds: of image, in the order of `ARMS`.
        grain: of `WORDS`: the same in every arm, so that none has a finer view.
    """

    study: Study
    pet_scanner: tuple[str, ...]
    kinds: tuple[str, ...]
    grain: str


def wide(visits: Sequence[Visit], regions: Iterable[Region], *, domain: str, grain: str) -> Wide:
    """A study of every kind of image of these visits.

    Args:
        visits: one row each.
        regions: of the atlas that they were measured in.
        domain: ``simulated`` or ``acquired``.
        grain: of `WORDS`.
    """
    names = {each.key: _name(each, grain) for each in regions}
    lobes = {_name(each, grain): each.lobe for each in regions}
    rows = [_coarse(visit, names) for visit in visits]
    images = pd.DataFrame(rows, columns=_ordered(rows)).astype(np.float64)
    images = images.loc[:, images.isna().mean() <= _FEW]
    people = _people(visits)
    facts = people.assign(sex=people["sex"].map(_CODE)).astype(np.float64)
    facts = facts.loc[:, facts.notna().any()]
    predictors = [Predictor(str(name), Kind.PERSON, "demographics") for name in facts.columns]
    predictors += [
        Predictor(str(name), Kind.REGION, lobes.get(_region(str(name)), "whole brain"))
        for name in images.columns
    ]
    study = Study(
        predictors=tuple(predictors),
        table=pd.concat([facts, images], axis=1),
        people=people,
        references=None,
        diagnosis=tuple(visit.facts.diagnosis for visit in visits),
        person=tuple(str(visit.key.person) for visit in visits),
        visit=tuple(visit.key.visit for visit in visits),
        scanner=tuple(visit.scanner for visit in visits),
        measured=Measured("MR and FDG", "", "", "", "", domain),
    )
    kinds = tuple(dict.fromkeys(_kind(str(name)) for name in images.columns))
    return Wide(study, tuple(visit.pet_scanner for visit in visits), kinds, grain)


def seen_by(found: Wide, arm: str) -> Study | None:
    """The part of the study that an arm sees; None where nothing of its images is there.

    Columns that are the same in every visit tell nothing and have no z: they are left out. An arm
    whose images are all alike is left with the people's own facts. What scanners add is taken out
    by the scanner that made the arm's images.
    """
    kinds = ARMS[arm]
    if kinds and not set(kinds) & set(found.kinds):
        return None
    study = found.study
    kept = [
        each
        for each in study.predictors
        if each.kind is Kind.PERSON
        or (_kind(each.key) in kinds and _varies(study.table[each.key].to_numpy()))
    ]
    table = study.table[[each.key for each in kept]]
    scanner = found.pet_scanner if kinds == (ACQUIRED,) else study.scanner
    return replace(study, predictors=tuple(kept), table=table, scanner=scanner)


def _people(visits: Sequence[Visit]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": [visit.facts.age for visit in visits],
            "sex": [visit.facts.sex for visit in visits],
            "education_years": [visit.education_years for visit in visits],
        }
    )


def n_parameters(found: Wide) -> int:
    """Of the arm that has most."""
    studies = [seen_by(found, arm) for arm in ARMS]
    return 1 + max(len(each.keys(Arm.IMAGE)) for each in studies if each is not None)


def _varies(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
    known = values[np.isfinite(values)]
    return len(known) > 1 and float(np.ptp(known)) > 1e-6


def _coarse(visit: Visit, names: Mapping[str, str]) -> dict[str, float]:
    """Columns of a visit, those that share a name averaged."""
    found: dict[str, list[float]] = {}
    for kind, columns in visit.shown.items():
        for key, value in columns.items():
            found.setdefault(f"{kind}:{names.get(key, key)}", []).append(value)
    return {name: _mean(values) for name, values in found.items()}


def _mean(values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def _ordered(rows: Sequence[Mapping[str, float]]) -> list[str]:
    """Every column that any row has, by kind in the order of the arms."""
    order = [*_STRUCTURE, str(Contrast.CBF), SYNTHETIC, ACQUIRED]
    names = dict.fromkeys(name for row in rows for name in row)
    return sorted(names, key=lambda name: order.index(_kind(name)))


def _name(region: Region, grain: str) -> str:
    if grain == "sides":
        return region.key
    if grain == "lobes":
        return region.lobe
    return region.key.removesuffix("_left").removesuffix("_right")


def _kind(column: str) -> str:
    return column.partition(":")[0]


def _region(column: str) -> str:
    return column.partition(":")[2]
