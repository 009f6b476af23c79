"""Named seeds: every random draw says what it is for, and can be drawn again."""

import hashlib

import numpy as np

HOLDOUT_PREFIX = "holdout-"
"""Seed names with this prefix are never used while tuning anything."""


def seed_number(*names: str | int) -> int:
    """A seed in 0 … 2**63-1 from the names of what it is for; equal names, equal seed."""
    text = "\x1f".join(str(name) for name in names)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(*names: str | int) -> np.random.Generator:
    """A fresh random generator for the thing so named."""
    return np.random.default_rng(seed_number(*names))
