"""Scores against the normal: ``norm`` fits, ``transferred`` carries over, ``scores`` applies."""

from tracerless.score.apply import scores
from tracerless.score.fit import Options, norm
from tracerless.score.transfer import transferred

__all__ = ["Options", "norm", "scores", "transferred"]
