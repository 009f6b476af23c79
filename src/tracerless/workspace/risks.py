"""Risk models of a dataset: fitted, kept, used on every scan, and judged."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from threadpoolctl import threadpool_limits

from tracerless import foresee
from tracerless.core.assessment import Assessment
from tracerless.core.errors import DatasetError
from tracerless.core.people import Pseudonym, person_digest
from tracerless.core.risk import Outlook, RiskModel
from tracerless.core.study import Followup, Study
from tracerless.diagnose import audit as audits
from tracerless.foresee.card import card
from tracerless.foresee.nested import OutOfFold
from tracerless.io import assessments
from tracerless.io import risks as files
from tracerless.io.atomic import write_json, write_text
from tracerless.score.within import Within
from tracerless.workspace.audit import NONE, known
from tracerless.workspace.dataset import RISK, Dataset, find_kept, table_stem
from tracerless.workspace.followup import TABLE, read_followup
from tracerless.workspace.risk_steps import TOOLS
from tracerless.workspace.study import MAX_GAP_DAYS, study
from tracerless.workspace.tables import EVALUATION

FILE = RISK
PREDICTIONS = {
    "participant_id": "pseudonym",
    "session_id": "visit",
    "years": "horizon after the scan",
    "risk": "chance of dementia by then, death as its rival",
    "low": "lower bound of the 95 % interval",
    "high": "upper bound",
    "death": "chance of death without dementia by then",
    "death_low": "lower bound of the 95 % interval of that",
    "death_high": "upper bound",
    "band": "of the risk at the model's own horizon",
    "abstains": "why the model does not answer",
    "notes": "what to know beside the numbers",
    "in_training": "yes where the person helped to train the model: do not judge it by them",
}


def fit(
    dataset: Dataset,
    contrast: str,
    name: str,
    *,
    settings: foresee.RiskSettings,
    max_gap_days: int = MAX_GAP_DAYS,
    progress: Callable[[], None] | None = None,
) -> tuple[RiskModel, Path]:
    """Fit a model and keep it under ``models/<name>`` with its card; the model and its file.

    Raises:
        DatasetError: no follow-up table, or nobody can be followed.
        ModelError: too few people or events, or a horizon beyond the follow-up.
    """
    found = study(dataset, contrast, max_gap_days=max_gap_days)
    followup = _followup(dataset)
    with threadpool_limits(1):
        made = foresee.fit(
            found,
            followup,
            name,
            settings=settings,
            tools=TOOLS,
            people=_digests(found),
            progress=progress,
        )
    folder = dataset.models / name
    write_text(folder / "README.md", card(made, files.locked_hash(made)))
    files.write(folder / FILE, made)  # last: a folder without it holds no model
    return made, folder / FILE


def find(dataset: Dataset, name: str | None) -> RiskModel:
    """A risk model by name, by path, or the only one.

    Raises:
        ModelError: there is none so called, none at all, or more than one to choose from.
    """
    path = find_kept(
        dataset,
        name,
        FILE,
        what="risk model",
        option="--model",
        make="Fit one with `tracerless risk fit`.",
    )
    return files.read(path)


def predict(
    dataset: Dataset, model: RiskModel, *, max_gap_days: int = MAX_GAP_DAYS
) -> tuple[tuple[Outlook, ...], Path]:
    """What the model says of every scan, and the table that it was written to.

    Raises:
        RecipeMismatchError: the dataset was measured in another way.
        DatasetError: it lacks a predictor.
    """
    found = study(dataset, _contrast(model), max_gap_days=max_gap_days)
    with threadpool_limits(1):
        told = foresee.outlooks(model, found, _norm(model), TOOLS)
    table = _table(told, model)
    path = dataset.derivatives / f"{table_stem('risk', model.key)}_predictions.tsv"
    write_json(
        path.with_suffix(".json"),
        {
            **{name: {"Description": words} for name, words in PREDICTIONS.items()},
            "Model": {"Name": model.key, "Hash": files.locked_hash(model)},
        },
    )
    write_text(path, table.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n"))
    return told, path


def evaluate(
    dataset: Dataset,
    contrast: str,
    key: str,
    *,
    settings: foresee.RiskSettings,
    max_gap_days: int = MAX_GAP_DAYS,
    progress: Callable[[str], None] | None = None,
) -> tuple[Assessment, Path]:
    """Judge every arm and kind out of fold; the evaluation and its folder.

    Raises:
        DatasetError: no follow-up table, or nobody can be followed.
        ModelError: too few people or events, or a horizon beyond the follow-up.
    """
    found = study(dataset, contrast, max_gap_days=max_gap_days)
    with threadpool_limits(1):
        made = foresee.evaluate(
            found,
            _followup(dataset),
            key,
            settings=settings,
            tools=TOOLS,
            progress=progress,
        )
    return _keep(dataset, made, {"gap_days": max_gap_days}, _audited(dataset, made))


def validate(
    dataset: Dataset,
    model: RiskModel,
    key: str,
    *,
    settings: foresee.RiskSettings,
    max_gap_days: int = MAX_GAP_DAYS,
) -> tuple[Assessment, Path]:
    """Judge a locked model on the people of this dataset; the evaluation and its folder.

    Raises:
        RecipeMismatchError: the dataset was measured in another way.
        DatasetError: no follow-up table, or a predictor is lacking.
        ModelError: too few people or events.
    """
    found = study(dataset, _contrast(model), max_gap_days=max_gap_days)
    with threadpool_limits(1):
        made = foresee.validate(
            model,
            found,
            _followup(dataset),
            key,
            settings=settings,
            norm=_norm(model),
            tools=TOOLS,
            digests=_digests(found),
        )
    return _keep(dataset, made, {"gap_days": max_gap_days, "hash": files.locked_hash(model)})


def _keep(
    dataset: Dataset,
    made: foresee.RiskEvaluation,
    facts: dict[str, Any],
    findings: pd.DataFrame | None = None,
) -> tuple[Assessment, Path]:
    tables = dict(made.assessment.tables)
    if findings is not None:
        tables["findings"] = findings
    whole = replace(made.assessment, facts={**made.assessment.facts, **facts}, tables=tables)
    folder = dataset.derivatives / EVALUATION / whole.key
    people = [made.task.study.person[row] for row in made.task.found.rows]
    by_arm: dict[str, list[OutOfFold]] = {}
    for each in made.told:
        by_arm.setdefault(each.arm.value, []).append(each)
    for arm, told in by_arm.items():
        rows = pd.concat([_rows(each, people) for each in told], ignore_index=True)
        assessments.write_table(folder / f"out_of_fold-{arm}.tsv", rows)
    assessments.write(folder, whole)
    return whole, folder


def _audited(dataset: Dataset, made: foresee.RiskEvaluation) -> pd.DataFrame:
    """The leakage audit of the fullest arm; z is fitted anew inside each fold."""
    told = made.told[-1]
    study = made.task.study.taken(made.task.found.rows)
    trial = audits.trial_of(study, told.fold, study.keys(told.arm))
    return audits.table(audits.audit(trial, known(dataset, study, norm_names=(NONE,))))


def _rows(told: OutOfFold, people: Sequence[str]) -> pd.DataFrame:
    parts = []
    for repeat, risks in enumerate(told.dementia):
        wide = pd.DataFrame(risks, columns=[f"risk_{time:g}y" for time in told.times])
        wide.insert(0, "fold", told.fold[repeat])
        wide.insert(0, "repeat", repeat)
        wide.insert(0, "model", told.model)
        wide.insert(0, "arm", told.arm.value)
        wide.insert(0, "participant_id", [f"sub-{person}" for person in people])
        parts.append(wide)
    return pd.concat(parts, ignore_index=True)


def _table(told: Sequence[Outlook], model: RiskModel) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    trained = set(model.people)
    for each in told:
        own = "yes" if person_digest(Pseudonym(each.person)) in trained else "no"
        visit = f"ses-{each.visit}" if each.visit else None
        name, notes = (f"sub-{each.person}", visit), " ".join(each.notes) or None
        if each.abstains:
            rows.append((*name, *[None] * 8, each.abstains, notes, own))
            continue
        rows += [(*name, *number, each.band, None, notes, own) for number in _numbers(each)]
    return pd.DataFrame(rows, columns=list(PREDICTIONS))


def shown(told: Outlook) -> pd.DataFrame:
    """A person's risks as a page draws them: event, years, value, low, high, band."""
    rows: list[tuple[Any, ...]] = []
    for years, risk, low, high, death, death_low, death_high in _numbers(told):
        rows.append(("dementia", years, risk, low, high, told.band))
        rows.append(("death", years, death, death_low, death_high, ""))
    return pd.DataFrame(rows, columns=["event", "years", "value", "low", "high", "band"])


def _numbers(told: Outlook) -> Iterator[tuple[float, ...]]:
    both = (told.risk, told.low, told.high, told.death, told.death_low, told.death_high)
    return zip(told.years, *both, strict=True) if told.risk else iter(())


def _followup(dataset: Dataset) -> Followup:
    followup = read_followup(dataset)
    if followup is None:
        raise DatasetError(
            f"{dataset.root} has no {TABLE}.",
            hint="Bring one in with `tracerless risk import TABLE DATASET`.",
        )
    return followup


def _contrast(model: RiskModel) -> str:
    return "none" if model.measured is None else model.measured.contrast


def _digests(found: Study) -> tuple[str, ...]:
    return tuple(person_digest(Pseudonym(person)) for person in found.person)


def _norm(model: RiskModel) -> Within | None:
    kept = model.norm
    return None if kept is None else Within(kept.names, kept.how, kept.norm)
