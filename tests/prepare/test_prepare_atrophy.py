"""A simulated person with strong atrophy: mask, tissues and maps beside the truth."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from tracerless.core.cohort import Diagnosis
from tracerless.core.grid import Grid, points_mm
from tracerless.core.recipe import PrepareRecipe
from tracerless.core.session import NativeSeries, Template
from tracerless.core.transform import PointMap, resample
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.io import resources
from tracerless.prepare.head import Head, head
from tracerless.registration.sampling import inside_mm, onto
from tracerless.simulate.export import measure
from tracerless.simulate.hospital import Visit
from tracerless.simulate.person import Person, make_person, sample
from tracerless.workspace.simulate_world import world

pytestmark = [pytest.mark.slow]

SEED = "anat-8"
"""A person of whom atrophy has taken two thirds of what it takes at most."""


@dataclass(frozen=True)
class Case:
    person: Person
    visit: Visit
    template: Template
    found: Head

    def to_scanner(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """The true place in the scanner of template points, mm."""
        return self.visit.poses["petmr"](self.person.to_native(points))

    def truth(self, *names: str) -> NDArray[np.float32]:
        """True share of these tissues on the lattice of the tissue maps."""
        there = self.visit.poses["petmr"].inverse(points_mm(self.found.anatomy.grid))
        tissues = sample(self.person, there).tissues
        return np.sum([tissues[name] for name in names], axis=0)


@pytest.fixture(scope="module")
def case() -> Case:
    made_from = world()
    person = make_person(made_from.anatomy, made_from.parameters, seed=SEED, diagnosis=Diagnosis.AD)
    visit = measure(person, scanners=made_from.scanners, size="demo")
    template = resources.template(2.0)
    t1 = NativeSeries(Contrast.T1W, (visit.t1w,), "frame")
    return Case(person, visit, template, head("P01/1", t1, template, PrepareRecipe()))


def test_the_person_is_atrophic(case: Case) -> None:
    assert case.person.traits.atrophy > 0.6
    csf, solid = case.truth("csf"), case.truth("grey", "deep_grey", "white", "lesion")
    brain = case.found.anatomy.brain.array > 0
    assert csf[brain].sum() > 0.45 * solid[brain].sum()


def test_the_mask_holds_the_brain_and_its_fluid(case: Case) -> None:
    brain = case.found.anatomy.brain.array > 0
    solid = case.truth("grey", "deep_grey", "white", "lesion") > 0.5
    whole = solid | (case.truth("csf") > 0.5)
    assert (solid & brain).sum() > 0.998 * solid.sum()
    assert 2 * (whole & brain).sum() > 0.93 * (whole.sum() + brain.sum())


def test_tissue_volumes_come_back(case: Case) -> None:
    parts, brain = case.found.anatomy, case.found.anatomy.brain.array > 0
    for found, names in (
        (parts.csf, ("csf",)),
        (parts.grey, ("grey", "deep_grey")),
        (parts.white, ("white", "lesion")),
    ):
        true = case.truth(*names) * brain
        assert found.array.sum() == pytest.approx(true.sum(), rel=0.06), names
        assert np.sqrt(((found.array - true)[brain] ** 2).mean()) < 0.2, names


def test_the_map_is_the_true_one_within_a_voxel(case: Case) -> None:
    labels = resample(resources.label_volume(), case.template.grid, order=0).array
    for name, codes in (("stem", [16]), ("cerebellum", [7, 8, 46, 47]), ("putamen", [12, 51])):
        points = inside_mm(np.isin(labels, codes), case.template.grid)
        apart = np.linalg.norm(case.found.to_native(points) - case.to_scanner(points), axis=1)
        assert apart.mean() < 1.7, (name, apart.mean())
    points = inside_mm(case.template.brain.array > 0, case.template.grid)
    apart = np.linalg.norm(case.found.to_native(points) - case.to_scanner(points), axis=1)
    assert apart.mean() < 1.4
    there_and_back = case.found.to_template(case.found.to_native(points))
    assert np.abs(there_and_back - points).max() < 0.5


def test_uptake_in_the_pons_is_that_through_the_true_map(case: Case) -> None:
    """Template matching that stretches the brain stem would lower it by 6 %."""

    class TrueMap:
        source, target = case.template.key, "scanner"

        def __call__(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
            return case.to_scanner(points)

    pons = resources.atlas("fdg36", 2.0).reference("pons")

    def mean(pull: PointMap) -> float:
        grid: Grid = case.template.grid
        return float(np.nanmean(onto(case.visit.fdg, grid, pull).array[pons]))

    assert mean(case.found.to_native) == pytest.approx(mean(TrueMap()), rel=0.02)


def test_nothing_is_unknown_in_the_tissue_maps(case: Case) -> None:
    parts = case.found.anatomy
    for volume in (parts.grey, parts.white, parts.csf):
        assert isinstance(volume, Volume)
        assert volume.quantity is Quantity.PROBABILITY
        assert np.isfinite(volume.array).all()
    total = parts.grey.array + parts.white.array + parts.csf.array
    assert np.allclose(total[parts.brain.array > 0], 1.0, atol=1e-4)
