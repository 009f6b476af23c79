"""A model that was trained elsewhere, tuned to a site's own pairs."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tracerless.core.errors import ModelError, RecipeError, RecipeMismatchError
from tracerless.core.people import person_digest
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.networks import is_solved
from tracerless.synthesize.calibration import Calibration
from tracerless.synthesize.checkpoint import Checkpoint
from tracerless.synthesize.expected import Expected
from tracerless.synthesize.material import MIN_PAIRS, Material
from tracerless.synthesize.space import Space

FEW = 20
"""Fewer people move the expected map and the calibration, not the weights."""
TRUST_IN_BASE = 10
"""The base counts as much as so many people of the site."""
LOWER_RATE = 0.2
"""Of the recipe's learning rate, where weights that know something already go on."""
_log = logging.getLogger(__name__)
_OF_THE_BASE = ("network", "objective", "covariates", "members", "voxel_mm", "flow_steps")


def based(
    recipe: SynthesizeRecipe, base: Checkpoint | None, asked: Collection[str] = ()
) -> SynthesizeRecipe:
    """The recipe on the grid of the base, if there is one.

    Args:
        recipe: how to train.
        base: the model to tune.
        asked: settings that the user named.

    Raises:
        RecipeError: the user asked for what the base fixes otherwise.
    """
    if base is None:
        return recipe
    for name in _OF_THE_BASE:
        wanted, has = getattr(recipe, name), getattr(base.recipe, name)
        if name in asked and wanted != has:
            raise RecipeError(
                f"{base.name} fixes synthesize.{name}={has!r}, and {wanted!r} was asked for.",
                hint="Leave it out to tune that model, or train from the start without a base.",
            )
    return replace(recipe, voxel_mm=base.recipe.voxel_mm)


def tuned(recipe: SynthesizeRecipe, base: Checkpoint) -> SynthesizeRecipe:
    """The recipe of the tuning: what the model is comes from the base, how it learns from here."""
    own = {name: getattr(base.recipe, name) for name in _OF_THE_BASE}
    return replace(recipe, **own, learning_rate=max(LOWER_RATE * recipe.learning_rate, 1e-6))


def require_base(base: Checkpoint, where: Space) -> None:
    """Refuse to tune a model on another ground than its own.

    Raises:
        RecipeMismatchError: template, grid, atlas or reference region differ.
    """
    pairs = (
        ("template", base.template, where.template),
        ("grid", base.grid.shape, where.grid.shape),
        ("atlas", base.atlas, where.atlas),
        ("reference region", base.reference, where.reference_name),
    )
    for what, has, wanted in pairs:
        if has != wanted:
            raise RecipeMismatchError(
                f"The model to start from has {what} {has}, this training {wanted}.",
                hint="Prepare the sessions as the model was trained, or train from the start.",
            )


def unseen(material: Material, base: Checkpoint) -> Material:
    """The sessions of people that the base never saw: those it saw would judge it too well.

    Raises:
        ModelError: fewer than two sessions are left.
    """
    known = set(base.people)
    rows = [i for i, person in enumerate(material.people) if person_digest(person) not in known]
    n_seen = len(material.people) - len(rows)
    if len(rows) < MIN_PAIRS:
        raise ModelError(
            f"{base.name} has seen {n_seen} of these {len(material.people)} sessions' people; "
            f"{len(rows)} are left to tune it with.",
            hint="Tune with people that the model never saw, or train from the start.",
        )
    if n_seen:
        _log.warning("%d sessions are left out: %s has seen their people.", n_seen, base.name)
    return material.take(rows) if n_seen else material


def keeps_weights(base: Checkpoint, n_people: int) -> bool:
    """Whether tuning leaves the weights as they are: few people, or weights that were solved."""
    return n_people < FEW or is_solved(base.recipe.network)


def kept_weights(made: Checkpoint) -> bool:
    """Whether the networks of a tuned model are still those of its base, whose network it has."""
    return bool(made.base) and keeps_weights(made, made.n_trained + made.n_held_out)


def shifted(base: Expected, material: Material, rows: NDArray[np.int64]) -> Expected:
    """The base's expected map, moved toward what the site's people show.

    By how much follows from the data: a mean difference that is large beside the spread between
    people is a difference of the site, one that is not may be chance.

    Source:
        James, Stein 1961, Proc 4th Berkeley Symp 1:361 (shrinking by the variance found); here one
        share for all voxels.
    """
    shape = base.mean.shape
    total, squares, count = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for row in rows.tolist():
        gone = material.suvr[row].astype(np.float64) - base.of(material.facts[row])
        known = np.isfinite(gone)
        total[known] += gone[known]
        squares[known] += gone[known] ** 2
        count += known
    shift = total / np.maximum(count, 1)
    share = _share(shift, squares, count)
    mean = (base.mean + share * shift).astype(np.float16).astype(np.float32)
    return replace(base, mean=mean)


def _share(
    shift: NDArray[np.float64], squares: NDArray[np.float64], count: NDArray[np.float64]
) -> float:
    """How much of the mean difference belongs to the site, 0-1."""
    seen = count >= 2
    if not seen.any():
        n_most = float(count.max(initial=0))
        return n_most / (n_most + TRUST_IN_BASE)
    n, mean = count[seen], shift[seen]
    between = (squares[seen] - n * mean**2) / (n - 1)
    chance = float((between / n).mean())
    real = max(float((mean**2).mean()) - chance, 0.0)
    return real / (real + chance) if real > 0 else 0.0


def blended(
    base: Mapping[str, Calibration], site: Mapping[str, Calibration]
) -> dict[str, Calibration]:
    """The site's calibrations, held toward the base's while few people made them."""
    return {key: _blend(base.get(key), each) for key, each in site.items()}


def _blend(base: Calibration | None, site: Calibration) -> Calibration:
    if base is None or site.skill is None:
        return base or site
    weight = site.n / (site.n + TRUST_IN_BASE)
    n_regions = max(len(base.slopes), len(site.slopes), 1)
    old, new = (np.array(each.applied(np.ones(n_regions))) for each in (base, site))
    slopes = tuple(float(s) for s in weight * new + (1 - weight) * old)
    return replace(
        site,
        slope=weight * site.slope + (1 - weight) * base.slope,
        slopes=slopes if n_regions > 1 else (),
        works=site.works or (base.works and site.skill > 0),
    )
