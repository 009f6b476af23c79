"""Where a training run stands, so that a killed one goes on to the same weights."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import ModelError, RecipeMismatchError
from tracerless.synthesize.codec import pack, unpack

_KIND = "training state 2"

Checks = Mapping[str, tuple[tuple[int, float], ...]]


@dataclass(frozen=True, slots=True, eq=False)
class TrainingState:
    """After some steps; random draws follow from the step, so no generator is kept.

    Args:
        run: fingerprint of recipe, people and space; a state fits its own run only.
        member: which of the ensemble is learning.
        phase: of its objective.
        step: steps done in this phase.
        done: steps done over all.
        updates: how often each part was moved.
        eased: how often the learning rate was halved.
        clock: seconds spent, where the phase began, what it was given; zeros without a budget.
        checks: by member, (step, skill on held-out people).
        tensors: weights, averages and moments of the member that learns, by name; under
            ``ready/<member>/`` the weights of those that are done; under ``loss/<member>/<part>``
            one number a step, SUVR.
    """

    run: str
    member: int
    phase: int
    step: int
    done: int
    updates: Mapping[str, int]
    eased: int
    clock: tuple[float, float, float]
    checks: Checks
    tensors: Mapping[str, NDArray[np.float32]] = field(repr=False)

    def to_bytes(self) -> bytes:
        """One safetensors file."""
        facts = {name: getattr(self, name) for name in ("run", "member", "phase", "step", "done")}
        facts |= {
            "updates": dict(self.updates),
            "eased": self.eased,
            "clock": list(self.clock),
            "checks": {name: [list(c) for c in each] for name, each in self.checks.items()},
        }
        return pack(_KIND, self.tensors, facts)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The state as it was.

        Raises:
            ModelError: the bytes are damaged, or of another kind.
        """
        tensors, facts = unpack(_KIND, content)
        try:
            return cls(**_fields(facts), tensors=tensors)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(
                "A training state lacks one of its facts.",
                hint="Delete it and train from the start.",
            ) from error

    def require_run(self, run: str) -> None:
        """Refuse to go on with another run.

        Raises:
            RecipeMismatchError: recipe, people or space differ.
        """
        if run != self.run:
            raise RecipeMismatchError(
                f"The training state belongs to run {self.run}, this run is {run}: settings, "
                "people, template, threads, device or number of processes differ.",
                hint="Delete the state to train from the start, or restore what was changed.",
            )

    def under(self, prefix: str) -> dict[str, NDArray[np.float32]]:
        """The tensors whose names begin so, by the rest of their names."""
        return {
            name.removeprefix(prefix): array
            for name, array in self.tensors.items()
            if name.startswith(prefix)
        }


def _fields(facts: Mapping[str, Any]) -> dict[str, Any]:
    spent, began, given = facts["clock"]
    return {
        "run": str(facts["run"]),
        **{name: int(facts[name]) for name in ("member", "phase", "step", "done", "eased")},
        "updates": {str(part): int(n) for part, n in facts["updates"].items()},
        "clock": (float(spent), float(began), float(given)),
        "checks": {
            str(member): tuple((int(step), float(skill)) for step, skill in each)
            for member, each in facts["checks"].items()
        },
    }
