"""People whose truth is known: a label, scores and regions that go with its severity."""

import numpy as np
import pandas as pd

from tracerless.core.cognition import Leak
from tracerless.core.norm import Measured
from tracerless.core.seeds import generator
from tracerless.core.study import Kind, Predictor, Study
from tracerless.diagnose.assess_judged import Judged

LOBES = ("frontal", "parietal", "temporal")
DOMAINS = ("memory", "executive")


def study(
    n: int = 200,
    seed: str = "a",
    *,
    classes: tuple[str, ...] = ("CN", "AD"),
    image: float = 1.0,
    shift: float = 0.0,
    names: str = "p",
    n_regions: int = 9,
) -> Study:
    """One scan a person; ``image``: how much disease lowers regions; ``shift``: of a site."""
    draw = generator("assess-people", seed)
    label = np.arange(n) % len(classes)
    severity = label + 0.8 * draw.normal(size=n)
    age, schooling = draw.uniform(55, 90, n), np.round(draw.uniform(0, 17, n))
    female = draw.random(n) < 0.5
    hit = np.linspace(0, 1, n_regions)
    regions = 1.0 + shift - 0.04 * image * severity[:, None] * hit
    regions += 0.04 * draw.normal(size=(n, n_regions)) - 0.0005 * (age[:, None] - 70)
    scores = 26 - 1.5 * severity[:, None] + 2.5 * draw.normal(size=(n, 4))
    scores[draw.random(scores.shape) < 0.03] = np.nan
    staging = label[:, None] * 1.0 + 0.2 * draw.normal(size=(n, 1))
    predictors = [Predictor(name, Kind.PERSON, "demographics") for name in PERSON]
    predictors += [
        Predictor(f"region{each}", Kind.REGION, LOBES[each % 3]) for each in range(n_regions)
    ]
    predictors += [Predictor(f"test{each}", Kind.TEST, DOMAINS[each % 2]) for each in range(4)]
    predictors.append(Predictor("CDR", Kind.TEST, "global", Leak.HIGH))
    values = np.column_stack([age, ~female, schooling, regions, scores, staging])
    people = pd.DataFrame(
        {"age": age, "sex": np.where(female, "F", "M"), "education_years": schooling}
    )
    return Study(
        predictors=tuple(predictors),
        table=pd.DataFrame(values.astype(float), columns=[each.key for each in predictors]),
        people=people,
        references=None,
        diagnosis=tuple(classes[each] for each in label),
        person=tuple(f"{names}{each:04d}" for each in range(n)),
        visit=("01",) * n,
        scanner=tuple(np.where(np.arange(n) % 3 == 0, "one", "other")),
        measured=Measured("ECD", "fdg36", "cerebellum", "", "f", "simulated"),
    )


PERSON = ("age", "sex", "education_years")


def answers(
    truth: np.ndarray,
    odds: np.ndarray,
    *,
    arm: str = "cognition",
    model: str = "elastic_net",
    classes: tuple[str, ...] = ("CN", "AD"),
    person: tuple[str, ...] | None = None,
) -> Judged:
    """What a model says whose log odds against the first class are given ((repeats, n[, c]))."""
    logs = np.asarray(odds, dtype=float)
    if logs.ndim == 1:
        logs = logs[None]
    if logs.ndim == 2:
        logs = np.stack([np.zeros_like(logs), logs], axis=2)
    chance = np.exp(logs) / np.exp(logs).sum(axis=2, keepdims=True)
    return Judged(
        arm,
        model,
        classes,
        np.asarray(truth, dtype=np.intp),
        chance,
        chance.argmax(axis=2),
        person or tuple(f"p{row}" for row in range(len(truth))),
        0.5,
    )
