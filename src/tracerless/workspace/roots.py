"""What every session's flow starts from, with the digest of each."""

from dataclasses import dataclass
from typing import Any

from tracerless import __version__
from tracerless.core.people import SessionKey
from tracerless.core.recipe import fingerprint
from tracerless.io import resources, site
from tracerless.workspace.clean import clean_session
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.shelf import SessionShelf


@dataclass(frozen=True, slots=True)
class Roots:
    """Values by name, and their digests; equal digests stand for equal values."""

    values: dict[str, Any]
    digests: dict[str, str]

    def extended(self, name: str, value: Any, digest: str) -> "Roots":
        """These roots and one more."""
        return Roots({**self.values, name: value}, {**self.digests, name: digest})


def dataset_roots(dataset: Dataset) -> Roots:
    """Template, atlas, settings and site file of a dataset.

    Raises:
        RecipeError, QuantityError: its ``site.toml`` states what cannot be.
    """
    recipe = dataset.recipe.prepare
    template = resources.template(recipe.voxel_mm)
    atlas = resources.atlas(recipe.atlas, recipe.voxel_mm, dataset.root)
    stated = site.read(dataset.root / "site.toml")
    return Roots(
        values={
            "template": template,
            "atlas": atlas,
            "prepare_recipe": recipe,
            "quantify_recipe": dataset.recipe.quantify,
            "site": stated,
        },
        digests={
            "template": fingerprint(template.key, recipe.voxel_mm),
            "atlas": atlas.fingerprint,
            "prepare_recipe": fingerprint(recipe),
            "quantify_recipe": fingerprint(dataset.recipe.quantify),
            "site": stated.digest,
        },
    )


def session_roots(roots: Roots, dataset: Dataset, key: SessionKey) -> Roots:
    """The roots of one session: those of its dataset, and what it starts from.

    A session starts from its de-identified series. One that was simulated straight into template
    space has none: it starts from its prepared volumes.
    """
    shelf = SessionShelf(dataset, key)
    kept = shelf.record("prepared")
    if kept is not None and key not in dataset.source_sessions():
        return roots.extended("prepared", shelf.latest("prepared"), str(kept["digest"]))
    clean = clean_session(dataset.root, key)
    return roots.extended("clean", clean, fingerprint(__version__, clean.digest))
