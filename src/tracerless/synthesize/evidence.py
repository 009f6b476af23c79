"""What a model says of people that it did not learn from, beside what was measured of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.people import Pseudonym
from tracerless.core.seeds import generator
from tracerless.core.volume import MR_INPUTS
from tracerless.synthesize.calibration import (
    UNCALIBRATED,
    Calibration,
    calibrate,
    subset_key,
    subsets,
)
from tracerless.synthesize.closed_form import Solved
from tracerless.synthesize.desk import Answer, Desk, desk, mean_map
from tracerless.synthesize.intervals import Interval, interval, quantile
from tracerless.synthesize.material import Material, Space

N_FOLDS = 5
"""Folds of people for what is solved: each is predicted by weights that never saw that person."""
_MOST_VOLUMES = 200
"""Sessions whose voxels are kept to judge the map of errors."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """(n, R) acquired and predicted, minus the training mean, SUVR; and whose."""

    truth: Array
    predicted: Array
    people: tuple[Pseudonym, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Predictions of people that the predicting weights did not see.

    Args:
        pairs: by ``subset_key``, of the people who have all of that set.
        truth, predicted: (m, V) acquired and predicted minus the mean in the box's brain voxels,
            each session from all that it has; NaN where nothing was measured.
    """

    pairs: Mapping[str, Pairs]
    truth: NDArray[np.float32]
    predicted: NDArray[np.float32]

    def calibrations(self) -> dict[str, Calibration]:
        """For every set of inputs."""
        return {
            key: calibrate(each.truth, each.predicted, each.people)
            if len(set(each.people)) > 1
            else UNCALIBRATED
            for key, each in self.pairs.items()
        }

    def voxel_errors(self, calibration: Calibration) -> tuple[NDArray[np.float32], float]:
        """(V,) root mean square error, and what brings it to a 90 % half-width; NaN if unknown."""
        error = self.truth - np.float32(calibration.slope) * self.predicted
        known = np.isfinite(error)
        square = np.where(known, error, 0).astype(np.float64) ** 2
        size = np.sqrt(square.sum(axis=0) / np.maximum(known.sum(axis=0), 1))
        size = np.maximum(size, 1e-3)
        factor = quantile((np.abs(error) / size).ravel()) if len(error) else float("nan")
        return size.astype(np.float32), factor

    def intervals(
        self, calibrations: Mapping[str, Calibration], regions: tuple[str, ...], voxel_factor: float
    ) -> dict[str, Interval]:
        """For every set of inputs that enough people have; the voxels' follows the regions'."""
        made = {
            key: interval(
                each.truth, each.predicted, calibrations[key], regions=regions, voxel_factor=1.0
            )
            for key, each in self.pairs.items()
        }
        known = {key: each for key, each in made.items() if each is not None}
        typical = {
            key: float(np.mean(each.half_widths(np.zeros(1)))) for key, each in known.items()
        }
        fullest = next(iter(typical.values()), 1.0)
        return {
            key: each.with_voxels(voxel_factor * typical[key] / fullest)
            for key, each in known.items()
        }


def evidence(laid: Desk, answer: Answer, rows: NDArray[np.int64]) -> Evidence:
    """Predictions of these sessions, with every set of inputs that they have.

    Args:
        laid: the desk; ``rows`` were not learned from.
        answer: the network.
        rows: sessions.
    """
    pairs = {}
    for inputs in subsets():
        needed = [MR_INPUTS.index(c) for c in inputs]
        able = rows[laid.present[rows][:, needed].all(axis=1)]
        people = tuple(laid.people[i] for i in able)
        empty = np.zeros((0, len(laid.regions)))
        found = laid.deviations(answer, able, inputs) if len(able) else (empty, empty)
        pairs[subset_key(inputs)] = Pairs(*found, people)
    return Evidence(pairs, *laid.voxel_deviations(answer, rows[:_MOST_VOLUMES]))


def cross_fitted(material: Material, where: Space, preset: str, seed: int) -> Evidence:
    """Predictions of every person by linear maps that were solved without that person.

    Args:
        material: all sessions.
        where: the network's space.
        preset: name of a linear preset.
        seed: of the folds.
    """
    parts = [_fold(material, where, preset, out) for out in _folds(material.people, seed)]
    return Evidence(
        {key: _joined([part.pairs[key] for part in parts]) for key in parts[0].pairs},
        np.concatenate([part.truth for part in parts])[:_MOST_VOLUMES],
        np.concatenate([part.predicted for part in parts])[:_MOST_VOLUMES],
    )


def _fold(material: Material, where: Space, preset: str, out: NDArray[np.int64]) -> Evidence:
    trained = np.setdiff1d(np.arange(len(material.people)), out)
    laid = desk(material, where, mean_map(material.suvr[trained]), trained)
    return evidence(laid, Solved(laid, trained, preset).average_answer, out)


def _folds(people: Sequence[Pseudonym], seed: int) -> list[NDArray[np.int64]]:
    """Rows of each fold; whole people."""
    names = sorted(set(people))
    order = generator("synthesize-folds", seed).permutation(len(names))
    fold_of = {names[place]: n % N_FOLDS for n, place in enumerate(order)}
    owner = np.array([fold_of[person] for person in people])
    return [rows for rows in (np.flatnonzero(owner == f) for f in range(N_FOLDS)) if len(rows)]


def _joined(parts: Sequence[Pairs]) -> Pairs:
    return Pairs(
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.predicted for part in parts]),
        tuple(person for part in parts for person in part.people),
    )
