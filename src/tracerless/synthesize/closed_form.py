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
    """The map of a preset that is solved, on the training people; answers like a network.

    A preset without weights answers zeros: what is expected without MR stays.

    Contrasts count alike: each is scaled to mean square 1 over people. Each set of contrasts has
    weights of its own, so that what is hidden is not missed.

    Args:
        laid: all sessions.
        trained: rows of the training people.
        preset: name of a linear preset, or of one without weights.

    Source:
        Saunders, Gammerman, Vovk 1998, ICML (ridge regression in dual form); Golub, Heath, Wahba
        1979, Technometrics 21:215 (leaving out from one solution; here whole people are left out).
    """

    def __init__(self, laid: Desk, trained: NDArray[np.int64], preset: str) -> None:
        shape = laid.head.brain.shape
        self._network = build(preset, n_inputs=N_CHANNELS, shape=(shape[0], shape[1], shape[2]))
        row = PRESETS[preset]
        if isinstance(row, LinearPreset):
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
        """The weights, ``answer/<parameter>``."""
        state = self._network.state_dict()
        return {f"answer/{name}": weight.numpy().copy() for name, weight in state.items()}


@dataclass(frozen=True, slots=True, eq=False)
class _Target:
    """What is fitted: deviations from the expected maps in units of the head's residual.

    Args:
        deviations: (n, V) in the voxels of the brain.
        regional: (n, R) their means.
        patterns: (rank, V) what they are made of.
        inside: (i*j*k) the voxels of the brain.
    """

    deviations: NDArray[np.float32]
    regional: Array
    patterns: NDArray[np.float32]
    inside: NDArray[np.bool_]


def _weights(
    laid: Desk, trained: NDArray[np.int64], row: LinearPreset
) -> dict[str, NDArray[np.float32]]:
    blocks = _blocks(laid, trained, row.block)
    target = _target(laid, trained, row.rank)
    n_blocks = blocks.shape[2]
    center = np.zeros((len(SUBSETS), blocks.shape[1], n_blocks))
    weight = np.zeros((*center.shape, row.rank))
    for at, contrasts in enumerate(SUBSETS):
        able = laid.present[trained][:, contrasts].all(axis=1)
        if able.sum() < 3:
            continue
        rows = np.flatnonzero(able)
        seen = blocks[rows][:, contrasts]
        center[at, contrasts] = seen.mean(axis=0)
        scaled, scale = _scaled(seen - center[at, contrasts])
        dual = _dual(scaled, target, rows, [laid.people[trained[r]] for r in rows])
        flat = scaled.reshape(len(rows), -1)
        made = (flat.T @ dual).reshape(len(contrasts), n_blocks, -1)
        weight[at, contrasts, :, : made.shape[2]] = made / scale[:, None, None]
    patterns = np.zeros((row.rank, target.inside.size), dtype=np.float32)
    patterns[: len(target.patterns), target.inside] = target.patterns
    return {
        "center": center.astype(np.float32),
        "weight": weight.astype(np.float32),
        "patterns": patterns,
    }


def _blocks(laid: Desk, trained: NDArray[np.int64], edge: int) -> Array:
    """(n, 3, n_blocks) means of the MR over blocks, one session at a time."""
    rows = [pooled(laid.contrasts(np.array([row])), edge)[0].numpy() for row in trained]
    return np.stack(rows).astype(np.float64)


def _target(laid: Desk, trained: NDArray[np.int64], rank: int) -> _Target:
    """Deviations of the training people, read one session at a time."""
    inside = laid.head.brain.flatten().numpy() > 0
    deviations = np.empty((len(trained), int(inside.sum())), dtype=np.float32)
    everything = np.ones((1, laid.present.shape[1]), dtype=bool)
    for place, row in enumerate(trained):
        batch = laid.batch(np.array([row]), everything)
        gone = (batch.target - batch.expected) * batch.valid / batch.head.residual_suvr
        deviations[place] = gone.flatten().numpy()[inside]
    regions = laid.regions.numpy()[:, inside]
    regional = (deviations @ regions.T).astype(np.float64)
    regional /= np.maximum(regions.sum(axis=1), 1)
    centered = deviations - deviations.mean(axis=0)
    values, vectors = np.linalg.eigh((centered @ centered.T).astype(np.float64))
    kept = [i for i in np.argsort(values)[::-1][:rank] if values[i] > 1e-6 * values[-1]]
    scale = vectors[:, kept] / np.sqrt(values[kept])
    patterns = scale.T.astype(np.float32) @ centered
    return _Target(deviations, regional, _signed(patterns), inside)


def _signed(patterns: NDArray[np.float32]) -> NDArray[np.float32]:
    """Eigenvectors have no sign of their own: the largest entry is made positive."""
    largest = np.abs(patterns).argmax(axis=1)
    signs = np.sign(patterns[np.arange(len(patterns)), largest])
    signed: NDArray[np.float32] = patterns * signs[:, None]
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
    amounts = target.deviations[rows] @ target.patterns.T
    solved: Array = inverse @ (amounts - amounts.mean(axis=0)).astype(np.float64)
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
    damped = values / (values + strength)
    residual = wanted - (vectors * damped) @ (vectors.T @ wanted) - wanted.mean(axis=0)
    alone = np.array([bool(mine.sum() == 1) for mine in owners])
    single = np.array([mine.argmax() for mine in owners], dtype=np.int64)[alone]
    leverage = (vectors[single] ** 2) @ damped + 1 / n
    total = float(np.abs(residual[single] / (1 - leverage)[:, None]).sum())
    for mine in (each for each, is_single in zip(owners, alone, strict=True) if not is_single):
        block = (vectors[mine] * damped) @ vectors[mine].T + 1 / n
        left = np.linalg.solve(np.eye(len(block)) - block, residual[mine])
        total += float(np.abs(left).sum())
    return total
