"""What the models of a dataset said of one session, as its page shows it."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tracerless import publish
from tracerless.core.cohort import Cohort
from tracerless.core.decision import Decision
from tracerless.core.people import SessionKey
from tracerless.core.risk import Outlook
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.tables import read_cohort

ENDING = "_predictions.tsv"
YEARS_APART = 5.0
"""People whose ages differ by no more are alike."""
_KNOWN = "The model learned from this person: what it says here is no evidence of how good it is."


@dataclass(frozen=True, slots=True)
class Predictions:
    """Tables of predictions that were kept, by the name of the model, and the people's table."""

    diagnosis: Mapping[str, pd.DataFrame]
    risk: Mapping[str, pd.DataFrame]
    cohort: Cohort


def kept_predictions(dataset: Dataset) -> Predictions:
    """Every table that `diagnose predict` and `risk predict` left."""
    return Predictions(_read(dataset, "diagnosis"), _read(dataset, "risk"), read_cohort(dataset))


def blocks(kept: Predictions, key: SessionKey) -> tuple[str, ...]:
    """Sections of a session's page: one block for each diagnosis model and each risk model.

    Args:
        kept: tables of the dataset.
        key: whose, and which visit.

    Raises:
        ModelError: a table was changed: probabilities that do not sum to 1, risks that fall.
    """
    decisions = [
        _decision(name, rows.iloc[0].to_dict(), key)
        for name, table in kept.diagnosis.items()
        if not (rows := _of(table, key)).empty
    ]
    outlooks = [
        _outlook(name, rows, key)
        for name, table in kept.risk.items()
        if not (rows := _of(table, key)).empty
    ]
    n_similar = similar(kept.cohort, key)
    return tuple(
        publish.person_block(decision, outlook=outlook, n_similar=n_similar)
        for decision, outlook in itertools.zip_longest(decisions, outlooks)
    )


def similar(cohort: Cohort, key: SessionKey) -> int | None:
    """Other people without disease, of about that age and the same sex; None when unknown."""
    table, person = cohort.table, str(key.person)
    if person not in table.index or not {"age", "sex", "diagnosis"} <= set(table.columns):
        return None
    people = {str(name): row for name, row in table.to_dict("index").items()}
    own = people.pop(person)
    if pd.isna(own["age"]) or not own["sex"]:
        return None
    alike = [
        row["diagnosis"] == "CN"
        and row["sex"] == own["sex"]
        and abs(row["age"] - own["age"]) <= YEARS_APART
        for row in people.values()
    ]
    return int(sum(alike))


def _read(dataset: Dataset, kind: str) -> dict[str, pd.DataFrame]:
    paths = sorted(dataset.derivatives.glob(f"{kind}-*{ENDING}"))
    return {_model(path, kind): _table(path) for path in paths}


def _model(path: Path, kind: str) -> str:
    return path.name.removeprefix(f"{kind}-").removesuffix(ENDING)


def _table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False).replace("n/a", "")


def _of(table: pd.DataFrame, key: SessionKey) -> pd.DataFrame:
    is_it = table["participant_id"] == f"sub-{key.person}"
    return table[is_it & table["session_id"].isin([f"ses-{key.visit}", ""])]


def _decision(name: str, row: Mapping[Any, str], key: SessionKey) -> Decision:
    notes = [f"Image: {row['contrast']}."] if row.get("contrast") else []
    notes += [row["notes"]] if row["notes"] else []
    notes += [_KNOWN] if row.get("in_training") == "yes" else []
    told = {str(k).removeprefix("p_"): v for k, v in row.items() if str(k).startswith("p_") and v}
    return Decision(
        model=name,
        person=str(key.person),
        visit=key.visit,
        probability={each: float(value) for each, value in told.items()},
        likely=tuple(row["likely"].split()),
        level=float(row["level"]),
        abstains=row["abstains"],
        notes=tuple(notes),
        contributions=json.loads(row.get("contributions") or "{}"),
    )


def _outlook(name: str, rows: pd.DataFrame, key: SessionKey) -> Outlook:
    first = {str(k): str(v) for k, v in rows.iloc[0].to_dict().items()}
    known = rows[rows["years"] != ""]
    known = known.assign(at=known["years"].astype(float)).sort_values("at", kind="stable")
    if first["abstains"]:
        known = known.iloc[:0]
    return Outlook(
        model=name,
        person=str(key.person),
        visit=key.visit,
        years=_numbers(known["years"]),
        risk=_numbers(known["risk"]),
        low=_numbers(known["low"]),
        high=_numbers(known["high"]),
        death=_numbers(known["death"]),
        death_low=_numbers(known["death_low"]),
        death_high=_numbers(known["death_high"]),
        band="" if first["abstains"] else first["band"],
        abstains=first["abstains"],
        notes=tuple(
            filter(None, (first["notes"], _KNOWN if first["in_training"] == "yes" else ""))
        ),
    )


def _numbers(values: pd.Series) -> tuple[float, ...]:
    texts: Sequence[str] = [str(value) for value in values]
    return tuple(float(each) for each in texts)
