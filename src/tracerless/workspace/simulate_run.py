"""Writing a simulated hospital: its DICOM, its table of people, and the truth.

folder/
  SIMULATED.txt             says that nothing here was acquired, and by which run it was made
  dicom/<opaque>/…          one folder per study, as an archive would hand it out
  site.toml                 what its scanners do not write into headers: labeling, resolution
  phenotype.csv             the hospital's own table; identifies, as such tables do
  truth/<key>.json          what only the simulator knows; written last, so it marks a person done
  truth/<key>_labels.nii.gz true regions on the T1w matrix
"""

import gzip
import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import nibabel as nib
import pandas as pd

from tracerless import __version__
from tracerless.core.cohort import Diagnosis
from tracerless.core.errors import DatasetError
from tracerless.core.grid import Grid
from tracerless.core.recipe import fingerprint
from tracerless.io import site as sites
from tracerless.io.atomic import (
    PARTIAL_PREFIX,
    disk_errors,
    flush_all,
    remove_partials,
    write_bytes,
    write_json,
    write_text,
)
from tracerless.simulate.cohort import draw_people, phenotype, truth
from tracerless.simulate.dicom_common import ExportedSeries, Patient
from tracerless.simulate.export import measure, series_of
from tracerless.simulate.hospital import Visit, facts
from tracerless.simulate.person import Person, labels_native
from tracerless.simulate.scanners import Scanners
from tracerless.simulate.site import site_rules
from tracerless.workspace.dataset import SIMULATED_MARK
from tracerless.workspace.simulate_world import world

_MARK_TEXT = """\
Everything in this folder is simulated by tracerless {version}: no scan was acquired, no person
exists. Names, numbers, dates and addresses are invented, so that de-identification has something
to remove. truth/ is for judging results; no step of the pipeline reads it.
"""

_RUN = "Run: "

_NAMINGS = (
    "IM{number:06d}",
    "SE{series:06d}/IM-{series:04d}-{instance:04d}.dcm",
    "{digest}",
)
"""How files are named: as CD exports, workstations and archives do; none says anything."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a run left: people in the hospital, of which ``n_new`` were written now; DICOM files."""

    folder: Path
    n_people: int
    n_new: int
    n_files: int


Progress = Callable[[Iterable[Person], int], Iterable[Person]]
"""Walks people, telling somebody."""


def write_hospital(
    folder: Path,
    *,
    n: int,
    seed: str,
    size: str = "demo",
    diagnoses: Sequence[Diagnosis] | None = None,
    progress: Progress | None = None,
) -> Written:
    """Write a simulated hospital; run again, it goes on where it was stopped.

    A person whose truth file says that it is complete, by the same seed, size and version, is left
    as it is; everyone else is written anew. Equal arguments give equal bytes.

    Args:
        folder: new, empty, or a hospital of the same seed and size that was not finished.
        n: people.
        seed: names the hospital; person ``i`` is ``{seed}-{i:04d}``.
        size: ``demo`` or ``hospital``.
        diagnoses: taken in turn; None draws them.
        progress: walks the people, e.g. with a bar.

    Raises:
        DatasetError: the folder holds something else.
        RecipeError: fewer than one person, or no such size.
        StorageError: the disk refused; what is finished stays.
    """
    made_from = world()
    made_from.scanners.size(size)
    turns = None if diagnoses is None else [str(each) for each in diagnoses]
    stamp = fingerprint(made_from.fingerprint, seed, size, turns)
    people = draw_people(
        made_from.parameters, made_from.anatomy, n=n, seed=seed, diagnoses=diagnoses
    )
    _claim(folder, stamp, n)
    tables, n_new = [], 0
    for person in progress(people, n) if progress else people:
        tables.append(phenotype([person]))
        if not _truth_path(folder, person.key).is_file():
            _write_person(folder, person, made_from.scanners, size)
            n_new += 1
    write_text(folder / sites.NAME, sites.of_rules(site_rules(made_from.scanners)).to_toml())
    write_text(folder / "phenotype.csv", pd.concat(tables).to_csv(index=False))
    n_files = sum(1 for path in (folder / "dicom").rglob("*") if path.is_file())
    return Written(folder, n, n_new, n_files)


def _claim(folder: Path, stamp: str, n: int) -> None:
    """Make sure that the folder is ours to write into, and sweep what a killed run left."""
    mark = folder / SIMULATED_MARK
    if not mark.is_file():
        if folder.is_dir() and any(not p.name.startswith(PARTIAL_PREFIX) for p in folder.iterdir()):
            raise DatasetError(
                f"{folder} is not empty and holds no simulated hospital.",
                hint="Name a new folder.",
            )
        write_text(mark, f"{_MARK_TEXT.format(version=__version__)}{_RUN}{stamp}\n")
    if f"{_RUN}{stamp}" not in mark.read_text(encoding="utf-8").splitlines():
        raise DatasetError(
            f"{folder} holds a simulated hospital of another seed, size or version.",
            hint="Name a new folder, or repeat the command that made it.",
        )
    n_there = len(list((folder / "truth").glob("*.json")))
    if n_there > n:
        raise DatasetError(
            f"{folder} holds {n_there} simulated people, more than the {n} asked for.",
            hint=f"Ask for {n_there} or more, or name a new folder.",
        )
    remove_partials(folder)
    for left in folder.glob(PARTIAL_PREFIX + "*"):
        shutil.rmtree(left, ignore_errors=True)


def _truth_path(folder: Path, key: str) -> Path:
    return folder / "truth" / f"{key}.json"


def _write_person(folder: Path, person: Person, scanners: Scanners, size: str) -> None:
    made = measure(person, scanners=scanners, size=size)
    patient = Patient(person.identity, person.sex, person.age)
    for name, group in _studies(series_of(made, patient, person.visit_date)):
        _write_study(folder, name, group)
    where = person.key
    write_bytes(folder / "truth" / f"{where}_labels.nii.gz", _labels(person, made))
    write_json(_truth_path(folder, where), {**truth(person), "visit": facts(made), "size": size})


def _studies(exported: Iterable[ExportedSeries]) -> Iterator[tuple[str, list[ExportedSeries]]]:
    """Series by study, each with the opaque name of its folder."""

    def study(series: ExportedSeries) -> str:
        return str(series.datasets[0].StudyInstanceUID)

    for found, group in groupby(exported, key=study):
        yield hashlib.sha256(found.encode()).hexdigest()[:8].upper(), list(group)


def _write_study(folder: Path, name: str, exported: Sequence[ExportedSeries]) -> None:
    """All files of a study, then its name at once: a reader finds the whole study or none."""
    place = folder / "dicom" / name
    staging = folder / f"{PARTIAL_PREFIX}{name}"
    naming = _NAMINGS[int(name, 16) % len(_NAMINGS)]
    number = 0
    with disk_errors(folder):
        for series in exported:
            for instance, obj in enumerate(series.datasets, start=1):
                number += 1
                digest = hashlib.sha256(obj.SOPInstanceUID.encode()).hexdigest()[:16]
                file = naming.format(
                    number=number, series=series.number, instance=instance, digest=digest
                )
                path = staging / file
                path.parent.mkdir(parents=True, exist_ok=True)
                obj.save_as(path, enforce_file_format=True)
        flush_all(staging)
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        staging.rename(place)


def _labels(person: Person, made: Visit) -> bytes:
    """True regions on the T1w matrix, voxel for voxel, as compressed NIfTI."""
    grid = made.t1w.grid
    native = Grid(grid.shape, made.poses["petmr"].inverse.matrix @ grid.affine)
    labels = labels_native(person, native)
    volume = nib.Nifti1Image(labels, grid.affine)
    return gzip.compress(volume.to_bytes(), compresslevel=6, mtime=0)
