"""Risk models as JSON (`io.kept`): which parts such a file may hold."""

from pathlib import Path

from tracerless.core import norm, risk, steps, study
from tracerless.core.errors import ModelError
from tracerless.core.risk import RiskModel
from tracerless.io import kept

_PARTS: tuple[type, ...] = (
    norm.Design, norm.Measured, norm.NormModel,
    risk.Hazards, risk.RegionNorm, risk.RiskModel,
    steps.Harmonizer, steps.Imputer, steps.Scaler,
    study.Predictor,
)  # fmt: skip


def write(path: Path, made: RiskModel) -> str:
    """Write a risk model; the hash that locks it comes back."""
    return kept.write(path, made)


def locked_hash(made: RiskModel) -> str:
    """The hash that locks a model."""
    return kept.digest(made)


def read(path: Path) -> RiskModel:
    """The risk model in that file.

    Raises:
        ModelError: absent, damaged, changed after it was locked, or something else.
    """
    made = kept.read(path, {part.__name__: part for part in _PARTS})
    if not isinstance(made, RiskModel):
        raise ModelError(f"{path.name} holds no risk model.", hint="Name a folder under models/.")
    return made
