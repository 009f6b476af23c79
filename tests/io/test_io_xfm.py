"""Transform files: another tool that reads them gives the same volumes as this package."""

from pathlib import Path

import ants
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from tracerless.core.errors import DatasetError, GeometryError
from tracerless.core.grid import Grid, points_mm
from tracerless.core.seeds import generator
from tracerless.core.transform import Affine, Chain, Displacement, PointMap, resample
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io.xfm import read_itk, write_itk

TURNED = np.diag((-1.0, -1.0, 1.0))


def grid_of(shape: tuple[int, int, int], spacing_mm: float, turn_deg: tuple[int, ...]) -> Grid:
    """A lattice about the origin with oblique axes."""
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix() * spacing_mm
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape) - 1) / 2
    return Grid(shape, affine)


def smooth(shape: tuple[int, ...], name: str, sigma: float) -> NDArray[np.float32]:
    noise = generator("test", "xfm", name).normal(size=shape)
    sigmas = (sigma,) * 3 + (0,) * (len(shape) - 3)
    soft = ndimage.gaussian_filter(noise, sigmas)
    return (soft / soft.std()).astype(np.float32)


def affine_map(source: str, target: str, scale: float = 1.0) -> Affine:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", (11, -7, 15), degrees=True).as_matrix() * scale
    matrix[:3, 3] = (6.0, -9.0, 4.0)
    return Affine(source, target, matrix)


def warp(source: str, target: str, turn_deg: tuple[int, ...] = (0, 0, 0)) -> Displacement:
    grid = grid_of((30, 34, 28), 3.0, turn_deg)
    return Displacement(source, target, grid, 2.5 * smooth((*grid.shape, 3), "warp", 4.0))


def theirs(volume: Volume, grid: Grid, paths: list[Path]) -> NDArray[np.float32]:
    """What ANTs makes of the volume and the files."""
    moved = ants.apply_transforms(
        for_ants(np.zeros(grid.shape, np.float32), grid),
        for_ants(volume.array, volume.grid),
        [str(path) for path in paths],
        interpolator="linear",
        defaultvalue=-1000,
    )
    return moved.numpy()


def for_ants(array: NDArray[np.float32], grid: Grid) -> ants.ANTsImage:
    axes = TURNED @ grid.affine[:3, :3] / np.array(grid.spacing_mm)
    origin = TURNED @ grid.affine[:3, 3]
    return ants.from_numpy(
        array, origin=origin.tolist(), spacing=list(grid.spacing_mm), direction=axes
    )


@pytest.fixture
def volume() -> Volume:
    grid = grid_of((36, 40, 32), 2.2, (5, -4, 8))
    return Volume(smooth(grid.shape, "volume", 2.0), grid, Quantity.SIGNAL, Contrast.T1W)


def same(ours: Volume, own: NDArray[np.float32], tolerance: float) -> None:
    """Equal wherever both see the volume."""
    known = np.isfinite(ours.array) & (own > -900)
    assert known.sum() > 5000
    assert np.abs(ours.array - own)[known].max() < tolerance


@pytest.mark.parametrize(
    ("point_map", "ending"),
    [
        (affine_map("here", "there"), ".txt"),
        (
            Chain((affine_map("here", "half"), affine_map("there", "half", 1.1).inverse)),
            ".txt",
        ),
        (warp("here", "there", (3, 2, -6)), ".nii.gz"),
        (Chain((warp("here", "half"), affine_map("half", "there", 0.95))), ".nii.gz"),
    ],
    ids=["rigid", "two affines", "warp on an oblique lattice", "warp, then affine"],
)
def test_ants_reads_the_file_and_gives_the_same_volume(
    tmp_path: Path, volume: Volume, point_map: PointMap, ending: str
) -> None:
    path = write_itk(tmp_path / "from-a_to-b_xfm", point_map)
    assert path.name == f"from-a_to-b_xfm{ending}"
    grid = grid_of((24, 26, 22), 2.5, (0, 6, 0))
    ours = resample(volume, grid, point_map)
    same(ours, theirs(volume, grid, [path]), 2e-3)
    wrong = ours.array - theirs(volume, grid, [])
    assert np.nanstd(wrong) > 0.2


def test_the_way_back_is_written_on_a_lattice_of_its_own_space(
    tmp_path: Path, volume: Volume
) -> None:
    back = Chain((affine_map("here", "half", 1.05), warp("half", "there")))
    with pytest.raises(GeometryError, match="no lattice in 'here'"):
        write_itk(tmp_path / "back", back)
    grid = grid_of((34, 36, 32), 2.0, (0, 0, 0))
    path = write_itk(tmp_path / "back", back, grid=grid)
    same(resample(volume, grid, back), theirs(volume, grid, [path]), 2e-3)


def test_files_read_back_as_the_map_that_was_written(tmp_path: Path) -> None:
    affine, field = affine_map("here", "there"), warp("here", "there", (3, 2, -6))
    again = read_itk(write_itk(tmp_path / "a", affine), source="here", target="there")
    assert isinstance(again, Affine)
    assert np.allclose(again.matrix, affine.matrix, atol=1e-12)
    again = read_itk(write_itk(tmp_path / "b", field), source="here", target="there")
    assert isinstance(again, Displacement)
    assert (again.source, again.target, again.grid) == ("here", "there", field.grid)
    points = points_mm(grid_of((9, 9, 9), 5.0, (0, 0, 0)))
    assert np.allclose(again(points), field(points), atol=1e-3)


def test_what_ants_writes_is_read(tmp_path: Path) -> None:
    wanted = affine_map("here", "there")
    matrix = TURNED @ wanted.matrix[:3, :3] @ TURNED
    center = np.array((3.0, 4.0, -5.0))
    shift = TURNED @ wanted.matrix[:3, 3] - center + matrix @ center
    made = ants.create_ants_transform(
        transform_type="AffineTransform", matrix=matrix, translation=shift, center=center
    )
    path = tmp_path / "theirs.txt"
    ants.write_transform(made, str(path))
    found = read_itk(path, source="here", target="there")
    assert isinstance(found, Affine)
    assert np.allclose(found.matrix, wanted.matrix, atol=1e-5)


def test_equal_maps_give_equal_bytes(tmp_path: Path) -> None:
    for stem, point_map in (("a", affine_map("x", "y")), ("w", warp("x", "y"))):
        one = write_itk(tmp_path / f"{stem}1", point_map)
        other = write_itk(tmp_path / f"{stem}2", point_map)
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize(("name", "content"), [("x.txt", b"nonsense"), ("x.nii.gz", b"\x1f\x8b0")])
def test_other_files_are_refused_by_name(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="is not a map"):
        read_itk(path, source="here", target="there")


def test_a_sheared_lattice_is_refused(tmp_path: Path) -> None:
    affine = np.eye(4)
    affine[0, 1] = 0.3
    with pytest.raises(GeometryError, match="not at right angles"):
        write_itk(tmp_path / "x", warp("here", "there"), grid=Grid((9, 9, 9), affine))
