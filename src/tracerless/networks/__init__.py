"""Networks: tensors in, tensors out; they know no files, no people and no units."""

from tracerless.networks.presets import PRESETS, Preset
from tracerless.networks.unet import build

__all__ = ["PRESETS", "Preset", "build"]
