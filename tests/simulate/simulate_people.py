"""The base head, the declared parameters and a few people, made once per test process."""

import functools
import itertools
from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from tracerless.core.cohort import Diagnosis
from tracerless.core.grid import points_mm
from tracerless.io.resources import label_volume, template_volumes_1mm
from tracerless.io.simulate_tables import read_people_tables
from tracerless.simulate.anatomy import Anatomy, build_anatomy
from tracerless.simulate.cohort import draw_people
from tracerless.simulate.fields import blur
from tracerless.simulate.ground import FIELD_GRID, nearest_labels
from tracerless.simulate.levels import region_index
from tracerless.simulate.parameters import PeopleParameters, people_parameters
from tracerless.simulate.person import Person, sample_template


@functools.cache
def base_head(voxel_mm: float = 2.0) -> Anatomy:
    return build_anatomy(*template_volumes_1mm(), label_volume(), voxel_mm=voxel_mm)


@functools.cache
def parameters() -> PeopleParameters:
    return people_parameters(read_people_tables())


def people(diagnosis: Diagnosis, n: int) -> tuple[Person, ...]:
    """The first ``n`` of the people with a diagnosis; each is made once."""
    made, more = _drawn(diagnosis)
    made.extend(itertools.islice(more, max(n - len(made), 0)))
    return tuple(made[:n])


@functools.cache
def _drawn(diagnosis: Diagnosis) -> tuple[list[Person], Iterator[Person]]:
    seed = f"test-{diagnosis.lower()}"
    drawn = draw_people(parameters(), base_head(), n=1000, seed=seed, diagnoses=[diagnosis])
    return [], drawn


@functools.cache
def template_points() -> np.ndarray:
    return points_mm(FIELD_GRID)


@functools.cache
def template_regions() -> np.ndarray:
    """The place in ``parameters().regions`` of each point, -1 outside."""
    labels = nearest_labels(base_head(), template_points())
    return region_index(labels, parameters().regions)


def region_names() -> list[str]:
    return [region.region for region in parameters().regions]


def is_cortex() -> np.ndarray:
    return np.array([region.is_cortex for region in parameters().regions])


@functools.cache
def regional(person: Person, kind: str) -> np.ndarray:
    """What a scanner of 7 mm would show, mean by region, over mean cortex."""
    found = sample_template(person, template_points())
    grey = found.tissues["grey"] + found.tissues["deep_grey"]
    pure = {"fdg": found.fdg_grey, "cbf": found.cbf_grey}[kind]
    white = {"fdg": found.fdg_white, "cbf": found.cbf_white}[kind]
    shown = blur(grey * pure + found.tissues["white"] * white, FIELD_GRID, 7.0)
    means = np.array(ndimage.mean(shown, template_regions(), range(len(region_names()))))
    return means / means[is_cortex()].mean()
