"""Diagnosis from regions and scores: models that are judged out of fold, and know their reach."""

from tracerless.diagnose.decide import decide, probabilities
from tracerless.diagnose.fit import fit
from tracerless.diagnose.nested import OutOfFold, nested
from tracerless.diagnose.settings import Settings

__all__ = ["OutOfFold", "Settings", "decide", "fit", "nested", "probabilities"]
