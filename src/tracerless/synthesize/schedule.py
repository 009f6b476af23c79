"""What happens at which step: a function of the step alone, so a run can be taken up anywhere."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.seeds import generator

RISE = 0.2
"""Share of the steps in which the learning rate rises; it falls over the rest."""
SQUARED_UNTIL, SQUARED_OVER = 0.2, 0.4
"""Shares of the steps: the squared error alone until the first, none of it from the second."""
JITTER = 0.1
"""Spread of the random gain and offset of each input, in its normalised units."""
AVERAGE_DECAY = 0.99
"""How much of the averaged weights stays at each step, once the average has a past."""


def learning_rate(step: int, recipe: SynthesizeRecipe) -> float:
    """One cycle: up by a cosine to ``recipe.learning_rate``, down by one to almost nothing."""
    at = (step + 1) / recipe.steps
    rising = at < RISE
    phase = at / RISE if rising else (at - RISE) / (1 - RISE)
    share = (1 - math.cos(math.pi * phase)) / 2 if rising else (1 + math.cos(math.pi * phase)) / 2
    return recipe.learning_rate * (0.04 + 0.96 * share if rising else 0.001 + 0.999 * share)


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
    """The random part of one step.

    Args:
        sessions: (B,) which sessions.
        shown: (B, 3) which contrasts are shown; at least one of those present.
        gain, offset: (B, 3) change of intensities.
    """

    sessions: NDArray[np.int64]
    shown: NDArray[np.bool_]
    gain: NDArray[np.float32]
    offset: NDArray[np.float32]


def draw(step: int, present: NDArray[np.bool_], recipe: SynthesizeRecipe) -> Draw:
    """Draw one step: every session comes once before any comes twice.

    Args:
        step: from 0.
        present: (N, 3) which contrasts each training session has.
        recipe: batch, dropout, seed.
    """
    n = len(present)
    positions = [divmod(step * recipe.batch + b, n) for b in range(recipe.batch)]
    orders = {
        epoch: generator("synthesize-order", recipe.seed, epoch).permutation(n)
        for epoch, _ in positions
    }
    sessions = np.array([orders[epoch][place] for epoch, place in positions])
    random = generator("synthesize-step", recipe.seed, step)
    shown = np.stack([_hide(present[s], recipe.dropout_modality, random) for s in sessions])
    gain = 1 + JITTER * random.standard_normal(shown.shape)
    offset = JITTER * random.standard_normal(shown.shape)
    return Draw(sessions, shown, gain.astype(np.float32), offset.astype(np.float32))


def _hide(
    present: NDArray[np.bool_], chance: float, random: np.random.Generator
) -> NDArray[np.bool_]:
    """Hide each contrast by chance; when all would be hidden, one that is present stays."""
    shown: NDArray[np.bool_] = present & (random.random(present.size) >= chance)
    last = random.choice(np.flatnonzero(present))
    if not shown.any():
        shown[last] = True
    return shown
