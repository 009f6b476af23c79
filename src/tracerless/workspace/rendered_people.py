"""Simulated people straight into template space: pairs of MR and FDG to train on.

They skip DICOM, conversion and registration (what stands for registration error is drawn), so a
training cohort costs seconds a person. The dataset is marked as simulated.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from tracerless import __version__
from tracerless.core.cohort import Cohort, Diagnosis
from tracerless.core.errors import QuantityError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.recipe import PrepareRecipe, Recipe, fingerprint
from tracerless.core.scaling import relative, suvr
from tracerless.core.session import Prepared
from tracerless.core.transform import gaussian, identity
from tracerless.core.volume import Contrast
from tracerless.io import resources
from tracerless.io.atomic import write_text
from tracerless.simulate.person import Person, make_person
from tracerless.simulate.rendered import rendered
from tracerless.workspace.dataset import SIMULATED_MARK, Dataset
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.simulate_run import world
from tracerless.workspace.tables import write_cohort

VOXEL_MM = 4.0
"""Voxel edge of a training dataset: the network's own."""

MARK = "Every person and every scan in this dataset is simulated.\n"


DIAGNOSES = tuple(Diagnosis)
"""Taken in turn, so that a small cohort holds them all."""


def write_prepared_people(root: Path, *, n: int, seed: str) -> Iterator[SessionKey]:
    """Write ``n`` simulated people as prepared sessions; hands out each key once it is done.

    People who are there already are not made again, so a stopped run goes on.

    Args:
        root: a new or empty folder, or the dataset of an earlier run.
        n: how many people.
        seed: name of the cohort.

    Raises:
        DatasetError: the folder holds something else.
    """
    dataset = Dataset.create_or_open(root, Recipe(prepare=PrepareRecipe(voxel_mm=VOXEL_MM)))
    dataset.clean_partials()
    write_text(root / SIMULATED_MARK, MARK)
    studio = _Studio(dataset, seed)
    rows = {}
    for number in range(n):
        key = studio.key(number)
        rows[str(key.person)] = studio.require(number)
        yield key
    write_cohort(dataset, Cohort(pd.DataFrame.from_dict(rows, orient="index")))


class _Studio:
    """Makes the people of one cohort, and only those who are not there yet."""

    def __init__(self, dataset: Dataset, seed: str) -> None:
        self._dataset, self._seed = dataset, seed
        recipe = dataset.recipe.prepare
        self._template = resources.template(recipe.voxel_mm)
        self._atlas = resources.atlas(recipe.atlas, recipe.voxel_mm, dataset.root)

    def key(self, number: int) -> SessionKey:
        """The pseudonym of a simulated person: the seed and the number, letters and digits."""
        letters = "".join(filter(str.isalnum, self._seed))
        return SessionKey(Pseudonym(f"sim{letters}{number:04d}"), "01")

    def require(self, number: int) -> dict[str, Any]:
        """Make the person unless they are there; their row of the people's table."""
        recipe, key = self._dataset.recipe.prepare, self.key(number)
        digest = fingerprint(
            "rendered", __version__, self._seed, number, recipe, self._atlas.fingerprint
        )
        shelf = SessionShelf(self._dataset, key)
        record = shelf.record("prepared")
        if record is None or record["digest"] != digest:
            shelf.save("prepared", self._prepared(key, self._person(number)), digest)
            record = shelf.record("prepared") or {}
        row: dict[str, Any] = record["sources"]["person"]
        return row

    def _person(self, number: int) -> Person:
        diagnosis = DIAGNOSES[number % len(DIAGNOSES)]
        made_from = world()
        return make_person(
            made_from.anatomy,
            made_from.parameters,
            seed=f"{self._seed}-{number:04d}",
            diagnosis=diagnosis,
        )

    def _prepared(self, key: SessionKey, person: Person) -> Prepared:
        """The rendered volumes, scaled as `tracerless prepare` scales acquired ones."""
        recipe, template = self._dataset.recipe.prepare, self._template
        volumes = rendered(person, template.grid, world().scanners, seed=self._seed)
        measured, reasons = dict(volumes), []
        uptake = gaussian(volumes[Contrast.FDG], recipe.pet_fwhm_mm)
        measured[Contrast.FDG] = suvr(uptake, self._atlas.reference(recipe.reference_fdg))
        flow = gaussian(volumes[Contrast.CBF], recipe.cbf_fwhm_mm)
        try:
            measured[Contrast.CBF] = relative(flow, template.brain.array > 0)
        except QuantityError as error:  # the label arrived too late: as `tracerless prepare` says
            del measured[Contrast.CBF]
            reasons.append(f"cbf is left out: {error.message}")
        return Prepared(
            key=key,
            template=template.key,
            volumes=measured,
            native_grid=template.grid,
            to_native=identity(template.key, "native"),
            to_template=identity("native", template.key),
            qc={},
            verdict="review" if reasons else "pass",
            reasons=tuple(reasons),
            fingerprint=fingerprint("rendered", recipe, self._atlas.fingerprint),
            sources={"all": "rendered by the simulator in template space", "person": _row(person)},
        )


def _row(person: Person) -> dict[str, float | str]:
    return {
        "age": min(float(person.age), 90.0),
        "sex": person.sex,
        "education_years": float(person.education_years),
        "diagnosis": str(person.diagnosis),
        **{test: float(score) for test, score in person.scores.items()},
    }
