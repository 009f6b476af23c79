"""Whether a flow map in mL/100 g/min is one that a brain can have."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from tracerless.prepare.asl_facts import Ledger
from tracerless.prepare.asl_sampling import FloatArray, View

GREY = (20.0, 110.0)
"""Median flow of grey matter, mL/100 g/min; real 3D pCASL of one person: 46.7, white 33.2."""
MIN_GREY_WHITE = 1.2
MAX_NEGATIVE = 0.15
"""Share of grey matter with negative flow."""
MAX_ZERO = 0.2
"""Share of the brain that is exactly zero: flow was not measured there, whatever is stored."""


def levels(flow: FloatArray, view: View) -> Mapping[str, float]:
    """Medians of grey and white matter, their ratio, and the share of grey that is negative."""
    grey = flow[view.grey & np.isfinite(flow)]
    white = flow[view.white & np.isfinite(flow)]
    if not grey.size or not white.size:
        return MappingProxyType({})
    of_grey, of_white = float(np.median(grey)), float(np.median(white))
    ratio = of_grey / of_white if of_white > 0 else float("inf") if of_grey > 0 else 0.0
    return MappingProxyType(
        {
            "grey": of_grey,
            "white": of_white,
            "grey_white": ratio,
            "grey_negative": float((grey < 0).mean()),
        }
    )


def judge(found: Mapping[str, float], ledger: Ledger) -> None:
    """Enter a doubt for every level that no living brain has."""
    if not found:
        ledger.doubt("grey and white matter lie outside the field of view", needs_look=True)
        return
    low, high = GREY
    if not low <= found["grey"] <= high:
        text = f"median flow of grey matter is {found['grey']:.4g} mL/100g/min; {low:g}-{high:g}"
        text += " expected"
        ledger.doubt(text, needs_look=True)
    if not found["grey_white"] > MIN_GREY_WHITE:
        text = f"grey over white flow is {found['grey_white']:.2f}; above {MIN_GREY_WHITE} expected"
        ledger.doubt(text, needs_look=True)
    if not found["grey_negative"] < MAX_NEGATIVE:
        text = f"{found['grey_negative']:.0%} of grey matter has negative flow; below"
        text += f" {MAX_NEGATIVE:.0%} expected"
        ledger.doubt(text, needs_look=True)
