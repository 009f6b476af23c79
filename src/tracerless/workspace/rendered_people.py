"""Simulated people straight into template space: pairs of MR and FDG to train on.

They skip DICOM, conversion and registration (what stands for registration error is drawn), so a
training cohort costs seconds a person. The dataset is marked as simulated.
"""

import contextlib
import functools
import sys
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tracerless.core.atlas import Atlas
from tracerless.core.cohort import Cohort, Diagnosis
from tracerless.core.errors import DatasetError, QuantityError, StorageError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.recipe import PrepareRecipe, Recipe, fingerprint
from tracerless.core.scaling import relative, suvr
from tracerless.core.session import Prepared, Template
from tracerless.core.transform import gaussian, identity
from tracerless.core.volume import Contrast, Volume
from tracerless.io import resources
from tracerless.io.atomic import write_text
from tracerless.io.simulate_tables import read_toml
from tracerless.simulate.ground import ground
from tracerless.simulate.person import Person, person_on
from tracerless.simulate.randomise import vary
from tracerless.simulate.randomise_people import wider
from tracerless.simulate.randomise_ranges import ranges
from tracerless.simulate.randomise_render import rendered_varied
from tracerless.simulate.rendered import planned, rendered
from tracerless.workspace.dataset import SIMULATED_MARK, Dataset
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.simulate_world import world
from tracerless.workspace.tables import write_cohort
from tracerless.workspace.workers import Crew, attempts
from tracerless.workspace.workers_forked import forked

VOXEL_MM = 4.0
"""Voxel edge of a training dataset: the network's own."""

MARK = "Every person and every scan in this dataset is simulated.\n"


DIAGNOSES = tuple(Diagnosis)
"""Taken in turn, so that a small cohort holds them all."""


def write_prepared_people(
    root: Path,
    *,
    n: int,
    seed: str,
    voxel_mm: float = VOXEL_MM,
    randomise: bool = False,
    workers: int = 1,
) -> Iterator[SessionKey]:
    """Write ``n`` simulated people as prepared sessions; hands out each key once it is done.

    People who are there already are not made again, so a stopped run goes on, and a shorter one
    takes nobody away. What a person becomes depends on the seed and their number alone, not on who
    works, nor on how many.

    Args:
        root: a new or empty folder, or the dataset of an earlier run.
        n: how many people.
        seed: name of the cohort.
        voxel_mm: edge of the template grid's voxels, 1-6 mm.
        randomise: draw sites, visits and anatomy widely (``data/simulate/randomise.toml``) instead
            of taking the three machines of the simulated hospital.
        workers: processes.

    Raises:
        DatasetError: the folder holds something else, other people, people on another grid, or a
            person could not be made.
    """
    dataset = Dataset.create_or_open(root, Recipe(prepare=PrepareRecipe(voxel_mm=voxel_mm)))
    _require_grid(dataset, voxel_mm)
    make = _Making(root, seed, randomise)
    _require_seed(dataset, make)
    dataset.clean_partials()
    write_text(root / SIMULATED_MARK, MARK)
    keys = [make.key(number) for number in range(n)]
    rows = _there(dataset)
    with contextlib.closing(_made(make, keys, workers)) as made:
        for key, row in made:
            rows[key] = row
            yield key
    table = {str(key.person): rows[key] for key in sorted(rows)}
    write_cohort(dataset, Cohort(pd.DataFrame.from_dict(table, orient="index")))


def _require_grid(dataset: Dataset, voxel_mm: float) -> None:
    there = dataset.recipe.prepare.voxel_mm
    if there != voxel_mm:
        raise DatasetError(
            f"{dataset.root} holds people at {there:g} mm, not at {voxel_mm:g} mm.",
            hint=f"Name a new folder, or ask for --voxel-mm {there:g}.",
        )


def _require_seed(dataset: Dataset, make: "_Making") -> None:
    for key in dataset.sessions():
        if not make.owns(key):
            raise DatasetError(
                f"{dataset.root} holds other people than seed {make.seed!r} makes: {key.person}.",
                hint="Name a new folder, or the seed that the simulated people there came from.",
            )


def _there(dataset: Dataset) -> dict[SessionKey, dict[str, Any]]:
    """Rows of the people's table of those who are there."""
    found = ((key, SessionShelf(dataset, key).record("prepared")) for key in dataset.sessions())
    return {key: record["sources"]["person"] for key, record in found if record is not None}


def _made(
    make: "_Making", keys: Sequence[SessionKey], workers: int
) -> Generator[tuple[SessionKey, dict[str, Any]], None, None]:
    """Everybody's row of the people's table, as soon as they are there."""
    if workers == 1:
        yield from ((key, make(key)) for key in keys)
        return
    crew = Crew(workers=min(workers, max(len(keys), 1)))
    can_fork = sys.platform == "linux"
    tries = forked(make, keys, crew.workers) if can_fork else attempts(make, keys, crew)
    with contextlib.closing(tries):
        for done in tries:
            if done.problem:
                kind = StorageError if done.is_fatal else DatasetError
                raise kind(f"{done.key} could not be made. {done.problem}")
            yield done.key, done.value


@dataclass(frozen=True, slots=True)
class _Making:
    """Makes the people of one cohort; plain values, so that it travels to a worker."""

    root: Path
    seed: str
    randomise: bool

    def key(self, number: int) -> SessionKey:
        """The pseudonym of a simulated person: the seed and the number, letters and digits."""
        return SessionKey(Pseudonym(f"{self._stem}{number:04d}"), "01")

    def owns(self, key: SessionKey) -> bool:
        """Whether a person is of this seed."""
        number = str(key.person).removeprefix(self._stem)
        return number.isdecimal() and key == self.key(int(number))

    def __call__(self, key: SessionKey) -> dict[str, Any]:
        number = int(str(key.person).removeprefix(self._stem))
        return _studio(self).require(number)

    @property
    def _stem(self) -> str:
        return "sim" + "".join(filter(str.isalnum, self.seed))


@functools.lru_cache(maxsize=1)
def _studio(make: _Making) -> "_Studio":
    """The studio of this process."""
    return _Studio(make)


class _Studio:
    """Makes the people of one cohort, and only those who are not there yet."""

    def __init__(self, make: _Making) -> None:
        self._dataset, self._make = Dataset.open(make.root), make
        recipe = self._dataset.recipe.prepare
        self._template = resources.template(recipe.voxel_mm)
        self._atlas = resources.atlas(recipe.atlas, recipe.voxel_mm, make.root)
        self._world = world()
        self._ranges = ranges(read_toml("randomise")) if make.randomise else None

    def require(self, number: int) -> dict[str, Any]:
        """Make the person unless they are there; their row of the people's table."""
        key, digest = self._make.key(number), self._digest(number)
        shelf = SessionShelf(self._dataset, key)
        record = shelf.record("prepared")
        if record is None or record["digest"] != digest:
            shelf.save("prepared", self._prepared(key, number), digest)
            record = shelf.record("prepared") or {}
        row: dict[str, Any] = record["sources"]["person"]
        return row

    def _digest(self, number: int) -> str:
        """Changes with whatever changes the person."""
        recipe = self._dataset.recipe.prepare
        varied = () if self._ranges is None else (self._ranges.fingerprint,)
        return fingerprint(
            "rendered",
            self._world.fingerprint,
            self._make.seed,
            number,
            recipe,
            self._atlas.fingerprint,
            *varied,
        )

    def _rendered(self, number: int) -> tuple[Person, str, Mapping[Contrast, Volume]]:
        """The person, the scanner, and what it shows."""
        seed, scanners, grid = self._make.seed, self._world.scanners, self._template.grid
        name, diagnosis = f"{seed}-{number:04d}", DIAGNOSES[number % len(DIAGNOSES)]
        base = ground(self._world.anatomy, self._world.parameters)
        if self._ranges is None:
            person = person_on(base, seed=name, diagnosis=diagnosis)
            plan = planned(person, scanners, seed)
            return person, plan.petmr.name, rendered(person, grid, scanners, seed=seed)
        base = wider(base, self._ranges.anatomy, seed=name)
        person = person_on(base, seed=name, diagnosis=diagnosis)
        variation = vary(planned(person, scanners, seed), self._ranges, cohort=seed)
        return person, variation.site, rendered_varied(person, grid, variation)

    def _prepared(self, key: SessionKey, number: int) -> Prepared:
        """The rendered volumes, scaled as `tracerless prepare` scales acquired ones."""
        recipe, template = self._dataset.recipe.prepare, self._template
        person, scanner, volumes = self._rendered(number)
        measured, reasons = _scaled(volumes, recipe, template, self._atlas)
        return Prepared(
            key=key,
            template=template.key,
            volumes=measured,
            native_grid=template.grid,
            to_native=identity(template.key, "native"),
            to_template=identity("native", template.key),
            qc={},
            verdict="review" if reasons else "pass",
            reasons=reasons,
            fingerprint=fingerprint("rendered", recipe, self._atlas.fingerprint),
            sources={
                "all": "rendered by the simulator in template space",
                "person": _row(person),
                "scanner": scanner,
            },
        )


def _scaled(
    volumes: Mapping[Contrast, Volume], recipe: PrepareRecipe, template: Template, atlas: Atlas
) -> tuple[dict[Contrast, Volume], tuple[str, ...]]:
    """SUVR and relative flow; one sentence for each contrast that is left out."""
    measured = dict(volumes)
    uptake = gaussian(volumes[Contrast.FDG], recipe.pet_fwhm_mm)
    measured[Contrast.FDG] = suvr(uptake, atlas.reference(recipe.reference_fdg))
    flow = measured.pop(Contrast.CBF, None)
    if flow is None:
        return measured, ()
    try:
        smooth = gaussian(flow, recipe.cbf_fwhm_mm)
        measured[Contrast.CBF] = relative(smooth, template.brain.array > 0)
    except QuantityError as error:  # the label arrived too late: as `tracerless prepare` says
        return measured, (f"cbf is left out: {error.message}",)
    return measured, ()


def _row(person: Person) -> dict[str, float | str]:
    return {
        "age": min(float(person.age), 90.0),
        "sex": person.sex,
        "education_years": float(person.education_years),
        "diagnosis": str(person.diagnosis),
        **{test: float(score) for test, score in person.scores.items()},
    }
