"""The ellipsoid people of the synthesizer's tests, for the tests of what is done to people."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "synthesize"))

from phantom_sessions import (
    atlas_of,
    grid_of,
    octants,
    people,
    person,
    pons,
    template_of,
    without,
)

GRID = grid_of(6.0)
TEMPLATE = template_of(GRID)
ATLAS = atlas_of(GRID)
BRAIN = TEMPLATE.brain.array > 0.5

__all__ = [
    "ATLAS",
    "BRAIN",
    "GRID",
    "TEMPLATE",
    "atlas_of",
    "grid_of",
    "octants",
    "people",
    "person",
    "pons",
    "template_of",
    "without",
]
