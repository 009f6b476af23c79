"""Train a synthesizer: gather pairs, split by person, learn, calibrate on the people kept out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from tracerless.core.atlas import Atlas
from tracerless.core.cohort import split_people
from tracerless.core.errors import ModelError
from tracerless.core.recipe import SynthesizeRecipe, fingerprint
from tracerless.core.session import Prepared, Template
from tracerless.core.volume import MR_INPUTS
from tracerless.networks import is_solved
from tracerless.synthesize import schedule
from tracerless.synthesize.calibration import skill, subset_key
from tracerless.synthesize.channels import Normalisation
from tracerless.synthesize.checkpoint import Checkpoint, History, people_digests
from tracerless.synthesize.closed_form import Solved
from tracerless.synthesize.desk import Desk, desk, digest, mean_map
from tracerless.synthesize.evidence import Evidence, cross_fitted, evidence
from tracerless.synthesize.learner import Learner, same_every_time
from tracerless.synthesize.material import Material, Space, gather, space
from tracerless.synthesize.state import TrainingState


@dataclass(frozen=True, slots=True)
class Progress:
    """``step`` of ``steps`` done; ``loss`` in SUVR; ``skill`` on held-out people, when measured."""

    step: int
    steps: int
    loss: float
    skill: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How a run is watched and kept."""

    progress: Callable[[Progress], None] | None = None
    """Called after each step."""
    save_state: Callable[[bytes], None] | None = None
    """Given ``TrainingState.to_bytes()`` now and then; must write all or nothing."""
    save_every: int = 50
    """Steps between two saves."""
    check_every: int = 150
    """Steps between two measurements on held-out people."""
    threads: int = 1
    """Torch threads; recorded, because another number may change the last bits. One costs least
    CPU time on the small grids that the presets are for."""


def fit(
    sessions: Iterable[Prepared],
    *,
    template: Template,
    atlas: Atlas,
    recipe: SynthesizeRecipe,
    reference: str,
    training_domain: str,
    resume: TrainingState | None = None,
    watch: Watch | None = None,
) -> Checkpoint:
    """Train on pairs of MR and FDG. Same sessions, recipe and threads: same bytes.

    Args:
        sessions: walked once; each with FDG as SUVR and at least one of T1w, T2w, relative CBF.
        template: on the network's grid (``recipe.voxel_mm``).
        atlas: on the same grid; its regions carry the regional loss, the skill and the calibration.
        recipe: how to train.
        reference: reference region of the SUVR.
        training_domain: ``simulated`` when every person is simulated, else ``acquired``.
        resume: state of a run that was stopped; the result is that of an undisturbed run.
        watch: progress, saving, threads.

    Raises:
        ModelError: too few pairs, a session that failed quality control, a loss that is not finite.
        ContrastError: a session without FDG or without MR.
        QuantityError: FDG that is not SUVR of this reference region, or a contrast without picture.
        RecipeMismatchError: a session in another space, or a state of another run.
        GeometryError: template and atlas on different grids.
    """
    watch = watch or Watch()
    where, normalisation = space(template, atlas, reference), Normalisation()
    material = gather(sessions, where, normalisation)
    with same_every_time(watch.threads):
        if is_solved(recipe.network):
            learned = _solved(material, where, recipe)
        else:
            run = fingerprint(
                recipe, where.template, where.grid.affine.tolist(), atlas.fingerprint, reference,
                training_domain, watch.threads, watch.check_every, digest(material),
            )  # fmt: skip
            learned = _descended(material, where, recipe, run, resume=resume, watch=watch)
    calibration, trained = learned.evidence.calibrations(), learned.trained
    size, factor = learned.evidence.voxel_errors(calibration[subset_key(MR_INPUTS)])
    return Checkpoint(
        weights=learned.weights,
        mean=learned.mean,
        brain=where.brain,
        reference_mask=where.reference,
        voxel_error=_in_brain(size, where),
        grid=where.grid,
        residual_suvr=learned.residual_suvr,
        normalisation=normalisation,
        template=where.template,
        atlas=atlas.key,
        reference=reference,
        recipe=recipe,
        training_domain=training_domain,
        people=people_digests(material.people),
        n_trained=len({material.people[i] for i in trained}),
        n_held_out=len(set(material.people) - {material.people[i] for i in trained}),
        inputs=tuple(c for i, c in enumerate(MR_INPUTS) if material.present[trained, i].any()),
        calibration=calibration,
        intervals=learned.evidence.intervals(calibration, where.keys, factor),
        history=History(learned.losses, learned.checks, watch.threads, torch.__version__),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Learned:
    """What came of it: weights, the mean that they leave from, and what others say of them."""

    weights: Mapping[str, NDArray[np.float32]]
    mean: NDArray[np.float32]
    residual_suvr: float
    trained: NDArray[np.int64]
    evidence: Evidence
    losses: tuple[float, ...] = ()
    checks: tuple[tuple[int, float], ...] = ()


def _solved(material: Material, where: Space, recipe: SynthesizeRecipe) -> _Learned:
    """On all people; judged by solutions that left each of them out."""
    everyone = np.arange(len(material.people))
    mean = mean_map(material.suvr)
    laid = desk(material, where, mean, everyone)
    weights = Solved(laid, everyone, recipe.network).average
    seen = cross_fitted(material, where, recipe.network, recipe.seed)
    return _Learned(weights, mean, laid.head.residual_suvr, everyone, seen)


def _descended(
    material: Material,
    where: Space,
    recipe: SynthesizeRecipe,
    run: str,
    *,
    resume: TrainingState | None,
    watch: Watch,
) -> _Learned:
    """On most people, step by step; judged by those kept out."""
    kept, out = split_people(material.people, recipe.held_out, "synthesize", recipe.seed)
    if not kept:
        raise ModelError("No one is left to train on.", hint="Lower synthesize.held_out.")
    trained, held_out = material.of(kept), material.of(out)
    mean = mean_map(material.suvr[trained])
    lesson = _Lesson(desk(material, where, mean, trained), recipe, trained, held_out, run)
    lesson.learn(resume, watch)
    return _Learned(
        lesson.learner.average,
        mean,
        lesson.residual_suvr,
        trained,
        lesson.evidence(),
        tuple(lesson.losses),
        tuple(lesson.checks),
    )


def _in_brain(values: NDArray[np.float32], where: Space) -> NDArray[np.float32]:
    """(V,) values of the brain's voxels as (I, J, K); NaN elsewhere."""
    array = np.full(where.grid.shape, np.nan, dtype=np.float32)
    array[where.brain] = values
    return array


class _Lesson:
    """One run over one desk; ``learn`` walks the steps, ``evidence`` judges the result."""

    def __init__(
        self,
        laid: Desk,
        recipe: SynthesizeRecipe,
        trained: NDArray[np.int64],
        held_out: NDArray[np.int64],
        run: str,
    ) -> None:
        self._desk, self._recipe, self._run = laid, recipe, run
        self._trained, self._held_out = trained, held_out
        shape = laid.head.brain.shape
        self.learner = Learner(recipe, (shape[0], shape[1], shape[2]))
        self.losses: list[float] = []
        self.checks: list[tuple[int, float]] = []

    def learn(self, resume: TrainingState | None, watch: Watch) -> None:
        """Walk the steps that are left."""
        first = 0 if resume is None else self._take_up(resume)
        for step in range(first, self._recipe.steps):
            loss = self._step(step)
            done = step + 1
            is_last = done == self._recipe.steps
            measured = self._check() if is_last or done % watch.check_every == 0 else None
            self.losses.append(loss)
            if measured is not None:
                self.checks.append((done, measured))
            if watch.save_state and (is_last or done % watch.save_every == 0):
                watch.save_state(self._state(done).to_bytes())
            if watch.progress:
                watch.progress(Progress(done, self._recipe.steps, loss, measured))

    def evidence(self) -> Evidence:
        """What the averaged weights say of the people kept out."""
        return evidence(self._desk, self.learner.average_answer, self._held_out)

    @property
    def residual_suvr(self) -> float:
        """SUVR of one unit of the network's output."""
        return self._desk.head.residual_suvr

    def _step(self, step: int) -> float:
        draw = schedule.draw(step, self._desk.present[self._trained], self._recipe)
        sessions = self._trained[draw.sessions]
        loss = self._desk.loss(self.learner.answer, draw, sessions, step=step, recipe=self._recipe)
        self.learner.learn(loss, step)
        return float(loss.detach())

    def _check(self) -> float | None:
        """Skill on held-out people who have every input that training shows; not calibrated."""
        shown = np.flatnonzero(self._desk.present[self._trained].any(axis=0)).tolist()
        able = self._able(shown)
        if not len(able):
            return None
        inputs = tuple(MR_INPUTS[i] for i in shown)
        truth, made = self._desk.deviations(self.learner.average_answer, able, inputs)
        return skill(np.nan_to_num(truth), np.nan_to_num(made))

    def _able(self, needed: list[int]) -> NDArray[np.int64]:
        has = self._desk.present[self._held_out][:, needed].all(axis=1)
        able: NDArray[np.int64] = self._held_out[has]
        return able

    def _take_up(self, resume: TrainingState) -> int:
        resume.require_run(self._run)
        self.learner.restore(dict(resume.tensors), resume.step)
        self.losses, self.checks = list(resume.losses), list(resume.checks)
        return resume.step

    def _state(self, step: int) -> TrainingState:
        return TrainingState(
            self._run, step, self.learner.tensors(), tuple(self.losses), tuple(self.checks)
        )
