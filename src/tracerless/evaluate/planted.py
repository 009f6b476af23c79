"""Hypometabolism planted into an acquired PET, with or without a sign of it in MR.

What a synthesizer gives back of it is the dose-response; where it gives back too little, a region
that is ill reads as normal.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from tracerless.core.atlas import Atlas
from tracerless.core.errors import RecipeError, did_you_mean
from tracerless.core.scaling import relative
from tracerless.core.session import Prepared, Template
from tracerless.core.volume import Contrast, Volume, with_array
from tracerless.evaluate.stress_parts import (
    Array,
    Changes,
    altered,
    require_grid,
    soft,
    tissue_levels,
)

LOSSES = (0.05, 0.1, 0.2, 0.3, 0.4)
"""Shares of the region's uptake that are taken away."""
CORRELATES: Mapping[str, str] = MappingProxyType(
    {
        "none": "nothing in MR shows it",
        "flow": "flow is lost by the same share",
        "thinning": "that share of the grey matter is fluid in T1w and T2w; flow as it was",
        "flow+thinning": "both",
    }
)
"""What MR shows of it."""
EDGE_MM = 6.0
"""FWHM of the planted region's edge: the resolution of a PET."""
PLACES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ad_pattern": (
            *("precuneus_left", "precuneus_right", "posterior_cingulate_left"),
            *("posterior_cingulate_right", "dorsolateral_parietal_left"),
            *("dorsolateral_parietal_right", "lateral_temporal_left", "lateral_temporal_right"),
        ),
        "precuneus_left": ("precuneus_left",),
        "lateral_temporal_left": ("lateral_temporal_left",),
        "superior_frontal_right": ("superior_frontal_right",),
    }
)
"""Where losses are planted, as far as an atlas has it: all of the regions that Alzheimer's disease
takes together, two of them alone, and one that it spares. A model that only knows the disease gives
back the first and erases the others."""
MAX_PLACES = 3


def planted(
    session: Prepared,
    region: NDArray[np.bool_],
    loss: float,
    *,
    correlate: str,
    template: Template,
) -> Prepared:
    """The session with uptake of a region lowered, and MR as the correlate says.

    Nothing is drawn: same session and arguments, same bytes.

    Args:
        session: prepared; its FDG, where it has one, is the truth that is changed.
        region: (I, J, K) on the session's grid.
        loss: share of the uptake within the region, 0-1; the edge is soft (`EDGE_MM`).
        correlate: among `CORRELATES`.
        template: on the session's grid.

    Raises:
        RecipeError: an unknown correlate, or a loss outside 0-1.
        GeometryError: the template lies on another grid.
    """
    if correlate not in CORRELATES:
        hint = did_you_mean(correlate, CORRELATES)
        raise RecipeError(f"No correlate {correlate!r}.", hint=hint)
    if not 0 <= loss <= 1:
        raise RecipeError(f"A loss of {loss} is outside 0-1.")
    require_grid(session, template)
    share = np.float32(loss) * soft(region, session.grid, EDGE_MM)
    changes: dict[Contrast, Volume] = {}
    if Contrast.FDG in session.volumes:
        fdg = session.volumes[Contrast.FDG]
        changes[Contrast.FDG] = with_array(fdg, fdg.array * (1 - share))
    if "flow" in correlate:
        changes.update(_less_flow(session, share, template))
    if "thinning" in correlate:
        changes.update(_thinner(session, share, template))
    return altered(session, changes, "planted", correlate, loss, int(region.sum()))


def places(atlas: Atlas) -> dict[str, tuple[str, ...]]:
    """Regions to plant into together, by name: `PLACES`, else the largest region of each lobe."""
    known = {name: keys for name, keys in PLACES.items() if set(keys) <= set(atlas.keys)}
    if known:
        return known
    size = {region.key: int((atlas.labels == region.index).sum()) for region in atlas.regions}
    largest: dict[str, str] = {}
    for region in sorted(atlas.regions, key=lambda each: -size[each.key]):
        largest.setdefault(region.lobe, region.key)
    return {key: (key,) for key in tuple(largest.values())[:MAX_PLACES]}


def mask_of(atlas: Atlas, *keys: str) -> NDArray[np.bool_]:
    """(I, J, K) voxels of these regions together.

    Raises:
        RecipeError: the atlas has no such region.
    """
    index = {region.key: region.index for region in atlas.regions}
    for key in keys:
        if key not in index:
            raise RecipeError(f"Atlas {atlas.key} has no {key!r}.", hint=did_you_mean(key, index))
    return np.isin(atlas.labels, [index[key] for key in keys])


def _less_flow(session: Prepared, share: Array, template: Template) -> Changes:
    if Contrast.CBF not in session.volumes:
        return {}
    volume = session.volumes[Contrast.CBF]
    lowered = with_array(volume, volume.array * (1 - share))
    return {Contrast.CBF: relative(lowered, template.brain.array > 0.5)}


def _thinner(session: Prepared, share: Array, template: Template) -> Changes:
    """Grey matter of that share as fluid: the voxel gains what fluid shows more than grey."""
    made = {}
    for contrast in (Contrast.T1W, Contrast.T2W):
        if contrast in session.volumes:
            volume = session.volumes[contrast]
            level = tissue_levels(volume, template)
            gain = np.float32(level["csf"] - level["grey"])
            made[contrast] = with_array(volume, volume.array + share * template.grey.array * gain)
    return made
