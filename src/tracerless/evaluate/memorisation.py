"""Whether a model repeats the people it learned from."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracerless.core.seeds import generator
from tracerless.evaluate.paired import sign_flip_p

N_DRAWS = 50
"""Random sets of training people, each as large as the set of unseen ones."""
NEARER = 0.05
"""A model whose volumes lie this share nearer to training people than to others repeats them."""
CHANCE = 0.01
_SMALLEST_SET = 5

Rows = NDArray[np.float64]
"""(n, v) one volume a row: regions, or voxels; SUVR."""


class Nearness(NamedTuple):
    """Mean distance (root mean square, SUVR) of a predicted volume to the nearest other person.

    Args:
        to_training: among training people.
        to_unseen: among as many people that nobody learned from.
        verdict: a sentence.
    """

    to_training: float
    to_unseen: float
    verdict: str


def nearness(predicted: Rows, truth: Rows, training: Rows) -> Nearness:
    """Whether predictions lie nearer to training people than to others, more than truths do.

    Training people may differ from the unseen (another scanner, other diagnoses); that the acquired
    volumes of the unseen lie nearer to one of both sets is taken off.

    Args:
        predicted: (n, v) of unseen people, without NaN.
        truth: (n, v) acquired of the same people.
        training: (m, v) acquired of training people.
    """
    k = min(len(training), len(truth) - 1)
    if k < _SMALLEST_SET:
        few = f"{len(training)} training and {len(truth)} unseen people are too few to tell"
        return Nearness(float("nan"), float("nan"), few)
    random = generator("memorisation", len(truth), len(training))
    made, real = (_Distances(each, truth, training) for each in (predicted, truth))
    sums = np.zeros((4, len(truth)))
    for _ in range(N_DRAWS):
        seen = random.permutation(len(training))[:k]
        others = random.permutation(len(truth) - 1)[:k]
        sums += np.stack([*made.nearest(seen, others), *real.nearest(seen, others)])
    to_training, to_unseen, real_training, real_unseen = sums / N_DRAWS
    pull = np.log(to_training / to_unseen) - np.log(real_training / real_unseen)
    p, share = sign_flip_p(pull, "memorisation"), 1 - float(np.exp(pull.mean()))
    means = float(to_training.mean()), float(to_unseen.mean())
    return Nearness(*means, _verdict(share, p))


def _verdict(share: float, p: float) -> str:
    side = "nearer to" if share > 0 else "farther from"
    said = f"{abs(share):.1%} {side} training people than chance ({_p(p)})"
    repeats = share >= NEARER and p < CHANCE
    return f"repeats training people: {said}" if repeats else f"no sign of repeating: {said}"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


class _Distances:
    """Of n volumes to all training and to all other unseen people."""

    def __init__(self, rows: Rows, truth: Rows, training: Rows) -> None:
        self._seen = _root_mean_square(rows, training)
        own = _root_mean_square(rows, truth)
        n = len(truth)
        self._others = own[~np.eye(n, dtype=bool)].reshape(n, n - 1)

    def nearest(
        self, seen: NDArray[np.int64], others: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(n,) each: to the nearest of a set of training people, and of a set of others."""
        floor = 1e-9
        nearest_seen = np.maximum(self._seen[:, seen].min(axis=1), floor)
        return nearest_seen, np.maximum(self._others[:, others].min(axis=1), floor)


def _root_mean_square(a: Rows, b: Rows) -> NDArray[np.float64]:
    """(n, m) distances."""
    square = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * a @ b.T
    distances: NDArray[np.float64] = np.sqrt(np.maximum(square, 0.0) / a.shape[1])
    return distances
