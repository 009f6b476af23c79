"""What a model says of people that it did not learn from, beside what was measured of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tracerless.core.people import Pseudonym
from tracerless.core.volume import Contrast
from tracerless.synthesize.batch import Batch
from tracerless.synthesize.calibration import Shown, skill, subset_key, subsets
from tracerless.synthesize.desk import Desk, Rows
from tracerless.synthesize.ensemble import Answer, joined, region_spread, spread

_MOST_VOLUMES = 200
"""Sessions whose voxels are kept to judge the map of errors."""
_AT_ONCE = {"cpu": 1, "cuda": 16}
"""Sessions that are predicted together: on the CPU one after another costs least."""

Array = NDArray[np.float64]
Half = NDArray[np.float16]


@dataclass(frozen=True, slots=True, eq=False)
class Volumes:
    """m sessions by brain voxel, each predicted from all that it has; half precision.

    Args:
        truth, predicted: (m, V) acquired and predicted minus the person's expected map, SUVR; NaN
            where nothing was measured.
        people: whose, m.
        spread: (m, V) disagreement, SUVR; None where there is none.
        groups: diagnoses, m.
    """

    truth: Half
    predicted: Half
    people: tuple[Pseudonym, ...]
    spread: Half | None
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Predictions of people that the predicting weights did not see.

    Args:
        pairs: by ``subset_key``, of the people who have all of that set.
        volumes: of at most 200 sessions.
    """

    pairs: Mapping[str, Shown]
    volumes: Volumes


def evidence(laid: Desk, networks: Sequence[Answer], rows: Rows) -> Evidence:
    """Predictions of these sessions, with every set of inputs that they have.

    Args:
        laid: the desk; ``rows`` were not learned from.
        networks: the members.
        rows: sessions.
    """
    pairs = {}
    for inputs in subsets():
        able = laid.able(rows, inputs)
        parts = [_regions(laid, networks, some, inputs) for some in _chunks(laid, able)]
        pairs[subset_key(inputs)] = _shown(laid, able, parts)
    return Evidence(pairs, _volumes(laid, networks, rows[:_MOST_VOLUMES]))


def held_out_skill(
    laid: Desk, network: Answer, rows: Rows, inputs: tuple[Contrast, ...]
) -> float | None:
    """1 - MAE / MAE of the expected maps over regions, not calibrated; None with no rows."""
    if not len(rows):
        return None
    parts = [_regions(laid, [network], some, inputs) for some in _chunks(laid, rows)]
    truth, made = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    return skill(np.nan_to_num(truth), np.nan_to_num(made))


def together(parts: Sequence[Evidence]) -> Evidence:
    """The evidence of several folds as one."""
    volumes = [part.volumes for part in parts]
    spreads = [v.spread for v in volumes if v.spread is not None]
    return Evidence(
        {key: _joined([part.pairs[key] for part in parts]) for key in parts[0].pairs},
        Volumes(
            np.concatenate([v.truth for v in volumes])[:_MOST_VOLUMES],
            np.concatenate([v.predicted for v in volumes])[:_MOST_VOLUMES],
            tuple(p for v in volumes for p in v.people)[:_MOST_VOLUMES],
            np.concatenate(spreads)[:_MOST_VOLUMES] if len(spreads) == len(volumes) else None,
            tuple(g for v in volumes for g in v.groups)[:_MOST_VOLUMES],
        ),
    )


def _chunks(laid: Desk, rows: Rows) -> Iterator[Rows]:
    size = _AT_ONCE.get(laid.device.type, 1)
    return (rows[at : at + size] for at in range(0, len(rows), size))


@torch.no_grad()
def _regions(
    laid: Desk, networks: Sequence[Answer], rows: Rows, inputs: tuple[Contrast, ...]
) -> tuple[Array, Array, Array | None]:
    """(truth, predicted, spread), (B, R) each, minus the expected maps; NaN = not seen."""
    batch = laid.batch(rows, laid.showing(inputs))
    answers = [network(batch.inputs) for network in networks]
    made = batch.suvr(joined(answers)) - batch.expected
    seen = batch.valid.flatten(1) @ laid.regions.T
    known = (seen > 0).cpu().numpy()

    def means(values: Tensor) -> Array:
        total = (values * batch.valid).flatten(1) @ laid.regions.T / seen.clamp_min(1)
        return np.where(known, total.double().cpu().numpy(), np.nan)

    whole = laid.regions.sum(dim=1, keepdim=True).clamp_min(1)
    found = region_spread(answers, batch.head, laid.regions / whole)
    return (
        means(batch.target - batch.expected),
        means(made),
        None if found is None else found.double().cpu().numpy(),
    )


def _shown(laid: Desk, rows: Rows, parts: Sequence[tuple[Array, Array, Array | None]]) -> Shown:
    people = tuple(laid.people[row] for row in rows)
    groups = tuple(laid.facts[row].diagnosis for row in rows)
    if not parts:
        empty = np.zeros((0, len(laid.regions)))
        return Shown(empty, empty, people, None, groups)
    spreads = [part[2] for part in parts if part[2] is not None]
    return Shown(
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        people,
        np.concatenate(spreads) if spreads else None,
        groups,
    )


def _joined(parts: Sequence[Shown]) -> Shown:
    spreads = [part.spread for part in parts if part.spread is not None]
    return Shown(
        np.concatenate([part.truth for part in parts]),
        np.concatenate([part.predicted for part in parts]),
        tuple(person for part in parts for person in part.people),
        np.concatenate(spreads) if len(spreads) == len(parts) else None,
        tuple(group for part in parts for group in part.groups),
    )


def _volumes(laid: Desk, networks: Sequence[Answer], rows: Rows) -> Volumes:
    inside = laid.head.brain.flatten() > 0
    made = [_voxels(laid, networks, some, inside) for some in _chunks(laid, rows)]
    n_voxels = int(inside.sum())
    empty = np.zeros((0, n_voxels), dtype=np.float16)
    spreads = [part[2] for part in made if part[2] is not None]
    return Volumes(
        np.concatenate([empty, *(part[0] for part in made)]),
        np.concatenate([empty, *(part[1] for part in made)]),
        tuple(laid.people[row] for row in rows),
        np.concatenate(spreads) if spreads else None,
        tuple(laid.facts[row].diagnosis for row in rows),
    )


@torch.no_grad()
def _voxels(
    laid: Desk, networks: Sequence[Answer], rows: Rows, inside: Tensor
) -> tuple[Half, Half, Half | None]:
    batch: Batch = laid.batch(rows, laid.present[rows])
    answers = [network(batch.inputs) for network in networks]
    made = batch.suvr(joined(answers)) - batch.expected
    gone = torch.where(batch.valid > 0, batch.target - batch.expected, torch.nan)
    found = spread(answers, batch.head)

    def half(values: Tensor) -> Half:
        return values.flatten(1)[:, inside].half().cpu().numpy()

    return half(gone), half(made), None if found is None else half(found)
