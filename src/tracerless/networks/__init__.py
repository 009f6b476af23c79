"""Networks: tensors in, tensors out; they know no files, no people and no units."""

from tracerless.networks.build import build, is_solved
from tracerless.networks.critic import critic
from tracerless.networks.presets import PRESETS, LinearPreset, Preset

__all__ = ["PRESETS", "LinearPreset", "Preset", "build", "critic", "is_solved"]
