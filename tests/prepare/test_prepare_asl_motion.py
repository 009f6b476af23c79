"""Movement between volumes is found and undone; pairs that are broken do not count."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prepare_asl_phantom import (
    EFFICIENCY,
    FACTS,
    GRID,
    KEY,
    T1_BLOOD_S,
    asl,
    flow_of,
    m0_of,
    m0_series,
    made,
    scanned,
    tissue,
    view,
    volume,
)
from scipy import ndimage
from scipy.spatial.transform import Rotation

from tracerless.core.errors import QuantityError
from tracerless.core.grid import Grid, points_mm
from tracerless.core.seeds import generator
from tracerless.core.session import Native
from tracerless.core.volume import Quantity
from tracerless.prepare import perfusion
from tracerless.prepare.asl_facts import Protocol
from tracerless.prepare.asl_frames import outliers
from tracerless.prepare.asl_kinetics import single
from tracerless.prepare.asl_motion import motion

CORNER = np.array(((0, 0, 0, -84), (0, 0, 0, -100), (0, 0, 0, -70), (0, 0, 0, 0)))
SMALL = Grid((22, 26, 20), np.diag((8.0, 8.0, 7.5, 1.0)) + CORNER)
VIEW = view(SMALL)
CENTER = np.array((2.0, -8.0, 3.0))


def pose(turn_deg: tuple[float, ...], shift_mm: tuple[float, ...]) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix()
    matrix[:3, 3] = CENTER + shift_mm - matrix[:3, :3] @ CENTER
    return matrix


def walk(n: int, name: str, step: float) -> dict[int, np.ndarray]:
    """A head that drifts and jerks, as heads do."""
    draw = generator("test", "walk", name)
    numbers = np.cumsum(draw.normal(0, step, (n, 6)), axis=0)
    return {i: pose(tuple(row[:3]), tuple(row[3:])) for i, row in enumerate(numbers)}


def error_mm(found: tuple[np.ndarray, ...], true: dict[int, np.ndarray]) -> float:
    """The largest error at points of the brain, after the mean pose is taken out."""
    points = CENTER + 50.0 * np.vstack((np.eye(3), -np.eye(3)))
    moved = [points @ true[i][:3, :3].T + true[i][:3, 3] for i in range(len(found))]
    seen = [points @ m[:3, :3].T + m[:3, 3] for m in found]
    apart = np.array(moved) - np.mean(moved, axis=0) - (np.array(seen) - np.mean(seen, axis=0))
    return float(np.linalg.norm(apart, axis=-1).max())


def test_planted_poses_come_back() -> None:
    planted = walk(10, "planted", 0.6)
    frames = scanned(5, poses=planted, noise=0.5)
    found = motion([volume(each) for each in frames], np.tile((1.0, -1.0), 5))
    assert found.found.all()
    assert error_mm(found.matrices, planted) < 0.4
    still = (np.eye(4),) * 10  # negative control: unfound, the error is that of the movement
    assert error_mm(still, planted) > 2.0


def test_a_still_head_stays_still_whatever_labeling_does() -> None:
    frames = scanned(6, noise=0.5, static=0.05)
    found = motion([volume(each) for each in frames], np.tile((1.0, -1.0), 6))
    assert found.shift_mm.max() < 0.15


def test_movement_is_undone_in_the_flow() -> None:
    planted = walk(8, "undone", 0.8)
    told = made(asl(scanned(4, poses=planted, noise=0.5)), m0_series())
    truth, where = flow_of(tissue(points_mm(GRID))), view()
    inside = (where.grey | where.white) & np.isfinite(told.volume.array)
    error = float(np.sqrt(np.mean((told.volume.array - truth)[inside] ** 2)))
    still = made(asl(scanned(4, noise=0.5)), m0_series())
    floor = float(np.sqrt(np.mean((still.volume.array - truth)[inside] ** 2)))
    assert told.source["motion_max_mm"] > 1.5
    assert error < 1.7 * floor + 1.0
    frames = np.stack(scanned(4, poses=planted, noise=0.5))  # negative control: as it lies
    share = (frames[0::2] - frames[1::2]).mean(axis=0) / np.maximum(
        m0_of(tissue(points_mm(GRID))), 1
    )
    how = Protocol("PCASL", (1.8,), 1.8, EFFICIENCY, T1_BLOOD_S, 3.0, (), is_ge=False)
    raw = single(share.astype(np.float32), 1.8, 0.0, how)
    assert float(np.sqrt(np.mean((raw - truth)[inside] ** 2))) > 1.3 * error
    assert abs(told.levels["grey"] - 60) < 3
    assert abs(told.levels["white"] - 20) < 2


def test_equal_input_gives_equal_bits() -> None:
    frames = scanned(3, poses=walk(6, "bits", 0.5), noise=0.5, grid=SMALL)
    one, two = (made(asl(frames, grid=SMALL), m0_series(grid=SMALL), where=VIEW) for _ in range(2))
    assert one.volume.array.tobytes() == two.volume.array.tobytes()


@settings(max_examples=8, deadline=None)
@given(shift=st.tuples(*[st.floats(-4, 4)] * 3), turn=st.tuples(*[st.floats(-4, 4)] * 3))
def test_one_step_of_the_head_is_found(shift: tuple[float, ...], turn: tuple[float, ...]) -> None:
    planted = {i: np.eye(4) if i < 2 else pose(turn, shift) for i in range(4)}
    frames = [volume(each, grid=SMALL) for each in scanned(2, poses=planted, grid=SMALL)]
    assert error_mm(motion(frames, np.zeros(4)).matrices, planted) < 0.8


def test_a_jump_beyond_belief_is_not_followed() -> None:
    planted = {i: np.eye(4) for i in range(6)} | {3: pose((0, 0, 0), (60.0, 0, 0))}
    frames = [volume(each, grid=SMALL) for each in scanned(3, poses=planted, grid=SMALL)]
    found = motion(frames, np.zeros(6))
    assert found.found.tolist() == [True, True, True, False, True, True]
    assert np.array_equal(found.matrices[3], np.eye(4))


@pytest.mark.parametrize("kind", ["spike", "empty", "swapped"])
def test_a_broken_pair_is_named_and_does_not_count(kind: str) -> None:
    frames = scanned(8, noise=1.0, grid=SMALL, name=kind)
    if kind == "spike":
        stripes = 40.0 * np.sin(np.arange(SMALL.shape[0]))[:, None, None]
        frames[6] = frames[6] + stripes
    elif kind == "empty":
        frames[6] = np.zeros(SMALL.shape)
    else:
        frames[6], frames[7] = frames[7], frames[6]
    told = made(asl(frames, grid=SMALL), m0_series(grid=SMALL), where=VIEW)
    assert list(told.source["rejected"]) == ["4"]
    assert told.source["n_pairs"] == 7
    assert told.volume.quantity is Quantity.CBF
    assert abs(told.levels["grey"] - 60) < 3


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(5, 40))
def test_sound_pairs_are_rarely_called_broken(seed: int, n: int) -> None:
    draw = generator("test", "sound", seed)
    sound = draw.normal(8, 1, 2000) + draw.normal(0, 10, (n, 2000)) + draw.normal(0, 1, (n, 1))
    assert len(outliers(sound.astype(np.float32), [1.8] * n, [True] * n)) <= 1


def test_pairs_are_compared_within_their_delay_only() -> None:
    draw = generator("test", "delays")
    level = np.repeat((2.0, 20.0), 6)[:, None]
    groups = [0.5] * 6 + [1.8] * 6
    both = (level + draw.normal(0, 3, (12, 2000))).astype(np.float32)
    assert not outliers(both, groups, [True] * 12)
    both[8] = 2.0
    assert list(outliers(both, groups, [True] * 12)) == [8]


def test_few_pairs_cannot_be_judged_and_all_count() -> None:
    four = np.array([[1.0], [1.0], [1.0], [90.0]]) * np.ones((4, 50))
    assert not outliers(four.astype(np.float32), [1.8] * 4, [True] * 4)


def test_a_series_of_broken_pairs_is_refused() -> None:
    frames = scanned(4, grid=SMALL)
    for i in (1, 3, 5):
        frames[i] = np.zeros(SMALL.shape)
    with pytest.raises(QuantityError, match="3 of 4 pairs"):
        made(asl(frames, FACTS, grid=SMALL), m0_series(grid=SMALL), where=VIEW)


def test_every_volume_is_interpolated_once_from_its_own_pose() -> None:
    """The result is that of the composed map, which two interpolations in a row do not give."""
    planted = walk(4, "once", 0.7)
    frames = scanned(2, poses=planted, noise=3.0, grid=SMALL)
    looked = perfusion.look(asl(frames, {}, grid=SMALL))
    fine = Grid((40, 48, 36), np.diag((4.0, 4.0, 4.0, 1.0)) + CORNER)
    where = view(fine)
    told = perfusion.flow(Native(KEY, ()), looked, where)
    once, twice = np.zeros(fine.shape), np.zeros(fine.shape)
    for sign, frame, matrix in zip((1, -1, 1, -1), frames, looked.motion.matrices, strict=True):
        once += sign * by_hand(frame, SMALL, where.points @ matrix[:3, :3].T + matrix[:3, 3]) / 2
        own = points_mm(SMALL) @ matrix[:3, :3].T + matrix[:3, 3]
        twice += sign * by_hand(by_hand(frame, SMALL, own), SMALL, where.points) / 2
    inside = where.brain & np.isfinite(told.volume.array)
    assert np.abs(told.volume.array - once)[inside].max() < 1e-2
    assert np.abs(told.volume.array - twice)[inside].max() > 1.0


def by_hand(frame: np.ndarray, grid: Grid, points: np.ndarray) -> np.ndarray:
    back = np.linalg.inv(grid.affine)
    index = np.moveaxis(points @ back[:3, :3].T + back[:3, 3], -1, 0)
    return ndimage.map_coordinates(frame.astype(float), index, order=1, mode="nearest")
