"""Diagnosis from the synthetic scan beside MR, flow and the acquired scan; and what may be claimed.

Every visit is predicted by a synthesizer that never saw its person. Every arm is judged by the same
classifier of model 1, on the same people and folds, so that only what it is shown differs.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.atlas import Region
from tracerless.core.errors import ModelError
from tracerless.core.study import Arm, Study
from tracerless.diagnose import audit as audits
from tracerless.diagnose.audit_people import synthesizer as check_synthesizer
from tracerless.evaluate import claims
from tracerless.workspace import synthetic_diagnosis_arms as arms
from tracerless.workspace.section import Advance, Found
from tracerless.workspace.synthetic_diagnosis_study import (
    ARMS,
    WORDS,
    Wide,
    n_parameters,
    seen_by,
    wide,
)
from tracerless.workspace.synthetic_diagnosis_visits import Visit, visits_of
from tracerless.workspace.trial import Trial

TASKS = (("CN", "AD"), ("CN", "MCI", "AD"))
"""Judged apart: what is easy between the ends is not what is asked in the middle."""
N_FOLDS = 5


def section(trial: Trial, *, progress: Advance | None = None) -> Found:
    """Diagnosis on every arm over the people of a trial, and the claims that follow.

    Args:
        trial: people whom their synthesizer never saw.
        progress: told (done, total, what).

    Raises:
        ModelError: nobody was predicted, no task has people enough, or a model of twins.
    """
    trial.require_own()
    visits, refused = visits_of(trial, progress)
    return judge(
        visits,
        trial.atlas.regions,
        domain=trial.domain,
        refused=refused,
        knows_cognition=trial.checkpoint.marked_for_cognition,
        progress=progress,
    )


def judge(
    visits: Sequence[Visit],
    regions: Iterable[Region],
    *,
    domain: str,
    refused: Sequence[str] = (),
    knows_cognition: bool = False,
    margin: float = claims.MARGIN,
    tasks: Sequence[tuple[str, ...]] = TASKS,
    progress: Advance | None = None,
) -> Found:
    """Every arm on every task, what follows, and whether anything leaked.

    Args:
        visits: of people whom their synthesizer never saw.
        regions: of the atlas that they were measured in.
        domain: ``simulated`` or ``acquired``.
        refused: sentences about visits that were not predicted.
        knows_cognition: whether the synthesizer was told a cognitive score; then nothing is
            claimed.
        margin: area that may be lost against acquired PET.
        tasks: classes of each.
        progress: told (done, total, what).

    Returns:
        Tables ``performance``, ``increments``, ``roc``, ``calibration``, ``decision_curve``,
        ``confusion``, ``claims`` and ``findings``; column ``model`` holds classifier and classes,
        ``arm`` what it was shown.

    Raises:
        ModelError: no visit, or no task has people enough.
    """
    if not visits:
        raise ModelError("Nobody was predicted.", hint="Say with --input what the model takes.")
    found = _as_fine_as_people_allow(visits, list(regions), domain, tasks)
    fold, notes = folds_of(visits), [*refused, *_said(visits, found)]
    tell = _teller(progress, len(tasks) * len(ARMS))
    judgments: list[arms.Judgment] = []
    for classes in tasks:
        try:
            judgments.append(
                arms.judge(found, classes, fold=fold, n_folds=N_FOLDS, seed="1", tell=tell)
            )
        except ModelError as error:
            notes.append(f"{'/'.join(classes)} is not judged: {error.message}")
    if not judgments:
        raise ModelError(notes[-1], hint="Fill the diagnosis column of participants.tsv.")
    every = [arms.tables(each) for each in judgments]
    made = [
        claims.claim(
            arms.diagnosed(
                each, own["performance"], domain=domain, knows_cognition=knows_cognition
            ),
            margin=margin,
        )
        for each, own in zip(judgments, every, strict=True)
    ]
    tables = arms.shared(every)
    tables["claims"] = claims.claims_table(made)
    tables["findings"] = findings(visits, found, judgments[0])
    notes += [note for each in judgments for note in (*each.notes, arms.over_folds(each)) if note]
    return tables, notes


def folds_of(visits: Sequence[Visit]) -> NDArray[np.intp] | None:
    """(n,) folds of a cross-fitted set; None where one synthesizer predicted all.

    Classifier and synthesizer then keep the same people out.
    """
    makers = sorted({visit.maker for visit in visits})
    if len(makers) == 1:
        return None
    return np.array([makers.index(visit.maker) for visit in visits], dtype=np.intp)


def findings(visits: Sequence[Visit], found: Wide, judgment: arms.Judgment) -> pd.DataFrame:
    """The leakage audit of the synthetic arm; each visit is held against its own synthesizer."""
    study = seen_by(found, "synthetic") or found.study
    rows = judgment.rows
    kept = study.taken(rows)
    trial = audits.trial_of(kept, judgment.fold[None], kept.keys(Arm.IMAGE))
    own = [visits[row] for row in rows]
    every = audits.audit(trial, audits.Known(norms={}, synthesizers={}))
    checks = [each for each in every if each.check != "synthesizer"]
    return audits.table([*checks, _synthesizers(kept, own)])


def _synthesizers(study: Study, visits: Sequence[Visit]) -> audits.Finding:
    """Whether any synthesizer saw somebody whom it predicted."""
    makers = {visit.maker: visit.teachers for visit in visits}
    said = []
    for maker, teachers in sorted(makers.items()):
        fold = np.array(["test" if visit.maker == maker else "" for visit in visits])
        trial = audits.Trial(study.person, study.diagnosis, fold[None])
        said.append(check_synthesizer(trial, audits.Known(synthesizers={maker: teachers})))
    bad = [each for each in said if each.verdict is not audits.Verdict.PASS]
    if bad:
        return bad[0]
    n = len(set(study.person))
    what = f"Each of {n} people was predicted by a synthesizer ({len(makers)}) that never saw them."
    return audits.Finding("synthesizer", audits.Verdict.PASS, what)


def _as_fine_as_people_allow(
    visits: Sequence[Visit],
    regions: list[Region],
    domain: str,
    tasks: Sequence[tuple[str, ...]],
) -> Wide:
    """The finest grain at which the smallest task has more people than its largest arm columns."""
    diagnoses = {visit.key.person: visit.facts.diagnosis for visit in visits}
    sizes = [sum(each in classes for each in diagnoses.values()) for classes in tasks]
    fewest = min((size for size in sizes if size), default=0)
    found = wide(visits, regions, domain=domain, grain="sides")
    for grain in WORDS:
        found = wide(visits, regions, domain=domain, grain=grain)
        if n_parameters(found) <= fewest:
            break
    return found


def _said(visits: Sequence[Visit], found: Wide) -> Iterable[str]:
    yield f"Every arm sees {WORDS[found.grain]}, so that none has a finer view than another."
    makers = len({visit.maker for visit in visits})
    if makers > 1:
        yield (
            f"{makers} synthesizers, each kept from the people it predicts; classifier and "
            "synthesizers share their folds. Nobody was predicted by a synthesizer that had seen "
            "them; the training people of a fold were predicted by some that had seen its test "
            "people, as cross-fitting has it."
        )
    yield (
        "Intervals are over people, given the models of these folds; the classifier "
        f"({arms.CLASSIFIER}) was named beforehand."
    )


def _teller(progress: Advance | None, total: int) -> Callable[[str], None]:
    done: list[str] = []

    def tell(what: str) -> None:
        done.append(what)
        if progress:
            progress(min(len(done), total), total, what)

    return tell
