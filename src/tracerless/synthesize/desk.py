"""Everything that a training step and a measurement need, as tensors in the brain's box."""

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from tracerless.core.cohort import PersonFacts
from tracerless.core.people import Pseudonym
from tracerless.core.volume import MR_INPUTS, Contrast
from tracerless.synthesize.batch import Batch
from tracerless.synthesize.expected import Expected
from tracerless.synthesize.head import Head, head
from tracerless.synthesize.material import Material
from tracerless.synthesize.space import Space

_MIN_RESIDUAL_SUVR = 0.01
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Desk:
    """N sessions in the box, on one device; what is large is in half precision.

    Args:
        head: between the network and SUVR.
        people, facts: whose, N.
        values: (N, 3, i, j, k) float16 normalised MR.
        present: (N, 3) which contrasts there are.
        suvr: (N, i, j, k) float16 acquired; NaN where it was not seen.
        mean: (i, j, k) expected SUVR of a person in the center, without NaN.
        effects: (C, i, j, k) SUVR per unit of a covariate.
        amounts: (N, C) how far each person lies from the center.
        regions: (R, i*j*k) 0 or 1.
        mirror: (P, 2) left and right rows of ``regions``.
    """

    head: Head
    people: tuple[Pseudonym, ...]
    facts: tuple[PersonFacts, ...]
    values: Tensor
    present: NDArray[np.bool_]
    suvr: Tensor
    mean: Tensor
    effects: Tensor
    amounts: Tensor
    regions: Tensor
    mirror: Tensor

    @property
    def device(self) -> torch.device:
        """Where the tensors lie."""
        return self.values.device

    def contrasts(self, rows: Rows) -> Tensor:
        """(B, 3, i, j, k) float32 MR of these sessions."""
        return self.values[self._at(rows)].float()

    def expected(self, rows: Rows) -> Tensor:
        """(B, i, j, k) SUVR expected of these sessions' people."""
        mean = self.mean.expand(len(rows), *self.mean.shape)
        if not len(self.effects):
            return mean
        return mean + torch.einsum("bc,cijk->bijk", self.amounts[self._at(rows)], self.effects)

    def batch(
        self,
        rows: Rows,
        shown: NDArray[np.bool_],
        values: Tensor | None = None,
        places: tuple[int, ...] | None = None,
    ) -> Batch:
        """These sessions, ready for a step.

        Args:
            rows: (B,) sessions.
            shown: (B, 3) or (1, 3) which contrasts the network may see.
            values: (B, 3, i, j, k) MR instead of their own, e.g. changed at random.
            places: of the rows in the whole batch; None = 0, 1, …
        """
        expected = self.expected(rows)
        flags = torch.from_numpy(np.broadcast_to(shown, (len(rows), shown.shape[1])).copy())
        values = self.contrasts(rows) if values is None else values
        acquired = self.suvr[self._at(rows)].float()
        valid = torch.isfinite(acquired) * self.head.brain
        return Batch(
            inputs=self.head.inputs(values, flags.to(self.device).float(), expected),
            target=torch.where(valid > 0, acquired, expected),
            valid=valid,
            expected=expected,
            head=self.head,
            regions=self.regions,
            mirror=self.mirror,
            rows=tuple(range(len(rows))) if places is None else places,
        )

    def showing(self, inputs: tuple[Contrast, ...]) -> NDArray[np.bool_]:
        """(1, 3) flags of these contrasts."""
        return np.array([[contrast in inputs for contrast in MR_INPUTS]])

    def able(self, rows: Rows, inputs: tuple[Contrast, ...]) -> Rows:
        """Those of the rows that have all of these contrasts."""
        needed = [MR_INPUTS.index(contrast) for contrast in inputs]
        chosen: Rows = rows[self.present[rows][:, needed].all(axis=1)]
        return chosen

    def _at(self, rows: Rows) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(rows)).to(self.device)


def desk(
    material: Material,
    where: Space,
    expected: Expected,
    *,
    residual_suvr: float,
    device: torch.device | None = None,
) -> Desk:
    """Lay everything out.

    Args:
        material: all sessions.
        where: the network's space.
        expected: what is known of a person without MR.
        residual_suvr: SUVR of one unit of the network's output (``typical_residual``).
        device: where the tensors go; None = the CPU, where the large ones are not copied.

    Raises:
        GeometryError: no voxel of the reference region lies in the brain.
    """
    place = device or torch.device("cpu")
    made = head(where.brain, where.reference, residual_suvr)
    box = made.box
    labels = where.labels[box].ravel()
    regions = np.stack([labels == 1 + r for r in range(len(where.keys))])
    amounts = np.stack([expected.amounts(facts) for facts in material.facts])
    return Desk(
        head=made.to(place),
        people=material.people,
        facts=material.facts,
        values=torch.from_numpy(material.values).to(place),
        present=material.present,
        suvr=torch.from_numpy(material.suvr)[(slice(None), *box)].to(place),
        mean=torch.from_numpy(fill(expected.mean)[box].copy()).to(place),
        effects=torch.from_numpy(expected.effects[(slice(None), *box)].copy()).to(place),
        amounts=torch.from_numpy(amounts.astype(np.float32)).to(place),
        regions=torch.from_numpy(regions.astype(np.float32)).to(place),
        mirror=torch.from_numpy(where.mirror).to(place),
    )


def typical_residual(
    material: Material, where: Space, expected: Expected, rows: NDArray[np.int64]
) -> float:
    """Root mean square of acquired minus expected in the brain over these sessions, SUVR."""
    total, count = 0.0, 0
    for row in rows.tolist():
        gone = material.suvr[row].astype(np.float32) - expected.of(material.facts[row])
        inside = gone[where.brain & np.isfinite(gone)].astype(np.float64)
        total, count = total + float((inside**2).sum()), count + inside.size
    return max(float(np.sqrt(total / max(count, 1))), _MIN_RESIDUAL_SUVR)


def fill(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """The array with each NaN replaced by the nearest number."""
    unknown = ~np.isfinite(array)
    if not unknown.any():
        return array
    nearest = ndimage.distance_transform_edt(unknown, return_distances=False, return_indices=True)
    return np.asarray(array[tuple(nearest)])


def digest(material: Material) -> str:
    """SHA-256 over whose the sessions are, what is known of them, and every number of them."""
    known = " ".join(f"{p} {f}" for p, f in zip(material.people, material.facts, strict=True))
    total = hashlib.sha256(known.encode())
    for array in (material.values, material.present, material.suvr):
        total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()
