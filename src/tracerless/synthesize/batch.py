"""What one step learns from: some people, as the network sees them, and what PET showed of them."""

from dataclasses import dataclass

from torch import Tensor

from tracerless.synthesize.head import Head


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """B people in the brain's box; every tensor float32 (but ``mirror``) and on one device.

    Args:
        inputs: (B, 7, i, j, k) as ``Head.inputs`` makes them.
        target: (B, i, j, k) acquired SUVR; the expected map where it was not seen.
        valid: (B, i, j, k) 1 in the brain where it was seen, else 0.
        expected: (B, i, j, k) SUVR of each person before MR is looked at.
        head: between the network and SUVR.
        regions: (R, i*j*k) 0 or 1, one row a region.
        mirror: (P, 2) int64: rows of ``regions`` that are the left and the right of one region.
        rows: place of each person in the whole batch, over all processes.
    """

    inputs: Tensor
    target: Tensor
    valid: Tensor
    expected: Tensor
    head: Head
    regions: Tensor
    mirror: Tensor
    rows: tuple[int, ...]

    def suvr(self, answer: Tensor) -> Tensor:
        """(B, n, i, j, k) network output -> (B, i, j, k) SUVR of its first channel."""
        return self.head.suvr(answer, self.expected)
