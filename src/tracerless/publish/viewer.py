"""The interactive viewer of a session page: volumes as bytes, three planes, no library."""

import base64
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from tracerless.core.grid import Grid, with_spacing
from tracerless.core.prediction import SYNTHETIC_LABEL_EN
from tracerless.core.transform import gaussian, resample
from tracerless.core.volume import Volume
from tracerless.publish.colors import table
from tracerless.publish.markup import heading, paragraph, text
from tracerless.publish.panel import Panel

SPACINGS_MM = (2.0, 2.5, 3.0, 4.0, 6.0)
BUDGET_BYTES = 2_600_000
"""Upper limit of all volumes of one viewer, base64; the first spacing that fits is taken."""

_HELP = (
    "Drag in a picture to move the crosshair. Overlay: what lies on top of the MR.",
    "在影像上拖曳以移動十字線。",
)


def viewer(panels: Sequence[Panel]) -> str:
    """The viewer's part of the page; needs ``viewer_script.VIEWER`` behind it.

    Each volume is stored as one byte a voxel over its own range: 0 = nothing there, 1-255 linear,
    so a value read off the crosshair is exact to 1/254 of that range.

    Args:
        panels: on one upright grid; synthetic ones are labeled by the script on every drawing.
    """
    grid = _grid(panels)
    payload = {
        "shape": list(grid.shape),
        "origin": [round(float(mm), 4) for mm in grid.affine[:3, 3]],
        "step": grid.spacing_mm[0],
        "label": SYNTHETIC_LABEL_EN,
        "volumes": [_volume(panel, grid) for panel in panels],
    }
    options = "".join(f'<option value="{n}">{text(p.title)}</option>' for n, p in enumerate(panels))
    views = "".join(
        f'<div><canvas data-plane="{plane}"></canvas><input type="range" data-plane="{plane}" '
        f'aria-label="{plane} slice"></div>'
        for plane in ("axial", "coronal", "sagittal")
    )
    data = json.dumps(payload, sort_keys=True, separators=(",", ":")).replace("</", "<\\/")
    return (
        f'<section id="viewer">{heading("Look through", "互動檢視")}'
        f'<div class="controls"><label>Base <select id="base">{options}</select></label>'
        '<label>Overlay <select id="top"><option value="-1">none</option>'
        f"{options}</select></label>"
        '<label>Opacity <input id="alpha" type="range" min="0" max="100" value="65"></label>'
        '<canvas id="scale" width="260" height="34"></canvas></div>'
        f'<div class="views">{views}</div><p class="readout" id="readout"></p>'
        f"{paragraph(*_HELP, kind='note')}"
        f'<script type="application/json" id="viewer-data">{data}</script></section>'
    )


def _grid(panels: Sequence[Panel]) -> Grid:
    full = panels[0].volume.grid
    finest_mm = max(full.spacing_mm)
    for spacing_mm in SPACINGS_MM:
        grid = with_spacing(full, spacing_mm)
        size = int(np.prod(grid.shape)) * len(panels) * 4 / 3
        if spacing_mm >= finest_mm - 1e-6 and size <= BUDGET_BYTES:
            break
    return grid


def _volume(panel: Panel, grid: Grid) -> dict[str, Any]:
    volume = _onto(panel.volume, grid)
    known = np.isfinite(volume.array)
    low = min(panel.low, float(volume.array[known].min()))
    high = max(panel.high, float(volume.array[known].max()))
    steps = 1 + np.round(254 * (np.where(known, volume.array, low) - low) / (high - low))
    stored = np.where(known, steps, 0).astype(np.uint8)
    return {
        "title": panel.title,
        "unit": panel.unit,
        "low": round(low, 5),
        "high": round(high, 5),
        "window": [round(panel.low, 5), round(panel.high, 5)],
        "synthetic": panel.is_synthetic,
        "colors": base64.b64encode(table(panel.colors).tobytes()).decode(),
        "voxels": base64.b64encode(stored.tobytes(order="F")).decode(),
    }


def _onto(volume: Volume, grid: Grid) -> Volume:
    """Coarser grids are blurred before they are sampled, so that nothing aliases."""
    old_mm, new_mm = max(volume.grid.spacing_mm), grid.spacing_mm[0]
    if new_mm > old_mm * 1.01:
        volume = gaussian(volume, float(np.sqrt(new_mm**2 - old_mm**2)))
    return volume if volume.grid == grid else resample(volume, grid)
