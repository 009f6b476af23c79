"""Acquired and synthetic region tables of the same session, checked before anything is compared."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracerless.core.atlas import RoiTable
from tracerless.core.errors import ModelError, QuantityError, RecipeMismatchError
from tracerless.core.people import Pseudonym, person_digest
from tracerless.core.volume import Contrast, Quantity
from tracerless.evaluate.panel import Cells


class Pair(NamedTuple):
    """One session: what was acquired, what was predicted, and what the training mean says.

    ``half_widths`` are those of the prediction's intervals by region; empty where it has none.
    """

    truth: RoiTable
    prediction: RoiTable
    mean_prediction: RoiTable
    diagnosis: str
    person: Pseudonym
    half_widths: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """N sessions by R regions.

    Args:
        regions: keys, R.
        people: (N,) pseudonyms.
        diagnoses: (N,) empty when unknown.
        truth, predicted, mean: (N, R) SUVR.
        half_widths: (N, R) SUVR of the prediction's intervals; NaN where it has none.
    """

    regions: tuple[str, ...]
    people: NDArray[np.str_]
    diagnoses: NDArray[np.str_]
    truth: Cells
    predicted: Cells
    mean: Cells
    half_widths: Cells


def sheet(pairs: Sequence[Pair], *, atlas: str, reference: str) -> Sheet:
    """Lay the tables side by side.

    Raises:
        ModelError: no pair, or a truth that is itself synthetic.
        QuantityError: a table that is not SUVR.
        RecipeMismatchError: another atlas, reference or list of regions.
    """
    if not pairs:
        raise ModelError(
            "There is no session with both acquired and synthetic FDG.",
            hint="Predict for sessions that also have an acquired PET.",
        )
    regions = tuple(str(key) for key in pairs[0].truth.values.index)
    for pair in pairs:
        if pair.truth.contrast == Contrast.SYNTHETIC_FDG:
            raise ModelError(
                f"sub-{pair.person}: the truth is itself synthetic.",
                hint="Give the table of the acquired PET first.",
            )
        for table in pair[:3]:
            _require_alike(table, pair.person, (atlas, reference), regions)
    return Sheet(
        regions,
        np.array([str(pair.person) for pair in pairs]),
        np.array([pair.diagnosis for pair in pairs]),
        _cells([pair.truth for pair in pairs]),
        _cells([pair.prediction for pair in pairs]),
        _cells([pair.mean_prediction for pair in pairs]),
        np.array([[pair.half_widths.get(key, np.nan) for key in regions] for pair in pairs]),
    )


def require_unseen(people: Collection[Pseudonym], trained_on: Collection[str]) -> None:
    """Refuse to measure a model on people that it saw.

    Raises:
        ModelError: somebody stands on both sides.
    """
    seen = sum(person_digest(person) in trained_on for person in set(people))
    if seen:
        raise ModelError(
            f"{seen} of {len(set(people))} people were seen by the model in training.",
            hint="Evaluate on other people, or train without these.",
        )


def _require_alike(
    table: RoiTable, person: Pseudonym, frame: tuple[str, str], regions: tuple[str, ...]
) -> None:
    if table.quantity != Quantity.SUVR:
        raise QuantityError(
            f"sub-{person}: a {table.contrast} table is in {table.quantity}, not SUVR.",
            hint="Quantify the prepared PET, not its counts.",
        )
    if (table.atlas, table.reference) != frame:
        raise RecipeMismatchError(
            f"sub-{person}: a {table.contrast} table is over {table.atlas} and "
            f"{table.reference}, the evaluation over {frame[0]} and {frame[1]}.",
            hint="Quantify truth and prediction with one recipe.",
        )
    if tuple(table.values.index) != regions:
        raise RecipeMismatchError(
            f"sub-{person}: a {table.contrast} table lists other regions than the first table.",
            hint="Quantify all of them with one version of the atlas.",
        )


def _cells(tables: Sequence[RoiTable]) -> Cells:
    return np.stack([table.means.to_numpy(dtype=np.float64) for table in tables])
