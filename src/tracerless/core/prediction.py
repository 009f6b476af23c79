"""Synthetic PET and how well it stands up to the acquired one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import pandas as pd

from tracerless.core.errors import ModelError, QuantityError
from tracerless.core.people import SessionKey
from tracerless.core.volume import MR_INPUTS, Contrast, Quantity, Volume

SYNTHETIC_LABEL_EN = "SYNTHETIC - NOT ACQUIRED - RESEARCH USE ONLY"
SYNTHETIC_LABEL_ZH = "人工合成影像，非實際掃描，僅供研究"


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """One synthetic FDG volume in template space.

    Args:
        key: whose, and which visit.
        volume: SUVR, ``Contrast.SYNTHETIC_FDG``; NaN outside the brain's surroundings.
        inputs: the contrasts it was made from, a non-empty subset of ``MR_INPUTS``.
        model: name and digest of the checkpoint, e.g. ``unet-small:1f2e3d4c5b6a``.
        reference: name of the reference region; its mean in ``volume`` is 1.
        training_domain: ``simulated`` when the model saw only simulated people, else ``acquired``.
        fingerprint: of everything that made it.
        notes: sentences a reader must see (missing inputs, doubts).
        provenance: settings, versions, digests; no identifiers.

    Raises:
        QuantityError: the volume is not synthetic SUVR.
        ModelError: no input, or one that is not an MR input.
    """

    key: SessionKey
    volume: Volume
    inputs: tuple[Contrast, ...]
    model: str
    reference: str
    training_domain: str
    fingerprint: str
    notes: tuple[str, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check once."""
        kind = (self.volume.contrast, self.volume.quantity)
        if kind != (Contrast.SYNTHETIC_FDG, Quantity.SUVR):
            raise QuantityError(f"A prediction holds synthetic SUVR, got {self.volume!r}.")
        if not self.inputs or not set(self.inputs) <= set(MR_INPUTS):
            raise ModelError(f"A prediction is made from T1w, T2w or cbf, got {list(self.inputs)}.")
        if self.training_domain not in {"simulated", "acquired"}:
            raise ModelError(f"training_domain={self.training_domain!r} is unknown.")
        object.__setattr__(self, "provenance", MappingProxyType(dict(self.provenance)))


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its 95 % interval and the number of people behind it."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Synthetic against acquired PET over people that the model never saw.

    Args:
        skill: 1 - MAE / MAE of the training mean, over regions; 0 = no better than the mean.
        by_region: index = region key; columns n, mae, mae_mean, skill, bias, r.
        by_diagnosis: index = diagnosis; the same columns.
        model: name and digest of the checkpoint.
        atlas, reference: what the regions are, and what the uptake was divided by.
        split: digest of the people evaluated.
        domain: ``simulated`` or ``acquired``: where the evaluated people come from.
        fingerprint: of everything that made it.
    """

    skill: Estimate
    by_region: pd.DataFrame
    by_diagnosis: pd.DataFrame
    model: str
    atlas: str
    reference: str
    split: str
    domain: str
    fingerprint: str

    @property
    def headline(self) -> str:
        """The first line of every report: the skill, its interval, and over whom."""
        s = self.skill
        return (
            f"Skill against the training mean: {s.value:+.2f} "
            f"(95 % interval {s.low:+.2f} to {s.high:+.2f}, n = {s.n} {self.domain} people, "
            f"{len(self.by_region)} regions, reference {self.reference})."
        )
