"""Diagnosis from regions and scores: models that are judged out of fold, and know their reach."""
