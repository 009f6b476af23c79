"""What becomes of a session before it is judged."""

from collections.abc import Mapping
from dataclasses import dataclass

from tracerless.core.grid import Grid
from tracerless.core.session import Anatomy
from tracerless.core.transform import PointMap
from tracerless.core.volume import Contrast
from tracerless.prepare.channel import Channel


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """The channels of a session and the maps that brought them.

    Args:
        channels: by contrast; the first one is what the maps are of.
        missing: one sentence for each contrast that is left out.
        native_grid: of the anatomical volume, else of the emission volume.
        to_native: template -> native mm.
        to_template: native -> template mm.
        anatomy: brain and tissues; None where there is no T1.
    """

    channels: Mapping[Contrast, Channel]
    missing: tuple[str, ...]
    native_grid: Grid
    to_native: PointMap
    to_template: PointMap
    anatomy: Anatomy | None = None
