"""What the sidecars of kept volumes share."""

from pathlib import Path
from typing import Any

from tracerless.core.people import SessionKey
from tracerless.core.volume import Contrast, Volume
from tracerless.io import bids

Record = dict[str, Any]


def standard(volume: Volume) -> Record:
    """What BIDS asks of a volume on a template grid."""
    return {
        "SkullStripped": False,
        "Resolution": f"{edge_mm(volume):g} mm isotropic, the template's grid",
    }


def own_space(root: Path, key: SessionKey) -> Record:
    """What BIDS asks of a volume in the T1's own space."""
    sources = bids.raw_uris(raw(root), key, Contrast.T1W)
    reference = sources[0] if sources else "orig"
    return {"SkullStripped": False, "SpatialReference": reference, "Sources": sources}


def raw(derivatives: Path) -> Path:
    """The dataset that the derivatives in that folder come from."""
    return derivatives.parents[1]


def edge_mm(volume: Volume) -> float:
    """Voxel edge as file names state it, mm."""
    return round(volume.grid.spacing_mm[0], 3)
