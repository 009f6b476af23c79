"""What partial-volume correction does not do, and says so."""

from dataclasses import replace

import numpy as np
import pytest
from quantify_phantom import KEY, T1, TO_PET, correct, native, prepared

from tracerless import quantify
from tracerless.core.atlas import Atlas
from tracerless.core.errors import ContrastError, GeometryError, QuantityError, RecipeError
from tracerless.core.recipe import PrepareRecipe, QuantifyRecipe
from tracerless.core.session import Native, NativeSeries, Prepared
from tracerless.core.transform import Affine
from tracerless.core.volume import Contrast, Quantity, with_array
from tracerless.quantify.pvc_atoms import atoms


def test_nothing_is_corrected_unless_asked(
    fdg: NativeSeries, session: Prepared, atlas: Atlas
) -> None:
    recipes = {"prepare_recipe": PrepareRecipe(), "quantify_recipe": QuantifyRecipe()}
    assert quantify.corrected(native(fdg), session, atlas, **recipes) == {}


def test_session_without_emission_has_nothing_to_correct(session: Prepared, atlas: Atlas) -> None:
    volume = session.volumes[Contrast.FDG]
    t1 = replace(volume, contrast=Contrast.T1W, quantity=Quantity.T1W)
    only = replace(session, volumes={Contrast.T1W: t1}, alignments={}, scales={})
    recipes = {"prepare_recipe": PrepareRecipe(), "quantify_recipe": QuantifyRecipe(pvc="gtm")}
    assert quantify.corrected(Native(KEY, ()), only, atlas, **recipes) == {}


@pytest.mark.parametrize("sidecar", [{}, {"PointSpreadFWHM": None}])
def test_undeclared_resolution_is_refused_by_name(
    fdg: NativeSeries, session: Prepared, atlas: Atlas, sidecar: dict[str, object]
) -> None:
    with pytest.raises(QuantityError, match="undeclared") as caught:
        correct(replace(fdg, sidecar=sidecar), session, atlas, "gtm")
    assert "site.toml" in caught.value.hint


@pytest.mark.parametrize("value", [0, -4.0, 25.0, "6", True, float("nan"), [6, 6, 6]])
def test_resolution_that_no_scanner_has_is_refused(
    fdg: NativeSeries, session: Prepared, atlas: Atlas, value: object
) -> None:
    bad = replace(fdg, sidecar={"PointSpreadFWHM": value})
    with pytest.raises(QuantityError, match="is not a number of 0-20 mm"):
        correct(bad, session, atlas, "gtm")


def test_resolution_finer_than_the_tissue_maps_is_refused(
    fdg: NativeSeries, session: Prepared, atlas: Atlas
) -> None:
    fine = replace(fdg, sidecar={"PointSpreadFWHM": 1.5})
    with pytest.raises(QuantityError, match="finer than the tissue maps"):
        correct(fine, session, atlas, "gtm")


def test_emission_without_a_t1_is_refused(fdg: NativeSeries, atlas: Atlas) -> None:
    with pytest.raises(ContrastError, match="needs a T1"):
        correct(fdg, prepared(None, atlas), atlas, "gtm")


def test_reference_that_the_atlas_lacks_is_refused(
    fdg: NativeSeries, session: Prepared, atlas: Atlas
) -> None:
    with pytest.raises(RecipeError, match="Did you mean 'pons'"):
        correct(fdg, session, atlas, "gtm", reference="ponds")


def test_empty_volume_is_refused_and_not_divided(
    fdg: NativeSeries, session: Prepared, atlas: Atlas
) -> None:
    volume = with_array(fdg.volumes[0], np.zeros(fdg.grid.shape, np.float32))
    with pytest.raises(QuantityError, match="not positive"):
        correct(replace(fdg, volumes=(volume,)), session, atlas, "gtm")


def test_series_and_session_must_be_of_one_visit(session: Prepared, atlas: Atlas) -> None:
    recipes = {"prepare_recipe": PrepareRecipe(), "quantify_recipe": QuantifyRecipe(pvc="gtm")}
    with pytest.raises(ContrastError, match="no FDG series"):
        quantify.corrected(Native(KEY, ()), session, atlas, **recipes)


def test_tissues_of_another_space_are_refused(session: Prepared, atlas: Atlas) -> None:
    assert session.anatomy is not None
    stranger = replace(session.anatomy, space="sub-P02_ses-1 T1w")
    with pytest.raises(GeometryError, match="the map starts in"):
        atoms(atlas, stranger, session.to_template)


def test_phantom_is_not_aligned_by_chance(session: Prepared) -> None:
    assert session.alignments[Contrast.FDG].source == T1
    assert not np.allclose(TO_PET, np.eye(4), atol=0.01)
    assert isinstance(session.to_template, Affine)
