"""Section ``regions``: everything that one prediction a person can tell."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.assessment import TABLES
from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import DatasetError
from tracerless.evaluate.agreement import agreement_table, skill_table
from tracerless.evaluate.failures import failures_table
from tracerless.evaluate.flags import flags_table
from tracerless.evaluate.holding import abstention_table, coverage_table
from tracerless.evaluate.panel import UNKNOWN, Panel, draws
from tracerless.evaluate.sides import asymmetry_table
from tracerless.quantify import asymmetry
from tracerless.score.predict import normal_score
from tracerless.score.within import within
from tracerless.workspace import suite_people as people
from tracerless.workspace.section import Advance
from tracerless.workspace.suite_pictures import picture_failures
from tracerless.workspace.trial import AGE_SEX, LINEAR, MEAN, MODEL, Trial

RECORDS = "people"
"""Folder of what was measured of each session."""
ACQUIRED, OWN = "acquired", "own"
"""Norms: of the controls' acquired PET, and of the controls' synthetic PET by the same model."""
_FLAT_SUVR = 1e-4
"""Normal people who differ by less than this do not differ."""


def regions(
    trial: Trial, *, progress: Advance | None = None
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Skill, agreement, flags, asymmetry, coverage, abstention, voxels, and the worst people.

    Args:
        trial: model, rivals and people.
        progress: told of every person.
    """
    records = _records(trial, progress)
    main = panel(trial, records)
    notes = _refused(records)
    tables = {
        "skill": skill_table(main, _against(trial), trial.called),
        "agreement": _agreement(trial, records),
        "voxels": _voxels(trial, records, main),
        "asymmetry": _asymmetry(trial, main),
        "coverage": coverage_table(main, trial.called),
        "abstention": abstention_table(main, trial.called),
        "failures": failures_table(
            main,
            MODEL,
            visits=[each.key.visit for each in trial.subjects],
            doubts=[str(record[people.DOUBT]) for record in records],
        ),
    }
    picture_failures(trial, tables["failures"])
    try:
        tables["z_flags"] = _flags(trial, main)
    except DatasetError as error:
        notes.append(
            f"Flags of low regions were not compared. {error.message} Evaluate on more of them."
        )
    if tables["coverage"].empty:
        notes.append("The model gave no intervals, so nothing is said of their coverage.")
    return {name: table for name, table in tables.items() if len(table)}, notes


def panel(
    trial: Trial,
    records: Sequence[people.Record],
    *,
    atlas: int = 0,
    reference: int = 0,
) -> Panel:
    """What all records say over one atlas and reference.

    Args:
        trial: whose records these are, in the order of its subjects.
        records: as `suite_people.measured` makes them.
        atlas: place among `suite_people.atlases`.
        reference: place among `suite_people.references`; intervals belong to the first of both.
    """
    over, by = people.atlases(trial)[atlas], people.references(trial)[reference]

    def cells(who: str) -> NDArray[np.float64]:
        return np.stack([record[people.cell(who, over.key, by)] for record in records])

    widths = {}
    if not atlas and not reference:
        widths = {
            who: np.stack([record[f"{people.WIDTH}|{who}"] for record in records])
            for who in trial.by
        }
    return Panel(
        regions=over.keys,
        people=tuple(str(each.person) for each in trial.subjects),
        groups=tuple(each.diagnosis or UNKNOWN for each in trial.subjects),
        truth=cells(people.TRUTH),
        predicted={who: cells(who) for who in trial.by},
        half_widths={who: each for who, each in widths.items() if np.isfinite(each).any()},
    )


def _records(trial: Trial, progress: Advance | None) -> list[people.Record]:
    records = []
    for at, subject in enumerate(trial.subjects):
        digest = people.person_digest_of(trial, subject, "regions")
        made = people.kept(
            trial.folder / RECORDS,
            str(subject.key),
            digest,
            lambda subject=subject: people.measured(trial, subject),  # type: ignore[misc]
        )
        records.append(made)
        if progress is not None:
            progress(at + 1, len(trial.subjects), str(subject.key))
    return records


def _against(trial: Trial) -> dict[str, tuple[str, ...]]:
    rivals = tuple(by for by in (MEAN, AGE_SEX, LINEAR) if by in trial.by)
    against = {MODEL: rivals}
    for at, rival in enumerate(rivals[1:], start=1):
        against[rival] = rivals[:at]
    return against


def _agreement(trial: Trial, records: Sequence[people.Record]) -> pd.DataFrame:
    tables = []
    for a, atlas in enumerate(people.atlases(trial)):
        for r, reference in enumerate(people.references(trial)):
            laid = panel(trial, records, atlas=a, reference=r)
            tables.append(
                agreement_table(
                    laid, atlas=atlas.key, reference=reference, mean=MEAN, calls=trial.called
                )
            )
    return pd.concat(tables, ignore_index=True)


def _voxels(trial: Trial, records: Sequence[people.Record], main: Panel) -> pd.DataFrame:
    """Mean over people of what was measured in the brain, by group."""
    rows = []
    values = {
        by: np.stack([record[f"{people.VOXELS}|{by}"] for record in records]) for by in trial.by
    }
    names = np.array(main.groups)
    for group, mine in main.by_group():
        chosen = np.full(len(names), fill_value=True) if group == "all" else names == group
        drawn = draws(mine.people, "voxels", group)
        for by, array in values.items():
            for at, metric in enumerate(people.VOXEL_METRICS):
                column = array[chosen, at]
                known = np.isfinite(column)
                weight = drawn.weights @ known
                total = drawn.weights @ np.where(known, column, 0.0)
                found = np.where(weight > 0, total / np.maximum(weight, 1e-12), np.nan)
                if known.any():
                    row = (trial.called(by), group, metric, *drawn.interval(found))
                    rows.append((*row, drawn.n_people))
    return pd.DataFrame(rows, columns=[*TABLES["voxels"]])


def _asymmetry(trial: Trial, main: Panel) -> pd.DataFrame:
    truth = _sides(main.truth, main.regions)
    if truth.empty:
        return pd.DataFrame(columns=[*TABLES["asymmetry"]])
    tables = [
        asymmetry_table(
            truth,
            _sides(main.predicted[by], main.regions),
            people=main.people,
            who=trial.called(by),
        )
        for by in (MODEL, LINEAR)
        if by in trial.by
    ]
    return pd.concat(tables, ignore_index=True)


def _sides(cells: NDArray[np.float64], keys: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame([asymmetry(pd.Series(row, index=list(keys))) for row in cells])


def _flags(trial: Trial, main: Panel) -> pd.DataFrame:
    """Of each predictor against both norms; the truth against the acquired controls."""
    facts = pd.DataFrame(
        {
            "age": [each.facts.age for each in trial.subjects],
            "sex": [each.facts.sex for each in trial.subjects],
        }
    )
    controls = np.array([group == Diagnosis.CN for group in main.groups])
    known = np.asarray(np.isfinite(main.truth).all(axis=0), dtype=np.bool_)
    truth = _z(main.truth, main.truth, facts, controls, known)
    predicted: dict[str, Mapping[str, NDArray[np.float64]]] = {}
    for by in (MODEL, LINEAR):
        if by in trial.by:
            made = main.predicted[by]
            norms = {ACQUIRED: main.truth, OWN: made}
            predicted[trial.called(by)] = {
                norm: _z(made, cells, facts, controls, _varies(cells[controls], known))
                for norm, cells in norms.items()
            }
    return flags_table(truth, predicted, people=main.people, groups=main.groups)


def _varies(normal: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(R,) known, and normal people differ at all: those of a constant predictor make no norm."""
    made = normal[np.isfinite(normal).any(axis=1)]
    if not len(made):
        return np.zeros_like(known)
    seen = known & np.isfinite(made).all(axis=0)
    spread = np.ptp(np.where(seen, made, 0.0), axis=0)
    varies: NDArray[np.bool_] = spread > _FLAT_SUVR
    return varies


def _z(
    values: NDArray[np.float64],
    normal: NDArray[np.float64],
    facts: pd.DataFrame,
    controls: NDArray[np.bool_],
    known: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """(N, R) z against the controls of ``normal``; each control against the others alone.

    Controls that a model refused are no part of its norm.
    """
    whole: NDArray[np.float64] = np.full(values.shape, np.nan)
    if not known.any():
        return whole
    controls = controls & np.isfinite(normal[:, known]).all(axis=1)
    names = [str(at) for at in np.flatnonzero(known)]
    held, norm = (pd.DataFrame(each[:, known], columns=names) for each in (values, normal))
    z = _against_norm(held, facts, norm[controls], facts[controls])
    for at in np.flatnonzero(controls):
        others = controls.copy()
        others[at] = False
        z[at] = _against_norm(held.iloc[[at]], facts.iloc[[at]], norm[others], facts[others])[0]
    whole[:, known] = z
    return whole


def _against_norm(
    values: pd.DataFrame, facts: pd.DataFrame, normal: pd.DataFrame, normal_facts: pd.DataFrame
) -> NDArray[np.float64]:
    """Predictive z of people that the norm was not fitted on."""
    step = within(normal, normal_facts)
    t = step.z(values, facts).to_numpy(dtype=np.float64)
    return normal_score(t, step.norm.dof)


def _refused(records: Sequence[people.Record]) -> list[str]:
    doubts = [str(record[people.DOUBT]) for record in records]
    refused = [each.removeprefix("refused: ") for each in doubts if each.startswith("refused: ")]
    if not refused:
        return []
    return [
        f"{len(refused)} of {len(records)} sessions were refused by the model and count nowhere."
    ]
