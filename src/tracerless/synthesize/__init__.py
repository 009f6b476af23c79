"""Synthetic FDG-PET from MR: train, keep, predict."""

from tracerless.synthesize.checkpoint import Checkpoint
from tracerless.synthesize.fit import fit
from tracerless.synthesize.predict import mean_predictor, synthesizer

__all__ = ["Checkpoint", "fit", "mean_predictor", "synthesizer"]
