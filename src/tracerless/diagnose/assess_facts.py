"""What an evaluation says in words: facts of the run, the headline, and notes beside numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from tracerless import __version__
from tracerless.core.study import Arm, Study
from tracerless.diagnose.assess_judged import Judged, smallest
from tracerless.diagnose.assess_measures import SMALL
from tracerless.diagnose.settings import Settings
from tracerless.diagnose.sizes import ENOUGH, people_per_parameter

_RULE = "largest sum of sensitivity and specificity among held-out rows of the training folds"
_MOST = "the most probable class"


def facts_of(study: Study, main: Judged, settings: Settings) -> dict[str, Any]:
    """Plain values of the run; every fold's steps are said as they are done."""
    measured, two = study.measured, len(main.classes) == 2
    scanners = pd.Series(study.scanner).replace("", "unknown").value_counts()
    return {
        "version": __version__,
        "validation": "internal",
        "n": len(main.truth),
        "n_people": len(set(main.person)),
        "classes": {
            name: int((main.truth == number).sum()) for number, name in enumerate(main.classes)
        },
        "positive": list(main.classes[1:]),
        "contrast": measured.contrast,
        "domain": measured.domain,
        "atlas": measured.atlas,
        "reference": measured.reference,
        "fingerprint": measured.fingerprint,
        "features": settings.features,
        "repeats": settings.repeats,
        "folds": settings.folds,
        "inner_folds": settings.inner_folds,
        "seed": settings.seed,
        "level": settings.level,
        "scanners": {str(name): int(n) for name, n in scanners.items()},
        "main_model": main.model,
        "main_arm": main.arm,
        "chosen": main.model,
        "primary": f"{Arm.COGNITION} -> {Arm.BOTH}",
        "threshold": round(main.threshold, 4) if two else None,
        "threshold_rule": _RULE if two else _MOST,
        "events_per_parameter": people_per_parameter(study, settings, list(Arm)),
        "left_out": list(study.left_out),
        "leak_excluded": [each.key for each in study.predictors if each.leak.value == "high"],
        **_steps(settings),
    }


def _steps(settings: Settings) -> dict[str, str | float]:
    return {
        "harmonization": "location and scale of each scanner, empirical Bayes, in every fold"
        if settings.harmonize
        else "none",
        "imputation": "conditional mean given what is there, with indicators, in every fold",
        "class_weights": settings.class_weight,
        "calibration_method": "slope and class offsets on held-out rows of the training folds",
        "tuning": f"log loss over {settings.inner_folds} folds within the training rows",
        "selection": "simplest learned model within one standard error of the least log loss",
        "missing_limit": settings.max_missing,
    }


def headline(increments: pd.DataFrame, main: Judged) -> str:
    """What the image adds to cognition, in one sentence; with its interval, or not at all."""
    pair = (increments["from_arm"] == Arm.COGNITION) & (increments["to_arm"] == Arm.BOTH)
    mine = increments[pair & (increments["model"] == main.model)]
    found = mine[mine["metric"] == "auc"]
    if found.empty:
        return "What the image adds to cognition was not measured."
    row = found.iloc[0]
    low, high = float(row["low"]), float(row["high"])
    worse = "takes away from" if high < 0 else "is not shown to add to"
    shown = "adds to" if low > 0 else worse
    return (
        f"The image {shown} cognition: difference in AUC {float(row['value']):+.3f} "
        f"(95 % interval {low:+.3f} to {high:+.3f}, DeLong p = {float(row['p']):.2g}; "
        f"{main.model}, {len(set(main.person))} people)."
    )


def notes_of(
    main: Judged,
    tables: Mapping[str, pd.DataFrame],
    facts: Mapping[str, Any],
    *,
    learned: bool,
) -> tuple[str, ...]:
    """Sentences that stand beside the numbers."""
    return tuple(_notes(main, tables, facts, learned=learned))


def _notes(
    main: Judged, tables: Mapping[str, pd.DataFrame], facts: Mapping[str, Any], *, learned: bool
) -> Iterator[str]:
    n_people = len(set(main.person))
    yield (
        "Areas carry DeLong's interval, rows of one person taken together; other measures a BCa "
        f"bootstrap of {facts['n_bootstrap']} draws of people; slopes a sandwich interval. No "
        "interval is a spread over folds."
    )
    yield f"Positive means: {' or '.join(main.classes[1:])}."
    if n_people < SMALL:
        yield (
            f"{n_people} people: areas and their differences carry the wider of DeLong's and the "
            "bootstrap's interval. Read intervals, not middles."
        )
    if not learned:
        yield "No model is better than the prevalence by more than one standard error."
    few = {name: each for name, each in facts["events_per_parameter"].items() if each < ENOUGH}
    if few:
        listed = ", ".join(f"{name} {each:g}" for name, each in few.items())
        yield f"People of the rarest class for each predictor, below {ENOUGH:g}: {listed}."
    if smallest(main) < 20:
        yield f"The rarest class has {smallest(main)} scans: its sets and rates are wide."
    if "missingness" in tables and not len(tables["missingness"]):
        yield "No value is missing."
    abstained = tables["sets"]["abstained"].to_numpy(dtype=np.float64)
    if abstained.max() > 0:
        yield (
            "Rows that a fold's model would refuse (out of its reach, too much missing) count in "
            f"every number; up to {abstained.max():.0%} of a class."
        )
