"""What the networks of a checkpoint say of one session, calibrated, on the network's grid."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tracerless.core.cohort import PersonFacts
from tracerless.synthesize import ensemble
from tracerless.synthesize.backend import Backend
from tracerless.synthesize.calibration import Calibration
from tracerless.synthesize.channels import Channels
from tracerless.synthesize.checkpoint import Checkpoint
from tracerless.synthesize.checkpoint_form import laid
from tracerless.synthesize.desk import fill
from tracerless.synthesize.head import Head, head
from tracerless.synthesize.intervals import VoxelWidth
from tracerless.synthesize.learner import same_every_time
from tracerless.synthesize.regional import Regions, regions_of

Flat = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Over the V voxels of the brain.

    Args:
        expected: (I, J, K) SUVR before MR is looked at, without NaN.
        deviation: (V,) predicted minus expected, calibrated, SUVR.
        spread: (V,) disagreement of members and bounds, SUVR; None where there is none.
        spread_by_region: (R,) likewise of the regions' means.
        inputs: (1, 7, i, j, k) that the networks saw.
        said: by each member, (1, n, i, j, k).
    """

    expected: NDArray[np.float32]
    deviation: Flat
    spread: Flat | None
    spread_by_region: NDArray[np.float64] | None
    inputs: Tensor
    said: tuple[Tensor, ...]

    @property
    def deviation_suvr(self) -> float:
        """Root mean square of the deviation."""
        return float(np.sqrt(np.mean(self.deviation.astype(np.float64) ** 2)))


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """The networks of a checkpoint and what turns their numbers into SUVR.

    Args:
        checkpoint: trained.
        backend: that computes the networks.
        head: between them and SUVR.
        regions: on the network's grid.
        averages: (R, i*j*k) weights of each region's mean in the box.
    """

    checkpoint: Checkpoint
    backend: Backend
    head: Head
    regions: Regions
    averages: Tensor

    def read(self, seen: Channels, calibration: Calibration, person: PersonFacts | None) -> Answer:
        """The answer to one session.

        Args:
            seen: its MR on the network's grid.
            calibration: of the inputs that are shown.
            person: what is known besides.
        """
        made, box = self.checkpoint, self.head.box
        expected = fill(made.expected.of(person))
        values = torch.from_numpy(seen.values[(slice(None), *box)].copy())[None]
        present = torch.tensor([seen.present], dtype=torch.float32)
        start = self.boxed(expected)
        with same_every_time(threads=1), torch.no_grad():
            inputs = self.head.inputs(values, present, start)
            said = tuple(
                torch.from_numpy(self.backend.run(inputs.numpy(), member))
                for member in range(made.members)
            )
            raw = self.flat((self.head.suvr(ensemble.joined(said), start) - start)[0])
            spread = ensemble.spread(said, self.head)
            by_region = ensemble.region_spread(said, self.head, self.averages)
        return Answer(
            expected,
            self.regions.calibrated(raw, calibration),
            None if spread is None else self.flat(spread[0]),
            None if by_region is None else by_region[0].numpy().astype(np.float64),
            inputs,
            said,
        )

    def boxed(self, array: NDArray[np.float32]) -> Tensor:
        """(I, J, K) -> (1, i, j, k) of the brain's box."""
        return torch.from_numpy(array[self.head.box].copy())[None]

    def flat(self, boxed: Tensor) -> Flat:
        """(i, j, k) of the box -> (V,) of the brain's voxels."""
        return np.ascontiguousarray(boxed.numpy()[self.checkpoint.brain[self.head.box]])

    def suvr(self, answer: Answer, deviation: Flat) -> NDArray[np.float32]:
        """(I, J, K) expected map plus deviations; NaN where too few training people were seen."""
        made = self.checkpoint
        suvr = answer.expected.copy()
        suvr[made.brain] += deviation
        suvr[~np.isfinite(made.mean)] = np.nan
        return suvr

    def widths(self, answer: Answer, width: VoxelWidth) -> NDArray[np.float32]:
        """(I, J, K) half-widths of the voxels' intervals, SUVR; NaN outside the brain."""
        made = self.checkpoint
        scale = width.scale(made.voxel_error[made.brain], answer.deviation, answer.spread)
        factor = self.regions.field(width.factors[0], width.factors[1:])
        return np.asarray(laid((factor * scale).astype(np.float32), made.brain))


def reader(checkpoint: Checkpoint, backend: Backend) -> Reader:
    """A checkpoint, ready to be asked.

    Raises:
        GeometryError: the reference region has no voxel in the checkpoint's brain.
    """
    made = head(checkpoint.brain, checkpoint.reference_mask, checkpoint.residual_suvr)
    count = len(checkpoint.regions)
    regions = regions_of(checkpoint.brain, checkpoint.labels, count, checkpoint.grid)
    labels = torch.from_numpy(checkpoint.labels[made.box].astype(np.int64).ravel())
    masks = torch.stack([labels == 1 + r for r in range(count)]).float()
    averages = masks / masks.sum(dim=1, keepdim=True).clamp_min(1)
    return Reader(checkpoint, backend, made, regions, averages)
