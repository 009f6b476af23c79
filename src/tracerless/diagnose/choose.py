"""Which of the models to keep: the simplest that is within one standard error of the best."""

import numpy as np

from tracerless.core.steps import Array
from tracerless.diagnose.nested import OutOfFold

_LEAST = 1e-12


def losses(out: OutOfFold, person: tuple[str, ...]) -> Array:
    """(people,) log loss of each person's held-out rows, over rows and repeats.

    Args:
        out: of one model.
        person: of every row of the study.
    """
    told = out.probability[:, np.arange(len(out.truth)), out.truth]
    seen = ~np.isnan(told)
    loss = np.where(seen, -np.log(np.maximum(np.nan_to_num(told), _LEAST)), 0.0)
    _, which = np.unique([person[row] for row in out.rows], return_inverse=True)
    total = np.bincount(which, weights=loss.sum(axis=0))
    n = np.bincount(which, weights=seen.sum(axis=0))
    result: Array = total[n > 0] / n[n > 0]
    return result


def simplest(outs: tuple[OutOfFold, ...], person: tuple[str, ...]) -> str:
    """The first model (simplest first) whose loss is within one standard error of the lowest.

    Source:
        Breiman et al., Classification and Regression Trees, 1984, section 3.4.3.
    """
    found = [losses(out, person) for out in outs]
    best = min(found, key=lambda loss: float(loss.mean()))
    limit = float(best.mean()) + float(best.std(ddof=1)) / np.sqrt(len(best))
    return next(
        out.model for out, loss in zip(outs, found, strict=True) if float(loss.mean()) <= limit
    )
