"""Three ways to learn: solve, descend, or adapt what was learned elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from tracerless.core.recipe import SynthesizeRecipe, fingerprint
from tracerless.synthesize.adapt import shifted
from tracerless.synthesize.checkpoint import Checkpoint, rounded
from tracerless.synthesize.closed_form import Solved
from tracerless.synthesize.course import Course
from tracerless.synthesize.desk import Desk, desk, digest, typical_residual
from tracerless.synthesize.distributed import Crew
from tracerless.synthesize.ensemble import Answer
from tracerless.synthesize.evidence import Evidence, evidence, together
from tracerless.synthesize.expected import Expected, fit_expected
from tracerless.synthesize.head import box_shape
from tracerless.synthesize.learner import Weights
from tracerless.synthesize.material import Material
from tracerless.synthesize.objectives import objective
from tracerless.synthesize.space import Space
from tracerless.synthesize.split import folds, halves
from tracerless.synthesize.state import TrainingState
from tracerless.synthesize.watch import Watch

Rows = NDArray[np.int64]
_CPU = torch.device("cpu")


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """What holds for the whole run: where, how, with whom, and who watches."""

    where: Space
    recipe: SynthesizeRecipe
    training_domain: str
    crew: Crew
    watch: Watch


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What came of it.

    Args:
        weights: ``<member>/<part>/<parameter>``.
        expected: the map that predictions leave from.
        residual_suvr: SUVR of one unit of the network's output.
        trained: sessions that were learned from.
        held_out: sessions that were not.
        evidence: what the model says of people that the predicting weights did not see.
        losses: by ``<member>/<part>``, one number a step, SUVR.
        checks: by member, (step, skill on held-out people).
    """

    weights: Weights
    expected: Expected
    residual_suvr: float
    trained: Rows
    held_out: Rows
    evidence: Evidence
    losses: Mapping[str, Sequence[float]] = field(default_factory=dict)
    checks: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)


def solved(material: Material, ways: Ways) -> Learned:
    """On all people at once; judged by solutions that left each of them out."""
    everyone = np.arange(len(material.people))
    laid, expected = _laid(material, ways, everyone, _CPU)
    weights = Solved(laid, everyone, ways.recipe.network).average
    parts = []
    for out in folds(material, ways.recipe):
        trained = np.setdiff1d(everyone, out)
        if len(trained):
            some, _ = _laid(material, ways, trained, _CPU)
            answer = Solved(some, trained, ways.recipe.network).average_answer
            parts.append(evidence(some, [answer], out))
    return Learned(
        rounded({f"0/{name}": weight for name, weight in weights.items()}),
        expected,
        laid.head.residual_suvr,
        everyone,
        everyone[:0],
        together(parts),
    )


def descended(
    material: Material, ways: Ways, *, base: Checkpoint | None, resume: TrainingState | None
) -> Learned:
    """On most people, step by step; judged by those kept out."""
    recipe, crew = ways.recipe, ways.crew
    crew.require_batch(recipe.batch)
    trained, held_out = halves(material, recipe)
    if base is None:
        laid, expected = _laid(material, ways, trained, crew.device)
    else:
        expected = shifted(base.expected, material, trained)
        laid = desk(
            material, ways.where, expected, residual_suvr=base.residual_suvr, device=crew.device
        )
    course = Course(
        laid,
        recipe,
        trained=trained,
        held_out=held_out,
        spacing_mm=float(ways.where.grid.spacing_mm[0]),
        run=_run(material, ways, base),
        crew=crew,
        watch=ways.watch,
    )
    course.walk(resume, () if base is None else _members(base.weights))
    torch.backends.cudnn.benchmark = False  # from here on no two batches have one shape
    weights = rounded(
        {f"{m}/{name}": w for m, each in enumerate(course.members) for name, w in each.items()}
    )
    networks = _networks(weights, ways)
    return Learned(
        weights,
        expected,
        laid.head.residual_suvr,
        trained,
        held_out,
        evidence(laid, networks, held_out),
        course.losses,
        course.checks,
    )


def adapted(material: Material, ways: Ways, base: Checkpoint) -> Learned:
    """The base's weights on a map moved toward the site; judged by leaving people out of it."""
    everyone = np.arange(len(material.people))
    networks = _networks(base.weights, ways)
    unit = base.residual_suvr

    def laid(rows: Rows) -> Desk:
        moved = shifted(base.expected, material, rows)
        return desk(material, ways.where, moved, residual_suvr=unit, device=ways.crew.device)

    parts = [
        evidence(laid(np.setdiff1d(everyone, out)), networks, out)
        for out in folds(material, ways.recipe)
    ]
    expected = shifted(base.expected, material, everyone)
    return Learned(base.weights, expected, unit, everyone, everyone[:0], together(parts))


def _laid(
    material: Material, ways: Ways, trained: Rows, device: torch.device
) -> tuple[Desk, Expected]:
    """The desk over the expected map of those people, and that map."""
    facts = [material.facts[row] for row in trained]
    suvr = material.suvr[trained]
    expected = fit_expected(suvr, facts, ways.recipe.covariates)
    unit = typical_residual(material, ways.where, expected, trained)
    return desk(material, ways.where, expected, residual_suvr=unit, device=device), expected


def _networks(weights: Weights, ways: Ways) -> list[Answer]:
    """The answering network of each member, on the device."""
    shape = box_shape(ways.where.brain)
    networks: list[Answer] = []
    for mine in _members(weights):
        network = objective(ways.recipe).parts(shape)["answer"]
        own = {
            name.removeprefix("answer/"): torch.from_numpy(np.array(weight))
            for name, weight in mine.items()
            if name.startswith("answer/")
        }
        network.load_state_dict(own)
        networks.append(network.to(ways.crew.device).requires_grad_(requires_grad=False))
    return networks


def _members(weights: Weights) -> tuple[Weights, ...]:
    """The weights of each member, ``<part>/<parameter>``."""
    numbers = sorted({int(name.split("/", 1)[0]) for name in weights})
    return tuple(
        {
            name.removeprefix(f"{number}/"): weight
            for name, weight in weights.items()
            if name.startswith(f"{number}/")
        }
        for number in numbers
    )


def _run(material: Material, ways: Ways, base: Checkpoint | None) -> str:
    """Changes with everything that the result depends on."""
    where, watch, crew = ways.where, ways.watch, ways.crew
    return fingerprint(
        ways.recipe, where.template, where.grid.affine.tolist(), where.atlas_digest,
        where.reference_name, ways.training_domain, watch.threads, watch.check_every,
        crew.device.type, crew.size, "" if base is None else base.digest, digest(material),
    )  # fmt: skip
