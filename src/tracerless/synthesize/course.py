"""The walk over members, phases and steps: what is shown, what is learned, what is kept."""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from tracerless.core.errors import ModelError
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.seeds import seed_number
from tracerless.core.volume import MR_INPUTS
from tracerless.synthesize import schedule
from tracerless.synthesize.augment import Augmenter, changes
from tracerless.synthesize.batch import Batch
from tracerless.synthesize.clock import Clock
from tracerless.synthesize.desk import Desk
from tracerless.synthesize.distributed import Crew
from tracerless.synthesize.evidence import held_out_skill
from tracerless.synthesize.learner import Learner, Weights
from tracerless.synthesize.objectives import objective
from tracerless.synthesize.state import TrainingState
from tracerless.synthesize.watch import Progress, Watch

MOST_EASED = 6
"""A run whose loss is not finite more often than this is given up."""
_CHECKED = 32
"""Held-out sessions that are looked at while training goes on."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A step: of which member, phase, which in that phase, how many were done before it."""

    member: int
    phase: int
    step: int
    done: int


class Course:
    """All members of one model, one after another, over one desk.

    Args:
        laid: all sessions.
        recipe: what is learned, and how.
        trained, held_out: rows of the desk.
        spacing_mm: of the network's grid.
        run: fingerprint of everything that the result depends on.
        crew: who learns together.
        watch: how it is watched, kept and bounded.
    """

    def __init__(
        self,
        laid: Desk,
        recipe: SynthesizeRecipe,
        *,
        trained: NDArray[np.int64],
        held_out: NDArray[np.int64],
        spacing_mm: float,
        run: str,
        crew: Crew,
        watch: Watch,
    ) -> None:
        self._desk, self._recipe, self._run = laid, recipe, run
        self._trained, self._held_out = trained, held_out
        self._crew, self._watch, self._spacing_mm = crew, watch, spacing_mm
        self._objective = objective(recipe)
        further = self._objective.n_steps - recipe.steps
        self._phases = (recipe.steps, further) if further else (recipe.steps,)
        self._present = laid.present[trained]
        diagnoses = [laid.facts[row].diagnosis for row in trained]
        self._groups = schedule.groups(diagnoses, recipe.balance)
        self._augment = Augmenter(laid.head.brain, recipe.seed) if recipe.augment else None
        self._clock = Clock(watch.budget_s, watch.spent_s)
        self._time_share = 0.0
        self._saved_s = self._began_s = time.perf_counter()
        self._share_from = 0.0
        self.members: list[dict[str, NDArray[np.float32]]] = []
        self.losses: dict[str, list[float]] = {}
        self.checks: dict[str, list[tuple[int, float]]] = {}

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels of the box."""
        i, j, k = self._desk.head.brain.shape
        return i, j, k

    @property
    def n_steps(self) -> int:
        """Steps of all members, when no budget cuts them short."""
        return self._recipe.members * sum(self._phases)

    def walk(self, resume: TrainingState | None, start: tuple[Weights, ...] = ()) -> None:
        """Take every step that is left.

        Args:
            resume: where an earlier walk stood.
            start: weights that each member begins with; fresh ones where there are none.

        Raises:
            RecipeMismatchError: the state belongs to another run.
            ModelError: the loss is not finite again and again, or weights that do not fit.
        """
        place = Place(0, 0, 0, 0) if resume is None else self._take_up(resume)
        self._crew.require_same(f"{self._run} {place}")
        for member in range(place.member, self._recipe.members):
            learner = self._learner(member)
            is_resumed = resume is not None and member == resume.member
            if resume is not None and is_resumed:
                learner.restore(resume.tensors, resume.updates, resume.eased)
            elif start:
                learner.start_from(start[member % len(start)])
            done = place.done
            for each in self._places(place, is_resumed=is_resumed):
                self._step(learner, each)
                done = each.done + 1
            self.members.append(learner.average)
            place = Place(member + 1, 0, 0, done)

    def _learner(self, member: int) -> Learner:
        return Learner(
            self._objective, self._recipe, shape=self.shape, member=member, crew=self._crew
        )

    def _places(self, start: Place, *, is_resumed: bool) -> Iterator[Place]:
        """The steps of one member: each phase until its steps or its time are over."""
        done = start.done
        for phase in range(start.phase, len(self._phases)):
            is_begun = is_resumed and phase == start.phase
            step = start.step if is_begun else 0
            if not is_begun:
                left = sum(self._phases) * (self._recipe.members - start.member)
                self._clock.allot(self._phases[phase], left - sum(self._phases[:phase]))
                self._time_share = 0.0
            while step < self._phases[phase]:
                yield Place(start.member, phase, step, done)
                step, done = step + 1, done + 1
                if self._time_share >= 1:
                    break

    def _share(self, steps: int, phase: int) -> float:
        """How much of a phase is done, by steps or by time."""
        return max(steps / self._phases[phase], self._time_share)

    def _step(self, learner: Learner, place: Place) -> None:
        n_before, n_phase = sum(self._phases[: place.phase]), self._phases[place.phase]
        names = (self._recipe.seed, place.member, n_before + place.step, self._crew.rank)
        torch.manual_seed(seed_number("synthesize-torch", *names))
        share = self._share(place.step, place.phase)
        at = n_before + min(round(share * n_phase), n_phase - 1)
        losses = self._objective.losses(
            learner.parts(self._learning(place.phase)), self._batch(place), at
        )
        told = learner.learn(losses, self._share(place.step + 1, place.phase))
        if self._watch.budget_s is not None:
            self._time_share = self._crew.agree(self._clock.share())
        if told is None:
            self._eased(learner, place)
            told = dict.fromkeys(losses, float("nan"))
        self._tell(learner, place, told)

    def _learning(self, phase: int) -> tuple[str, ...]:
        return ("velocity",) if phase else ("answer", "critic")

    def _batch(self, place: Place) -> Batch:
        """This process's share of the people of a step, changed at random."""
        recipe = self._recipe
        turn = place.step + sum(self._phases[: place.phase])
        drawn = schedule.draw(turn, self._present, self._groups, recipe, place.member)
        mine = self._crew.share(recipe.batch)
        rows = self._trained[drawn.sessions[mine]]
        values = None
        if self._augment is not None:
            names = (recipe.seed, place.member, turn)
            change = changes(recipe.batch, self.shape, recipe.augment, self._spacing_mm, *names)
            values = self._augment(self._desk.contrasts(rows), change.take(mine))
        places = tuple(range(recipe.batch))[mine]
        return self._desk.batch(rows, drawn.shown[mine], values, places)

    def _eased(self, learner: Learner, place: Place) -> None:
        """Say it, and give up where it does not help.

        Raises:
            ModelError: it happened too often.
        """
        _log.warning("The loss was not finite at step %d; the rate is halved.", place.done)
        if learner.eased > MOST_EASED:
            raise ModelError(
                f"The training loss is not finite at step {place.done}, {learner.eased} times by "
                "now, though the learning rate was halved each time.",
                hint="Lower synthesize.learning_rate and train from the start.",
            )

    def _tell(self, learner: Learner, place: Place, told: Mapping[str, float]) -> None:
        """Keep the losses, measure and save when it is time, and report."""
        for part, loss in told.items():
            self.losses.setdefault(f"{place.member}/{part}", []).append(loss)
        done = place.done + 1
        is_last = self._share(place.step + 1, place.phase) >= 1
        measured = None
        if place.phase == 0 and (is_last or done % self._watch.check_every == 0):
            measured = self._check(learner)
        if measured is not None:
            self.checks.setdefault(str(place.member), []).append((place.step + 1, measured))
        if self._watch.save_state and (is_last or done % self._watch.save_every == 0):
            self._save(learner, place, at_once=is_last)
        self._report(place, told, measured)

    def _check(self, learner: Learner) -> float | None:
        """Skill on held-out people who have every input that training shows; not calibrated."""
        shown = tuple(c for i, c in enumerate(MR_INPUTS) if self._present[:, i].any())
        rows = self._desk.able(self._held_out, shown)[:_CHECKED]
        return held_out_skill(self._desk, learner.average_answer, rows, shown)

    def _report(self, place: Place, told: Mapping[str, float], measured: float | None) -> None:
        done, watch = place.done + 1, self._watch
        if watch.events:
            for part, loss in told.items():
                watch.events(f"member-{place.member}/loss-{part}", loss, done)
            if measured is not None:
                watch.events(f"member-{place.member}/skill", measured, done)
        if watch.progress:
            share, part = self._overall(place), next(iter(told))
            at = (share, self._left_s(share), place.member, part)
            watch.progress(Progress(done, self.n_steps, told[part], measured, *at))

    def _left_s(self, share: float) -> float | None:
        """Seconds until the last step: what the budget leaves, else as fast as it went so far."""
        if self._clock.left_s is not None:
            return self._clock.left_s
        gone = share - self._share_from
        spent_s = time.perf_counter() - self._began_s
        return spent_s * (1 - share) / gone if gone > 0 else None

    def _overall(self, place: Place) -> float:
        """Share of the whole run that is done."""
        before = place.member * sum(self._phases) + sum(self._phases[: place.phase])
        phase = self._phases[place.phase]
        within = phase * self._share(place.step + 1, place.phase)
        return min((before + within) / self.n_steps, 1.0)

    def _save(self, learner: Learner, place: Place, *, at_once: bool) -> None:
        """Hand out the state, unless it was only just handed out."""
        now = time.perf_counter()
        if not at_once and now - self._saved_s < self._watch.save_after_s:
            return
        self._saved_s = now
        if self._watch.save_state and self._crew.leads:
            self._watch.save_state(self._state(learner, place).to_bytes())

    def _state(self, learner: Learner, place: Place) -> TrainingState:
        ready = {
            f"ready/{member}/{name}": weight
            for member, weights in enumerate(self.members)
            for name, weight in weights.items()
        }
        losses = {f"loss/{name}": np.array(each, np.float32) for name, each in self.losses.items()}
        return TrainingState(
            run=self._run,
            member=place.member,
            phase=place.phase,
            step=place.step + 1,
            done=place.done + 1,
            updates=learner.updates,
            eased=learner.eased,
            clock=self._clock.facts(),
            checks={name: tuple(each) for name, each in self.checks.items()},
            tensors={**ready, **losses, **learner.tensors()},
        )

    def _take_up(self, resume: TrainingState) -> Place:
        resume.require_run(self._run)
        self._clock.take_up(resume.clock)
        self.losses = {name: list(map(float, each)) for name, each in resume.under("loss/").items()}
        self.checks = {name: list(each) for name, each in resume.checks.items()}
        ready = resume.under("ready/")
        for member in range(resume.member):
            mine = f"{member}/"
            self.members.append(
                {n.removeprefix(mine): w for n, w in ready.items() if n.startswith(mine)}
            )
        place = Place(resume.member, resume.phase, resume.step, resume.done)
        self._share_from = self._overall(replace(place, step=max(place.step - 1, 0)))
        return place
