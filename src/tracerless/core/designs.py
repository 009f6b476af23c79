"""The zoo: every design of a synthesizer as settings, by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from tracerless.core.errors import RecipeError, did_you_mean
from tracerless.core.recipe import SynthesizeRecipe

Setting = str | int | float


@dataclass(frozen=True, slots=True)
class Design:
    """A network, what it learns, and from whom.

    Args:
        meaning: one line, English.
        settings: fields of the recipe that make it this design; the rest stays the user's.
    """

    meaning: str
    settings: Mapping[str, Setting] = field(default_factory=dict)


DESIGNS: Mapping[str, Design] = MappingProxyType(
    {
        "mean": Design(
            "the mean of the training people, whoever is asked about", {"network": "none"}
        ),
        "age-sex": Design(
            "what age and sex say of the mean; no MR", {"network": "none", "covariates": "age-sex"}
        ),
        "ridge": Design("linear map from coarse MR, solved", {"network": "ridge"}),
        "ced": Design("convolutional encoder-decoder without skips", {"network": "ced-small"}),
        "unet": Design("light U-Net", {"network": "unet-small"}),
        "unet-full": Design(
            "U-Net at full resolution, as nnU-Net plans it", {"network": "unet-full"}
        ),
        "attention": Design("U-Net with attention gates", {"network": "attention-small"}),
        "ensemble": Design("five light U-Nets", {"network": "unet-small", "members": 5}),
        "quantile": Design(
            "light U-Net that bounds itself", {"network": "unet-small", "objective": "quantile"}
        ),
        "gan": Design(
            "light U-Net against a conditional patch critic (pix2pix in 3D)",
            {"network": "unet-small", "objective": "adversarial"},
        ),
        "flow": Design(
            "posterior mean of a light U-Net, texture by a rectified flow from it",
            {"network": "unet-small", "objective": "flow"},
        ),
        "twin": Design(
            "healthy twin: what a person would show if well", {"network": "ridge", "people": "CN"}
        ),
    }
)
"""A new design is a row here."""


def designed(recipe: SynthesizeRecipe, design: str) -> SynthesizeRecipe:
    """The recipe with the settings of a design.

    Raises:
        RecipeError: no design of that name.
    """
    if design not in DESIGNS:
        raise RecipeError(f"No design {design!r}.", hint=did_you_mean(design, DESIGNS))
    changed: SynthesizeRecipe = replace(recipe, **DESIGNS[design].settings)  # type: ignore[arg-type]
    return changed
