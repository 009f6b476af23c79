"""Train a synthesizer: gather pairs, split by person, learn, calibrate on the people kept out."""

from collections.abc import Callable, Iterable
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
from tracerless.synthesize import schedule
from tracerless.synthesize.calibration import (
    UNCALIBRATED,
    Calibration,
    calibrate,
    skill,
    subset_key,
    subsets,
)
from tracerless.synthesize.channels import Normalisation
from tracerless.synthesize.checkpoint import Checkpoint, History, people_digests
from tracerless.synthesize.desk import Desk, desk, digest, mean_map
from tracerless.synthesize.learner import Learner, same_every_time
from tracerless.synthesize.material import gather, space
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
    kept, out = split_people(material.people, recipe.held_out, "synthesize", recipe.seed)
    if not kept:
        raise ModelError("No one is left to train on.", hint="Lower synthesize.held_out.")
    trained, held_out = material.of(kept), material.of(out)
    mean = mean_map(material.suvr[trained])
    laid = desk(material, where, mean, trained)
    run = fingerprint(
        recipe, where.template, where.grid.affine.tolist(), atlas.fingerprint, reference,
        training_domain, watch.threads, watch.check_every, digest(material),
    )  # fmt: skip
    with same_every_time(watch.threads):
        lesson = _Lesson(laid, recipe, trained, held_out, run)
        lesson.learn(resume, watch)
        calibration = lesson.calibrations()
    return Checkpoint(
        weights=lesson.learner.average,
        mean=mean,
        brain=where.brain,
        reference_mask=where.reference,
        grid=where.grid,
        residual_suvr=laid.head.residual_suvr,
        normalisation=normalisation,
        template=where.template,
        atlas=atlas.key,
        reference=reference,
        recipe=recipe,
        training_domain=training_domain,
        people=people_digests(material.people),
        n_trained=len(kept),
        n_held_out=len(out),
        inputs=tuple(c for i, c in enumerate(MR_INPUTS) if material.present[trained, i].any()),
        calibration=calibration,
        history=History(
            tuple(lesson.losses), tuple(lesson.checks), watch.threads, torch.__version__
        ),
    )


class _Lesson:
    """One run over one desk; ``learn`` walks the steps, ``calibrations`` measures the result."""

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
        self.learner = Learner(recipe)
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

    def calibrations(self) -> dict[str, Calibration]:
        """For every set of inputs, from the held-out people who have all of it."""
        made: dict[str, Calibration] = {}
        for inputs in subsets():
            able = self._able([MR_INPUTS.index(c) for c in inputs])
            people = [self._desk.people[i] for i in able]
            if len(set(people)) < 2:
                made[subset_key(inputs)] = UNCALIBRATED
                continue
            pair = self._desk.deviations(self.learner.average_answer, able, inputs)
            made[subset_key(inputs)] = calibrate(*pair, people)
        return made

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
