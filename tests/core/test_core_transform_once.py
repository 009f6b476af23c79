"""Maps are composed, and volumes are interpolated once."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tracerless.core.grid import Grid, points_mm
from tracerless.core.seeds import generator
from tracerless.core.transform import Affine, Chain, Displacement, affine_of, resample
from tracerless.core.volume import Contrast, Quantity, Volume

GRID = Grid((20, 22, 18), np.diag((2.0, 2.0, 2.0, 1.0)))


@pytest.fixture
def rough() -> Volume:
    """Noise, the hardest thing to interpolate."""
    noise = generator("test", "transform", "once").normal(size=GRID.shape).astype(np.float32)
    return Volume(noise, GRID, Quantity.SIGNAL, Contrast.T1W)


def turned(source: str, target: str) -> Affine:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", (7, -5, 9), degrees=True).as_matrix()
    matrix[:3, 3] = (1.3, -0.8, 0.6)
    return Affine(source, target, matrix)


def shifted(source: str, target: str, sign: float) -> Displacement:
    vectors = np.full((*GRID.shape, 3), sign * 0.7, dtype=np.float32)
    return Displacement(source, target, GRID, vectors)


def test_a_chain_that_returns_loses_nothing(rough: Volume) -> None:
    there = turned("a", "b")
    chain = Chain((there, shifted("b", "c", 1), shifted("c", "b", -1), there.inverse))
    once = resample(rough, GRID, Chain((chain, Affine("a", "d", np.eye(4)))))
    known = np.isfinite(once.array)
    assert known.mean() > 0.9
    assert np.abs(once.array - rough.array)[known].max() < 1e-3


def test_step_by_step_would_have_lost_a_third(rough: Volume) -> None:
    """The control: the same way with an interpolation at each of two steps."""
    there = turned("a", "b")
    twice = resample(resample(rough, GRID, there.inverse), GRID, there).array
    inner = twice[5:-5, 5:-5, 5:-5]
    assert np.isfinite(inner).all()
    assert inner.std() < 0.67 * rough.array[5:-5, 5:-5, 5:-5].std()


def test_affines_in_a_row_are_one_affine() -> None:
    one, two = turned("a", "b"), turned("b", "c")
    found = affine_of(Chain((one, Chain((two,)))))
    assert found is not None
    assert (found.source, found.target) == ("a", "c")
    points = points_mm(GRID)
    assert np.allclose(found(points), two(one(points)), atol=1e-4)


def test_a_chain_with_a_field_is_no_affine() -> None:
    field = shifted("b", "c", 1)
    assert affine_of(field) is None
    assert affine_of(Chain((turned("a", "b"), field))) is None
