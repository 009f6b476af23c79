"""The base head: what is where, and that nothing is lost."""

import dataclasses

import numpy as np
import pytest
from simulate_people import base_head, parameters

from tracerless.core.errors import GeometryError, RecipeError
from tracerless.core.grid import points_mm
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io.resources import label_volume, template_volumes_1mm
from tracerless.simulate.anatomy import BASE_TISSUES, Anatomy, build_anatomy
from tracerless.simulate.fields import Stack, blur, lattice, sample_stack
from tracerless.simulate.ground import BRAIN_GRID, ground, nearest_labels
from tracerless.simulate.levels import level_map, pure_levels, region_index, spread


def tissues_at(points: list[tuple[float, float, float]]) -> dict[str, np.ndarray]:
    head = base_head()
    stack = Stack(BASE_TISSUES, head.grid, head.fractions, "zeros")
    return sample_stack(stack, np.array(points, dtype=np.float32))


def test_fractions_sum_to_one_everywhere() -> None:
    np.testing.assert_allclose(base_head().fractions.sum(axis=0), 1, atol=1e-5)
    assert base_head().fractions.min() >= 0


def test_a_ray_from_the_brain_meets_csf_bone_skin_and_air_in_this_order() -> None:
    for direction in ((0.0, 0.0, 1.0), (0.0, -1.0, 0.2), (1.0, 0.0, 0.2), (-1.0, 0.0, 0.2)):
        steps = np.arange(30, 125, 1.0)
        unit = np.array(direction) / np.linalg.norm(direction)
        along = tissues_at([tuple(unit * s) for s in steps])
        brain = along["grey"] + along["white"]
        outermost_brain = steps[brain > 0.3].max()
        bone = steps[(along["bone"] > 0.3) & (steps > outermost_brain - 3)]
        air = steps[(along["air"] > 0.9) & (steps > bone.max())]
        skin = steps[(along["muscle"] > 0.3) & (steps > bone.max())]
        assert outermost_brain < bone.min() < bone.max() < skin.max() < air.min()
        assert 4 <= np.ptp(bone) <= 12


def test_there_is_a_face_in_front_of_the_brain() -> None:
    found = tissues_at([(32, 64, -38), (-32, 64, -38), (0, 103, -67), (0, 111, -67), (0, 88, -91)])
    assert found["eye"][:2].min() > 0.9
    assert found["air"][2] < 0.5, "the tip of the nose"
    assert found["air"][3] > 0.9, "the air before it"
    assert found["air"][4] < 0.2, "the upper lip"


def test_airways_and_sinuses_are_hollow() -> None:
    found = tissues_at([(27, 56, -66), (-27, 56, -66), (0, 4, -100)])
    assert found["air"].min() > 0.9


def test_a_fissure_parts_the_hemispheres_and_the_callosum_joins_them() -> None:
    found = tissues_at([(0, -20, 55), (0, 40, 40), (0, 24, 8)])
    assert found["csf"][:2].min() > 0.5
    assert found["white"][2] > 0.5


def test_left_labels_lie_on_the_left() -> None:
    head = base_head()
    x = points_mm(head.grid)[..., 0]
    for left, right in ((17, 53), (1024, 2024), (8, 47), (11, 50)):
        assert x[head.labels == left].mean() < -10
        assert x[head.labels == right].mean() > 10


def test_head_is_nearly_its_own_mirror_image() -> None:
    for name in ("bone", "fat", "eye"):
        tissue = base_head().tissue(name)
        assert np.abs(tissue - tissue[::-1]).mean() < 0.1 * tissue.mean()


def test_another_voxel_size_holds_the_same_head() -> None:
    for name in ("grey", "white", "bone", "eye"):
        fine, coarse = (
            head.tissue(name).sum() * head.grid.voxel_ml for head in (base_head(), base_head(3.0))
        )
        assert coarse == pytest.approx(fine, rel=0.06), name


def test_the_head_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        base_head().fractions[0, 0, 0, 0] = 1


def test_fractions_that_lose_tissue_are_refused() -> None:
    head = base_head(3.0)
    with pytest.raises(GeometryError, match="sum to 1"):
        Anatomy(head.grid, head.fractions * 0.9, head.labels)
    with pytest.raises(GeometryError, match="Labels"):
        Anatomy(head.grid, head.fractions, head.labels[1:])


def test_an_unknown_tissue_is_answered_with_the_closest() -> None:
    with pytest.raises(RecipeError, match="'white'"):
        base_head().tissue("whit")


def test_what_cannot_be_built_is_refused() -> None:
    t1, grey, white = template_volumes_1mm()
    with pytest.raises(RecipeError, match="1-3 mm"):
        build_anatomy(t1, grey, white, label_volume(), voxel_mm=0.5)
    small = lattice((0, 0, 0), (4, 4, 4), 1.0)
    other = Volume(np.ones(small.shape), small, Quantity.PROBABILITY, Contrast.UNKNOWN)
    with pytest.raises(GeometryError, match="different grids"):
        build_anatomy(t1, grey, other, label_volume())


def test_regional_table_comes_back_at_the_scanner_s_resolution() -> None:
    """Calibration is judged on a known anatomy by an independent blur and region means."""
    base = ground(base_head(), parameters())
    regions = parameters().regions
    points = points_mm(BRAIN_GRID)
    matter = sample_stack(base.tissues, points)
    index = region_index(nearest_labels(base_head(), points), regions)
    grey, white = matter["grey"] + matter["deep_grey"], matter["white"]
    cortex = np.array([region.is_cortex for region in regions])
    table = np.array([region.fdg for region in regions])
    levels = pure_levels(
        table, 0.36, 6.5, (grey, white, index),
        grid=BRAIN_GRID, cortex=cortex, model=parameters().calibration,
    )  # fmt: skip
    pure = level_map(levels, spread(index), BRAIN_GRID)
    shown = blur(grey * pure + 0.36 * white, BRAIN_GRID, 6.5)
    means = np.array([shown[(index == i) & (grey > 0.5)].mean() for i in np.flatnonzero(cortex)])
    error = means / means.mean() / (table[cortex] / table[cortex].mean()) - 1
    uncalibrated = blur(
        grey * level_map(table, spread(index), BRAIN_GRID) + 0.36 * white, BRAIN_GRID, 6.5
    )
    before = np.array(
        [uncalibrated[(index == i) & (grey > 0.5)].mean() for i in np.flatnonzero(cortex)]
    )
    error_before = before / before.mean() / (table[cortex] / table[cortex].mean()) - 1
    assert np.abs(error).mean() < 0.02
    assert np.abs(error).mean() < np.abs(error_before).mean() / 2


def test_disease_spares_what_it_spares() -> None:
    base = ground(base_head(), parameters())
    for disease, (left, right) in base.foci.items():
        assert 0.5 < max(left.max(), right.max()) <= 1.0, disease
        x_left = np.average(np.arange(left.shape[0]), weights=left.sum(axis=(1, 2)))
        x_right = np.average(np.arange(right.shape[0]), weights=right.sum(axis=(1, 2)))
        assert x_left < left.shape[0] / 2 < x_right


def test_parameters_of_people_explain_themselves() -> None:
    for region in parameters().regions:
        assert len(region.labels) >= 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        parameters().flow.grey = 1.0  # type: ignore[misc]
