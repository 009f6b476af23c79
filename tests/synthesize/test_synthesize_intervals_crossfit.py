"""Cross-fitted skill is what new people get, and a leak is seen. Known truth, made of arrays."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from phantom_sessions import REFERENCE, atlas_of, grid_of, octants, template_of

from tracerless.core.cohort import PersonFacts
from tracerless.core.people import Pseudonym
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.synthesize.calibration import calibrate, skill, subset_key, subsets
from tracerless.synthesize.closed_form import Solved
from tracerless.synthesize.desk import desk
from tracerless.synthesize.distributed import crew
from tracerless.synthesize.evidence import evidence
from tracerless.synthesize.head import box_of
from tracerless.synthesize.learned import Ways, solved
from tracerless.synthesize.material import Material
from tracerless.synthesize.space import space
from tracerless.synthesize.watch import Watch

Array = np.ndarray
GRID = grid_of(12.0)
WHERE = space(template_of(GRID), atlas_of(GRID), REFERENCE)
FULL = subset_key(subsets()[0])
RIDGE = SynthesizeRecipe(network="ridge", voxel_mm=8.0)
N_TAUGHT, N_NEW, N_COHORTS = 24, 60, 6
SHELL = octants(GRID) > 0
WAYS, HIDDEN = SHELL * np.random.default_rng(5).standard_normal((2, 4, 9))[:, :, octants(GRID)]


def drawn(n: int, seed: int) -> Material:
    """Exchangeable people, all of one kind.

    Four ways to differ are in PET, and under noise in the MR; four more, and a level of all
    regions, are in PET alone.
    """
    random = np.random.default_rng(seed)
    shown, hidden = random.standard_normal((2, n, 4))
    mr = np.tensordot(shown, WAYS, 1)[:, None, *box_of(WHERE.brain)]
    mr = np.repeat(mr, 3, axis=1) + random.standard_normal((n, 3, *mr.shape[2:]))
    pet = 1 + 0.05 * np.tensordot(shown, WAYS, 1) + 0.02 * np.tensordot(hidden, HIDDEN, 1)
    return Material(
        tuple(Pseudonym(f"c{seed}p{i:03d}") for i in range(n)),
        (PersonFacts(),) * n,
        mr.astype(np.float16),
        np.ones((n, 3), dtype=bool),
        (pet + 0.03 * SHELL * random.standard_normal((n, 1, 1, 1))).astype(np.float16),
    )


def together(*parts: Material) -> Material:
    return Material(
        tuple(p for part in parts for p in part.people),
        tuple(f for part in parts for f in part.facts),
        *(np.concatenate([getattr(part, name) for part in parts])
          for name in ("values", "present", "suvr")),
    )  # fmt: skip


def stated_and_new(taught: Material, seed: int) -> tuple[float, float]:
    """Skill as a model states it on its own people, and what new people get of it."""
    with crew("cpu", is_alone=True) as hands:
        learned = solved(taught, Ways(WHERE, RIDGE, "simulated", hands, Watch(threads=1)))
    shown = learned.evidence.pairs[FULL]
    stated = calibrate(shown.truth, shown.predicted, shown.people)
    everyone = together(taught, drawn(N_NEW, 100 + seed))
    laid = desk(everyone, WHERE, learned.expected, residual_suvr=learned.residual_suvr)
    rows = np.arange(len(everyone.people))
    answer = Solved(laid, rows[: len(taught.people)], "ridge").average_answer
    new = evidence(laid, [answer], rows[len(taught.people) :]).pairs[FULL]
    return stated.skill or 0.0, skill(new.truth, stated.applied(new.predicted))


def twice(people: Material, *, renamed: bool) -> Material:
    """Everyone scanned twice, the second time under the same name or another."""
    other = tuple(Pseudonym(f"{p}again") for p in people.people) if renamed else people.people
    return together(people, replace(people, people=other))


def flattered(cohorts: Sequence[Material]) -> Array:
    """(cohorts,) by how much the stated skill lies above that of new people."""
    found = np.array([stated_and_new(each, seed) for seed, each in enumerate(cohorts)])
    assert found[:, 1].mean() > 0.1
    return found[:, 0] - found[:, 1]


def test_cross_fitted_skill_is_that_of_new_people() -> None:
    """Within chance of the mean over cohorts; new people have the fifth more that folds lack."""
    gap = flattered([drawn(N_TAUGHT, seed) for seed in range(N_COHORTS)])
    chance = gap.std(ddof=1) / len(gap) ** 0.5
    assert -0.1 < gap.mean() < 2.5 * chance
    assert chance < 0.05


def test_a_second_visit_does_not_flatter_and_a_person_under_two_names_is_seen_to() -> None:
    """The second is the negative control: a leak between folds."""
    once = [drawn(N_TAUGHT // 2, seed) for seed in range(3)]
    same, leaking = (flattered([twice(m, renamed=r) for m in once]) for r in (False, True))
    assert leaking.mean() > 0.15
    assert (leaking - same > 0.1).all()
