"""A dataset's diagnosis models evaluated: five arms, every check, resumed where it was stopped."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from tracerless import diagnose
from tracerless.core.assessment import Assessment
from tracerless.core.errors import DatasetError, ModelError
from tracerless.core.study import Arm, Study
from tracerless.diagnose import audit
from tracerless.diagnose.assess import assess
from tracerless.io import assessments
from tracerless.workspace.audit import NONE, known
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.diagnosis_steps import PARTS, Options, Run
from tracerless.workspace.section import Advance
from tracerless.workspace.study import study
from tracerless.workspace.tables import EVALUATION

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")


def folder_of(dataset: Dataset, key: str) -> Path:
    """Where an evaluation lies."""
    return dataset.derivatives / EVALUATION / key


def require_name(key: str) -> None:
    """Refuse what cannot name a folder.

    Raises:
        ModelError: so it is.
    """
    if not _NAME.match(key):
        raise ModelError(f"{key!r} cannot name an evaluation.", hint="Use letters, digits, . _ -.")


def evaluate(
    dataset: Dataset,
    *,
    contrast: str,
    key: str,
    settings: diagnose.Settings,
    options: Options,
    advance: Advance | None = None,
) -> tuple[Assessment, Path]:
    """Evaluate every model on every arm, and write the evaluation.

    What a stopped run finished is taken over, as long as dataset and settings are the same; a
    finished evaluation of both is read back.

    Args:
        dataset: quantified.
        contrast: ``FDG``, ``ECD`` …; ``none`` for scores alone.
        key: name of the evaluation, and of its folder.
        settings: models, folds, features, seed.
        options: splits, sentinel, learning curve, prevalences.
        advance: told of every step.

    Raises:
        DatasetError: nothing of that contrast was measured, or too few normal people for z.
        ModelError: too few people, classes or predictors.
    """
    require_name(key)
    folder = folder_of(dataset, key)
    found = study(dataset, contrast, max_gap_days=options.max_gap_days)
    run = Run(folder, found, settings, options, advance)
    if assessments.read_facts(folder).get("digest") == run.digest:
        return assessments.read(folder), folder
    try:
        with threadpool_limits(limits=1):  # many small products: threads cost ten times the time
            outs, extra = run.all()
            findings = _findings(dataset, found, outs)
            more = replace(extra, tables={**extra.tables, "findings": findings})
            made = assess(key, found, outs, settings=settings, extra=more)
    except (DatasetError, ModelError):  # it can never be finished so: nothing half done stays
        if not (folder / assessments.FILE).is_file():
            shutil.rmtree(folder, ignore_errors=True)
        raise
    assessments.write(folder, made)
    shutil.rmtree(folder / PARTS, ignore_errors=True)
    return made, folder


def _findings(dataset: Dataset, found: Study, outs: Sequence[diagnose.OutOfFold]) -> pd.DataFrame:
    """The leakage audit of the fullest arm's folds."""
    fullest = [out for out in outs if out.arm is not Arm.LEAKY][-1]
    rows = found.taken(fullest.rows)
    trial = audit.trial_of(rows, fullest.fold, rows.keys(fullest.arm))
    return audit.table(audit.audit(trial, known(dataset, rows, norm_names=(NONE,))))
