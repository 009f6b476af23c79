"""A small trial: ellipsoid people on a coarse grid, and a linear map that was really fitted.

Flow follows metabolism with a gain, so that there is something to predict; sick people lose uptake
in two regions; everything is a function of the person's number.
"""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import ndimage

from tracerless import synthesize
from tracerless.core.atlas import Atlas, Region
from tracerless.core.cohort import Cohort, PersonFacts
from tracerless.core.grid import Grid
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.recipe import PrepareRecipe, Recipe, SynthesizeRecipe
from tracerless.core.scaling import relative, suvr
from tracerless.core.seeds import generator
from tracerless.core.session import Prepared, Template
from tracerless.core.transform import identity
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.synthesize import Checkpoint
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.tables import write_cohort
from tracerless.workspace.trial import AGE_SEX, MEAN, Subject, Trial

EDGE_MM = 6.0
SHAPE = (24, 30, 24)
GRID = Grid(SHAPE, np.diag([EDGE_MM, EDGE_MM, EDGE_MM, 1.0]))
SPACE, REFERENCE = "phantom", "pons"
NAMES = ("back_left", "back_right", "front_left", "front_right",
         "low_back_left", "low_back_right", "low_front_left", "low_front_right")  # fmt: skip
ILL = (0, 1)


def _axes() -> tuple[NDArray[np.float64], ...]:
    x, y, z = np.meshgrid(*[np.arange(n) - (n - 1) / 2 for n in SHAPE], indexing="ij")
    return x, y, z


X, Y, Z = _axes()
RADIUS = np.sqrt((X / 10) ** 2 + (Y / 13) ** 2 + (Z / 10) ** 2)
BRAIN = RADIUS <= 1
PONS = np.sqrt(X**2 + (Y + 2) ** 2 + (Z + 5) ** 2) <= 2.2
LABELS = np.where(BRAIN & (RADIUS > 0.55) & ~ndimage.binary_dilation(PONS),
                  1 + (X > 0) + 2 * (Y > 0) + 4 * (Z < 0), 0).astype(np.int16)  # fmt: skip


def template() -> Template:
    white = np.where(RADIUS < 0.55, 1.0, 0.0)
    grey = np.where(BRAIN, 1.0 - white, 0.0)

    def volume(array: NDArray[np.float64], quantity: Quantity) -> Volume:
        return Volume(array.astype(np.float32), GRID, quantity, Contrast.T1W)

    return Template(
        SPACE,
        volume(600 * white + 400 * grey, Quantity.T1W),
        volume(grey, Quantity.PROBABILITY),
        volume(white, Quantity.PROBABILITY),
        volume(BRAIN.astype(float), Quantity.LABEL),
    )


def atlas() -> Atlas:
    regions = tuple(
        Region(name, i, "LR"[(i - 1) % 2], "shell", name, f"區{i}")
        for i, name in enumerate(NAMES, start=1)
    )
    references = {REFERENCE: PONS, "whole_brain": BRAIN}
    return Atlas("octants", GRID, LABELS, regions, references, "octants-1")


def facts_of(number: int, family: str) -> PersonFacts:
    draw = generator("suite-facts", family, number)
    diagnosis = "AD" if number % 2 else "CN"
    return PersonFacts(
        diagnosis=diagnosis, age=float(draw.uniform(60, 80)), sex="FM"[number % 3 > 0]
    )


def person(number: int, family: str, visit: str = "01") -> Prepared:
    """One session with T1w, T2w, relative CBF and FDG."""
    draw = generator("suite-person", family, number)
    metabolism = draw.normal(0, 0.06, 9)
    if number % 2:
        metabolism[[1 + i for i in ILL]] -= draw.uniform(0.1, 0.3)
    metabolism[0] = 0
    flow = metabolism + draw.normal(0, 0.03, 9)
    field, level = metabolism[LABELS], np.where(RADIUS < 0.55, 0.8, 1.5) * BRAIN
    noise = [ndimage.gaussian_filter(draw.normal(0, 1, SHAPE), 0.8) for _ in range(4)]
    volumes = {
        Contrast.T1W: _volume(500 * BRAIN + 100 * (RADIUS < 0.55) + 20 * noise[0], Contrast.T1W),
        Contrast.T2W: _volume(400 * BRAIN - 100 * (RADIUS < 0.55) + 20 * noise[1], Contrast.T2W),
        Contrast.CBF: relative(
            _volume(40 * level * (1 + flow[LABELS]) + 2 * noise[2], Contrast.CBF), BRAIN
        ),
        Contrast.FDG: suvr(_volume(level * (1 + field) + 0.03 * noise[3], Contrast.FDG), PONS),
    }
    key = SessionKey(Pseudonym(f"{family}{number:03d}"), visit)
    there, back = identity(SPACE, "native"), identity("native", SPACE)
    return Prepared(key, SPACE, volumes, GRID, there, back, {}, "pass", (), "suite-phantom")


_QUANTITY = {
    Contrast.T1W: Quantity.T1W,
    Contrast.T2W: Quantity.T2W,
    Contrast.CBF: Quantity.CBF,
    Contrast.FDG: Quantity.ACTIVITY,
}


def _volume(array: NDArray[np.float64], contrast: Contrast) -> Volume:
    return Volume(array.astype(np.float32), GRID, _QUANTITY[contrast], contrast)


def fitted(n: int = 24) -> Checkpoint:
    """A linear map from ``n`` people of the family ``train``."""
    sessions = [person(i, "train") for i in range(n)]
    return synthesize.fit(
        sessions,
        template=template(),
        atlas=atlas(),
        recipe=SynthesizeRecipe(network="ridge", voxel_mm=EDGE_MM),
        reference=REFERENCE,
        training_domain="simulated",
        facts={each.key.person: facts_of(i, "train") for i, each in enumerate(sessions)},
    )


def dataset_of(root: Path, n: int, family: str) -> Dataset:
    """A dataset that holds ``n`` people as prepared sessions, and their table."""
    recipe = Recipe(prepare=PrepareRecipe(voxel_mm=EDGE_MM))
    dataset, rows = Dataset.create_or_open(root, recipe), {}
    for number in range(n):
        session, facts = person(number, family), facts_of(number, family)
        SessionShelf(dataset, session.key).save("prepared", session, f"{family}-{number}")
        rows[str(session.key.person)] = {
            "age": facts.age, "sex": facts.sex, "diagnosis": facts.diagnosis,
        }  # fmt: skip
    write_cohort(dataset, Cohort(pd.DataFrame.from_dict(rows, orient="index")))
    return dataset


@dataclass(frozen=True, eq=False, kw_only=True)
class HeldTrial(Trial):
    """A trial whose sessions are made when they are asked for, instead of read from a disk."""

    def prepared(self, subject: Subject) -> Prepared:
        """The session of that person."""
        return _session(subject.person)

    def taught(self) -> Iterator[Prepared]:
        """Those that the model was fitted on, where a training dataset is named."""
        if self.training is not None:
            yield from (person(i, "train") for i in range(12))


@functools.lru_cache(maxsize=64)
def _session(who: Pseudonym) -> Prepared:
    return person(int(str(who)[-3:]), str(who)[:-3])


def trial_of(dataset: Dataset, checkpoint: Checkpoint, n: int, family: str, **changes) -> Trial:
    """The trial of a checkpoint on the people of a dataset."""
    parts = (checkpoint, template(), atlas())
    subjects = []
    for number in range(n):
        key = SessionKey(Pseudonym(f"{family}{number:03d}"), "01")
        facts = facts_of(number, family)
        subjects.append(Subject(key, facts.diagnosis, facts))
    made = {
        "name": "ridge",
        "dataset": dataset,
        "checkpoint": checkpoint,
        "synthesizer": synthesize.synthesizer(*parts),
        "rivals": {
            MEAN: synthesize.mean_predictor(*parts),
            AGE_SEX: synthesize.covariate_predictor(*parts),
        },
        "subjects": tuple(subjects),
        "template": template(),
        "atlas": atlas(),
        "domain": "simulated",
    }
    return HeldTrial(**{**made, **changes})
