"""MR changed at random, as scanners, coils, heads and registration change it.

What is drawn comes from numpy by a named seed; what is done with it happens where the tensors lie,
so that a run on a GPU sees what a run on the CPU sees.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from tracerless.core.seeds import generator

CONTRAST = (0.12, 0.12, 0.03)
"""For T1, T2 and flow: spread of the logarithm of the exponent that bends intensities."""
BIAS = (0.02, 0.02, 0.006)
"""Spread of each coefficient of the receive field left over, as a share of the signal; flow was
divided by a volume under the same field."""
BLUR = (0.3, 0.3, 0.2)
"""Spread of the share that comes from a blurred copy (mean over 3 x 3 x 3 voxels)."""
NOISE = (0.06, 0.06, 0.06)
"""Spread of the standard deviation of the noise, in normalised units."""
SHIFT_MM, TURN_DEG = 1.0, 1.0
"""Spread of each shift and each turn of T2 and flow against T1."""
CUT_CHANCE, CUT_MOST = 0.1, 0.2
"""How often a contrast loses its top or its bottom, and the most that it loses."""
_ZERO = (4.0, 4.0, 2.5)
"""How far below 0 no signal at all lies, for each contrast, in normalised units."""
_N_FIELDS, _BANK = 9, 8
_LIMIT = 4.0
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """What happens to B people in one step; (B, 3, …) by contrast.

    Args:
        exponent: (B, 3) of the intensities.
        bias: (B, 3, F) coefficients of the smooth fields.
        blur: (B, 3) share of the blurred copy, 0-1.
        noise: (B, 3) standard deviation, normalised units.
        motion: (B, 2, 3, 4) of T2 and of flow, beside that of T1, which stays: what is added to
            the identity of ``torch.nn.functional.affine_grid``.
        cut: (B, 3, 2) share of the box that is gone at the bottom and at the top.
        bank: (B, 3) which unit noise, ``roll`` (B, 3, 3) moved by how many voxels.
    """

    exponent: NDArray[np.float32]
    bias: NDArray[np.float32]
    blur: NDArray[np.float32]
    noise: NDArray[np.float32]
    motion: NDArray[np.float32]
    cut: NDArray[np.float32]
    bank: NDArray[np.int64]
    roll: NDArray[np.int64]

    def take(self, rows: slice) -> "Changes":
        """Those of some of the people."""
        return Changes(*(getattr(self, name)[rows] for name in self.__slots__))


def changes(
    n: int, shape: tuple[int, int, int], strength: float, spacing_mm: float, *names: str | int
) -> Changes:
    """Draw what happens in one step.

    Args:
        n: people.
        shape: voxels of the box.
        strength: 1 = as much as scanners differ.
        spacing_mm: of the voxels.
        *names: of what the draw is for: the seed, the member, the step.
    """
    random = generator("synthesize-augment", *names)
    each = (n, 3)
    cut = random.uniform(0, CUT_MOST, (*each, 2)) * (random.random((*each, 2)) < CUT_CHANCE / 2)
    made = (
        np.exp(strength * np.array(CONTRAST) * random.standard_normal(each)),
        strength * np.array(BIAS)[:, None] * random.standard_normal((*each, _N_FIELDS)),
        np.minimum(strength * np.array(BLUR) * np.abs(random.standard_normal(each)), 1.0),
        strength * np.array(NOISE) * np.abs(random.standard_normal(each)),
        _motion(random, n, shape, strength, spacing_mm),
        min(strength, 1.0) * cut,
    )
    exponent, bias, blur, noise, motion, gone = (array.astype(np.float32) for array in made)
    bank = random.integers(0, _BANK, each)
    roll = np.stack([random.integers(0, n_vox, each) for n_vox in shape], axis=-1)
    return Changes(exponent, bias, blur, noise, motion, gone, bank, roll)


def _motion(
    random: np.random.Generator,
    n: int,
    shape: tuple[int, int, int],
    strength: float,
    spacing_mm: float,
) -> NDArray[np.float64]:
    """(n, 2, 3, 4) small rigid motions minus none, in the coordinates of ``affine_grid``."""
    turn = np.deg2rad(TURN_DEG * strength) * random.standard_normal((n, 2, 3))
    shift = SHIFT_MM * strength / spacing_mm * random.standard_normal((n, 2, 3))
    a, b, c = np.moveaxis(turn, -1, 0)
    none = np.zeros_like(a)
    rows = [[none, -c, b], [c, none, -a], [-b, a, none]]  # of small angles
    rotation = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
    half = np.array(shape[::-1]) / 2  # affine_grid counts x, y, z = k, j, i from -1 to 1
    scaled = rotation * (half[None, None, None, :] / half[None, None, :, None])
    return np.concatenate([scaled, (shift / half)[..., None]], axis=-1)


class Augmenter:
    """Changes MR in the brain's box, on the device of ``brain``.

    Args:
        brain: (i, j, k) 0 or 1.
        seed: of the run; names the unit noises.
    """

    def __init__(self, brain: Tensor, seed: int) -> None:
        self._brain = brain
        self._inside = brain.sum().clamp_min(1)
        self._fields = _fields(brain)
        self._straight = torch.eye(3, 4, device=brain.device)
        random = generator("synthesize-noise", seed)
        noise = random.standard_normal((_BANK, *brain.shape), dtype=np.float32)
        self._noise = torch.from_numpy(noise).to(brain.device)
        self._zero = torch.tensor(_ZERO, device=brain.device)[None, :, None, None, None]

    @torch.no_grad()
    def __call__(self, values: Tensor, drawn: Changes) -> Tensor:
        """(B, 3, i, j, k) normalised MR -> the same, changed; 0 outside the brain.

        T1 and T2 keep their mean and spread in the brain, and flow its mean: that is what
        normalisation would see to.
        """
        values, seen = self._moved(values, drawn)
        bent = self._bent(values, drawn)
        mixed = torch.lerp(bent, functional.avg_pool3d(bent, 3, 1, 1), self._of(drawn.blur))
        noisy = mixed + self._of(drawn.noise) * self._unit_noise(drawn)
        kept = self._leveled(noisy, values, seen)
        return kept.clamp(-_LIMIT, _LIMIT) * seen * self._uncut(drawn)

    def _of(self, amounts: NDArray[np.float32]) -> Tensor:
        return torch.from_numpy(amounts).to(self._brain.device)[:, :, None, None, None]

    def _moved(self, values: Tensor, drawn: Changes) -> tuple[Tensor, Tensor]:
        """(values, seen), (B, 3, i, j, k) each: T2 and flow by their own motion, T1 as it lies."""
        seen = (values != 0).float() * self._brain
        if not drawn.motion.any():
            return values, seen
        n, shape = len(values), values.shape[2:]
        size = [2 * n, 2, *shape]
        paired = torch.stack([values[:, 1:], seen[:, 1:]], dim=2).reshape(size)
        theta = self._straight + torch.from_numpy(drawn.motion).to(values.device)
        grid = functional.affine_grid(theta.reshape(2 * n, 3, 4), size, align_corners=False)
        moved = functional.grid_sample(paired, grid, align_corners=False).reshape(n, 2, 2, *shape)
        there = (moved[:, :, 1] > _MOSTLY).float() * self._brain
        return (
            torch.cat([values[:, :1], moved[:, :, 0]], dim=1),
            torch.cat([seen[:, :1], there], dim=1),
        )

    def _bent(self, values: Tensor, drawn: Changes) -> Tensor:
        """Signal under a receive field, its contrast stretched or pressed."""
        coefficients = torch.from_numpy(drawn.bias).to(values.device)
        field = 1 + torch.einsum("bcf,fijk->bcijk", coefficients, self._fields)
        signal = (values + self._zero) * field / self._zero
        bent = signal.sign() * signal.abs() ** self._of(drawn.exponent)  # noise falls below zero
        return self._zero * (bent - 1)

    def _unit_noise(self, drawn: Changes) -> Tensor:
        rows = [
            [
                torch.roll(self._noise[bank], tuple(roll), dims=(0, 1, 2))
                for bank, roll in zip(banks, rolls, strict=True)
            ]
            for banks, rolls in zip(drawn.bank.tolist(), drawn.roll.tolist(), strict=True)
        ]
        return torch.stack([torch.stack(row) for row in rows])

    def _leveled(self, changed: Tensor, before: Tensor, seen: Tensor) -> Tensor:
        count = seen.sum(dim=(2, 3, 4), keepdim=True).clamp_min(1)

        def moments(values: Tensor) -> tuple[Tensor, Tensor]:
            mean = (values * seen).sum(dim=(2, 3, 4), keepdim=True) / count
            square = ((values - mean).square() * seen).sum(dim=(2, 3, 4), keepdim=True) / count
            return mean, square.sqrt().clamp_min(1e-3)

        (mean, spread), (wanted_mean, wanted_spread) = moments(changed), moments(before)
        gain = wanted_spread / spread
        gain[:, 2] = 1  # relative flow: its spread means something
        return (changed - mean) * gain + wanted_mean

    def _uncut(self, drawn: Changes) -> Tensor:
        """(B, 3, 1, 1, k) 0 where the field of view ends."""
        height = torch.linspace(0, 1, self._brain.shape[2], device=self._brain.device)
        low, high = torch.from_numpy(drawn.cut).to(self._brain.device)[..., None].unbind(dim=2)
        inside = (height >= low) & (height <= 1 - high)
        return inside.float()[:, :, None, None, :]


def _fields(brain: Tensor) -> Tensor:
    """(F, i, j, k) smooth fields: products of low cosines along the axes, unit size."""
    axes = [torch.linspace(0, 1, n, device=brain.device) for n in brain.shape]
    waves = [torch.stack([torch.cos(math.pi * f * axis) for f in range(3)]) for axis in axes]
    made = [
        torch.einsum("i,j,k->ijk", waves[0][a], waves[1][b], waves[2][c])
        for a in range(3)
        for b in range(3)
        for c in range(3)
        if 0 < a + b + c <= 2
    ]
    return torch.stack(made)
