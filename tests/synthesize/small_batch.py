"""Two people in a box of a few voxels: a brain, a lesion on one side, PET that ends low."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from tracerless.synthesize.batch import Batch
from tracerless.synthesize.head import Head

SHAPE = (12, 14, 10)
RESIDUAL_SUVR = 0.15
LESION_SUVR = -0.3


def _axes() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    lines = [torch.linspace(-1, 1, n) for n in SHAPE]
    x, y, z = torch.meshgrid(*lines, indexing="ij")
    return x, y, z


def _regions(brain: torch.Tensor) -> torch.Tensor:
    """(4, V): front and back, left and right; without the reference region below."""
    x, y, z = _axes()
    upper = brain * (z > -0.5)
    return torch.stack(
        [(upper * side * end).flatten() for end in (y > 0, y <= 0) for side in (x < 0, x >= 0)]
    )


def batch_of(n: int) -> Batch:
    """``n`` people; each has the lesion back left, as far as it shows in the first contrast."""
    x, y, z = _axes()
    brain = ((x**2 + y**2 + z**2) <= 0.95).float()
    reference = brain * (z < -0.55)
    draw = torch.Generator().manual_seed(7)
    head = Head(
        (slice(0, SHAPE[0]), slice(0, SHAPE[1]), slice(0, SHAPE[2])),
        brain,
        reference / reference.sum(),
        RESIDUAL_SUVR,
    )
    expected = (1.0 + 0.3 * (1 - reference) * (x.abs() > 0.3)).expand(n, *SHAPE)
    lesion = brain * (1 - reference) * (x < 0) * (y <= 0)
    severity = torch.linspace(1.0, 0.5, n)[:, None, None, None]
    target = expected + LESION_SUVR * severity * lesion
    values = torch.randn((n, 3, *SHAPE), generator=draw) * 0.1
    values[:, 0] += severity * lesion
    inputs = head.inputs(values * brain, torch.ones(n, 3), expected)
    valid = (brain * (z < 0.6)).expand(n, *SHAPE).contiguous()
    target = torch.where(valid > 0, target, expected)
    mirror = torch.tensor([[0, 1], [2, 3]])
    return Batch(inputs, target, valid, expected, head, _regions(brain), mirror, tuple(range(n)))


def erased(batch: Batch) -> torch.Tensor:
    """(B, i, j, k) SUVR of the same people without the lesion."""
    return batch.expected.clone()


@torch.no_grad()
def step_down(weights: list[torch.Tensor], slopes: Sequence[torch.Tensor], size: float) -> None:
    """Each weight by ``size`` against its slope; torch's optimizers cost seconds to import."""
    for weight, slope in zip(weights, slopes, strict=True):
        weight.sub_(size * slope.sign())


def row_of(batch: Batch, row: int) -> Batch:
    """One person of the batch, as another process would hold it."""
    one = slice(row, row + 1)
    return replace(
        batch,
        inputs=batch.inputs[one],
        target=batch.target[one],
        valid=batch.valid[one],
        expected=batch.expected[one],
        rows=batch.rows[one],
    )
