"""A diagnosis model as a value: what goes in, what weighs how much, how far it reaches."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from tracerless.core.errors import ModelError
from tracerless.core.norm import Measured
from tracerless.core.steps import Array, FittedZ, Harmonizer, Imputer, Scaler, locked, require_shape
from tracerless.core.study import Arm, Predictor


@dataclass(frozen=True, slots=True, eq=False)
class Preparation:
    """Everything between a study's table and the numbers a model weighs.

    Args:
        keys: predictors that are taken, in order.
        regions: of these, the regions; scanners and norm concern them alone.
        harmonizer: None where scanners are left as they are.
        norm: None where regions enter as ratios.
        imputer, scaler: fitted on the training rows.
    """

    keys: tuple[str, ...]
    regions: tuple[str, ...]
    harmonizer: Harmonizer | None
    norm: FittedZ | None
    imputer: Imputer
    scaler: Scaler


@dataclass(frozen=True, slots=True, eq=False)
class Prevalence:
    """Says of everybody how frequent each class was in training: ``log_share`` (c,)."""

    log_share: Array

    def __post_init__(self) -> None:
        """Lock."""
        object.__setattr__(self, "log_share", locked(self.log_share))


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """Multinomial logistic regression: ``coefficients`` (q, c), ``intercept`` (c,)."""

    coefficients: Array
    intercept: Array

    def __post_init__(self) -> None:
        """Check once, and lock."""
        for name in ("coefficients", "intercept"):
            object.__setattr__(self, name, locked(getattr(self, name)))
        require_shape("An intercept", self.intercept, self.coefficients.shape[1:])


@dataclass(frozen=True, slots=True, eq=False)
class Mlp:
    """One hidden layer of tanh units: (q, h), (h,), (h, c), (c,)."""

    hidden: Array
    hidden_bias: Array
    output: Array
    output_bias: Array

    def __post_init__(self) -> None:
        """Check once, and lock."""
        for name in ("hidden", "hidden_bias", "output", "output_bias"):
            object.__setattr__(self, name, locked(getattr(self, name)))
        n_units = self.hidden.shape[1]
        require_shape("A hidden bias", self.hidden_bias, (n_units,))
        require_shape("An output", self.output, (n_units, len(self.output_bias)))


@dataclass(frozen=True, slots=True, eq=False)
class Hierarchy:
    """First whether (and how far) somebody is demented, then of what kind.

    Args:
        first: over the groups.
        second: over the kinds of dementia.
        group: (c,) which group of ``first`` a class belongs to.
        kind: (c,) which kind of ``second`` a class is; -1 where the group is the class.
    """

    first: "Scorer"
    second: "Scorer"
    group: tuple[int, ...]
    kind: tuple[int, ...]


Scorer = Prevalence | Linear | Mlp | Hierarchy


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Log probabilities times ``slope`` plus ``offsets`` (c,): fitted on rows a model never saw."""

    slope: float
    offsets: Array

    def __post_init__(self) -> None:
        """Check once, and lock."""
        object.__setattr__(self, "offsets", locked(self.offsets))
        if not self.slope > 0:
            raise ModelError(f"A calibration's slope must be positive, got {self.slope}.")


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """Of whom a model may speak.

    Args:
        precision: (q, q) inverse of the inputs' shrunk correlation.
        farthest: squared distance that one in a hundred people like those in training exceeds.
        weight: (p,) share of the model's weight that hangs on each predictor; sums to 1.
        max_missing: share of that weight that may be missing.
        low, high: range of age and schooling in training, years.
        sexes: words known in training.
    """

    precision: Array
    farthest: float
    weight: Array
    max_missing: float
    low: Mapping[str, float]
    high: Mapping[str, float]
    sexes: tuple[str, ...]

    def __post_init__(self) -> None:
        """Lock."""
        for name in ("precision", "weight"):
            object.__setattr__(self, name, locked(getattr(self, name)))
        for name in ("low", "high"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """A fitted model of diagnosis.

    Args:
        key: its name.
        model: ``prevalence``, ``elastic_net`` or ``mlp``.
        arm: which predictors it sees.
        classes: that it tells apart.
        measured: what the regions were; a study of anything else is not answered.
        features: ``z`` or ``ratio``.
        predictors: of ``preparation.keys``, in order.
        preparation: from table to inputs.
        scorer: from inputs to log probabilities.
        calibration: to calibrated ones.
        level: share of sets that hold the truth, of each class.
        conformal: by class, sorted 1 - probability of the truth in people of that class who were
            held out.
        reach: of whom it may speak.
        groups: of predictors.
        importance: (folds, groups) rise of the log loss of held-out people when a group is
            shuffled among them.
        stability: mean rank correlation of the importance between folds; NaN where there is none.
        facts: plain values of its training: ``n``, ``n_people``, ``counts``, ``settings`` …
        people: ``person_digest`` of everyone it was fitted on.

    Raises:
        ModelError: parts do not fit together.
    """

    key: str
    model: str
    arm: Arm
    classes: tuple[str, ...]
    measured: Measured
    features: str
    predictors: tuple[Predictor, ...]
    preparation: Preparation
    scorer: Scorer
    calibration: Calibration
    level: float
    conformal: tuple[Array, ...]
    reach: Reach
    groups: tuple[str, ...]
    importance: Array
    stability: float
    facts: Mapping[str, Any]
    people: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check once, and lock."""
        if len(self.classes) < 2 or len(self.conformal) != len(self.classes):
            raise ModelError(f"A classifier of {len(self.classes)} classes.")
        if tuple(each.key for each in self.predictors) != self.preparation.keys:
            raise ModelError("A classifier's predictors are not what its preparation takes.")
        require_shape("A calibration", self.calibration.offsets, (len(self.classes),))
        object.__setattr__(self, "conformal", tuple(locked(each) for each in self.conformal))
        object.__setattr__(self, "importance", locked(self.importance))
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))

    def mismatch(self, measured: Measured) -> str:
        """Why a table so measured cannot be answered, in one sentence; empty when it can."""
        of_regions = ("contrast", "domain", "atlas", "reference", "pvc", "fingerprint")
        for name in of_regions if self.preparation.regions else ("domain",):
            mine, theirs = getattr(self.measured, name), getattr(measured, name)
            if mine != theirs:
                return (
                    f"Model {self.key} was fitted on {name} {mine or 'none'!r}, this scan has "
                    f"{theirs or 'none'!r}."
                )
        return ""
