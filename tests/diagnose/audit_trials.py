"""Trials with nothing wrong, and the six leaks to plant into them."""

import dataclasses

import numpy as np
import pandas as pd

from tracerless.core.people import Pseudonym, person_digest
from tracerless.core.seeds import generator
from tracerless.diagnose.audit import Known, Trial

N_REGIONS, N_FOLDS = 36, 5
REGIONS = tuple(f"region_{n}" for n in range(N_REGIONS))
TESTS = tuple(f"test_{n}" for n in range(9))
ILL = 12
"""Regions that fall in the ill; the others do not."""


def people(n, *seed, second=0.2):
    """(person of each scan, diagnosis of each scan); some people have two scans."""
    random = generator("audit people", *seed)
    visits = 1 + (random.random(n) < second)
    diagnosis = random.choice(["CN", "MCI", "AD"], n)
    name = "".join(letter for part in seed for letter in str(part) if letter.isalnum())
    who = np.repeat([f"{name}p{i:04d}" for i in range(n)], visits)
    return who, np.repeat(diagnosis, visits)


def features(who, diagnosis, *seed, effect=0.8):
    """Regions that go together, tests in whole points, a CDR-like score with the labels' noise."""
    random = generator("audit features", *seed)
    people_of, person = np.unique(who, return_inverse=True)
    root = np.linalg.cholesky(0.45 + 0.55 * np.eye(N_REGIONS))
    own = random.standard_normal((len(people_of), N_REGIONS)) @ root.T
    severity = pd.Series(diagnosis).map({"CN": 0.0, "MCI": 0.5, "AD": 1.0}).to_numpy()
    retest = 0.6 * random.standard_normal((len(who), N_REGIONS))
    regions = 1.2 + 0.08 * (own[person] + retest)
    regions[:, :ILL] -= 0.08 * effect * severity[:, None]
    noise = random.standard_normal((len(who), len(TESTS)))
    tests = np.clip(np.round(24 - 4 * severity[:, None] + 4 * noise), 0, 30)
    table = pd.DataFrame(np.hstack([regions, tests]), columns=[*REGIONS, *TESTS])
    table.iloc[random.random(len(table)) < 0.05, -1] = np.nan
    return table


def dealt(who, *seed):
    """Fold of each scan, whole people at a time."""
    names, person = np.unique(who, return_inverse=True)
    folds = generator("audit folds", *seed).permutation(np.arange(len(names)) % N_FOLDS)
    return folds[person].astype(str)


def leading(table, truth, k):
    """The k columns with the largest spread of class means over the spread within."""
    filled = table.fillna(table.median())
    means = filled.groupby(truth).mean()
    between = ((means - filled.mean()) ** 2).mul(pd.Series(truth).value_counts(), axis=0).sum()
    within = filled.groupby(truth).var(ddof=0).mean()
    return tuple((between / within).sort_values(ascending=False).index[:k])


def clean(seed, n=160, k=12, effect=0.8):
    """A trial in which everything was done inside the folds."""
    who, diagnosis = people(n, seed)
    table, fold = features(who, diagnosis, seed, effect=effect), dealt(who, seed)
    chosen = {
        each: leading(table[fold != each], diagnosis[fold != each], k) for each in np.unique(fold)
    }
    trial = Trial(
        person=tuple(map(str, who)),
        truth=tuple(map(str, diagnosis)),
        fold=fold[None],
        features=table,
        candidates=table,
        selected=chosen,
        regions=REGIONS,
    )
    return trial, known(trial, seed)


def known(trial, seed):
    """Norm and synthesizer of other people; staging scores as a clinic would have them."""
    random = generator("audit known", seed)
    stage = pd.Series(trial.truth).map({"CN": 0.0, "MCI": 3.0, "AD": 8.0}).to_numpy()
    boxes = np.clip(np.round(2 * (stage + 2 * random.standard_normal(len(stage)))) / 2, 0, 18)
    others = frozenset(person_digest(Pseudonym(f"other{n}")) for n in range(40))
    return Known(
        norms={"norm-FDG": others},
        synthesizers={"unet": others},
        defining=frozenset({"CDR", "CDRSB", "CDRGLOB", "FAQ"}),
        scores=pd.DataFrame({"CDRSB": boxes}),
    )


def with_features(trial, table, regions=None):
    return dataclasses.replace(
        trial, features=table, candidates=table, selected={"0": tuple(table.columns)},
        regions=trial.regions if regions is None else regions,
    )  # fmt: skip
