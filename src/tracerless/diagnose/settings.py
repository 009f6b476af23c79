"""Settings of a diagnosis model."""

from collections.abc import Iterable
from dataclasses import dataclass

from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import RecipeError, did_you_mean

MODELS = ("prevalence", "elastic_net", "mlp")
"""Every model, simplest first."""
MIN_PEOPLE = 10
"""A class needs as many people."""

_CHOICES = {
    "features": ("z", "ratio"),
    "class_weight": ("none", "balanced"),
    "hierarchy": ("auto", "flat", "hierarchical"),
}
_LIMITS = {
    "folds": (2, 20),
    "inner_folds": (2, 20),
    "repeats": (1, 1000),
    "level": (0.5, 0.99),
    "max_missing": (0.0, 1.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How models are fitted and judged.

    Raises:
        RecipeError: a word is unknown or a number out of its range.
    """

    classes: tuple[str, ...] = ()
    """Diagnoses to tell apart; none named: each one that at least ten people have."""
    models: tuple[str, ...] = MODELS
    """Fitted side by side."""
    features: str = "z"
    """Regions as ``z`` against the controls of the training rows, or as ``ratio``."""
    folds: int = 5
    """Outer folds: what is reported comes from them."""
    inner_folds: int = 4
    """Folds within the training rows: penalty, calibration and threshold come from them."""
    repeats: int = 1
    """How often people are dealt anew over the outer folds."""
    class_weight: str = "none"
    """``balanced`` lets each class weigh the same while fitting; calibration undoes its bias."""
    harmonize: bool = True
    """Take out what scanners add and stretch, where at least two have ten training rows each."""
    hierarchy: str = "auto"
    """``hierarchical``: first whether there is dementia, then of which kind; ``auto`` does so
    where a kind of dementia has fewer than thirty people."""
    level: float = 0.9
    """Share of conformal sets that hold the truth, of each class."""
    max_missing: float = 0.3
    """Share of the model's weight that may be missing before it abstains."""
    seed: str = "1"
    """Of folds and of the weights that training starts from."""

    def __post_init__(self) -> None:
        """Check once."""
        for name, known in _CHOICES.items():
            _require(name, (getattr(self, name),), known)
        _require("models", self.models, MODELS)
        _require("classes", self.classes, tuple(Diagnosis))
        if not self.models or len(self.classes) == 1:
            only = "no model" if not self.models else f"the class {self.classes[0]} alone"
            raise RecipeError(
                f"There is nothing to compare with {only}.",
                hint="Name two classes or more with --class, or none to take all.",
            )
        for name, (low, high) in _LIMITS.items():
            if not low <= getattr(self, name) <= high:
                raise RecipeError(f"{name}={getattr(self, name)} is outside {low}-{high}.")


def _require(name: str, words: Iterable[str], known: tuple[str, ...]) -> None:
    chosen = [str(word) for word in words]
    for word in chosen:
        if word not in known:
            raise RecipeError(f"{name}={word!r} is unknown.", hint=did_you_mean(word, known))
    if len(set(chosen)) < len(chosen):
        raise RecipeError(f"{name} names one thing twice: {', '.join(chosen)}.")
