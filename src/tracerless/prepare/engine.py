"""The two outside engines: bias field and deformable registration.

ITK knows directions as left and posterior. Every volume that goes to it here lies on a grid along
R, A and S, and is handed over as if ITK's millimeters were RAS millimeters; what comes back then is
in RAS millimeters too, and no sign is turned anywhere.

ANTs samples at random and ignores ``random_seed=``; it repeats itself only when its global switch
is set and ITK runs on one thread, which every function here sees to.
"""

import contextlib
import logging
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ants
import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import GeometryError
from tracerless.core.grid import Grid
from tracerless.core.transform import Affine, Chain, Displacement
from tracerless.core.volume import Quantity, Volume

SYN_ITERATIONS = {"fast": (40, 40, 4), "standard": (60, 40, 20)}
"""Iterations of the deformable stage at 4, 2 and 1 voxels, by registration preset."""

_N4 = {"shrink_factor": 2, "convergence": {"iters": [30, 30, 20], "tol": 1e-7}}
_log = logging.getLogger(__name__)


def bias_field(t1: Volume, brain: NDArray[np.bool_], seed: int) -> Volume:
    """The smooth gain over a volume of about 4 mm; its geometric mean in the brain is 1.

    Args:
        t1: on a grid along R, A and S.
        brain: (I, J, K) where the field is estimated; outside, its extremes hold.
        seed: of the engine.

    Source:
        N4 (Tustison et al. 2010, IEEE TMI 29:1310).
    """
    with _repeatable(seed):
        field = ants.n4_bias_field_correction(
            _to_ants(t1.array, t1.grid),
            mask=_to_ants(brain, t1.grid),
            return_bias_field=True,
            **_N4,
        ).numpy()
    within = np.maximum(field[brain], 1e-6)
    gain = np.clip(field, within.min(), within.max()) / np.exp(np.log(within).mean())
    return Volume(gain, t1.grid, Quantity.SIGNAL, t1.contrast)


def deformable(
    moving: Volume, fixed: Volume, *, spaces: tuple[str, str], preset: str, seed: int
) -> tuple[Chain, Chain]:
    """Affine and deformable maps between a brain and the standard brain.

    Args:
        moving: the brain alone, 0 around it, on a grid along R, A and S.
        fixed: the standard brain, likewise.
        spaces: names of the fixed and of the moving space.
        preset: key of ``SYN_ITERATIONS``.
        seed: of the engine's random sampling.

    Returns:
        fixed -> moving and moving -> fixed, mm; each the inverse of the other up to the engine's
        own tolerance.

    Raises:
        GeometryError: the engine gives up.

    Source:
        SyN (Avants et al. 2008, Med Image Anal 12:26) with Mattes mutual information.
    """
    with _repeatable(seed), tempfile.TemporaryDirectory(prefix="tracerless-") as folder:
        try:
            made = ants.registration(
                _to_ants(fixed.array, fixed.grid),
                _to_ants(moving.array, moving.grid),
                type_of_transform="SyN",
                reg_iterations=SYN_ITERATIONS[preset],
                outprefix=str(Path(folder) / "map"),
            )
            affine = _affine_matrix(made["fwdtransforms"][1])
            forward = _vectors(made["fwdtransforms"][0])
            backward = _vectors(made["invtransforms"][1])
        except (RuntimeError, IndexError) as error:
            _log.debug("registration gave up: %s", error)
            raise GeometryError(
                "The T1 could not be registered to the template.",
                hint="Look at the T1: is the whole head in it, and the orientation right?",
            ) from None
    fixed_space, moving_space = spaces
    between = f"{moving_space} affinely in {fixed_space}"
    push = Affine(between, moving_space, affine)
    return (
        Chain((Displacement(fixed_space, between, fixed.grid, forward), push)),
        Chain((push.inverse, Displacement(between, fixed_space, fixed.grid, backward))),
    )


@contextlib.contextmanager
def _repeatable(seed: int) -> Iterator[None]:
    """Seed the engine; numpy's and Python's own global generators are left as they were."""
    kept, kept_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    ants.config.set_ants_deterministic(on=True, seed_value=seed)
    try:
        yield
    finally:
        random.setstate(kept)
        np.random.set_state(kept_numpy)  # noqa: NPY002


def _to_ants(array: NDArray[Any], grid: Grid) -> Any:
    return ants.from_numpy(
        np.nan_to_num(array).astype(np.float32),
        origin=grid.affine[:3, 3].tolist(),
        spacing=list(grid.spacing_mm),
        direction=np.eye(3),
    )


def _affine_matrix(path: str) -> NDArray[np.float64]:
    """ITK's matrix, translation and center as one (4, 4)."""
    transform = ants.read_transform(path)
    numbers = np.array(transform.parameters, dtype=np.float64)
    center = np.array(transform.fixed_parameters, dtype=np.float64)
    matrix = np.eye(4)
    matrix[:3, :3] = numbers[:9].reshape(3, 3)
    matrix[:3, 3] = numbers[9:] + center - matrix[:3, :3] @ center
    return matrix


def _vectors(path: str) -> NDArray[np.float32]:
    vectors: NDArray[np.float32] = ants.image_read(path).numpy().astype(np.float32)
    return vectors
