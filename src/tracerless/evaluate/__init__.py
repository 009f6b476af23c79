"""How well synthetic PET stands up to the acquired one, against the mean of the training people."""

from tracerless.evaluate.cohort import cohort
from tracerless.evaluate.measures import skill
from tracerless.evaluate.pairs import Pair

__all__ = ["Pair", "cohort", "skill"]
