"""Standard brains and atlases: tables of this package, volumes of the packages it depends on."""

from tracerless.io.atlases import atlas, label_volume
from tracerless.io.templates import TEMPLATE, template, template_grid, template_volumes_1mm

__all__ = [
    "TEMPLATE",
    "atlas",
    "label_volume",
    "template",
    "template_grid",
    "template_volumes_1mm",
]
