"""People whose risk is known: hazards of dementia and death from a hidden severity."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from tracerless.core.cognition import Leak
from tracerless.core.norm import Measured
from tracerless.core.study import VISIT_COLUMNS, Followup, Kind, Predictor, Study

N_REGIONS = 12
N_LOADED = 4


class Known(NamedTuple):
    """A study, its follow-up, and the hazards per year behind it."""

    study: Study
    followup: Followup
    onset: np.ndarray
    death: np.ndarray

    def risk(self, years):
        """True chance of dementia within those years."""
        total = self.onset + self.death
        return self.onset / total * (1 - np.exp(-total * years))


def _visits(rng, onset, death, lost, words):
    """Yearly visits until death or loss; dementia shows at the first visit after its onset."""
    rows = []
    for person, word in enumerate(words):
        name = f"p{person:04d}"
        when = np.arange(1, 9) + rng.normal(0, 0.1, 8)
        when = when[(when < lost[person]) & (when < death[person])]
        rows += [(name, t, "AD" if t >= onset[person] else word, "seen") for t in when]
        is_dead = death[person] < lost[person]
        rows.append((name, min(death[person], lost[person]), "", "dead" if is_dead else "lost"))
    return Followup(pd.DataFrame(rows, columns=list(VISIT_COLUMNS)))


def _table(rng, severity, age, sex):
    n = len(severity)
    load = np.r_[np.full(N_LOADED, 0.8), np.full(N_REGIONS - N_LOADED, 0.1)]
    regions = 1 - 0.05 * (severity[:, None] * load + rng.normal(size=(n, N_REGIONS)))
    names = [f"region{number}" for number in range(N_REGIONS)]
    table = pd.DataFrame(regions, columns=names)
    table.insert(0, "education_years", rng.integers(0, 17, n).astype(float))
    table.insert(0, "sex", sex.astype(float))
    table.insert(0, "age", age)
    table["MMSE"] = np.where(
        rng.random(n) < 0.1, np.nan, np.clip(27 - 1.2 * severity + rng.normal(size=n), 0, 30)
    )
    table["CDRSB"] = np.clip(severity, 0, None)
    return table, names


def draw(n, seed=0, *, strength=1.0, hidden=True):
    """n people; ``hidden`` False lets the first region be the severity itself."""
    rng = np.random.default_rng(seed)
    severity, age = rng.normal(size=n), np.clip(rng.normal(73, 6, n), 55, 89)
    sex = rng.random(n) < 0.5
    table, names = _table(rng, severity, age, sex)
    if not hidden:
        table["region0"] = severity
    onset = 0.08 * np.exp(strength * severity + 0.04 * (age - 73))
    death = 0.03 * np.exp(0.08 * (age - 73) + 0.4 * sex)
    words = tuple(np.where(severity + 0.5 * rng.normal(size=n) > 0.2, "MCI", "CN").tolist())
    predictors = [Predictor(k, Kind.PERSON, "demographics") for k in table.columns[:3]]
    predictors += [Predictor(name, Kind.REGION, "temporal") for name in names]
    predictors.append(Predictor("MMSE", Kind.TEST, "global", Leak.LOW))
    predictors.append(Predictor("CDRSB", Kind.TEST, "global", Leak.HIGH))
    people = pd.DataFrame(
        {"age": age, "sex": np.where(sex, "M", "F"), "education_years": table["education_years"]}
    )
    study = Study(
        tuple(predictors),
        table,
        people,
        None,
        words,
        tuple(f"p{number:04d}" for number in range(n)),
        ("01",) * n,
        ("ring",) * n,
        Measured("ECD", "fdg36", "cerebellum", "", "f0", "simulated"),
    )
    times = rng.exponential(1 / onset), rng.exponential(1 / death), rng.uniform(3, 8, n)
    return Known(study, _visits(rng, *times, words), onset, death)


@pytest.fixture(scope="session")
def drawn():
    """The factory of such people."""
    return draw


@pytest.fixture(scope="session")
def known():
    """Four hundred of them."""
    return draw(400)
