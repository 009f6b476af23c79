"""One evaluation over people that the model never saw."""

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tracerless.core.errors import ModelError
from tracerless.core.people import Pseudonym, person_digest
from tracerless.core.prediction import Evaluation
from tracerless.core.recipe import fingerprint as digest
from tracerless.evaluate.measures import (
    absolute,
    correlation,
    covered,
    skill,
    skill_over_people,
    slope,
)
from tracerless.evaluate.pairs import Pair, Sheet, require_unseen, sheet
from tracerless.evaluate.panel import ALL, UNKNOWN, ordered


def cohort(
    pairs: Sequence[Pair],
    *,
    model: str,
    atlas: str,
    reference: str,
    domain: str,
    fingerprint: str,
    trained_on: Collection[str],
) -> Evaluation:
    """Compare synthetic with acquired PET, region by region, against the training mean.

    Args:
        pairs: one a session.
        model: name and digest of the checkpoint.
        atlas: key of the atlas of every table.
        reference: reference region of every table.
        domain: ``simulated`` or ``acquired``: where the evaluated people come from.
        fingerprint: of everything that made the tables.
        trained_on: digests of the people that the checkpoint saw (``Checkpoint.people``).

    Returns:
        Skill with a 95 % interval over people; tables by region and by diagnosis with columns n,
        mae, mae_mean, bias (SUVR, prediction minus truth), skill, coverage (share of truths inside
        the prediction's 90 % intervals) and their half_width (SUVR), r and slope (by region over
        people; by diagnosis over the deviations from the mean).

    Raises:
        ModelError: no pair, a person that the model saw, or a domain that is unknown.
        QuantityError: a table that is not SUVR.
        RecipeMismatchError: tables of different atlases, references or regions.
    """
    if domain not in {"simulated", "acquired"}:
        raise ModelError(f"domain={domain!r} is neither simulated nor acquired.")
    people = [pair.person for pair in pairs]
    require_unseen(people, trained_on)
    laid = sheet(pairs, atlas=atlas, reference=reference)
    split = _split(people)
    error, base = absolute(laid.truth, laid.predicted, laid.mean)
    return Evaluation(
        skill=skill_over_people(error, base, laid.people, "skill", ALL),
        by_region=_by_region(laid),
        by_diagnosis=_by_diagnosis(laid),
        model=model,
        atlas=atlas,
        reference=reference,
        split=split,
        domain=domain,
        fingerprint=digest(model, fingerprint, split),
    )


def _split(people: Sequence[Pseudonym]) -> str:
    return digest(*sorted({person_digest(person) for person in people}))


def _by_region(laid: Sheet) -> pd.DataFrame:
    everyone = np.full(len(laid.people), fill_value=True)
    rows = {}
    for i, key in enumerate(laid.regions):
        row = _row(laid, everyone, slice(i, i + 1))
        row["r"] = correlation(laid.truth[:, i], laid.predicted[:, i])
        row["slope"] = slope(laid.truth[:, i], laid.predicted[:, i])
        rows[key] = row
    return _frame(rows)


def _by_diagnosis(laid: Sheet) -> pd.DataFrame:
    named = np.where(laid.diagnoses == "", UNKNOWN, laid.diagnoses)
    rows = {}
    for diagnosis in ordered(named.tolist()):
        mine = named == diagnosis
        row = _row(laid, mine, slice(None))
        true, made = ((a - laid.mean)[mine].ravel() for a in (laid.truth, laid.predicted))
        row["r"], row["slope"] = correlation(true, made), slope(true, made)
        rows[diagnosis] = row
    return _frame(rows)


def _row(laid: Sheet, mine: NDArray[np.bool_], regions: slice) -> dict[str, float]:
    truth, predicted, mean = (a[mine][:, regions] for a in (laid.truth, laid.predicted, laid.mean))
    error, base = absolute(truth, predicted, mean)
    known = np.isfinite(error)
    n = len(set(laid.people[mine][known.any(axis=1)].tolist()))
    if not n:
        return {"n": 0, **dict.fromkeys(_MEASURES, float("nan"))}
    inside, width = covered(truth, predicted, laid.half_widths[mine][:, regions])
    return {
        "n": n,
        "mae": float(error[known].mean()),
        "mae_mean": float(base[known].mean()),
        "skill": skill(truth, predicted, mean),
        "bias": float((predicted - truth)[known].mean()),
        "coverage": inside,
        "half_width": width,
    }


_MEASURES = ("mae", "mae_mean", "skill", "bias", "coverage", "half_width")


def _frame(rows: dict[str, dict[str, float]]) -> pd.DataFrame:
    return pd.DataFrame.from_dict(rows, orient="index").astype({"n": int})
