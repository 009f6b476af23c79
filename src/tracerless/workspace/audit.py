"""The leakage audit of an evaluation that a dataset keeps."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.cognition import Leak
from tracerless.core.cohort import COLUMNS
from tracerless.core.errors import ModelError, did_you_mean
from tracerless.core.study import Arm, Study
from tracerless.diagnose import audit as audits
from tracerless.io import assessments, cognition
from tracerless.io import norms as norm_files
from tracerless.workspace import diagnosis, norms
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.models import WEIGHTS, find_checkpoint, load_checkpoint
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.study import MAX_GAP_DAYS, NO_IMAGE
from tracerless.workspace.study import study as study_of
from tracerless.workspace.tables import EVALUATION

NONE = "none"
"""Instead of a name: the features were made without any."""
SYNTHETIC = "synthFDG"
RECORD = "assessment.json"
PREDICTIONS = "out_of_fold-{arm}.tsv"
_ARMS = (Arm.BOTH, Arm.IMAGE, Arm.COGNITION, Arm.DEMOGRAPHICS)
"""In the order in which one is audited; the leaky arm is what its name says."""


def of_evaluation(
    dataset: Dataset,
    key: str | None = None,
    *,
    norm_names: Sequence[str] = (),
    synthesizer_names: Sequence[str] = (),
) -> tuple[str, tuple[audits.Finding, ...]]:
    """Audit one evaluation of diagnosis or risk: its key, and six findings.

    Args:
        dataset: whose.
        key: its folder's name; None takes the only one.
        norm_names: norms that made the features, beside what the evaluation says.
        synthesizer_names: the same of synthesizers.

    Raises:
        ModelError: there is no such evaluation, it is damaged, or kept no predictions by fold.
    """
    folder = _folder(dataset, key)
    facts = assessments.read(folder).facts
    arm, rows = _predictions(folder)
    found = study_of(
        dataset,
        _contrast(str(facts.get("contrast", ""))),
        max_gap_days=int(facts.get("gap_days", MAX_GAP_DAYS)),
    )
    taken, fold = _folds(found, rows)
    trial = audits.trial_of(taken, fold, taken.keys(arm))
    named = [*norm_names, *([facts["norm"]] if facts.get("norm") else [])] or [NONE]
    findings = audits.audit(
        trial,
        known(dataset, taken, norm_names=named, synthesizer_names=synthesizer_names),
    )
    return folder.name, tuple(_with_sentinel(each, facts) for each in findings)


def of_model(
    dataset: Dataset, name: str, *, synthesizer_names: Sequence[str] = ()
) -> tuple[str, tuple[audits.Finding, ...]]:
    """Audit a fitted classifier as if it were tested on every scan of this dataset.

    Args:
        dataset: whose people would be tested.
        name: of the classifier, or its path.
        synthesizer_names: synthesizers that made the scans, where the dataset does not say.

    Raises:
        ModelError: there is no such classifier, or the dataset lacks one of its columns.
    """
    classifier = diagnosis.find(dataset, name)
    found = study_of(dataset, _contrast(classifier.measured.contrast))
    keys = [each.key for each in classifier.predictors]
    missing = [key for key in keys if key not in found.table]
    if missing:
        raise ModelError(
            f"The dataset has no {missing[0]}, which classifier {classifier.key} takes.",
            hint="Import that score, or measure with the classifier's atlas.",
        )
    trial = audits.trial_of(found, np.full(len(found), "test"), keys)
    facts = known(
        dataset,
        found,
        norm_names=(NONE,),
        synthesizer_names=synthesizer_names,
        learned=classifier.people,
    )
    return classifier.key, audits.audit(trial, facts)


def known(
    dataset: Dataset | None,
    study: Study | None = None,
    *,
    norm_names: Sequence[str] = (),
    synthesizer_names: Sequence[str] = (),
    learned: Iterable[str] = (),
) -> audits.Known:
    """What a trial is held against.

    Args:
        dataset: where models lie; None finds them by path only.
        study: the rows of the trial; its staging scores are looked for among the features, and its
            contrast and sessions tell which synthesizers made it.
        norm_names: by name or path; ``none`` where there was none; empty where nobody knows.
        synthesizer_names: the same.
        learned: digests of people that the model was fitted on before.
    """
    makers = _synthesizers(dataset, study, synthesizer_names)
    return audits.Known(
        norms=_digests(norm_names, lambda name: _norm_people(dataset, name)),
        synthesizers=makers,
        learned=frozenset(learned),
        defining=defining_names(),
        scores=None if study is None else _staging(study),
    )


def defining_names() -> frozenset[str]:
    """Every name of every score that makes or stages a diagnosis."""
    own = {column.key for column in COLUMNS if column.leaks_label}
    for test in cognition.dictionary().tests.values():
        if test.leak is Leak.HIGH:
            own |= {test.code, *test.aliases}
    return frozenset(own)


def _with_sentinel(finding: audits.Finding, facts: Mapping[str, Any]) -> audits.Finding:
    """Labels without meaning that were told apart betray what no column shows."""
    sentinel = facts.get("sentinel") or {}
    if finding.check != "selection" or sentinel.get("holds", True):
        return finding
    return audits.Finding(
        "selection",
        audits.Verdict.FOUND,
        f"With permuted labels the AUC is {sentinel['low']:.2f} to {sentinel['high']:.2f}, not .5.",
        "Look for a step that is fitted before the folds are made.",
    )


def _contrast(measured: str) -> str:
    """How a study of that is asked for."""
    return NO_IMAGE if measured in {"", norms.COGNITION} else measured


def _folder(dataset: Dataset, key: str | None) -> Path:
    root = dataset.derivatives / EVALUATION
    names = sorted(p.parent.name for p in root.glob(f"*/{RECORD}"))
    names = [name for name in names if any((root / name).glob(PREDICTIONS.format(arm="*")))]
    if key is None and len(names) == 1:
        return root / names[0]
    if key in names:
        return root / str(key)
    if key is not None:
        raise ModelError(
            f"No evaluation {key!r} that kept its predictions.",
            hint=did_you_mean(key, names) if names else "Run `tracerless diagnose evaluate`.",
        )
    hint = "Name one with --evaluation." if names else "Run `tracerless diagnose evaluate` first."
    raise ModelError(
        f"{dataset.root} holds {len(names)} evaluations that kept predictions.", hint=hint
    )


def _predictions(folder: Path) -> tuple[Arm, pd.DataFrame]:
    for arm in _ARMS:
        path = folder / PREDICTIONS.format(arm=arm)
        if path.is_file():
            table = pd.read_csv(
                path, sep="\t", na_values="n/a", dtype={"participant_id": str, "session_id": str}
            )
            if table.empty or not {"participant_id", "model", "repeat", "fold"} <= set(table):
                raise ModelError(f"{path.name} is damaged.", hint="Evaluate again.")
            return arm, table[table["model"] == table["model"].iloc[0]]
    raise ModelError(f"Evaluation {folder.name} keeps the leaky arm only.")


def _folds(study: Study, rows: pd.DataFrame) -> tuple[Study, NDArray[np.str_]]:
    """The rows of the study that have a fold, and (repeats, n) their folds.

    Evaluations of risk name people only, each by the first scan.
    """
    place: dict[tuple[str, str], int] = {}
    for row, (person, visit) in enumerate(zip(study.person, study.visit, strict=True)):
        place[person, visit] = row
        place.setdefault((person, ""), row)
    repeats = sorted(rows["repeat"].unique())
    fold = np.full((len(repeats), len(study)), "", dtype="<U16")
    people = rows["participant_id"].str.removeprefix("sub-")
    visits = rows.get("session_id", pd.Series("", index=rows.index)).fillna("")
    keys = zip(people, visits.str.removeprefix("ses-"), rows["repeat"], rows["fold"], strict=True)
    for person, visit, repeat, each in keys:
        if (person, visit) in place:
            text = "" if each == -1 else str(each)
            fold[repeats.index(repeat), place[person, visit]] = text
    there = (fold != "").any(axis=0)
    if not there.any():
        raise ModelError(
            "None of the predicted scans is in the dataset any more.", hint="Evaluate again."
        )
    return study.taken(there), fold[:, there]


def _staging(study: Study) -> pd.DataFrame:
    return study.table[[each.key for each in study.predictors if each.leak is Leak.HIGH]]


def _digests(
    names: Sequence[str], people: Callable[[str], Iterable[str]]
) -> dict[str, frozenset[str]] | None:
    if not names:
        return None
    return {name: frozenset(people(name)) for name in names if name != NONE}


def _norm_people(dataset: Dataset | None, name: str) -> tuple[str, ...]:
    if dataset is not None:
        return norms.find(dataset, name)[0].people
    path = Path(name) / norms.FILE if Path(name).is_dir() else Path(name)
    if not path.is_file():
        raise ModelError(f"No norm {name!r}.", hint="Name a file, or give the dataset.")
    return norm_files.read(path).people


def _synthesizers(
    dataset: Dataset | None, study: Study | None, names: Sequence[str]
) -> dict[str, frozenset[str]] | None:
    if names:
        return _digests(names, lambda name: _synthesizer_people(dataset, name))
    if study is None:
        return None
    if study.measured.contrast != SYNTHETIC:
        return {}
    return None if dataset is None else _made_by(dataset, study)


def _synthesizer_people(dataset: Dataset | None, name: str) -> tuple[str, ...]:
    if dataset is not None:
        return load_checkpoint(find_checkpoint(dataset, name)).people
    path = Path(name) / WEIGHTS if Path(name).is_dir() else Path(name)
    if not path.is_file():
        raise ModelError(f"No synthesizer {name!r}.", hint="Name a file, or give the dataset.")
    return load_checkpoint(path).people


def _made_by(dataset: Dataset, study: Study) -> dict[str, frozenset[str]] | None:
    """People of the synthesizers that made the study's scans; None where one cannot be found."""
    keys = set(zip(study.person, study.visit, strict=True))
    records = [
        SessionShelf(dataset, key).record("synthetic")
        for key in dataset.sessions()
        if (str(key.person), key.visit) in keys
    ]
    makers = {str((record or {}).get("model", "")) for record in records}
    paths = dataset.models.glob(f"*/{WEIGHTS}")
    have = {each.name: frozenset(each.people) for each in map(load_checkpoint, paths)}
    if len(records) < len(keys) or not makers <= set(have):
        return None
    return {name: have[name] for name in sorted(makers)}
