"""What a page of a training shows, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Shown:
    """How predictions from one set of inputs did on people that the weights never saw.

    Args:
        works: False when they were no better than the expected map: such inputs are refused.
        skill: 1 - MAE / MAE of the expected map over regions; None where nobody was held out.
        slope: truth over prediction, both as deviations; what recalibration applies.
        n: people behind it.
    """

    works: bool
    skill: float | None
    slope: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRecord:
    """One training.

    Args:
        name: of the model, with its digest.
        training_domain: ``simulated`` or ``acquired``.
        uses_cognition: MMSE is among its inputs.
        settings: recipe, by name.
        losses: by ``<member>/<part>``, one number a step; in SUVR but for a critic and a velocity.
        checks: by member, (step, skill on held-out people before recalibration).
        shown: by set of inputs.
        n_trained, n_held_out: people.
        counts, counts_held_out: people by diagnosis.
        split_by: ``person`` or ``site``.
        sites: people by scanner or site.
        base: model that it was fine-tuned from; empty when it started afresh.
        facts: of the run: threads, device, versions, CPU-seconds, budget.
    """

    name: str
    training_domain: str
    uses_cognition: bool
    settings: Mapping[str, Any]
    losses: Mapping[str, Sequence[float]]
    checks: Mapping[str, Sequence[tuple[int, float]]]
    shown: Mapping[str, Shown]
    n_trained: int
    n_held_out: int
    counts: Mapping[str, int]
    counts_held_out: Mapping[str, int]
    split_by: str
    sites: Mapping[str, int]
    base: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
