"""Weights of the linear map, solved for: kernel ridge over people, its strength by leaving out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tracerless.core.people import Pseudonym
from tracerless.networks import PRESETS, LinearPreset, build
from tracerless.networks.linear import SUBSETS, pooled
from tracerless.synthesize.desk import Desk
from tracerless.synthesize.head import N_CHANNELS

STRENGTHS = tuple(float(10**power) for power in np.arange(-2.0, 3.1, 0.5))
"""Ridge strengths tried, in units of a contrast's mean square."""

Array = NDArray[np.float64]


class Solved:
    """The linear map of a preset, solved on the training people; answers like a network.

    Contrasts count alike: each is scaled to mean square 1 over people. Each set of contrasts has
    weights of its own, so that what is hidden is not missed.

    Args:
        laid: all sessions.
        trained: rows of the training people.
        preset: name of a linear preset.

    Source:
        Saunders, Gammerman, Vovk 1998, ICML (ridge regression in dual form); Golub, Heath, Wahba
        1979, Technometrics 21:215 (leaving out from one solution; here whole people are left out).
    """

    def __init__(self, laid: Desk, trained: NDArray[np.int64], preset: str) -> None:
        row = PRESETS[preset]
        if not isinstance(row, LinearPreset):
            raise TypeError(preset)
        shape = laid.head.brain.shape
        self._network = build(preset, n_inputs=N_CHANNELS, shape=(shape[0], shape[1], shape[2]))
        weights = _weights(laid, trained, row)
        state = self._network.state_dict()
        for name, value in weights.items():
            state[name].copy_(torch.from_numpy(value))

    @torch.no_grad()
    def average_answer(self, x: Tensor) -> Tensor:
        """What the map says; (B, 7, i, j, k) -> (B, 1, i, j, k)."""
        said: Tensor = self._network(x)
        return said

    @property
    def average(self) -> dict[str, NDArray[np.float32]]:
        """The weights, by name."""
        return {name: w.numpy().copy() for name, w in self._network.state_dict().items()}


@dataclass(frozen=True, slots=True, eq=False)
class _Target:
    """What is fitted: (n, V) deviations, their regional means, and V as patterns."""

    deviations: Array
    regional: Array
    patterns: Array


def _weights(
    laid: Desk, trained: NDArray[np.int64], row: LinearPreset
) -> dict[str, NDArray[np.float32]]:
    blocks = pooled(laid.values, row.block).numpy().astype(np.float64)
    target = _target(laid, trained, row.rank)
    n_blocks, n_voxels = blocks.shape[2], target.deviations.shape[1]
    center = np.zeros((len(SUBSETS), blocks.shape[1], n_blocks))
    weight = np.zeros((*center.shape, row.rank))
    for at, contrasts in enumerate(SUBSETS):
        able = laid.present[trained][:, contrasts].all(axis=1)
        if able.sum() < 3:
            continue
        rows = np.flatnonzero(able)
        seen = blocks[trained[rows]][:, contrasts]
        center[at, contrasts] = seen.mean(axis=0)
        scaled, scale = _scaled(seen - center[at, contrasts])
        dual = _dual(scaled, target, rows, [laid.people[trained[r]] for r in rows])
        flat = scaled.reshape(len(rows), -1)
        made = (flat.T @ dual).reshape(len(contrasts), n_blocks, -1)
        weight[at, contrasts, :, : made.shape[2]] = made / scale[:, None, None]
    patterns = np.zeros((row.rank, n_voxels))
    patterns[: len(target.patterns)] = target.patterns
    made_ = {"center": center, "weight": weight, "patterns": patterns}
    return {name: value.astype(np.float32) for name, value in made_.items()}


def _target(laid: Desk, trained: NDArray[np.int64], rank: int) -> _Target:
    """Deviations from the mean in units of the head's residual."""
    who = torch.from_numpy(trained)
    gone = (laid.target[who] - laid.head.mean) * laid.valid[who] / laid.head.residual_suvr
    deviations = gone.flatten(1).numpy().astype(np.float64)
    regions = laid.regions.numpy().astype(np.float64)
    regional = deviations @ regions.T / np.maximum(regions.sum(axis=1), 1)
    centered = deviations - deviations.mean(axis=0)
    values, vectors = np.linalg.eigh(centered @ centered.T)
    kept = [i for i in np.argsort(values)[::-1][:rank] if values[i] > 1e-9 * values[-1]]
    patterns = (vectors[:, kept] / np.sqrt(values[kept])).T @ centered
    return _Target(deviations, regional, _signed(patterns))


def _signed(patterns: Array) -> Array:
    """Eigenvectors have no sign of their own: the largest entry is made positive."""
    largest = np.abs(patterns).argmax(axis=1)
    signs = np.sign(patterns[np.arange(len(patterns)), largest])
    signed: Array = patterns * signs[:, None]
    return signed


def _scaled(centered: Array) -> tuple[Array, Array]:
    """(n, C, blocks), each contrast of mean square 1 over people, and what it was divided by."""
    size = np.sqrt((centered**2).sum(axis=2).mean(axis=0))
    scale = np.where(size > 0, size, 1.0)
    return centered / scale[None, :, None], scale


def _dual(
    scaled: Array, target: _Target, rows: NDArray[np.intp], people: Sequence[Pseudonym]
) -> Array:
    """(n, patterns): weights of people for the amount of each pattern."""
    flat = scaled.reshape(len(rows), -1)
    values, vectors = np.linalg.eigh(flat @ flat.T)
    values = np.maximum(values, 0)
    regional = target.regional[rows] - target.regional[rows].mean(axis=0)
    owners = [np.array([p == person for p in people]) for person in dict.fromkeys(people)]
    errors = [_left_out(vectors, values, s, regional, owners) for s in STRENGTHS]
    strength = STRENGTHS[int(np.argmin(errors))]
    inverse = (vectors / (values + strength)) @ vectors.T
    deviations = target.deviations[rows]
    amounts = (deviations - deviations.mean(axis=0)) @ target.patterns.T
    solved: Array = inverse @ amounts
    return solved


def _left_out(
    vectors: Array,
    values: Array,
    strength: float,
    wanted: Array,
    owners: Sequence[NDArray[np.bool_]],
) -> float:
    """Sum of absolute regional errors when each person is left out, the mean too."""
    n = len(vectors)
    smoother = (vectors * (values / (values + strength))) @ vectors.T + 1 / n
    residual = wanted - smoother @ wanted
    total = 0.0
    for mine in owners:
        block = np.eye(int(mine.sum())) - smoother[np.ix_(mine, mine)]
        total += float(np.abs(np.linalg.solve(block, residual[mine])).sum())
    return total
