"""What an evaluation of synthesis says of its model and its people, beside the numbers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from tracerless import __version__, evaluate
from tracerless.core.people import person_digest
from tracerless.core.recipe import fingerprint
from tracerless.workspace.trial import Trial


def facts(opened: Trial, tables: Mapping[str, pd.DataFrame], done: Sequence[str]) -> dict[str, Any]:
    """Plain values: the headline first, then whom and what it is about.

    Args:
        opened: the trial.
        tables: of all sections.
        done: sections that stand.
    """
    made = opened.checkpoint
    english, chinese = evaluate.headline(
        tables, opened.name, domain=opened.domain, reference=made.reference
    )
    return {
        "headline": english,
        "headline_zh": chinese,
        **_people(opened),
        "domain": opened.domain,
        "contrast": "synthFDG",
        "model": made.name,
        "model_hash": made.digest,
        "models": [opened.name, *opened.rivals],
        "marked_for_cognition": made.marked_for_cognition,
        "learned_from": made.recipe.people,
        "inputs": [str(contrast) for contrast in made.inputs],
        "reference": made.reference,
        "template": made.template,
        "atlas": opened.atlas.key,
        "recipe": asdict(made.recipe),
        "training_domain": made.training_domain,
        "n_trained": made.n_trained,
        "n_held_out": made.n_held_out,
        "split_by": made.manifest.split,
        "manifest": made.manifest.digest,
        "training_counts": dict(made.manifest.diagnoses),
        "training_sites": sorted(made.manifest.sites),
        "left_out": list(opened.notes),
        "sections": list(done),
        "digest": opened.digest,
        "version": __version__,
    }


def _people(opened: Trial) -> dict[str, Any]:
    people = {each.person for each in opened.subjects}
    groups = Counter(each.diagnosis or evaluate.UNKNOWN for each in opened.subjects)
    return {
        "n": len(opened.subjects),
        "n_people": len(people),
        "classes": {group: groups[group] for group in evaluate.ordered(list(groups))},
        "scanners": sorted({each.facts.site for each in opened.subjects if each.facts.site}),
        "split": fingerprint(*sorted(map(person_digest, people))),
    }
