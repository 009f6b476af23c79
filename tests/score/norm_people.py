"""Normal people with known expectation and spread, and a plain z to compare with."""

import numpy as np
import pandas as pd

from tracerless.core.norm import Measured, Norm
from tracerless.core.seeds import generator
from tracerless.score import fit
from tracerless.score.design import design, outside, rows

N_REGIONS = 36
SD = 0.1
REGIONS = tuple(f"region_{n}" for n in range(N_REGIONS))
MEASURED = Measured("FDG", "fdg36", "pons", "", "0123456789ab", "simulated")
_ROOT = np.linalg.cholesky(0.5 + 0.5 * np.eye(N_REGIONS))


def people(n, *seed):
    random = generator("norm people", *seed)
    return pd.DataFrame(
        {
            "age": random.uniform(50, 85, n),
            "sex": random.choice(["F", "M"], n),
            "education_years": random.integers(0, 17, n).astype(float),
        }
    )


def truth(who):
    age = (who["age"].to_numpy() - 65)[:, None]
    male = (who["sex"] == "M").to_numpy()[:, None]
    return np.broadcast_to(1.4 - 0.003 * age + 0.02 * male, (len(who), N_REGIONS))


def values(who, *seed, shift=0.0, scale=1.0, lower_by=0.0):
    noise = generator("norm values", *seed).standard_normal((len(who), N_REGIONS)) @ _ROOT.T
    table = truth(who) + SD * (np.asarray(shift) + scale * (noise - lower_by))
    return pd.DataFrame(table, columns=list(REGIONS))


def quick_norm(table, who, covariates=("age", "sex")):
    """A norm without the draws of its family-wise cut."""
    how = design(who, covariates)
    return Norm(
        "quick", MEASURED, REGIONS, how, {"pons": fit.model(table, who, how)}, len(who), 0, -2.8,
        (), 0.0, "none",
    )  # fmt: skip


def within(norm, who):
    reasons = outside(norm.design, norm.models["pons"], who)
    return np.array([not reason for reason in reasons])


def plain_z(normal, who, table, new, covariates):
    """What most software does: residual over the residuals' standard deviation."""
    how = design(who, covariates)
    x = rows(how, who)
    coefficients = np.linalg.lstsq(x, normal.to_numpy(), rcond=None)[0]
    residuals = normal.to_numpy() - x @ coefficients
    return (table.to_numpy() - rows(how, new) @ coefficients) / residuals.std(axis=0, ddof=1)
