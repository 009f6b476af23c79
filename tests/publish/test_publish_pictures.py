"""Pictures: left is left, the label is in the pixels, and no face is drawn."""

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from tracerless.core.errors import GeometryError, QuantityError, RecipeError, RecipeMismatchError
from tracerless.core.grid import Grid
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.publish import picture, session_panels
from tracerless.publish.colors import BACKGROUND, TABLES, colored, table
from tracerless.publish.panel import Panel, registration_panel
from tracerless.publish.picture import BAR_PX, LABEL_PX, TITLE_PX, WARNING, render
from tracerless.publish.slices import Plane, Slice, axial_slices, brain_only, cut, default_slices


def box(axcodes="RAS", contrast=Contrast.T1W):
    """2 mm voxels; a bright blob in the person's right, anterior, superior corner."""
    array = np.zeros((20, 24, 16), np.float32)
    array[15:18, 18:21, 11:14] = 1.0
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = (-19, -23, -15)
    volume = Volume(array, Grid(array.shape, affine), Quantity.T1W, contrast)
    return turned(volume, axcodes)


def turned(volume, axcodes):
    """The same brain, stored with other axes."""
    array, affine = volume.array, volume.grid.affine.copy()
    for axis, code in enumerate(axcodes):
        if code in "LPI":
            array = np.flip(array, axis)
            affine[:3, 3] += affine[:3, axis] * (array.shape[axis] - 1)
            affine[:3, axis] *= -1
    array, affine = array.transpose(2, 0, 1), affine[:, [2, 0, 1, 3]]
    return Volume(array, Grid(array.shape, affine), volume.quantity, volume.contrast)


def whole(volume):
    return Volume(np.ones(volume.grid.shape), volume.grid, Quantity.LABEL, Contrast.T1W)


@pytest.mark.parametrize("axcodes", ["RAS", "LAS", "LPI", "RPS"])
def test_right_anterior_superior_blob_is_drawn_where_radiologists_look_for_it(axcodes):
    stored = box(axcodes)
    (shown,) = brain_only([stored], whole(stored))
    where = {
        plane: cut(shown, Slice(plane, at))
        for plane, at in ((Plane.AXIAL, 9.0), (Plane.CORONAL, 15.0), (Plane.SAGITTAL, 13.0))
    }
    centers = {plane: np.argwhere(view > 0.5).mean(axis=0) for plane, view in where.items()}
    shapes = {plane: np.array(view.shape) / 2 for plane, view in where.items()}
    for plane in Plane:
        row, column = centers[plane] < shapes[plane]
        assert row, f"{plane}: anterior or superior is not on top"
        assert column, f"{plane}: right (or anterior) is not on the left"
        assert plane.letters[0] == ("A" if plane == Plane.SAGITTAL else "R")


def test_label_strip_and_tiles_differ_from_the_same_numbers_called_acquired(
    template, prediction, prepared
):
    slices = default_slices(template.brain)
    (synthetic,) = [p for p in session_panels(prepared, template, prediction) if p.is_synthetic][:1]
    same = synthetic.volume
    called_acquired = Volume(same.array, same.grid, same.quantity, Contrast.FDG)
    acquired = Panel("x", synthetic.title, called_acquired, 0.0, synthetic.high, "uptake", "SUVR")
    marked, plain = render([synthetic], slices), render([acquired], slices)
    strip = slice(TITLE_PX, TITLE_PX + LABEL_PX)
    assert (marked[strip] == np.array(WARNING)).all(axis=-1).mean() > 0.5
    assert (marked[strip] != np.array(WARNING)).any(axis=-1).sum() > 200  # the letters
    assert (plain[strip] == np.array(BACKGROUND)).all()
    for where in slices:
        marked, plain = render([synthetic], [where]), render([acquired], [where])
        apart = (marked != plain).any(axis=-1)[TITLE_PX + LABEL_PX :]
        assert 50 < apart.sum() < 0.1 * apart.size  # a word; the rest shows the same numbers


def test_difference_is_marked_synthetic_and_acquired_is_not(prepared, template, prediction):
    marked = {p.key: p.is_synthetic for p in session_panels(prepared, template, prediction)}
    assert marked == {
        "T1w": False,
        "T2w": False,
        "cbf": False,
        "synthFDG": True,
        "FDG": False,
        "difference": True,
    }


def test_synthetic_and_acquired_share_one_window_and_equal_suvr_has_equal_color(
    prepared, template, prediction
):
    panels = {p.key: p for p in session_panels(prepared, template, prediction)}
    a, b = panels["synthFDG"], panels["FDG"]
    assert (a.low, a.high, a.colors) == (b.low, b.high, b.colors)
    assert panels["difference"].low == -panels["difference"].high


def test_planted_lesion_is_the_brightest_place_of_the_difference(
    prepared, template, prediction, atlas
):
    panels = {p.key: p for p in session_panels(prepared, template, prediction)}
    apart = panels["difference"].volume
    peak = np.array(np.unravel_index(np.nanargmax(apart.array), apart.grid.shape))
    mm = apart.grid.affine[:3, :3] @ peak + apart.grid.affine[:3, 3]
    index = np.linalg.inv(atlas.grid.affine) @ [*mm, 1]
    label = atlas.labels[tuple(np.round(index[:3]).astype(int))]
    assert atlas.regions[[r.index for r in atlas.regions].index(label)].key == "precuneus_left"


def test_nothing_farther_than_the_margin_from_the_brain_is_shown(template):
    loud = Volume(
        np.where(template.brain.array > 0, 1, 1e6), template.grid, Quantity.T1W, Contrast.T1W
    )
    (shown,) = brain_only([loud], template.brain)
    seen = int((shown.array > 1e5).sum()) * shown.grid.voxel_ml
    brain = int((template.brain.array > 0).sum()) * template.grid.voxel_ml
    assert np.isnan(shown.array).any()
    assert 0 < seen < 0.45 * brain  # a rim, not a head
    assert np.isfinite(shown.array).sum() < np.isfinite(loud.array).sum() / 2


def test_contour_runs_along_the_edge_of_the_white_matter(prepared, template):
    panel = registration_panel(prepared, template)
    (where,) = axial_slices(template.brain, 1)
    plain = replace(panel, outline=None)
    drawn = (render([panel], [where]) != render([plain], [where])).any(axis=-1)
    share = cut(panel.outline, where)
    body = drawn[TITLE_PX + LABEL_PX : -BAR_PX]
    rows, columns = np.nonzero(body)
    zoom = body.shape[0] / share.shape[0], body.shape[1] / share.shape[1]
    at = np.stack([(rows + 0.5) / zoom[0] - 0.5, (columns + 0.5) / zoom[1] - 0.5])
    crossed = ndimage.map_coordinates(np.nan_to_num(share), at, order=1, mode="nearest")
    assert len(rows) > 300
    assert abs(np.median(crossed) - 0.5) < 0.1
    assert registration_panel(replace(prepared, volumes=pet_only(prepared)), template) is None


def pet_only(prepared):
    return {Contrast.FDG: prepared.volumes[Contrast.FDG]}


def test_picture_is_png_with_equal_bytes_for_equal_input(prepared, template, prediction):
    panels = session_panels(prepared, template, prediction)
    slices = axial_slices(template.brain, 4)
    first, second = (picture(panels, slices, px_per_mm=1.0, per_row=2) for _ in range(2))
    assert first == second
    opened = Image.open(io.BytesIO(first))
    assert opened.format == "PNG"
    assert not opened.info  # no date, no name, no software
    other = picture(panels, slices[:2], px_per_mm=1.0, per_row=2)
    assert other != first


@given(st.lists(st.floats(0, 5, width=32), min_size=2, max_size=30))
def test_brighter_values_never_take_a_darker_grey(values):
    greys = colored(np.array(sorted(values), np.float32), 0.0, 3.0, "grey")[:, 0].astype(int)
    assert (np.diff(greys) >= 0).all()


def test_difference_table_is_dark_at_zero_blue_below_and_red_above():
    colors = table("difference").astype(int)
    assert colors.sum(axis=1).argmin() in (127, 128)
    assert colors[20, 2] > colors[20, 0]
    assert colors[235, 0] > colors[235, 2]


def test_missing_values_take_the_background_in_every_table():
    for name in TABLES:
        assert tuple(colored(np.float32([np.nan]), 0, 1, name)[0]) == BACKGROUND


def test_refuses_what_cannot_be_drawn(prepared, template, prediction):
    panels = session_panels(prepared, template, prediction)
    with pytest.raises(GeometryError, match="empty"):
        picture([], default_slices(template.brain))
    with pytest.raises(GeometryError, match="outside"):
        picture(panels, [Slice(Plane.AXIAL, 900.0)])
    with pytest.raises(QuantityError, match="nothing lies between"):
        Panel("x", "x", panels[0].volume, 1.0, 1.0, "grey", "")
    with pytest.raises(RecipeError, match="color table"):
        table("rainbow")
    empty = Volume(np.zeros(template.grid.shape), template.grid, Quantity.LABEL, Contrast.T1W)
    with pytest.raises(GeometryError, match="empty"):
        brain_only([template.t1], empty)
    with pytest.raises(GeometryError, match="not on the grid"):
        brain_only([box()], template.brain)


def test_prediction_of_another_session_is_refused(prepared, template, prediction):
    foreign = replace(prediction, key=SessionKey(Pseudonym("OTHER"), "01"))
    with pytest.raises(RecipeMismatchError, match="OTHER"):
        session_panels(prepared, template, foreign)
