"""Settings explain themselves, refuse nonsense, and are exact in TOML."""

import ast
import dataclasses
import inspect
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracerless.core.errors import RecipeError
from tracerless.core.recipe import PrepareRecipe, Recipe, SynthesizeRecipe, fingerprint
from tracerless.core.volume import Contrast

prepare_recipes = st.builds(
    PrepareRecipe,
    voxel_mm=st.floats(1.0, 6.0),
    registration=st.sampled_from(["fast", "standard"]),
    pet_fwhm_mm=st.just(0.0) | st.floats(6.0, 12.0),
    seed=st.integers(0, 10_000),
)


@given(prepare_recipes)
def test_a_recipe_reads_back_from_its_toml(prepare: PrepareRecipe) -> None:
    recipe = Recipe(prepare=prepare)
    assert Recipe.from_toml(recipe.to_toml()) == recipe


def test_what_a_toml_leaves_out_keeps_its_default() -> None:
    assert Recipe.from_toml("[synthesize]\nsteps = 7").synthesize == SynthesizeRecipe(steps=7)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[prepare]\nvoxel_mm = 0.2", "voxel_mm=0.2 is outside"),
        ("[prepare]\nvoxel_mm = 4\npet_fwhm_mm = 3.0", "finer than voxel_mm=4.0"),
        ("[prepare]\nregistration = 'fats'", "Did you mean 'fast'?"),
        ("[prepare]\nvoxel = 2", "Did you mean 'voxel_mm'?"),
        ("[prepair]", "Did you mean 'prepare'?"),
        ("[prepare]\nseed = 'one'", "should be of type int"),
        ("[prepare", "not valid TOML"),
        ("[synthesize]\nbatch = 0", "batch=0 is outside"),
    ],
)
def test_a_contradiction_is_refused_in_the_users_words(text: str, said: str) -> None:
    with pytest.raises(RecipeError, match=said.replace("?", r"\?")):
        Recipe.from_toml(text)


def test_every_setting_has_a_docstring() -> None:
    for kind in (PrepareRecipe, SynthesizeRecipe):
        body = ast.parse(inspect.getsource(kind)).body[0].body
        told = {
            field.target.id
            for field, after in pairwise(body)
            if isinstance(field, ast.AnnAssign) and isinstance(after, ast.Expr)
        }
        assert {f.name for f in dataclasses.fields(kind)} == told


def test_the_fingerprint_changes_with_a_setting_and_only_with_it() -> None:
    assert fingerprint(PrepareRecipe()) == fingerprint(PrepareRecipe())
    assert fingerprint(PrepareRecipe()) != fingerprint(PrepareRecipe(seed=2))
    assert fingerprint({"b": 1, "a": 2}) == fingerprint({"a": 2, "b": 1})


def test_spect_and_fdg_have_their_own_reference() -> None:
    recipe = PrepareRecipe()
    assert recipe.reference(Contrast.FDG) == recipe.reference(Contrast.SYNTHETIC_FDG) == "pons"
    assert recipe.reference(Contrast.HMPAO) == "cerebellum"
