"""Cross-fitting: everyone is predicted by a synthesizer that never saw them.

K models of one design, each on the people of the other K - 1 folds. Folds are dealt by person, each
diagnosis over all of them. Sessions are read once. A stopped run goes on where it stood.
"""

import functools
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from tracerless import __version__, synthesize
from tracerless.core.designs import designed
from tracerless.core.errors import ModelError, did_you_mean
from tracerless.core.people import Pseudonym, person_digest
from tracerless.core.recipe import SynthesizeRecipe, fingerprint
from tracerless.io import resources
from tracerless.io.atomic import write_bytes, write_json
from tracerless.networks import is_solved
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.channels import Normalisation
from tracerless.synthesize.fit import Watch
from tracerless.synthesize.material import Material
from tracerless.synthesize.space import Space, space
from tracerless.synthesize.watch import Progress
from tracerless.workspace import models
from tracerless.workspace.cross_fit_folds import dealt
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.domain import training_domain
from tracerless.workspace.section import Advance
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.training_pairs import Refused, gather_pairs, known_people
from tracerless.workspace.training_place import LINEAR, require_name

SUFFIX = "-crossfit"
"""Of the folder of a cross-fitted set under ``models``."""
RECORD = "crossfit.json"
_UNITS = 1000


@dataclass(frozen=True, slots=True)
class CrossFit:
    """A cross-fitted set of synthesizers.

    Args:
        name: of the set.
        folder: of the set under ``models``; the model that never saw fold k lies in ``fold-<k>``.
        folds: in which fold each person lies, by ``person_digest``.
        n_folds: how many models.
        left_out: sentences about sessions that none learned from.
    """

    name: str
    folder: Path
    folds: Mapping[str, int]
    n_folds: int
    left_out: tuple[str, ...] = ()

    def fold_of(self, person: Pseudonym) -> int | None:
        """The fold in which that person was kept out; None for somebody who was not dealt."""
        return self.folds.get(person_digest(person))

    def checkpoint_of(self, person: Pseudonym) -> Checkpoint:
        """The model that never saw that person; the first one for somebody whom none saw.

        Raises:
            ModelError: the model is damaged, or did see that person.
        """
        return _unseen_by(self.checkpoint(self.fold_of(person) or 0), person)

    def linear_of(self, person: Pseudonym) -> Checkpoint | None:
        """The linear rival of `checkpoint_of`, of the same people; None where the model is one.

        Raises:
            ModelError: it is damaged, or did see that person.
        """
        path = self.folder / f"fold-{self.fold_of(person) or 0}" / LINEAR
        return _unseen_by(_kept(path), person) if path.is_file() else None

    def checkpoint(self, fold: int) -> Checkpoint:
        """The model that never saw that fold.

        Raises:
            ModelError: it is damaged, or gone.
        """
        path = self.folder / f"fold-{fold}" / models.WEIGHTS
        if not path.is_file():
            raise ModelError(
                f"{self.name} lacks the model of fold {fold}.", hint="Cross-fit again."
            )
        return _kept(path)


def _unseen_by(found: Checkpoint, person: Pseudonym) -> Checkpoint:
    if person_digest(person) in found.people:
        raise ModelError(
            f"{found.name} saw sub-{person}, whom it was to be kept from.",
            hint="Cross-fit again: the set was mixed up.",
        )
    return found


def _kept(path: Path) -> Checkpoint:
    return _read(_File(path, path.stat().st_mtime_ns))


class _File(NamedTuple):
    """A file as it was when it was last written."""

    path: Path
    changed_ns: int


@functools.lru_cache(maxsize=4)
def _read(file: _File) -> Checkpoint:
    """The weights in a file; one that was written anew is read anew."""
    return models.load_checkpoint(file.path)


def cross_fit(
    dataset: Dataset,
    *,
    design: str,
    name: str | None = None,
    n_folds: int = 5,
    seed: str = "1",
    changes: Mapping[str, Any] | None = None,
    workers: int = 1,
    advance: Advance | None = None,
) -> CrossFit:
    """Train one synthesizer a fold, and keep the set under ``models/<name>-crossfit``.

    A changed person, setting or version trains all of them anew.

    Args:
        dataset: whose prepared pairs of MR and FDG are learned from.
        design: of ``core.designs``.
        name: of the set; None = the design's.
        n_folds: 2-20.
        seed: of the folds.
        changes: of the recipe, over those of the dataset, below those of the design.
        workers: processes that read the sessions.
        advance: told of every step of training.

    Raises:
        ModelError: too few people, or what `synthesize.learn` says of them.
        RecipeError: no such design, a setting that cannot be, or no name.
    """
    recipe = designed(replace(dataset.recipe.synthesize, **(changes or {})), design)
    name = (name or design).removesuffix(SUFFIX)
    require_name(name, None)
    folder = dataset.models / f"{name}{SUFFIX}"
    mark = _mark(dataset, recipe, n_folds, seed)
    record = _record(folder)
    if record.get("mark") != mark:
        for stale in folder.glob("fold-*"):  # of other settings or people
            shutil.rmtree(stale)
        record = {}
    n_there = len(list(folder.glob(f"fold-*/{models.WEIGHTS}")))
    if not record.get("is_finished") or n_there != n_folds:
        lesson = _Lesson(dataset, recipe, folder.name, mark=mark, workers=workers)
        if not record:
            folds = dealt(lesson.material, n_folds, seed)
            left_out = [_nameless(each) for each in lesson.refused]
            facts = {"mark": mark, "design": design, "n_folds": n_folds, "seed": seed}
            record = {**facts, "folds": folds, "left_out": left_out, "is_finished": False}
            write_json(folder / RECORD, record)
        for fold in range(n_folds):
            lesson.learn(record["folds"], fold, n_folds, advance)
        write_json(folder / RECORD, {**record, "is_finished": True})
    return open_cross_fit(dataset, name)


def open_cross_fit(dataset: Dataset, name: str) -> CrossFit:
    """The cross-fitted set of that name, with or without its suffix.

    Raises:
        ModelError: there is none, or it was not finished.
    """
    name = name.removesuffix(SUFFIX)
    folder = dataset.models / f"{name}{SUFFIX}"
    record = _record(folder)
    if not record.get("is_finished"):
        known = cross_fits(dataset)
        make = "Make one with `tracerless synthesize crossfit`."
        raise ModelError(
            f"No finished cross-fitted set {name!r}.",
            hint=did_you_mean(name, known) if known else make,
        )
    folds = {str(person): int(fold) for person, fold in record["folds"].items()}
    return CrossFit(name, folder, folds, int(record["n_folds"]), tuple(record["left_out"]))


def cross_fits(dataset: Dataset) -> tuple[str, ...]:
    """Names of the finished cross-fitted sets of a dataset, sorted."""
    folders = [path.parent for path in dataset.models.glob(f"*{SUFFIX}/{RECORD}")]
    done = [each.name for each in folders if _record(each).get("is_finished")]
    return tuple(sorted(name.removesuffix(SUFFIX) for name in done))


class _Lesson:
    """Sessions read once, when the first model needs them, and taught without a fold."""

    def __init__(
        self, dataset: Dataset, recipe: SynthesizeRecipe, folder: str, *, mark: str, workers: int
    ) -> None:
        self._dataset, self._recipe, self._folder = dataset, recipe, folder
        self._mark, self._workers = mark, workers

    @functools.cached_property
    def _where(self) -> Space:
        atlas, voxel_mm = self._dataset.recipe.prepare.atlas, self._recipe.voxel_mm
        return space(
            resources.template(voxel_mm),
            resources.atlas(atlas, voxel_mm, self._dataset.root),
            self._dataset.recipe.prepare.reference_fdg,
        )

    @functools.cached_property
    def _read(self) -> tuple[Material, tuple[Refused, ...]]:
        found = gather_pairs(self._dataset, (self._where,), Normalisation(), workers=self._workers)
        return found.materials[0], found.refused

    @property
    def material(self) -> Material:
        """Every session that can teach."""
        return self._read[0]

    @property
    def refused(self) -> tuple[Refused, ...]:
        """Sessions that cannot."""
        return self._read[1]

    def learn(
        self, folds: Mapping[str, int], fold: int, n_folds: int, advance: Advance | None
    ) -> None:
        """The model that never sees a fold, unless it is there already."""
        name, mark = f"{self._folder}/fold-{fold}", fingerprint(self._mark, fold)
        if models.finished(self._dataset, name, mark) is None:
            given, domain = self._without(folds, fold), training_domain(self._dataset)
            if not is_solved(self._recipe.network):
                solved = replace(self._recipe, network="ridge", objective="regression", members=1)
                rival = synthesize.learn(given, self._where, recipe=solved, training_domain=domain)
                write_bytes(self._dataset.models / name / LINEAR, rival.to_bytes())
            state = models.load_state(self._dataset, name)
            made = synthesize.learn(
                given,
                self._where,
                recipe=self._recipe,
                training_domain=domain,
                resume=state,
                watch=Watch(
                    progress=_teller(advance, fold, n_folds),
                    save_state=lambda content: models.save_state(self._dataset, name, content),
                ),
            )
            models.save_checkpoint(self._dataset, name, made, mark)
        if advance:
            advance(_UNITS * (fold + 1), _UNITS * n_folds, f"fold {fold + 1} of {n_folds}")

    def _without(self, folds: Mapping[str, int], fold: int) -> Material:
        people = self.material.people
        rows = [i for i, who in enumerate(people) if folds.get(person_digest(who)) != fold]
        return self.material.take(rows)


def _teller(advance: Advance | None, fold: int, n_folds: int) -> Callable[[Progress], None] | None:
    if advance is None:
        return None

    def tell(progress: Progress) -> None:
        done = round(_UNITS * (fold + progress.share))
        skill = "" if progress.skill is None else f", skill {progress.skill:+.2f}"
        advance(done, _UNITS * n_folds, f"fold {fold + 1} of {n_folds}{skill}")

    return tell


def _nameless(refused: Refused) -> str:
    """Why a session teaches nothing; a set may leave the house, so it names nobody."""
    said = refused.reason.replace(str(refused.key), "a session")
    return said.replace(str(refused.key.person), "somebody")


def _record(folder: Path) -> dict[str, Any]:
    path = folder / RECORD
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _mark(dataset: Dataset, recipe: SynthesizeRecipe, n_folds: int, seed: str) -> str:
    """Changes with the settings, the people and what is known of them, and their preparation."""
    records = (SessionShelf(dataset, key).record("prepared") or {} for key in dataset.sessions())
    made = [str(record.get("digest")) for record in records]
    known = [f"{person} {facts}" for person, facts in sorted(known_people(dataset).items())]
    frame = (dataset.recipe.prepare.reference_fdg, training_domain(dataset), str(n_folds), seed)
    return fingerprint("crossfit", __version__, recipe, *frame, *known, *made)
