"""Synthetic FDG-PET from MR: train, keep, predict."""

from tracerless.synthesize.checkpoint import Checkpoint
from tracerless.synthesize.fit import fit, learn
from tracerless.synthesize.predict import covariate_predictor, mean_predictor, synthesizer

__all__ = ["Checkpoint", "covariate_predictor", "fit", "learn", "mean_predictor", "synthesizer"]
