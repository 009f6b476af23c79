"""The whole evaluation of a synthesizer: sections by name, resumed where it was stopped."""

import importlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd
from threadpoolctl import threadpool_limits

from tracerless import __version__
from tracerless.core.assessment import TABLES, Assessment
from tracerless.core.errors import RecipeError, TracerlessError, did_you_mean
from tracerless.core.recipe import fingerprint
from tracerless.io import assessments
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.section import Advance, Found
from tracerless.workspace.suite_facts import facts
from tracerless.workspace.trial import Trial
from tracerless.workspace.trial_open import Crossfit, trial

PARTS = "parts"
"""Folder of the sections, each kept under the digest of what made it."""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the evaluation.

    Args:
        meaning: one line, English.
        where: ``module:function`` below ``tracerless.workspace``; called as
            ``function(trial, progress=...)``.
    """

    meaning: str
    where: str


SECTIONS: Mapping[str, Section] = MappingProxyType(
    {
        "regions": Section(
            "skill, agreement, flags, asymmetry, coverage, voxels", "suite_regions:regions"
        ),
        "inputs": Section(
            "what each contrast is worth, and what its lack costs", "suite_inputs:inputs"
        ),
        "ablation": Section(
            "linear maps that never saw another contrast", "suite_ablation:ablation"
        ),
        "geometry": Section("grid and units come back as they went in", "suite_checks:geometry"),
        "memorisation": Section(
            "whether training people are repeated", "suite_checks:memorisation"
        ),
        "planted": Section(
            "lost uptake with and without a trace in MR", "challenges:planted_lesions"
        ),
        "stress": Section("motion, noise, misregistration, wrong delay", "challenges:stress"),
        "strange": Section("heads unlike any in training", "challenges:strange_heads"),
        "parity": Section("same numbers by every back-end, twice", "challenges_parity:parity"),
        "covariates": Section("what age, sex and cognition add", "adaptation:covariate_policy"),
        "adaptation": Section("other scanners, few pairs of them", "adaptation:adaptation"),
        "claims": Section(
            "diagnosis from MR, synthetic and acquired", "synthetic_diagnosis:section"
        ),
    }
)
"""In the order of the page. A new section is a row here."""


def run(
    dataset: Dataset,
    model: str | None,
    *,
    sections: Sequence[str] = (),
    limit: int | None = None,
    crossfit: Crossfit | None = None,
    training: Dataset | None = None,
    advance: Advance | None = None,
) -> tuple[Assessment, Path]:
    """Evaluate a synthesizer over everyone it never saw, and write the evaluation.

    A section that was made from the same model, people and version is taken over; what an earlier
    call made of other sections stays.

    Args:
        dataset: prepared sessions with acquired FDG.
        model: name or path; None takes the only one.
        sections: names among ``SECTIONS``; all when empty.
        limit: at most so many people, taken in turn from every diagnosis.
        crossfit: predicts everyone by the model that never saw them.
        training: dataset that the model learned from.
        advance: told of every step.

    Returns:
        The evaluation, and its folder.

    Raises:
        RecipeError: no section of that name.
        ModelError: no such model, or nobody that it did not see.
        TracerlessError: no section could be made; that of the last.
    """
    for name in sections:
        if name not in SECTIONS:
            raise RecipeError(f"No section {name!r}.", hint=did_you_mean(name, SECTIONS))
    opened = trial(dataset, model, limit=limit, crossfit=crossfit, training=training)
    return assess(opened, sections=sections, advance=advance), opened.folder


def assess(
    opened: Trial, *, sections: Sequence[str] = (), advance: Advance | None = None
) -> Assessment:
    """The evaluation of an open trial, written into its folder; arguments as of `run`."""
    failed: dict[str, str] = {}
    chosen = [name for name in SECTIONS if not sections or name in sections]
    with threadpool_limits(limits=1):
        for at, name in enumerate(chosen, start=1):
            part, digest = opened.folder / PARTS / name, _digest(opened, name)
            where = f"{name} ({at} of {len(chosen)})" if len(chosen) > 1 else name
            if assessments.read_facts(part).get("digest") == digest:
                continue
            try:
                tables, notes = _function(name)(opened, progress=_within(advance, where))
            except TracerlessError as error:
                if len(failed) + 1 == len(chosen):
                    raise
                failed[name] = " ".join(filter(None, (error.message, error.hint)))
                shutil.rmtree(part, ignore_errors=True)
                continue
            kept = Assessment(name, "synthesis", {"digest": digest}, tables, tuple(notes))
            assessments.write(part, kept)
    made = _joined(opened, failed)
    assessments.write(opened.folder, made)
    return made


def _function(name: str) -> Callable[..., Found]:
    module, _, function = SECTIONS[name].where.partition(":")
    found: Callable[..., Found] = getattr(
        importlib.import_module(f"tracerless.workspace.{module}"), function
    )
    return found


def _digest(opened: Trial, name: str) -> str:
    training = "" if opened.training is None else fingerprint(*opened.training.sessions())
    return fingerprint(__version__, name, opened.digest, training, *map(str, TABLES.items()))


def _within(advance: Advance | None, where: str) -> Advance:
    """Says which section it is."""

    def told(done: int, total: int, what: str) -> None:
        if advance is not None:
            advance(done, total, f"{where}: {what}")

    return told


def _joined(opened: Trial, failed: Mapping[str, str]) -> Assessment:
    """Every section that stands, as one evaluation."""
    parts = []
    for name in SECTIONS:
        part = opened.folder / PARTS / name
        if assessments.read_facts(part).get("digest") == _digest(opened, name):
            parts.append(assessments.read(part))
    rows: dict[str, list[pd.DataFrame]] = {}
    for each in parts:
        for name, table in each.tables.items():
            rows.setdefault(name, []).append(table)
    tables = {
        name: held[0] if len(held) == 1 else pd.concat(held, ignore_index=True)
        for name, held in rows.items()
    }
    notes = [*opened.notes, *(note for each in parts for note in each.notes)]
    notes += [f"Section {name} could not be made. {why}" for name, why in failed.items()]
    done = [each.key for each in parts]
    return Assessment(
        opened.name, "synthesis", facts(opened, tables, done), tables, tuple(dict.fromkeys(notes))
    )
