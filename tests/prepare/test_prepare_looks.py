"""The first look at volumes in template space, against wrongs that are planted."""

from collections.abc import Mapping

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tracerless.core.grid import points_mm
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.seeds import generator
from tracerless.core.session import Native, NativeSeries, Template
from tracerless.core.transform import Affine, Displacement, identity, resample
from tracerless.core.volume import Contrast, Quantity, Volume, with_array
from tracerless.io import resources
from tracerless.prepare.contours import contours
from tracerless.prepare.looks import looks, zeros
from tracerless.prepare.mirror import upright
from tracerless.prepare.quality import doubts, judge

LEVELS: Mapping[Contrast, tuple[Quantity, tuple[float, float, float]]] = {
    Contrast.T1W: (Quantity.T1W, (0.7, 1.0, 0.2)),
    Contrast.T2W: (Quantity.T2W, (0.8, 0.5, 2.0)),
    Contrast.CBF: (Quantity.RELATIVE_CBF, (1.3, 0.5, 0.2)),
    Contrast.FDG: (Quantity.SUVR, (1.5, 1.0, 0.2)),
}
"""Grey matter, white matter and CSF."""


@pytest.fixture(scope="module")
def template() -> Template:
    return resources.template(4.0)


@pytest.fixture(scope="module")
def volumes(template: Template) -> dict[Contrast, Volume]:
    grey, white, brain = template.grey.array, template.white.array, template.brain.array
    made = {}
    for contrast, (quantity, (g, w, c)) in LEVELS.items():
        array = g * grey + w * white + c * np.clip(brain - grey - white, 0, 1)
        array = array + generator("looks", contrast).normal(0, 0.02, array.shape)
        made[contrast] = Volume(array, template.grid, quantity, contrast)
    return made


def moved(volume: Volume, steps: tuple[int, int, int]) -> Volume:
    return with_array(volume, np.roll(volume.array, steps, axis=(0, 1, 2)))


def test_a_right_session_passes_without_a_word(
    volumes: dict[Contrast, Volume], template: Template
) -> None:
    assert judge(looks(volumes, template)) == ("pass", ())


@pytest.mark.parametrize("contrast", [Contrast.T2W, Contrast.CBF, Contrast.FDG])
@pytest.mark.parametrize("steps", [(2, 0, 0), (0, -2, 0), (0, 0, 3), (-2, 2, 1), (0, 4, 0)])
def test_a_volume_beside_the_t1_is_caught_and_its_distance_told(
    volumes: dict[Contrast, Volume],
    template: Template,
    contrast: Contrast,
    steps: tuple[int, int, int],
) -> None:
    wrong = {**volumes, contrast: moved(volumes[contrast], steps)}
    numbers = looks(wrong, template)
    away_mm = float(np.linalg.norm(steps)) * 4.0
    assert numbers[f"offset_{contrast}"] == pytest.approx(away_mm, abs=1.5)
    verdict, reasons = judge(numbers)
    assert verdict in {"review", "fail"}
    assert verdict == "fail" or away_mm <= 9
    assert all(str(contrast) in reason for reason in reasons), reasons


@pytest.mark.parametrize("contrast", [Contrast.T2W, Contrast.FDG])
def test_thirty_mm_beside_the_t1_fails_whatever_the_distance_seems(
    volumes: dict[Contrast, Volume], template: Template, contrast: Contrast
) -> None:
    for axis in range(3):
        steps = tuple(8 if each == axis else 0 for each in range(3))
        wrong = {**volumes, contrast: moved(volumes[contrast], (steps[0], steps[1], steps[2]))}
        assert judge(looks(wrong, template))[0] == "fail", f"axis {axis}"


def test_a_t2_that_is_called_t1_fails_by_its_tissues(
    volumes: dict[Contrast, Volume], template: Template
) -> None:
    t2 = volumes[Contrast.T2W]
    called = Volume(t2.array, t2.grid, Quantity.T1W, Contrast.T1W)
    verdict, reasons = judge(looks({Contrast.T1W: called}, template))
    assert verdict == "fail"
    assert any(reason.startswith("tissue_T1w") for reason in reasons)


def test_uptake_that_is_highest_in_white_matter_is_no_fdg(
    volumes: dict[Contrast, Volume], template: Template
) -> None:
    t1 = volumes[Contrast.T1W]
    called = Volume(t1.array, t1.grid, Quantity.SUVR, Contrast.FDG)
    verdict, reasons = judge(looks({**volumes, Contrast.FDG: called}, template))
    assert verdict == "fail"
    assert any(reason.startswith("tissue_FDG") for reason in reasons)


@pytest.mark.parametrize(("n_slices", "verdict"), [(0, "pass"), (4, "review"), (10, "fail")])
def test_silent_zeros_are_counted_and_unknown_voxels_are_not_zeros(
    volumes: dict[Contrast, Volume], template: Template, n_slices: int, verdict: str
) -> None:
    brain = template.brain.array > 0
    top = int(np.argwhere(brain)[:, 2].max()) + 1
    array = volumes[Contrast.FDG].array.copy()
    array[:, :, top - n_slices : top] = 0
    cut = with_array(volumes[Contrast.FDG], array)
    share = float((brain[:, :, top - n_slices : top]).sum() / brain.sum()) if n_slices else 0.0
    assert zeros(cut, brain) == pytest.approx(share, abs=1e-6)
    said, reasons = judge({"zeros_FDG": zeros(cut, brain)})
    assert said == verdict
    assert bool(reasons) == (verdict != "pass")
    array[:, :, top - n_slices : top] = np.nan
    assert zeros(with_array(cut, array), brain) == 0.0


def test_a_volume_of_zeros_and_a_flat_one_fail(
    volumes: dict[Contrast, Volume], template: Template
) -> None:
    for level in (0.0, 3.0):
        flat = with_array(
            volumes[Contrast.FDG], np.full(template.grid.shape, level, dtype=np.float32)
        )
        verdict, reasons = judge(looks({**volumes, Contrast.FDG: flat}, template))
        assert verdict == "fail"
        assert any(reason.startswith("edges_FDG") for reason in reasons)


def test_edges_do_not_mind_which_side_is_bright(
    volumes: dict[Contrast, Volume], template: Template
) -> None:
    t1 = volumes[Contrast.T1W]
    upside_down = with_array(t1, 1 - t1.array)
    fit = contours(upside_down, t1, template.brain.array > 0)
    assert fit.energy == pytest.approx(1.0, abs=1e-4)
    assert fit.offset_mm == pytest.approx(0.0, abs=0.05)


def test_noise_has_the_edges_of_a_stranger(
    volumes: dict[Contrast, Volume], template: Template
) -> None:
    draw = generator("looks", "noise")
    noise = with_array(
        volumes[Contrast.FDG], draw.normal(1, 1, template.grid.shape).astype(np.float32)
    )
    numbers = looks({**volumes, Contrast.FDG: noise}, template)
    assert 0.45 < numbers["edges_FDG"] < 0.57
    assert judge(numbers)[0] == "fail"


def test_what_is_not_seen_gives_no_number_and_no_warning(
    volumes: dict[Contrast, Volume], template: Template
) -> None:
    array = np.full(template.grid.shape, np.nan, dtype=np.float32)
    array[:, :, :3] = 1.0
    unseen = with_array(volumes[Contrast.FDG], array)
    numbers = looks({Contrast.FDG: unseen}, template)
    assert "tissue_FDG" not in numbers
    assert all(np.isfinite(value) for value in numbers.values())


@pytest.fixture(scope="module")
def lopsided(volumes: dict[Contrast, Volume], template: Template) -> dict[Contrast, Volume]:
    """A brain whose right side reaches farther back and whose left side farther out."""
    points = points_mm(template.grid)
    right = 1 / (1 + np.exp(-points[..., 0] / 10))
    bend = np.zeros((*template.grid.shape, 3), np.float32)
    bend[..., 1] = 5 * right * np.exp(-(((points[..., 1] + 70) / 40) ** 2))
    bend[..., 0] = 4 * (1 - right) * np.exp(-((points[..., 2] / 30) ** 2))
    pull = Displacement("bent", "straight", template.grid, bend)
    return {c: resample(volume, template.grid, pull) for c, volume in volumes.items()}


@pytest.mark.parametrize("contrast", [Contrast.T2W, Contrast.CBF, Contrast.FDG])
@pytest.mark.parametrize("shift_vox", [0, 1])
def test_a_mirrored_volume_is_told_from_one_the_right_way_round(
    lopsided: dict[Contrast, Volume], template: Template, contrast: Contrast, shift_vox: int
) -> None:
    brain = template.brain.array > 0
    ways = {
        "to_native": identity(template.key, "person"),
        "to_template": identity("person", template.key),
    }
    right = lopsided[contrast]
    mirrored = with_array(right, np.roll(right.array[::-1], shift_vox + 1, axis=0))
    as_is = upright(right, lopsided[Contrast.T1W], brain, **ways)
    turned = upright(mirrored, lopsided[Contrast.T1W], brain, **ways)
    assert as_is > 0.01
    assert turned < -0.004
    assert judge({f"sides_{contrast}": as_is})[0] == "pass"
    verdict, reasons = judge({f"sides_{contrast}": turned})
    assert verdict == ("fail" if turned < -0.01 else "review")
    assert "Left and right seem swapped" in reasons[0]


def test_a_brain_that_is_its_own_mirror_image_says_nothing_of_sides(
    volumes: dict[Contrast, Volume], template: Template
) -> None:
    said = upright(
        volumes[Contrast.T2W],
        volumes[Contrast.T1W],
        template.brain.array > 0,
        to_native=identity(template.key, "person"),
        to_template=identity("person", template.key),
    )
    assert abs(said) < 0.01


def test_sides_follow_the_maps_of_the_person(
    lopsided: dict[Contrast, Volume], template: Template
) -> None:
    """A head that lies turned and shifted in the scanner is judged as if it lay straight."""
    turned = np.eye(4)
    turned[:3, :3] = Rotation.from_euler("xyz", (8, -5, 12), degrees=True).as_matrix()
    turned[:3, 3] = (20.0, -15.0, 7.0)
    there = Affine(template.key, "person", turned)
    numbers = looks(lopsided, template, (there, there.inverse))
    straight = identity(template.key, "person")
    same = looks(lopsided, template, (straight, straight.inverse))
    assert numbers["sides_FDG"] == pytest.approx(same["sides_FDG"], abs=2e-3)
    assert not any(name.startswith("sides") for name in looks(lopsided, template))


def test_negative_uptake_is_counted(volumes: dict[Contrast, Volume], template: Template) -> None:
    fdg = volumes[Contrast.FDG]
    lowered = with_array(fdg, fdg.array - 1.2)
    numbers = looks({**volumes, Contrast.FDG: lowered}, template)
    assert numbers["below_FDG"] > 0.3
    verdict, reasons = judge(numbers)
    assert verdict == "fail"
    assert any(reason.startswith("below_FDG") for reason in reasons)


def test_a_doubt_about_a_series_is_told_once(volumes: dict[Contrast, Volume]) -> None:
    doubt = {"ContrastDoubt": "The tags say T1w, the pixels T2w."}
    series = [
        NativeSeries(Contrast.T1W, (volumes[Contrast.T1W],), "", each)
        for each in (doubt, doubt, {})
    ]
    native = Native(SessionKey(Pseudonym("A"), "01"), tuple(series))
    assert doubts(native) == ("The tags say T1w, the pixels T2w.",)
