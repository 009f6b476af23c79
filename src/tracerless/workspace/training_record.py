"""A trained model as what its page shows."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tracerless import __version__
from tracerless.publish.training_record import Shown, TrainingRecord
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.calibration import Calibration, subset_key, subsets

_NAMES = {
    "cpu_s": "CPU-seconds",
    "budget_s": "budget, s",
    "spent_s": "time spent, s",
    "refused": "pairs refused",
    "doubted": "pairs in doubt",
    "thinned": "pairs without a contrast",
    "reading_s": "of it for reading, s",
}


def training_record(checkpoint: Checkpoint, facts: Mapping[str, Any]) -> TrainingRecord:
    """What the page of a training shows.

    Args:
        checkpoint: trained.
        facts: of the run, as kept beside the model.
    """
    made, history = checkpoint, checkpoint.history
    run = {
        "device": history.device,
        "processes": history.processes,
        "threads": history.threads,
        "torch": history.torch,
        "tracerless": __version__,
        **{_NAMES.get(name, name): value for name, value in facts.items()},
        "grid": f"{' x '.join(map(str, made.grid.shape))}, {made.grid.spacing_mm[0]:g} mm",
        "people (digest of their digests)": made.manifest.digest,
        "digest of the model": made.digest,
    }
    return TrainingRecord(
        name=made.name,
        training_domain=made.training_domain,
        uses_cognition=made.marked_for_cognition,
        settings=asdict(made.recipe),
        losses=dict(history.losses),
        checks=dict(history.checks),
        shown={
            key: Shown(each.works, each.skill, each.slope, each.n)
            for key, each in _fullest_first(made)
        },
        n_trained=made.n_trained,
        n_held_out=made.n_held_out,
        counts=dict(made.manifest.diagnoses),
        counts_held_out=dict(made.manifest.held_out),
        split_by=made.manifest.split,
        sites=dict(Counter(made.manifest.sites) + Counter(made.manifest.sites_held_out)),
        base=made.base,
        facts=run,
    )


def _fullest_first(made: Checkpoint) -> list[tuple[str, Calibration]]:
    keys = (subset_key(inputs) for inputs in subsets())
    return [(key, made.calibration[key]) for key in keys if key in made.calibration]
