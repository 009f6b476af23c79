"""Faces out of heads: find a face once, take it from every grid of the visit."""

from tracerless.deface.carry import Place, carry, is_coarse, is_head, margin_mm
from tracerless.deface.face import Face, Knife, apart_mm, apply, knife, mask
from tracerless.deface.instance import clear, is_cleared, require_clearable, stamp
from tracerless.deface.spine import Unfit, fit

__all__ = [
    "Face",
    "Knife",
    "Place",
    "Unfit",
    "apart_mm",
    "apply",
    "carry",
    "clear",
    "fit",
    "is_cleared",
    "is_coarse",
    "is_head",
    "knife",
    "margin_mm",
    "mask",
    "require_clearable",
    "stamp",
]
