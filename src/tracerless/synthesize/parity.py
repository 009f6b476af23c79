"""Whether another back-end says the same as torch: in SUVR, over every region, on given inputs."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage

from tracerless.core.errors import ModelError
from tracerless.core.seeds import generator
from tracerless.core.volume import MR_INPUTS
from tracerless.synthesize.backend import Array, Backend
from tracerless.synthesize.calibration import subset_key, subsets
from tracerless.synthesize.checkpoint import Checkpoint
from tracerless.synthesize.desk import fill
from tracerless.synthesize.head import Head, head

LIMIT_SUVR = 0.005
"""A back-end that differs by this much in any region is not used."""
_PROBE_FWHM_VOX = 4.0


@dataclass(frozen=True, slots=True)
class Parity:
    """How far two back-ends lie apart.

    Args:
        largest_suvr: largest difference of a region's mean.
        region: where that is; empty when they agree to the bit.
        voxel_suvr: largest difference of a voxel.
        n_volumes: inputs that both were shown, each to every member.
        limit_suvr: from which on the other is not used.
    """

    largest_suvr: float
    region: str
    voxel_suvr: float
    n_volumes: int
    limit_suvr: float = LIMIT_SUVR

    @property
    def holds(self) -> bool:
        """Whether the other back-end may be used."""
        return self.n_volumes > 0 and self.largest_suvr < self.limit_suvr

    @property
    def sentence(self) -> str:
        """For people."""
        found = f"{self.largest_suvr:.1e} SUVR in {self.region or 'any region'}"
        verdict = "used" if self.holds else "not used"
        return (
            f"ONNX Runtime and torch differ by at most {found} over {self.n_volumes} volumes "
            f"(limit {self.limit_suvr}): {verdict}."
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "holds": self.holds}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Self:
        """What `to_json` gave; the limit is that of this version, whatever a record says.

        Raises:
            KeyError, TypeError, ValueError: no such record.
        """
        return cls(
            float(record["largest_suvr"]),
            str(record["region"]),
            float(record["voxel_suvr"]),
            int(record["n_volumes"]),
        )


def parity(
    checkpoint: Checkpoint,
    ours: Backend,
    theirs: Backend,
    volumes: Iterable[Array],
    *,
    members: int | None = None,
) -> Parity:
    """The largest difference in SUVR between two back-ends, over volumes, members and regions.

    Args:
        checkpoint: whose answers both compute.
        ours: the one that is trusted: torch.
        theirs: the other.
        volumes: (1, C, i, j, k) each, channels as ``Head.inputs`` makes them.
        members: how many of them are asked; None = all.

    Raises:
        ModelError: no volume, or a back-end that answers with what is no number.
    """
    ruler = _Ruler(checkpoint)
    worst, voxel, where, n_volumes = 0.0, 0.0, "", 0
    for inputs in volumes:
        n_volumes += 1
        for member in range(checkpoint.members if members is None else members):
            apart = ruler.suvr(ours.run(inputs, member)) - ruler.suvr(theirs.run(inputs, member))
            if not np.isfinite(apart).all():
                raise ModelError("A back-end answers with what is no number.")
            voxel = max(voxel, float(np.abs(apart).max()))
            largest, region = ruler.largest(apart)
            if largest > worst:
                worst, where = largest, region
    if not n_volumes:
        raise ModelError("Parity of two back-ends needs at least one volume.")
    return Parity(worst, where, voxel, n_volumes)


def probes(checkpoint: Checkpoint) -> Iterator[Array]:
    """Inputs to compare back-ends on where no session is at hand: one for every set of inputs.

    Smooth noise in the brain over the whole range of the normalised inputs, drawn by a fixed seed;
    each set of contrasts that the model knows is shown once.

    Yields:
        (1, C, i, j, k) as ``Head.inputs`` makes them.
    """
    ruler = _Ruler(checkpoint)
    brain = ruler.head.brain.numpy()
    for inputs in (s for s in subsets() if subset_key(s) in checkpoint.calibration):
        random = generator("synthesize-parity", subset_key(inputs))
        noise = random.standard_normal((len(MR_INPUTS), *brain.shape))
        smooth = ndimage.gaussian_filter(noise, (0.0, *(_PROBE_FWHM_VOX / 2.3548,) * 3))
        values = smooth / smooth.std() * checkpoint.normalisation.clip / 2
        shown = torch.tensor([[float(c in inputs) for c in MR_INPUTS]])
        tensor = torch.from_numpy((values * brain).astype(np.float32))[None]
        made: Array = ruler.head.inputs(tensor, shown, ruler.expected).numpy()
        yield made


class _Ruler:
    """Turns answers into SUVR and SUVR into means of regions, on the network's grid."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.head: Head = head(
            checkpoint.brain, checkpoint.reference_mask, checkpoint.residual_suvr
        )
        box = self.head.box
        self.expected = torch.from_numpy(fill(checkpoint.mean)[box].copy())[None]
        self._brain = checkpoint.brain[box]
        self._labels = np.where(self._brain, checkpoint.labels[box], 0).ravel()
        self._regions = checkpoint.regions

    def suvr(self, answer: Array) -> NDArray[np.float64]:
        """(1, n, i, j, k) answer -> (i, j, k) SUVR; the expected map outside the brain."""
        made = self.head.suvr(torch.from_numpy(answer), self.expected)[0].numpy()
        return np.asarray(made, dtype=np.float64)

    def largest(self, apart: NDArray[np.float64]) -> tuple[float, str]:
        """The largest absolute mean of a region, and its name."""
        size = len(self._regions) + 1
        count = np.bincount(self._labels, minlength=size)[1:]
        total = np.bincount(self._labels, weights=apart.ravel(), minlength=size)[1:]
        means = np.abs(total) / np.maximum(count, 1)
        at = int(np.argmax(means))
        return float(means[at]), self._regions[at]
