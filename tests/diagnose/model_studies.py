"""Studies with known truth: regions that tell classes apart, a scanner's share, missing scores."""

from dataclasses import replace

import numpy as np
import pandas as pd

from tracerless.core.cognition import Leak
from tracerless.core.norm import Measured
from tracerless.core.seeds import generator
from tracerless.core.study import Kind, Predictor, Study
from tracerless.score.within import within

LOBES = ("parietal", "frontal", "occipital")
DOMAINS = ("memory", "executive")
PER_LOBE, PER_DOMAIN = 4, 2
PERSON = ("age", "sex", "education_years")
REGIONS = tuple(f"{lobe}_{k}" for lobe in LOBES for k in range(PER_LOBE))
TESTS = tuple(f"{domain}_{k}" for domain in DOMAINS for k in range(PER_DOMAIN))
MEASURED = Measured("ECD", "fdg36", "cerebellum", "", "0123456789ab", "simulated")


class Z:
    """A norm of the training rows' controls, as `workspace.diagnosis.Z`."""

    def fit(self, values, people, is_normal):
        return within(values[is_normal], people[is_normal])


def predictors():
    return (
        *(Predictor(key, Kind.PERSON, "demographics") for key in PERSON),
        *(Predictor(key, Kind.REGION, key.split("_")[0]) for key in REGIONS),
        *(Predictor(key, Kind.TEST, key.split("_")[0]) for key in TESTS),
        Predictor("CDR", Kind.TEST, "staging", Leak.HIGH),
    )


def study(n=120, classes=("CN", "AD"), *, effect=1.0, missing=0.0, scanners=1, seed="made"):
    """Each class after the first lowers its lobe by ``effect`` SD; memory falls in all of them."""
    random = generator("model-studies", seed)
    truth = np.arange(n) % len(classes)
    common = random.normal(size=(n, 1)) * 0.5
    regions = 1 + 0.1 * (common + random.normal(size=(n, len(REGIONS))))
    for number in range(1, len(classes)):
        columns = [k for k, key in enumerate(REGIONS) if key.startswith(LOBES[(number - 1) % 3])]
        regions[np.ix_(truth == number, columns)] -= 0.1 * effect
    tests = 20 + 3 * random.normal(size=(n, len(TESTS)))
    tests[:, :PER_DOMAIN] -= 2 * effect * (truth > 0)[:, None]
    age = random.uniform(55, 88, n).round(1)
    sex = random.choice(["F", "M"], n)
    schooling = random.integers(0, 18, n).astype(float)
    scanner = np.array([f"scanner {k}" for k in random.integers(0, scanners, n)])
    for number in range(1, scanners):
        own = scanner == f"scanner {number}"
        regions[own] = 1.0 + 0.08 * number + (regions[own] - 1.0) * (1 + 0.3 * number)
    cdr = np.where(truth > 0, 1.0, 0.0)
    tests[random.random(tests.shape) < missing] = np.nan
    table = np.column_stack([age, sex == "M", schooling, regions, tests, cdr]).astype(float)
    people = pd.DataFrame({"age": age, "sex": sex, "education_years": schooling})
    return Study(
        predictors=predictors(),
        table=pd.DataFrame(table, columns=[each.key for each in predictors()]),
        people=people,
        references=None,
        diagnosis=tuple(classes[k] for k in truth),
        person=tuple(f"p{k:04d}" for k in range(n)),
        visit=("01",) * n,
        scanner=tuple(map(str, scanner)),
        measured=MEASURED,
    )


def shuffled(found, seed):
    """The same people under other people's diagnoses."""
    order = generator("model-studies", "shuffled", seed).permutation(len(found))
    return replace(found, diagnosis=tuple(found.diagnosis[k] for k in order))


def with_values(found, changes, rows):
    """The same study with some columns changed in some rows."""
    table = found.table.copy()
    for key, value in changes.items():
        table.loc[rows, key] = value
    return replace(found, table=table)


def auc(truth, score):
    order = np.argsort(np.argsort(score)) + 1.0
    n1 = int(truth.sum())
    return (order[truth].sum() - n1 * (n1 + 1) / 2) / (n1 * (len(truth) - n1))
