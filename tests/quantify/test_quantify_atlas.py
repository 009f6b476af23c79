"""The standard brain and the presets as they come out of the packages that hold them."""

import csv
import importlib.metadata

import numpy as np
import pytest

from tracerless.core.errors import RecipeError
from tracerless.core.grid import with_spacing
from tracerless.io import resources

PRESETS = {"fdg20": 20, "fdg36": 36, "fdg52": 52}

VOLUMES_ML = {
    "superior_frontal_left": 23.7,
    "superior_frontal_right": 23.8,
    "dorsolateral_parietal_left": 36.8,
    "precuneus_right": 10.3,
    "posterior_cingulate_left": 5.2,
    "hippocampus_right": 5.8,
    "caudate_left": 5.2,
    "sensorimotor": 26.1,
    "amygdala": 3.9,
    "pallidum": 5.0,
    "brainstem": 12.1,
}
"""Measured independently when the atlas was chosen, ml at 2 mm."""


def volumes_ml(voxel_mm: float) -> dict[str, float]:
    atlas = resources.atlas("fdg36", voxel_mm)
    counts = np.bincount(atlas.labels.ravel())
    return {r.key: counts[r.index] * atlas.grid.voxel_ml for r in atlas.regions}


def test_template_at_two_millimeters_is_the_known_lattice() -> None:
    grid = resources.template(2.0).grid
    assert grid.shape == (99, 117, 95)
    assert grid.affine[:3, 3].tolist() == [-98, -134, -72]
    assert grid.axcodes == "RAS"


def test_coarser_grids_span_the_same_field_of_view() -> None:
    for voxel_mm in (2.5, 3.0, 4.0):
        assert resources.template_grid(voxel_mm) == with_spacing(
            resources.template_grid(2.0), voxel_mm
        )


@pytest.mark.parametrize("voxel_mm", [2.0, 4.0])
def test_template_holds_probabilities_and_a_brain_of_known_size(voxel_mm: float) -> None:
    template = resources.template(voxel_mm)
    for tissue in (template.grey, template.white):
        assert tissue.array.min() >= 0
        assert 0.9 < tissue.array.max() <= 1.0
    assert (template.grey.array + template.white.array).max() <= 1.001
    assert set(np.unique(template.brain.array)) == {0.0, 1.0}
    assert template.brain.array.sum() * template.grid.voxel_ml == pytest.approx(1886, rel=0.01)


def test_template_is_mirror_symmetric() -> None:
    array = resources.template(2.0).white.array
    assert np.abs(array - array[::-1]).mean() < 0.005


def test_downsampling_does_not_alias() -> None:
    fine, coarse = resources.template(2.0), resources.template(4.0)
    ratio = (
        coarse.grey.array.sum()
        * coarse.grid.voxel_ml
        / (fine.grey.array.sum() * fine.grid.voxel_ml)
    )
    assert ratio == pytest.approx(1.0, abs=0.005)


def test_fdg36_has_the_volumes_that_were_measured_when_it_was_chosen() -> None:
    measured = volumes_ml(2.0)
    assert len(measured) == 36
    for key, expected in VOLUMES_ML.items():
        assert measured[key] == pytest.approx(expected, abs=0.06)


def test_coarse_atlas_keeps_its_volumes() -> None:
    fine, coarse = volumes_ml(2.0), volumes_ml(4.0)
    ratios = np.array([coarse[key] / fine[key] for key in fine])
    assert np.median(ratios) == pytest.approx(1.0, abs=0.06)
    assert ratios.min() > 0.7
    assert ratios.max() < 1.3


@pytest.mark.parametrize(("key", "voxel_mm"), [("fdg36", 2.0), ("fdg36", 4.0), ("fdg52", 2.0)])
def test_left_is_left_and_right_is_right(key: str, voxel_mm: float) -> None:
    atlas = resources.atlas(key, voxel_mm)
    for region in atlas.regions:
        i = np.argwhere(atlas.labels == region.index)[:, 0]
        x_mm = atlas.grid.affine[0, 0] * i + atlas.grid.affine[0, 3]
        side = {"L": -1, "R": 1, "B": 0}[region.hemisphere]
        if side:
            assert (side * x_mm > -3 * voxel_mm).all(), region.key
            assert side * x_mm.mean() > 3, region.key
        else:
            assert abs(x_mm.mean()) < 1.25 * voxel_mm, region.key


def test_pons_lies_where_the_pons_is_and_keeps_off_the_rim() -> None:
    atlas = resources.atlas("fdg36", 2.0)
    pons = atlas.reference("pons")
    z_mm = np.argwhere(pons)[:, 2] * 2.0 - 72.0
    assert z_mm.min() >= -46
    assert z_mm.max() <= -22
    assert pons.sum() * 0.008 == pytest.approx(10.4, abs=1.0)
    brainstem = next(r.index for r in atlas.regions if r.key == "brainstem")
    assert not (pons & (atlas.labels == brainstem)).any()


def test_references_are_nested_as_their_names_say() -> None:
    atlas = resources.atlas("fdg36", 2.0)
    brain = atlas.reference("whole_brain")
    for name in ("pons", "cerebellum", "whole_cortex"):
        assert (brain | ~atlas.reference(name)).all()
    assert 1200 < brain.sum() * 0.008 < 1600
    assert not (atlas.labels[atlas.reference("cerebellum")] > 0).any()


@pytest.mark.parametrize("key", PRESETS)
def test_every_region_is_named_in_both_languages(key: str) -> None:
    for region in resources.atlas(key, 2.0).regions:
        assert region.name_en.isascii()
        assert not region.name_zh.isascii()
        side = {"L": ("left", "左"), "R": ("right", "右"), "B": ("", "")}[region.hemisphere]
        assert region.name_en.startswith(side[0])
        assert region.name_zh.startswith(side[1])


def test_fingerprint_does_not_depend_on_the_grid() -> None:
    assert resources.atlas("fdg36", 2.0).fingerprint == resources.atlas("fdg36", 4.0).fingerprint


def test_loading_twice_gives_the_one_value() -> None:
    assert resources.template(2.0) is resources.template(2.0)
    assert resources.atlas("fdg36", 2.0) is resources.atlas("fdg36", 2.0)


def test_unknown_atlas_gets_a_suggestion() -> None:
    with pytest.raises(RecipeError, match="Did you mean 'fdg36'"):
        resources.atlas("fdg63", 2.0)


def test_voxel_edge_out_of_range_is_refused() -> None:
    with pytest.raises(RecipeError, match="outside 1-6 mm"):
        resources.template(0.5)


def test_source_labels_lie_along_r_a_s_and_hold_both_hemispheres() -> None:
    labels = resources.label_volume()
    assert labels.grid.axcodes == "RAS"
    codes = set(np.unique(labels.array).astype(int))
    assert {16, 8, 47, 1028, 2028} <= codes
    i = np.argwhere(labels.array == 1028)[:, 0].mean() * 1.0 + labels.grid.affine[0, 3]
    assert i < -3


@pytest.mark.parametrize(("key", "n"), PRESETS.items())
def test_preset_has_the_regions_that_its_name_counts(key: str, n: int) -> None:
    assert len(resources.atlas(key, 2.0).regions) == n


def test_fdg52_is_the_list_of_fdg_neurosegmenter_column_by_column() -> None:
    files = importlib.metadata.distribution("fdg-neurosegmenter").files or []
    found = next(each for each in files if each.name == "CN_quantification.csv")
    with found.locate().open(encoding="utf-8") as stream:
        columns = next(csv.reader(stream))
    assert resources.atlas("fdg52", 2.0).keys == tuple(columns)


def test_fdg20_joins_the_sides_of_fdg36() -> None:
    one, both = resources.atlas("fdg36", 2.0), resources.atlas("fdg20", 2.0)
    for region in both.regions:
        parts = [r.index for r in one.regions if r.key.rpartition("_")[0] == region.key]
        parts += [r.index for r in one.regions if r.key == region.key]
        assert (np.isin(one.labels, parts) == (both.labels == region.index)).all(), region.key


def test_fdg36_is_nested_in_fdg52() -> None:
    coarse, fine = resources.atlas("fdg36", 2.0), resources.atlas("fdg52", 2.0)
    cerebellum = {r.index for r in fine.regions if r.key.startswith("cerebellar")}
    left_out = {r.index for r in fine.regions if r.key.startswith(("ventral_dience", "pons"))}
    for region in fine.regions:
        hit = set(np.unique(coarse.labels[fine.labels == region.index]).tolist())
        expected = 0 if region.index in cerebellum | left_out else 1
        assert len(hit - {0}) == expected, region.key
        assert (0 in hit) == (expected == 0), region.key


def test_pons_and_the_rest_of_the_brain_stem_part_one_label() -> None:
    atlas = resources.atlas("fdg52", 2.0)
    index = {region.key: region.index for region in atlas.regions}
    pons = atlas.labels == index["pons"]
    assert pons.sum() * 0.008 == pytest.approx(17.0, abs=0.5)
    assert (pons | ~atlas.reference("pons")).all(), "the reference is the pons without its rim"
    stem = np.argwhere(atlas.labels == index["brainstem_wo_pons"])[:, 2] * 2.0 - 72.0
    assert not ((stem >= -46) & (stem <= -22)).any()


def test_meta_ad_holds_the_regions_that_lose_uptake_first() -> None:
    atlas = resources.atlas("fdg52", 2.0)
    mask = atlas.composites["meta_AD"]
    index = {region.key: region.index for region in atlas.regions}
    for side in ("left", "right"):
        for name in ("posterior_cingulate_cortex", "isthmus_cingulate_cortex"):
            assert mask[atlas.labels == index[f"{name}_{side}"]].all()
        for name in ("precuneus", "hippocampus", "superior_frontal_gyrus", "postcentral_gyrus"):
            assert not mask[atlas.labels == index[f"{name}_{side}"]].any()
        lateral = mask[atlas.labels == index[f"lateral_temporal_cortex_{side}"]].mean()
        assert 0.3 < lateral < 0.8, "inferior and middle gyrus, without the superior"
    assert mask.sum() * 0.008 == pytest.approx(89, abs=2)
    assert mask[:50].sum() == pytest.approx(mask[50:].sum(), rel=0.15)


def test_composites_and_references_are_one_in_all_presets() -> None:
    first = resources.atlas("fdg36", 2.0)
    for key in PRESETS:
        other = resources.atlas(key, 2.0)
        assert set(other.references) == {"pons", "cerebellum", "whole_cortex", "whole_brain"}
        for name, mask in {**first.references, **first.composites}.items():
            assert (mask == {**other.references, **other.composites}[name]).all()


def test_parcels_are_what_regions_are_unions_of() -> None:
    atlas = resources.atlas("fdg36", 2.0)
    assert (atlas.parcels[atlas.labels > 0] > 0).all()
    for parcel in np.unique(atlas.parcels[atlas.parcels > 0]):
        hit = set(np.unique(atlas.labels[atlas.parcels == parcel]).tolist())
        assert len(hit) == 1 or parcel == 16, parcel
    assert atlas.deep <= set(np.unique(atlas.parcels).tolist())
