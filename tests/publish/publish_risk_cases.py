"""Evaluations of risk made of drawn numbers, for the tests of their pages."""

import numpy as np
from publish_assessment_cases import decisions, ends, facts, increments, made, performance

from tracerless.core.assessment import Assessment
from tracerless.core.seeds import generator


def risk(n: int = 400, **others) -> Assessment:
    """An evaluation of risk of n people, drawn."""
    draw = generator("page", "risk", n)
    tables = {
        "performance": performance(n, "c_index", ("incidence", "cox", "discrete")),
        "increments": increments(n, "c_index", ("cox", "discrete")),
        "calibration": _horizons(n, draw),
        "decision_curve": decisions(draw.integers(0, 2, n), draw, "cox @ 3 y"),
        "absolute_risk": _absolute(n),
        "bands": _bands(n),
        "incidence": _incidence(n),
        "sentinel": made(
            "sentinel", [(k, "c_index", draw.normal(0.5, 0.7 / n**0.5)) for k in range(20)]
        ),
    }
    return Assessment(
        "dementia",
        "risk",
        {
            **facts(n, {"CN": n // 2, "MCI": n - n // 2}),
            "events": n // 4,
            "horizons": [1, 2, 3, 5],
            "main_model": "cox",
            "models": ["incidence", "cox", "discrete"],
            **others,
        },
        tables,
    )


def _horizons(n, draw):
    rows = []
    for years in (1, 2, 3, 5):
        for k in range(5):
            told = 0.02 + 0.09 * years * (k + 0.5) / 5
            seen = max(0.0, draw.normal(told, 0.3 / n**0.5))
            size = n / 5
            rows.append(("image+cognition", "cox", f"{years} y", told, *ends(seen, size), size))
    return made("calibration", rows)


def _absolute(n):
    rows = []
    for model in ("incidence", "cox", "discrete"):
        for years in (1.0, 2.0, 3.0, 5.0):
            rows.append((model, years, "predicted", *ends(0.06 * years, n)))
            rows.append((model, years, "observed", *ends(0.058 * years, n)))
            rows.append((model, years, "auc_t", *ends(0.5 if model == "incidence" else 0.77, n)))
    return made("absolute_risk", rows)


def _bands(n):
    rows = [
        ("low", 0.0, 0.1, n * 0.5, n * 0.02, *ends(0.05, n)),
        ("intermediate", 0.1, 0.3, n * 0.3, n * 0.06, *ends(0.22, n)),
        ("high", 0.3, 1.0, n * 0.2, n * 0.12, *ends(0.6, n)),
    ]
    return made("bands", rows)


def _incidence(n):
    rates = {"everybody": 0.06, "low": 0.015, "intermediate": 0.08, "high": 0.2}
    rows = [
        (
            band,
            years,
            event,
            *ends(1 - np.exp(-rate * years * (1 if event == "dementia" else 0.3)), n),
        )
        for event in ("dementia", "death")
        for band, rate in rates.items()
        for years in np.arange(0.5, 6.5, 0.5)
    ]
    return made("incidence", rows)
