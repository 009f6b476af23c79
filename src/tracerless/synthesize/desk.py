"""Everything that a training step and a measurement need, as tensors in the brain's box."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from tracerless.core.people import Pseudonym
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.volume import MR_INPUTS, Contrast
from tracerless.synthesize import schedule
from tracerless.synthesize.head import Head, head
from tracerless.synthesize.losses import charbonnier, region_means, regional, squared
from tracerless.synthesize.material import Material, Space

Answer = Callable[[Tensor], Tensor]
"""A network: (B, 7, i, j, k) -> (B, 1, i, j, k)."""
_MIN_RESIDUAL_SUVR = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Desk:
    """N sessions in the box.

    Args:
        head: between the network and SUVR.
        people: whose, N.
        values: (N, 3, i, j, k) normalised MR.
        present: (N, 3) which contrasts there are.
        target: (N, i, j, k) acquired SUVR; the mean where it was not seen.
        valid: (N, i, j, k) 1 in the brain where it was seen.
        regions: (R, i*j*k) 0 or 1.
    """

    head: Head
    people: tuple[Pseudonym, ...]
    values: Tensor
    present: NDArray[np.bool_]
    target: Tensor
    valid: Tensor
    regions: Tensor

    def loss(
        self,
        answer: Answer,
        draw: schedule.Draw,
        sessions: NDArray[np.int64],
        *,
        step: int,
        recipe: SynthesizeRecipe,
    ) -> Tensor:
        """The loss of one step, SUVR: squared error first, Charbonnier later, regions fading.

        Args:
            answer: the network.
            draw: what is hidden and changed.
            sessions: (B,) which rows of the desk.
            step: from 0.
            recipe: weights of the terms, number of steps.
        """
        who = torch.from_numpy(sessions)
        gain, offset = (
            torch.from_numpy(a)[:, :, None, None, None] for a in (draw.gain, draw.offset)
        )
        values = (self.values[who] * gain + offset) * self.head.brain
        predicted = self._predict(answer, values, draw.shown)
        error, valid = predicted - self.target[who], self.valid[who]
        share = schedule.squared_share(step, recipe.steps)
        loss = schedule.region_weight(step, recipe) * regional(error, valid, self.regions)
        if share > 0:
            loss = loss + share * squared(error, valid, self.head.residual_suvr)
        if share < 1:
            loss = loss + (1 - share) * charbonnier(error, valid)
        return loss

    @torch.no_grad()
    def deviations(
        self, answer: Answer, sessions: NDArray[np.int64], inputs: tuple[Contrast, ...]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(truth, predicted) - training mean by session and region, (n, R) SUVR; NaN = not seen.

        Args:
            answer: the network.
            sessions: which; each must have all of ``inputs``.
            inputs: what the network is shown.
        """
        shown = np.array([[c in inputs for c in MR_INPUTS]])
        truth, predicted = [], []
        for i in sessions.tolist():
            one = slice(i, i + 1)
            made = self._predict(answer, self.values[one], shown)
            valid = self.valid[one]
            pairs = torch.cat([self.target[one] - self.head.mean, made - self.head.mean])
            means, seen = region_means(pairs, valid.expand(2, *valid.shape[1:]), self.regions)
            rows = np.where(seen.numpy() > 0, means.numpy().astype(np.float64), np.nan)
            truth.append(rows[0])
            predicted.append(rows[1])
        return np.stack(truth), np.stack(predicted)

    @torch.no_grad()
    def voxel_deviations(
        self, answer: Answer, sessions: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(truth, predicted) - training mean by session and brain voxel, (n, V) SUVR.

        Each session is predicted from all that it has; truth is NaN where nothing was measured.
        """
        inside = self.head.brain.flatten() > 0
        truth = np.full((len(sessions), int(inside.sum())), np.nan, dtype=np.float32)
        predicted = np.zeros_like(truth)
        for row, i in enumerate(sessions.tolist()):
            one = slice(i, i + 1)
            made = self._predict(answer, self.values[one], self.present[one])
            predicted[row] = (made - self.head.mean).flatten()[inside].numpy()
            gone = (self.target[one] - self.head.mean).flatten()[inside].numpy()
            seen = self.valid[one].flatten()[inside].numpy() > 0
            truth[row, seen] = gone[seen]
        return truth, predicted

    def _predict(self, answer: Answer, values: Tensor, shown: NDArray[np.bool_]) -> Tensor:
        flags = torch.from_numpy(shown.astype(np.float32))
        return self.head.suvr(answer(self.head.inputs(values, flags)))


def desk(
    material: Material, where: Space, mean: NDArray[np.float32], trained: NDArray[np.int64]
) -> Desk:
    """Lay everything out.

    Args:
        material: all sessions.
        where: the network's space.
        mean: (I, J, K) as ``mean_map`` returns it.
        trained: sessions of the people in training; their spread sets the scale of the residual.

    Raises:
        GeometryError: no voxel of the reference region lies in the brain.
    """
    filled = fill(mean)
    seen = np.isfinite(material.suvr) & where.brain
    deviation = np.where(seen, material.suvr - filled, 0)[trained]
    spread = float(np.sqrt((deviation.astype(np.float64) ** 2).sum() / max(seen[trained].sum(), 1)))
    made = head(filled, where.brain, where.reference, max(spread, _MIN_RESIDUAL_SUVR))
    box = (slice(None), *made.box)
    return Desk(
        made,
        material.people,
        torch.from_numpy(material.values),
        material.present,
        torch.from_numpy(np.where(seen, material.suvr, filled)[box].astype(np.float32)),
        torch.from_numpy(seen[box].astype(np.float32)),
        torch.from_numpy(where.regions[box].reshape(len(where.regions), -1).astype(np.float32)),
    )


def mean_map(suvr: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, I, J, K) -> (I, J, K) mean over sessions; NaN where fewer than half of them see."""
    seen = np.isfinite(suvr)
    n = seen.sum(axis=0)
    total = np.where(seen, suvr, 0).sum(axis=0, dtype=np.float64)
    mean = np.where(2 * n >= len(suvr), total / np.maximum(n, 1), np.nan)
    return np.asarray(mean, dtype=np.float32)


def fill(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """The array with each NaN replaced by the nearest number."""
    unknown = ~np.isfinite(array)
    if not unknown.any():
        return array
    nearest = ndimage.distance_transform_edt(unknown, return_distances=False, return_indices=True)
    return np.asarray(array[tuple(nearest)])


def digest(material: Material) -> str:
    """SHA-256 over whose the sessions are and every number of them."""
    total = hashlib.sha256(" ".join(str(p) for p in material.people).encode())
    for array in (material.values, material.present, material.suvr):
        total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()
