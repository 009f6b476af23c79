"""One contrast of a session on the template grid, and what each needs on its way there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracerless.core.session import NativeSeries, Template
from tracerless.core.transform import Affine, Chain
from tracerless.core.volume import Contrast, Scale, Volume
from tracerless.prepare import quality
from tracerless.prepare.head import Head
from tracerless.registration.ladder import Alignment, align


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """One contrast on the template grid.

    Args:
        volume: on the template grid; NaN outside the field of view.
        numbers: quality numbers by name (`quality.LIMITS`).
        source: how it was made.
        alignment: anatomical space -> series mm; None for the anatomical volume itself.
        scale: what brings the ratio back to a unit, where that is known.
        notes: one sentence for each thing that makes the session ``review``.
    """

    volume: Volume
    numbers: Mapping[str, float]
    source: Mapping[str, Any]
    alignment: Affine | None = None
    scale: Scale | None = None
    notes: tuple[str, ...] = ()


def place(chosen: NativeSeries, guide: Volume, head: Head) -> Alignment:
    """Where a series lies relative to the T1, by the rungs of ``registration.ladder``.

    Raises:
        GeometryError: no place is convincing.
    """
    frame = chosen.frame_of_reference
    same = bool(frame) and frame == head.t1.frame_of_reference
    return align(head.anchor, guide, same_frame=same)


def aligned(found: Alignment, head: Head, contrast: Contrast) -> Affine:
    """T1 -> the other series' mm, with both ends named."""
    native = head.to_native.target
    return Affine(native, f"{native}, {contrast}", found.matrix)


def pull(found: Alignment, head: Head, contrast: Contrast) -> Chain:
    """Template -> the other series' mm, through the T1."""
    return Chain((head.to_native, aligned(found, head, contrast)))


def numbers(moved: Volume, found: Alignment, template: Template) -> dict[str, float]:
    """Coverage of the template brain (0-1) and score of the alignment, by the contrast's name."""
    brain = template.brain.array > 0
    return {
        f"coverage_{moved.contrast}": quality.coverage(moved, brain),
        f"score_{moved.contrast}": found.score,
    }


def registration(found: Alignment) -> dict[str, Any]:
    """How the alignment was found, as it goes into the sources."""
    return {
        "registration": found.rung,
        "score": round(found.score, 4),
        "sharpness": round(found.sharpness, 4),
        "overlap": round(found.overlap, 4),
        "t1_to_series": [[round(float(v), 6) for v in row] for row in found.matrix],
    }
