"""How well synthetic PET stands up to the acquired one, against the mean of the training people."""

from tracerless.evaluate.cohort import cohort
from tracerless.evaluate.headlines import headline
from tracerless.evaluate.measures import skill
from tracerless.evaluate.pairs import Pair
from tracerless.evaluate.panel import ALL, UNKNOWN, Panel, ordered

__all__ = ["ALL", "UNKNOWN", "Pair", "Panel", "cohort", "headline", "ordered", "skill"]
