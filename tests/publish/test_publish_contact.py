"""The contact sheet: verdict on top, lines where the anatomy is, marks that cannot be left out."""

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from tracerless.core.errors import GeometryError
from tracerless.core.prediction import SYNTHETIC_LABEL_EN
from tracerless.core.volume import Contrast, with_array
from tracerless.io import resources
from tracerless.publish import Backing, contact_sheet, session_page
from tracerless.publish.contact import _VERDICTS, outline
from tracerless.publish.picture import WARNING

CYAN = np.array((0, 225, 255))


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


@pytest.fixture(scope="module")
def sheet(prepared, template, atlas):
    return contact_sheet(prepared, template, atlas)


def count(png, color):
    return int((pixels(png) == np.array(color)).all(axis=-1).sum())


def test_equal_sessions_give_equal_bytes_without_any_text_chunk(sheet, prepared, template, atlas):
    assert contact_sheet(prepared, template, atlas) == sheet
    assert b"tEXt" not in sheet
    assert b"tIME" not in sheet


@pytest.mark.parametrize("verdict", ["pass", "review", "fail"])
def test_the_verdict_is_written_on_top_in_its_color(prepared, template, atlas, verdict):
    reasons = () if verdict == "pass" else ("offset_FDG=9: the PET lies beside the T1.",)
    shown = pixels(
        contact_sheet(replace(prepared, verdict=verdict, reasons=reasons), template, atlas)
    )
    assert tuple(shown[2, 2]) == _VERDICTS[verdict]
    assert len(set(_VERDICTS.values())) == 3
    assert (shown[:20] == 235).any(), "words are written"


def test_synthetic_rows_are_labeled_and_acquired_ones_are_not(
    sheet, prepared, prediction, template, atlas
):
    marked = contact_sheet(prepared, template, atlas, prediction=prediction)
    assert count(sheet, WARNING) == 0
    assert count(marked, WARNING) > 10_000
    assert pixels(marked).shape[0] > pixels(sheet).shape[0]


def test_a_simulated_person_is_marked_in_a_strip_of_their_own(sheet, prepared, template, atlas):
    marked = contact_sheet(prepared, template, atlas, simulated=True)
    more = pixels(marked).shape[0] - pixels(sheet).shape[0]
    assert more > 15
    np.testing.assert_array_equal(pixels(marked)[-100:], pixels(sheet)[-100:])


def test_nothing_beyond_the_brain_is_drawn(sheet, prepared, template, atlas):
    brain = template.brain.array > 0
    far = ndimage.distance_transform_edt(~brain, sampling=template.grid.spacing_mm) > 12
    t1 = prepared.volumes[Contrast.T1W]
    face = with_array(t1, np.where(far, np.float32(250), t1.array))
    with_face = replace(prepared, volumes={**prepared.volumes, Contrast.T1W: face})
    assert contact_sheet(with_face, template, atlas) == sheet
    near = with_array(t1, np.where(brain, np.float32(250), t1.array))
    seen = replace(prepared, volumes={**prepared.volumes, Contrast.T1W: near})
    assert contact_sheet(seen, template, atlas) != sheet, "what lies in the brain is drawn"


def test_lines_of_the_t1_follow_the_t1_and_not_the_other_volume(prepared, template, atlas):
    """Moved PET keeps its lines, so that the eye sees the gap; a moved T1 moves them."""
    pet, t1 = prepared.volumes[Contrast.FDG], prepared.volumes[Contrast.T1W]
    aside = with_array(pet, np.roll(pet.array, 3, axis=0))
    drawn = outline(prepared, template)
    with_moved_pet = outline(
        replace(prepared, volumes={**prepared.volumes, Contrast.FDG: aside}), template
    )
    np.testing.assert_array_equal(drawn.array, with_moved_pet.array)
    elsewhere = with_array(t1, np.roll(t1.array, 3, axis=0))
    with_moved_t1 = outline(
        replace(prepared, volumes={**prepared.volumes, Contrast.T1W: elsewhere}), template
    )
    assert (drawn.array != with_moved_t1.array).mean() > 0.01


def test_the_outline_holds_grey_and_leaves_white_out(prepared, template):
    drawn = outline(prepared, template).array
    assert drawn[template.white.array > 0.9].mean() < 0.1
    assert drawn[(template.grey.array > 0.7)].mean() > 0.6
    assert drawn[template.brain.array == 0].max() == 0


def test_pet_alone_has_a_sheet_with_the_lines_of_the_template(prepared, template, atlas):
    alone = replace(prepared, volumes={Contrast.FDG: prepared.volumes[Contrast.FDG]})
    assert outline(alone, template) is None
    shown = pixels(contact_sheet(alone, template, atlas))
    assert (shown == CYAN).all(axis=-1).sum() > 500


def test_an_atlas_of_another_grid_is_refused(prepared, template):
    with pytest.raises(GeometryError, match="different grids"):
        contact_sheet(prepared, template, resources.atlas("fdg36", 5.0))


def test_a_page_shows_the_sheet_it_is_given_and_says_that_it_is_synthetic(
    sheet, prepared, prediction, template, atlas, tables
):
    page = session_page(
        prepared,
        atlas,
        template=template,
        tables=tables,
        prediction=prediction,
        backing=Backing({"numpy": "1"}, sheet),
    )
    assert base64.b64encode(sheet).decode() in page
    assert f"{SYNTHETIC_LABEL_EN}." in page[: page.index(base64.b64encode(sheet).decode())][-400:]
    assert "contour: white matter of the template" not in page, "the sheet shows it already"
