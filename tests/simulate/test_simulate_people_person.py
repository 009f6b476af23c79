"""One person: shape, tissues, identity; the same seed makes the same person."""

import dataclasses
import json

import numpy as np
import pytest
from scipy import ndimage
from simulate_people import base_head, parameters, people, template_points

from tracerless.core.cohort import Diagnosis
from tracerless.core.grid import Grid, points_mm
from tracerless.core.seeds import generator
from tracerless.core.transform import Displacement
from tracerless.simulate.cohort import truth
from tracerless.simulate.function import draw_fields
from tracerless.simulate.ground import SHAPE_GRID, ground
from tracerless.simulate.identity import roc_date
from tracerless.simulate.person import (
    TISSUES,
    labels_native,
    make_person,
    sample,
    sample_template,
)
from tracerless.simulate.shape import Shape, _shrinking_velocity, draw_shape, exponential

NATIVE = Grid(
    (46, 58, 46), np.array([[4, 0, 0, -90], [0, 4, 0, -124], [0, 0, 4, -90], [0, 0, 0, 1.0]])
)


def some() -> list:
    return [
        *people(Diagnosis.CN, 3), *people(Diagnosis.AD, 3), *people(Diagnosis.VAD, 1),
        *people(Diagnosis.FTD, 1),
    ]  # fmt: skip


def test_same_seed_same_person() -> None:
    first = people(Diagnosis.AD, 3)[1]
    again = make_person(base_head(), parameters(), seed=first.key, diagnosis=Diagnosis.AD)
    assert (again.traits, again.identity, dict(again.scores)) == (
        first.traits, first.identity, dict(first.scores),
    )  # fmt: skip
    for one, other in zip(_arrays(again), _arrays(first), strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_seed_is_another_person() -> None:
    first, second = people(Diagnosis.AD, 3)[:2]
    assert first.identity != second.identity
    for one, other in zip(_arrays(first), _arrays(second), strict=True):
        assert not np.array_equal(one, other)


def _arrays(person) -> list[np.ndarray]:
    points = template_points()[::6, ::6, ::6]
    found = sample(person, points)
    return [found.tissues["grey"], found.fdg_grey, found.cbf_grey, person.to_native(points)]


@pytest.mark.parametrize("place", ["native", "template"])
def test_tissues_of_everybody_sum_to_one(place: str) -> None:
    for person in some():
        points = points_mm(NATIVE)
        found = sample(person, points) if place == "native" else sample_template(person, points)
        assert tuple(found.tissues) == TISSUES
        np.testing.assert_allclose(sum(found.tissues.values()), 1, atol=1e-4)
        assert min(float(t.min()) for t in found.tissues.values()) >= -1e-6


def test_every_sampled_field_has_the_shape_of_the_points_and_a_plausible_level() -> None:
    for person in some():
        found = sample(person, points_mm(NATIVE))
        grey = found.tissues["grey"] > 0.6
        for values, low, high in (
            (found.cbf_grey, 25, 120), (found.cbf_white, 10, 45), (found.fdg_grey, 2.5, 16),
            (found.fdg_white, 1.2, 6), (found.transit_s, 0.6, 4.0), (found.t1_factor, 0.85, 1.15),
        ):  # fmt: skip
            assert values.shape == NATIVE.shape
            assert low < values[grey].mean() < high


def test_points_outside_the_canvas_are_air() -> None:
    far = np.array([[0, 0, 500], [-400, 0, 0]], dtype=np.float32)
    assert sample(some()[0], far).tissues["air"].min() == pytest.approx(1)


def test_going_to_the_template_and_back_ends_where_it_began() -> None:
    points = points_mm(NATIVE)
    for person in some():
        assert (person.to_template.source, person.to_template.target) == ("native", "template")
        assert (person.to_native.source, person.to_native.target) == ("template", "native")
        back = person.to_native(person.to_template(points))
        assert np.linalg.norm(back - points, axis=-1).max() < 0.3


def test_brain_has_the_volume_of_a_brain() -> None:
    for person in some():
        tissues = sample(person, points_mm(NATIVE)).tissues
        solid = sum(tissues[name] for name in ("grey", "deep_grey", "white", "lesion"))
        litres = solid.sum() * NATIVE.voxel_ml / 1000
        assert 0.9 < litres < 1.6
        cavity = (litres * 1000 + (tissues["csf"] * _near(solid)).sum() * NATIVE.voxel_ml) / 1000
        assert 1.0 < cavity < 1.8


def _near(solid: np.ndarray) -> np.ndarray:
    return ndimage.binary_dilation(solid > 0.3, iterations=1)


def test_left_stays_left_in_everybody() -> None:
    for person in some():
        labels = labels_native(person, NATIVE)
        x = points_mm(NATIVE)[..., 0]
        assert x[labels == 17].mean() < -10
        assert x[labels == 53].mean() > 10
        assert set(np.unique(labels)) > {8, 16, 47, 1008, 2008}


def test_standing_still_moves_nothing() -> None:
    assert not exponential(np.zeros((3, *SHAPE_GRID.shape), dtype=np.float32)).any()


def test_prescribed_shrinking_is_reached() -> None:
    """Known truth: a region told to lose half of its log volume does so, to first order."""
    mask = ground(base_head(), parameters()).regions["hippocampus"]
    wanted = -0.4 * mask
    moved = exponential(_shrinking_velocity(wanted))
    spacing = SHAPE_GRID.spacing_mm[0]
    jacobian = np.stack([np.stack(np.gradient(moved[..., i], spacing), -1) for i in range(3)], -2)
    log_jacobian = np.log(np.linalg.det(jacobian + np.eye(3)))
    core = mask > 0.6
    assert log_jacobian[core].mean() == pytest.approx(wanted[core].mean(), rel=0.25)
    assert abs(np.median(log_jacobian[mask < 0.01])) < 0.02


def test_inverse_displacement_undoes_a_large_bend() -> None:
    grid = SHAPE_GRID
    points = points_mm(grid)
    bump = 8 * np.exp(-(points**2).sum(-1) / (2 * 30**2))
    velocity = np.stack([bump, -bump, bump]).astype(np.float32)
    there = Displacement("a", "b", grid, exponential(velocity))
    back = Displacement("b", "a", grid, exponential(-velocity))
    assert np.linalg.norm(back(there(points)) - points, axis=-1).max() < 0.3


def test_more_atrophy_means_wider_sulci_and_ventricles_and_less_hippocampus() -> None:
    """The same random numbers at two severities of atrophy: only the disease differs."""
    base, traits = people(Diagnosis.AD, 3)[0].ground, people(Diagnosis.AD, 3)[0].traits
    mild, severe = (
        dataclasses.replace(traits, pathology=Diagnosis.AD, atrophy=a) for a in (0.1, 0.9)
    )
    thin = [draw_fields(base, t, generator("test-a"))["thinning"] for t in (mild, severe)]
    assert thin[1].mean() > thin[0].mean() + 0.2
    shapes = [draw_shape(base, t, generator("test-a")) for t in (mild, severe)]
    ventricle, hippocampus = (
        [_size(shape, base.regions[name]) for shape in shapes]
        for name in ("ventricles", "hippocampus")
    )
    assert ventricle[1] > 1.2 * ventricle[0]
    assert hippocampus[1] < 0.8 * hippocampus[0]


def _size(shape: Shape, mask: np.ndarray) -> float:
    """Volume of a template region in the person's own space, in voxels of the grid."""
    moved = shape.to_native(points_mm(SHAPE_GRID))
    spacing = SHAPE_GRID.spacing_mm[0]
    jacobian = np.stack([np.stack(np.gradient(moved[..., i], spacing), -1) for i in range(3)], -2)
    return float((np.linalg.det(jacobian) * mask).sum())


def test_lesions_lie_in_white_matter_near_the_ventricles() -> None:
    base = ground(base_head(), parameters())
    for person in some():
        lesion = person.lesions["lesion"]
        assert 0 <= lesion.min() <= lesion.max() <= 1
        assert not lesion[base.lesion_place == 0].any()


def test_identity_is_invented_consistent_and_never_shown() -> None:
    for person in some():
        identity = person.identity
        shown = repr(person) + repr(identity) + json.dumps(truth(person))
        for secret in (identity.name_zh, identity.name_latin, identity.chart_number,
                       identity.birth_date):  # fmt: skip
            assert secret not in shown
        assert len(identity.chart_number) == 10
        assert identity.chart_number.isdigit()
        years = (int(person.visit_date) - int(identity.birth_date)) / 10000
        assert years == pytest.approx(person.age, abs=1.0)
        assert 30 < identity.weight_kg < 130
        assert 1.3 < identity.height_m < 1.9
        assert 2018 <= int(person.visit_date[:4]) <= 2024


def test_dates_are_written_as_in_taiwan() -> None:
    assert roc_date("19490512") == "民國38年05月12日"


def test_aspects_of_a_person_have_random_numbers_of_their_own() -> None:
    person = make_person(base_head(), parameters(), seed="test-cn-0000", diagnosis=Diagnosis.AD)
    control = people(Diagnosis.CN, 1)[0]
    assert person.identity.chart_number == control.identity.chart_number
    assert person.severity != control.severity
    draws = generator("person", "test-cn-0000", "visit").integers(10, size=3)
    assert not np.array_equal(
        draws, generator("person", "test-cn-0000", "shape").integers(10, size=3)
    )
