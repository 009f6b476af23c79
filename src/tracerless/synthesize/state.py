"""Where a training run stands, so that a killed one goes on to the same weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import ModelError, RecipeMismatchError
from tracerless.synthesize.codec import pack, unpack

_KIND = "training state 1"


@dataclass(frozen=True, slots=True, eq=False)
class TrainingState:
    """After ``step`` steps; random draws follow from the step, so no generator is kept.

    Args:
        run: fingerprint of recipe, people and space; a state fits its own run only.
        step: steps done.
        tensors: weights, averaged weights and both moments of the optimizer, by name.
        losses: one number a step, SUVR.
        checks: (step, skill on held-out people).
    """

    run: str
    step: int
    tensors: Mapping[str, NDArray[np.float32]]
    losses: tuple[float, ...]
    checks: tuple[tuple[int, float], ...]

    def to_bytes(self) -> bytes:
        """One safetensors file."""
        facts = {
            "run": self.run,
            "step": self.step,
            "losses": list(self.losses),
            "checks": [list(check) for check in self.checks],
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
                f"The training state belongs to run {self.run}, this run is {run}: recipe, "
                "people or template differ.",
                hint="Delete the state to train from the start, or restore its recipe and people.",
            )


def _fields(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "run": str(facts["run"]),
        "step": int(facts["step"]),
        "losses": tuple(float(loss) for loss in facts["losses"]),
        "checks": tuple((int(step), float(skill)) for step, skill in facts["checks"]),
    }
