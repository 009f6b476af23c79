"""Our designs in the bench: as a user trains them, for as many steps as the budget pays for."""

import dataclasses
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.synthesis_judge import Task, judge
from tracerless import synthesize
from tracerless.core.designs import designed
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.session import Prepared
from tracerless.io import resources
from tracerless.networks import is_solved
from tracerless.synthesize import material, space
from tracerless.synthesize.watch import Progress, Watch
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.training import pairs
from tracerless.workspace.training_pairs import known_people

PILOT_STEPS, PILOT_PEOPLE = 12, 16
"""A short training first, to learn what a step costs."""


def contend(task: Task, design: str) -> dict[str, Any]:
    """Train the design and measure it."""
    dataset = Dataset.open(task.training)
    recipe = dataclasses.replace(designed(SynthesizeRecipe(), design), voxel_mm=task.voxel_mm)
    template, atlas = resources.template(task.voxel_mm), task.atlas()
    where = space.space(template, atlas, task.reference)
    cohort = material.gather(pairs(dataset), where, facts=known_people(dataset))
    step_s = None if is_solved(recipe.network) else _step_s(cohort, where, recipe)
    if step_s is not None:
        recipe = _within(recipe, max(int(task.budget_s / step_s), 2 * PILOT_STEPS))
    before = time.process_time()
    made = _learned(cohort, where, recipe)
    spent = time.process_time() - before
    maker = synthesize.synthesizer(made, template, atlas)

    def predict(session: Prepared) -> tuple[NDArray[np.float32], dict[str, float]]:
        said = maker.predict(session)
        return said.volume.array, dict(said.half_widths)

    return {
        "who": design,
        **judge(task, predict),
        "parameters": sum(w.size for w in made.weights.values()),
        "steps": None if step_s is None else _steps(recipe),
        "step_s": step_s,
        "train_s": spent,
    }


def _learned(
    cohort: material.Material,
    where: space.Space,
    recipe: SynthesizeRecipe,
    watch: Watch | None = None,
) -> synthesize.Checkpoint:
    watch = watch or Watch(device="cpu", check_every=10**9)
    return synthesize.learn(cohort, where, recipe=recipe, training_domain="simulated", watch=watch)


def _step_s(cohort: material.Material, where: space.Space, recipe: SynthesizeRecipe) -> float:
    """CPU-seconds of one step, the mean over the phases as long as they are."""
    marks: list[float] = []

    def mark(_: Progress) -> None:
        marks.append(time.process_time())

    few = cohort.take(np.arange(min(PILOT_PEOPLE, len(cohort.people))))
    watch = Watch(device="cpu", check_every=10**9, progress=mark)
    _learned(few, where, _within(recipe, _phases(recipe) * PILOT_STEPS), watch)
    steps = np.diff(marks)
    firsts, lasts = np.array_split(steps, 2)
    return float(np.median(firsts) + np.median(lasts)) / 2


def _within(recipe: SynthesizeRecipe, steps: int) -> SynthesizeRecipe:
    """So many steps over all members; a flow takes half of them for its texture."""
    each = max(steps // recipe.members, 1)
    if _phases(recipe) == 2:
        return dataclasses.replace(recipe, steps=each - each // 2, flow_steps=each // 2)
    return dataclasses.replace(recipe, steps=each)


def _phases(recipe: SynthesizeRecipe) -> int:
    return 2 if recipe.objective == "flow" else 1


def _steps(recipe: SynthesizeRecipe) -> int:
    further = recipe.flow_steps if _phases(recipe) == 2 else 0
    return recipe.members * (recipe.steps + further)
