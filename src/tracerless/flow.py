"""Every value of a session, and what makes it.

A step is a function whose name is the value it makes and whose parameters are the values it needs.
``resolve`` walks them: a value that the shelf holds under the same digest is read, any other is
made and kept. The digest of a value is that of its name and of everything it was made from, so a
changed setting, scan or model makes anew exactly what depends on it, and nothing else.
"""

from collections.abc import Callable, Mapping
from inspect import signature
from typing import Any, Protocol

from tracerless import prepare, quantify
from tracerless.core.atlas import Atlas, RoiTable
from tracerless.core.prediction import Prediction
from tracerless.core.recipe import PrepareRecipe, QuantifyRecipe, fingerprint
from tracerless.core.session import Native, Prepared, Template
from tracerless.core.transform import resample
from tracerless.core.volume import Contrast, Volume
from tracerless.deidentify import suv
from tracerless.io.site import Site
from tracerless.workspace.clean import CleanSession
from tracerless.workspace.convert import converted

Steps = Mapping[str, Callable[..., Any]]

Uptake = Mapping[Contrast, RoiTable]
"""Region tables of one session, by contrast."""


class Predictor(Protocol):
    """Whatever turns a prepared session into synthetic FDG."""

    def predict(self, prepared: Prepared) -> Prediction:
        """Synthetic FDG of one session."""
        ...


class Shelf(Protocol):
    """Where values of one session are kept."""

    def load(self, name: str, digest: str) -> Any:
        """The value kept under that name and digest, or None."""
        ...

    def save(self, name: str, value: Any, digest: str) -> None:
        """Keep a value under its name and digest."""
        ...


def native(clean: CleanSession, site: Site) -> Native:
    """Converted series, in the scanner's space, with what headers and site file state of them."""
    return converted(clean, site, suv=suv.present)


def prepared(
    native: Native, template: Template, atlas: Atlas, prepare_recipe: PrepareRecipe
) -> Prepared:
    """Everything in template space, with maps both ways and a verdict."""
    return prepare.session(native, template=template, atlas=atlas, recipe=prepare_recipe)


def uptake(prepared: Prepared, atlas: Atlas, prepare_recipe: PrepareRecipe) -> Uptake:
    """Region tables of every measured contrast."""
    return quantify.session(prepared, atlas, prepare_recipe)


def corrected(
    native: Native,
    prepared: Prepared,
    atlas: Atlas,
    prepare_recipe: PrepareRecipe,
    quantify_recipe: QuantifyRecipe,
) -> Uptake:
    """Region tables of emission corrected for partial volume, where the settings ask for it."""
    return quantify.corrected(
        native,
        prepared,
        atlas,
        prepare_recipe=prepare_recipe,
        quantify_recipe=quantify_recipe,
    )


def synthetic(prepared: Prepared, predictor: Predictor) -> Prediction:
    """Synthetic FDG in template space."""
    return predictor.predict(prepared)


def synthetic_native(synthetic: Prediction, prepared: Prepared) -> Volume:
    """Synthetic FDG on the person's own T1 grid."""
    return resample(synthetic.volume, prepared.native_grid, prepared.to_template)


def synthetic_uptake(synthetic: Prediction, atlas: Atlas) -> RoiTable:
    """Region table of the synthetic FDG, measured by the same function as acquired PET."""
    return quantify.table(
        synthetic.volume, atlas, reference=synthetic.reference, fingerprint=synthetic.fingerprint
    )


def mean_uptake(prepared: Prepared, mean_predictor: Predictor, atlas: Atlas) -> RoiTable:
    """Region table of the training mean, the forecast that knows nothing of the person."""
    return synthetic_uptake(mean_predictor.predict(prepared), atlas)


STEPS: Steps = {
    step.__name__: step
    for step in (
        native,
        prepared,
        uptake,
        corrected,
        synthetic,
        synthetic_native,
        synthetic_uptake,
        mean_uptake,
    )
}
"""Every step by the name of its value."""


def digest(want: str, roots: Mapping[str, str], steps: Steps = STEPS) -> str:
    """The digest that ``want`` must carry, from the digests of the roots."""
    if want in roots:
        return roots[want]
    needs = signature(steps[want]).parameters
    return fingerprint(want, *(digest(need, roots, steps) for need in needs))


def resolve(
    want: str,
    have: dict[str, Any],
    roots: Mapping[str, str],
    shelf: Shelf,
    steps: Steps = STEPS,
) -> Any:
    """The value called ``want``: the one we have, else the one kept, else made and kept.

    Args:
        want: name of a step.
        have: values by name: the roots at first; every value made or read is added.
        roots: digests of the roots.
        shelf: where values of this session are kept.
        steps: what makes what.
    """
    if want in have:
        return have[want]
    mark = digest(want, roots, steps)
    value = shelf.load(want, mark)
    if value is None:
        step = steps[want]
        needs = signature(step).parameters
        made = step(*(resolve(need, have, roots, shelf, steps) for need in needs))
        shelf.save(want, made, mark)
        kept = shelf.load(want, mark)  # what a resumed run will see, to the last bit
        value = made if kept is None else kept
    have[want] = value
    return value
