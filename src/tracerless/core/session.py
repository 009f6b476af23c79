"""What one visit holds, at each stage of the work."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from tracerless.core.errors import ContrastError, GeometryError
from tracerless.core.grid import Grid
from tracerless.core.people import SessionKey
from tracerless.core.transform import Affine, PointMap
from tracerless.core.volume import Contrast, Scale, Volume, require_same_grid


@dataclass(frozen=True, slots=True, eq=False)
class NativeSeries:
    """One converted series in the scanner's space.

    Args:
        contrast: what it shows.
        volumes: one or more frames on one grid (ASL: as stored, control/label order not assumed).
        frame_of_reference: pseudonymous digest; equal digests share a space. Empty when unknown.
        sidecar: BIDS fields and provenance, without identifiers.
    """

    contrast: Contrast
    volumes: tuple[Volume, ...]
    frame_of_reference: str
    sidecar: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check once."""
        if not self.volumes:
            raise GeometryError(f"A {self.contrast} series without a volume.")
        require_same_grid(*self.volumes)
        object.__setattr__(self, "sidecar", MappingProxyType(dict(self.sidecar)))

    @property
    def grid(self) -> Grid:
        """The grid of every frame."""
        return self.volumes[0].grid


@dataclass(frozen=True, slots=True, eq=False)
class Native:
    """The converted series of one session.

    ``left_out`` holds one sentence for each series that could not be converted.
    """

    key: SessionKey
    series: tuple[NativeSeries, ...]
    left_out: tuple[str, ...] = ()

    def of(self, contrast: Contrast) -> NativeSeries | None:
        """The first series of that contrast, or None; a later repeat stands in for nothing."""
        return next((each for each in self.series if each.contrast == contrast), None)


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """The brain and its tissues in the T1's space, on one isotropic lattice.

    ``space`` names the T1's space; ``brain`` is a 0/1 label, the tissues are probabilities 0-1.

    Raises:
        GeometryError: the volumes lie on different grids.
    """

    space: str
    brain: Volume
    grey: Volume
    white: Volume
    csf: Volume

    def __post_init__(self) -> None:
        """Check once."""
        require_same_grid(self.brain, self.grey, self.white, self.csf)

    @property
    def grid(self) -> Grid:
        """The lattice of all."""
        return self.brain.grid


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """One session in template space.

    Args:
        key: whose, and which visit.
        template: key of the template, the name of the space.
        volumes: by contrast, all on one template grid: T1w and T2w in arbitrary units, CBF as
            relative CBF, emission contrasts as SUVR; NaN outside a field of view.
        native_grid: the anatomical volume's own grid (T1w; else the emission volume's).
        to_native: template -> native mm; pulls native volumes onto the template grid.
        to_template: native -> template mm; pulls template volumes onto the native grid.
        qc: measured numbers by name.
        verdict: ``pass``, ``review`` or ``fail``; ``fail`` blocks models.
        reasons: one sentence for each thing that is not ``pass``.
        fingerprint: of the recipe that made it.
        sources: per contrast, how it was made (registration step, equation, origin of numbers).
        anatomy: brain and tissues in the T1's space; None where there is no T1.
        alignments: per contrast beside the anatomical one, the anatomical space -> series mm.
        scales: per contrast, what brings its ratio back to a unit: relative CBF to mL/100g/min,
            SUVR to SUV. A contrast without one is known as a ratio only.

    Raises:
        GeometryError: volumes on different grids, or maps whose ends are not template and native.
    """

    key: SessionKey
    template: str
    volumes: Mapping[Contrast, Volume]
    native_grid: Grid
    to_native: PointMap
    to_template: PointMap
    qc: Mapping[str, float]
    verdict: str
    reasons: tuple[str, ...]
    fingerprint: str
    sources: Mapping[str, Any] = field(default_factory=dict)
    anatomy: Anatomy | None = None
    alignments: Mapping[Contrast, Affine] = field(default_factory=dict)
    scales: Mapping[Contrast, Scale] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check once."""
        if not self.volumes:
            raise GeometryError(f"{self.key}: a prepared session without a volume.")
        require_same_grid(*self.volumes.values())
        ends = (self.to_native.source, self.to_template.target)
        if ends != (self.template, self.template):
            raise GeometryError(f"{self.key}: maps end in {ends}, not in {self.template!r}.")
        if self.verdict not in {"pass", "review", "fail"}:
            raise GeometryError(
                f"{self.key}: verdict {self.verdict!r} is not pass, review or fail."
            )
        for contrast, affine in self.alignments.items():
            if affine.source != self.to_template.source:
                raise GeometryError(
                    f"{self.key}: the {contrast} is aligned to {affine.source!r}, not to "
                    f"{self.to_template.source!r}."
                )
        for name in ("volumes", "qc", "sources", "alignments", "scales"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def grid(self) -> Grid:
        """The template grid."""
        return next(iter(self.volumes.values())).grid

    def require(self, contrast: Contrast) -> Volume:
        """The volume of that contrast.

        Raises:
            ContrastError: the session has none.
        """
        if contrast not in self.volumes:
            have = ", ".join(self.volumes)
            raise ContrastError(f"{self.key} has no {contrast}, only {have}.")
        return self.volumes[contrast]


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A standard brain: ``key`` names its space; all on one grid.

    ``t1`` arbitrary units; ``grey``, ``white`` probabilities 0-1; ``brain`` a 0/1 label.
    """

    key: str
    t1: Volume
    grey: Volume
    white: Volume
    brain: Volume

    def __post_init__(self) -> None:
        """Check once."""
        require_same_grid(self.t1, self.grey, self.white, self.brain)

    @property
    def grid(self) -> Grid:
        """The template grid."""
        return self.t1.grid
