"""What a model says of one scan, and how far it goes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tracerless.core.errors import ModelError

_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Decision:
    """Calibrated probabilities of one scan, the set that holds the truth as often as it says.

    Args:
        model: name of the model.
        person, visit: whose scan.
        probability: by class, sums to 1; empty where the model abstains.
        likely: classes of the conformal set, most probable first; empty where the model abstains.
        level: share of sets that hold the truth, of each class.
        abstains: why the model does not answer (out of its range, another tracer, too much
            missing); empty where it does.
        notes: what to know beside the answer.
        contributions: by group of predictors, change in the log odds of the first class in
            ``likely`` against the average person.

    Raises:
        ModelError: probabilities do not sum to 1, or a class of the set has none.
    """

    model: str
    person: str
    visit: str
    probability: Mapping[str, float]
    likely: tuple[str, ...]
    level: float
    abstains: str = ""
    notes: tuple[str, ...] = ()
    contributions: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check once, and lock."""
        object.__setattr__(self, "probability", MappingProxyType(dict(self.probability)))
        object.__setattr__(self, "contributions", MappingProxyType(dict(self.contributions)))
        if self.abstains:
            if self.probability or self.likely:
                raise ModelError("A model that abstains gives no probability.")
            return
        total = sum(self.probability.values())
        if abs(total - 1) > _TOLERANCE or min(self.probability.values()) < 0:
            raise ModelError(f"Probabilities sum to {total:g}, not 1.")
        if not set(self.likely) <= set(self.probability):
            raise ModelError("A class of the set has no probability.")
