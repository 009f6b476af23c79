"""What happens at which step: a function of the step alone, so a run can be taken up anywhere."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.seeds import generator

RISE = 0.2
"""Share of the steps in which the learning rate rises; it falls over the rest."""
SQUARED_UNTIL, SQUARED_OVER = 0.2, 0.4
"""Shares of the steps: the squared error alone until the first, none of it from the second."""
AVERAGE_DECAY = 0.99
"""How much of the averaged weights stays at each step, once the average has a past."""
FEWEST = 5
"""Diagnoses with fewer training sessions are shown together, as one more group."""


def rate_at(share: float) -> float:
    """The part of the peak learning rate at that share of a phase, 0-1: one cycle.

    Up by a cosine, then down by one to almost nothing.
    """
    rising = share < RISE
    phase = share / RISE if rising else (share - RISE) / (1 - RISE)
    cosine = math.cos(math.pi * min(phase, 1.0))
    return 0.04 + 0.48 * (1 - cosine) if rising else 0.001 + 0.4995 * (1 + cosine)


def squared_share(step: int, steps: int) -> float:
    """Weight of the squared error, 1 down to 0; the rest is Charbonnier."""
    at = step / steps
    return min(1.0, max(0.0, (SQUARED_OVER - at) / (SQUARED_OVER - SQUARED_UNTIL)))


def region_weight(step: int, recipe: SynthesizeRecipe) -> float:
    """Weight of the regional term: strong at first, gone at the end."""
    return recipe.region_weight * (1 - step / recipe.steps)


def average_decay(step: int) -> float:
    """Decay of the averaged weights; small at first, so that the start is forgotten."""
    return min(AVERAGE_DECAY, (1 + step) / (10 + step))


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Who is shown in one step, and what of them.

    Args:
        sessions: (B,) which sessions.
        shown: (B, 3) which contrasts are shown; at least one of those present.
    """

    sessions: NDArray[np.int64]
    shown: NDArray[np.bool_]


def groups(diagnoses: Sequence[str], balance: str) -> NDArray[np.int64]:
    """(N,) which group each training session is drawn from; the groups are drawn equally often.

    Args:
        diagnoses: of the sessions; empty when unknown, which is a group too.
        balance: ``diagnosis``, or ``none`` for one group of all.
    """
    if balance == "none":
        return np.zeros(len(diagnoses), dtype=np.int64)
    names, codes, counts = np.unique(list(diagnoses), return_inverse=True, return_counts=True)
    small = counts[codes] < FEWEST
    merged = np.where(small, len(names), codes)
    return np.unique(merged, return_inverse=True)[1].astype(np.int64)


def draw(
    step: int,
    present: NDArray[np.bool_],
    group_of: NDArray[np.int64],
    recipe: SynthesizeRecipe,
    member: int = 0,
) -> Draw:
    """Draw one step: within a group every session comes once before any comes twice.

    Args:
        step: from 0.
        present: (N, 3) which contrasts each training session has.
        group_of: (N,) as ``groups`` returns them.
        recipe: batch, dropout, seed.
        member: of the ensemble; each sees the people in an order of its own.
    """
    random = generator("synthesize-step", recipe.seed, member, step)
    turns = range(step * recipe.batch, (step + 1) * recipe.batch)
    sessions = np.array([_in_turn(turn, group_of, recipe.seed, member) for turn in turns])
    shown = np.stack([_hide(present[s], recipe.dropout_modality, random) for s in sessions])
    return Draw(sessions, shown)


def _in_turn(turn: int, group_of: NDArray[np.int64], seed: int, member: int) -> int:
    """The groups in turn, and the sessions of each in an order that changes with every round."""
    n_groups = int(group_of.max()) + 1
    round_, group = divmod(turn, n_groups)
    mine = np.flatnonzero(group_of == group)
    epoch, place = divmod(round_, len(mine))
    order = generator("synthesize-order", seed, member, group, epoch).permutation(len(mine))
    return int(mine[order[place]])


def _hide(
    present: NDArray[np.bool_], chance: float, random: np.random.Generator
) -> NDArray[np.bool_]:
    """Hide each contrast by chance; when all would be hidden, one that is present stays."""
    shown: NDArray[np.bool_] = present & (random.random(present.size) >= chance)
    last = random.choice(np.flatnonzero(present))
    if not shown.any():
        shown[last] = True
    return shown
