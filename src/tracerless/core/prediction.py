"""Synthetic PET and how well it stands up to the acquired one."""

import math
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

FEWEST_OF_A_GROUP = 5
"""Fewer people of a diagnosis are no worst group: the first line of nothing names them."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether the scans look like those that the model learned from.

    Args:
        verdict: ``inside``, ``edge`` (rarer than 1 in 20 training people) or ``outside`` (beyond
            199 in 200 of them by a margin: numbers and intervals do not hold).
        p: share of training people who look at least as strange, 0-1.
        reasons: sentences: which contrast, where, how.

    Raises:
        ModelError: an unknown verdict, or a share that is none.
    """

    verdict: str
    p: float
    reasons: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check once."""
        if self.verdict not in {"inside", "edge", "outside"}:
            raise ModelError(f"Reach {self.verdict!r} is none of inside, edge, outside.")
        if not 0 <= self.p <= 1:
            raise ModelError(f"Reach has p={self.p}; a share lies between 0 and 1.")


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
        level: share of people, of those the model did not learn from, that the intervals hold.
        half_widths: of the interval about each region's mean, SUVR; a region that too few people
            showed is absent, and all are when too few people could show any.
        half_width: likewise about each voxel, on the grid of ``volume``; None with no intervals.
        reach: whether the model may speak of these scans at all; None when it cannot tell.
        covariates: what was looked at besides MR, e.g. ``age``, ``sex``; ``MMSE`` marks a result
            that the diagnosis may have leaked into.
        samples: plausible volumes around the mean, for texture and spread; numbers never come from
            them.

    Raises:
        QuantityError: the volume or a sample is not synthetic SUVR, or something beside it
            lies on another grid.
        ModelError: no input or one that is not an MR input, another domain, a level that is no
            share, or a half-width that is no length.
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
    level: float = 0.9
    half_widths: Mapping[str, float] = field(default_factory=dict)
    half_width: Volume | None = None
    reach: Reach | None = None
    covariates: tuple[str, ...] = ()
    samples: tuple[Volume, ...] = ()

    def __post_init__(self) -> None:
        """Check once."""
        for volume in (self.volume, *self.samples):
            if (volume.contrast, volume.quantity) != (Contrast.SYNTHETIC_FDG, Quantity.SUVR):
                raise QuantityError(f"A prediction holds synthetic SUVR, got {volume!r}.")
        if not self.inputs or not set(self.inputs) <= set(MR_INPUTS):
            raise ModelError(f"A prediction is made from T1w, T2w or cbf, got {list(self.inputs)}.")
        if self.training_domain not in {"simulated", "acquired"}:
            raise ModelError(f"training_domain={self.training_domain!r} is unknown.")
        self._require_intervals()
        for name in ("provenance", "half_widths"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def _require_intervals(self) -> None:
        """Widths are lengths on the grid of the volume, and so are samples."""
        beside = [*([] if self.half_width is None else [self.half_width]), *self.samples]
        if any(each.grid != self.volume.grid for each in beside):
            raise QuantityError(
                "The interval's map or a sample lies on another grid than the prediction."
            )
        if not 0 < self.level < 1:
            raise ModelError(f"Intervals hold a share between 0 and 1, not {self.level}.")
        wrong = {key: width for key, width in self.half_widths.items() if not 0 <= width < math.inf}
        if wrong:
            raise ModelError(f"Half-widths are SUVR from 0 on, got {wrong}.")

    @property
    def is_twin(self) -> bool:
        """Whether it shows how a person of another kind would look, and not this person.

        So it is where the model learned from some diagnoses only, e.g. a healthy twin from CN.
        What acquired PET lies below a healthy twin is a finding; what the twin shows is none.
        """
        return bool(self.provenance.get("learned_from", "all") != "all")


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
        by_region: index = region key; columns n, mae, mae_mean, skill, bias, coverage,
            half_width, r, slope.
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
        """The first line of every report: skill with its interval, over whom, slope, coverage."""
        s = self.skill
        bounds = (
            f"95 % interval {s.low:+.2f} to {s.high:+.2f}"
            if math.isfinite(s.low + s.high)
            else "too few people for an interval"
        )
        return (
            f"Skill against the training mean: {s.value:+.2f} "
            f"({bounds}, n = {s.n} {self.domain} people, "
            f"{len(self.by_region)} regions, reference {self.reference})"
            f"{self._slope}{self._coverage}."
        )

    @property
    def _slope(self) -> str:
        """Of prediction on truth: how much of a difference comes out."""
        table = self.by_region
        if "slope" not in table or table["slope"].isna().all():
            return ""
        return f"; mean regional slope {float(table['slope'].mean()):.2f}"

    @property
    def _coverage(self) -> str:
        """Of the worst diagnosis too: an average hides the sick."""
        table = self.by_diagnosis
        if "coverage" not in table or table["coverage"].isna().all():
            return ""
        known = table[table["coverage"].notna()]
        share = float((known["coverage"] * known["n"]).sum() / known["n"].sum())
        told = f"; 90 % intervals hold {share:.0%} of the truth"
        groups = known[known["n"] >= FEWEST_OF_A_GROUP]
        if not len(groups):
            return told
        worst = groups.sort_values("coverage", kind="stable").iloc[0]
        return f"{told}, in {worst.name} {worst['coverage']:.0%} (n = {worst['n']:.0f})"
