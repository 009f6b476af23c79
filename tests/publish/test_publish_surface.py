"""Surface projections and forest plots: what is planted is seen where it is, and marks stay."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tracerless import publish
from tracerless.core.errors import GeometryError
from tracerless.core.prediction import SYNTHETIC_LABEL_EN, SYNTHETIC_LABEL_ZH
from tracerless.core.volume import Contrast, Quantity, Volume
from tracerless.publish.against import against_section
from tracerless.publish.forest import Named, forest
from tracerless.publish.picture import WARNING
from tracerless.publish.session import Backing, session_page
from tracerless.publish.surface import Z_GREY, Z_LIMIT, z_colors
from tracerless.publish.surface_views import VIEWS, sights
from tracerless.score.apply import SCORE_COLUMNS
from tracerless.score.surface import DEPTH_MM, peaks, surface

NAMED = {"a": Named("region a", "甲區", "frontal"), "b": Named("region b", "乙區", "parietal")}


@pytest.fixture(scope="module")
def points(template):
    return surface(template)


def drawn(points, z=None, contrast=Contrast.FDG, simulated=False):
    flat = np.ones(len(points.part))
    return publish.Projected(
        contrast=contrast, uptake=flat, z=0 * flat if z is None else z, norm="n", n=40,
        simulated=simulated,
    )  # fmt: skip


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def is_blue(picture):
    return (picture[..., 2] > picture[..., 0] + 60) & (picture[..., 2] > 90)


def table(**rows):
    columns = list(SCORE_COLUMNS)
    made = pd.DataFrame(index=list(rows), columns=columns).astype(object)
    for key, (z, low, high, beyond) in rows.items():
        made.loc[key] = [1.0, 1.2, 0.8, z, low, high, 2.0, z - 0.3, z + 0.2, z < -2, beyond, ""]
    return made


def test_ways_inwards_lead_into_the_brain(points, template):
    brain = Volume(template.brain.array, template.grid, Quantity.LABEL, Contrast.UNKNOWN)
    inside = peaks(brain, points)
    assert (inside > 0.5).mean() > 0.99
    np.testing.assert_allclose(np.linalg.norm(points.inward, axis=1), 1, atol=1e-9)
    middle = points.points.mean(axis=0)
    outside = points.part == 0
    toward = ((middle - points.points) * points.inward).sum(axis=1)[outside]
    assert (toward > 0).mean() > 0.9


def test_the_peak_is_the_highest_value_down_to_its_depth(points, template):
    i = np.arange(template.grid.shape[0])[:, None, None] * np.ones(template.grid.shape)
    x = template.grid.affine[0, 0] * i + template.grid.affine[0, 3]
    found = peaks(Volume(x, template.grid, Quantity.SUVR, Contrast.FDG), points)
    walls = points.part == 1
    np.testing.assert_allclose(found[walls], 1.0 + DEPTH_MM, atol=1e-3)  # straight to the right
    walls = points.part == -1
    np.testing.assert_allclose(found[walls], -1.0, atol=1e-3)


def test_a_point_without_any_measured_value_has_no_peak(points, template):
    array = np.full(template.grid.shape, np.nan)
    array[: array.shape[0] // 2 - 6] = 1.0
    found = peaks(Volume(array, template.grid, Quantity.SUVR, Contrast.FDG), points)
    far = points.points[:, 0] > 20
    assert np.isnan(found[far]).all()
    assert np.isfinite(found[points.points[:, 0] < -45]).all()


@pytest.mark.parametrize(
    ("place", "shown", "hidden"),
    [
        ((-60, -20, 0), "LT-LAT", "RT-LAT"),
        ((60, -20, 0), "RT-LAT", "LT-LAT"),
        ((0, 65, 0), "ANT", "POST"),
        ((0, -95, 5), "POST", "ANT"),
        ((30, -20, 65), "SUP", "INF"),
    ],
)
def test_a_planted_change_is_seen_in_the_view_that_looks_at_it(
    points, template, place, shown, hidden
):
    near = np.linalg.norm(points.points - np.array(place), axis=1) < 20
    z = np.where(near & (points.part == 0), -4.0, 0.0)
    by_name = dict(zip((v.name for v in VIEWS), sights(template, points), strict=True))
    assert near.sum() > 5
    low = {name: np.nanmin(by_name[name].values(z)) for name in (shown, hidden)}
    assert low[shown] < -3
    assert low[hidden] > -1.5


def test_left_and_right_stand_where_the_letters_say(points, template):
    z = np.where(points.points[:, 0] < -15, -4.0, 0.0)
    by_name = dict(zip((v.name for v in VIEWS), sights(template, points), strict=True))
    for view in VIEWS:
        if view.axis == 0:
            continue
        seen = by_name[view.name].values(z)
        half = seen.shape[1] // 2
        left_half = (seen[:, : half - 12] < -2).sum()
        right_half = (seen[:, half + 12 :] < -2).sum()
        assert (left_half > 10 * right_half) if view.left == "L" else (right_half > 10 * left_half)
    front = np.where(points.points[:, 1] > 30, -4.0, 0.0)
    for view in VIEWS[:4]:
        seen = by_name[view.name].values(front)
        half = seen.shape[1] // 2
        at_left, at_right = (seen[:, :half] < -2).sum(), (seen[:, half:] < -2).sum()
        assert (at_left > 10 * at_right) if view.left == "A" else (at_right > 10 * at_left)


def test_a_normal_brain_is_grey_and_equal_input_gives_equal_bytes(points, template):
    png = publish.projections(template, points, drawn(points))
    assert png == publish.projections(template, points, drawn(points))
    low = publish.projections(template, points, drawn(points, np.full(len(points.part), -4.0)))
    assert is_blue(pixels(low)).sum() > is_blue(pixels(png)).sum() + 50_000


def test_colors_tell_the_sign_and_are_the_same_on_every_picture():
    z = np.array([0.0, Z_GREY - 0.01, -3.0, 3.0, -Z_LIMIT, -9.0])
    near, edge, lower, higher, end, beyond = z_colors(z)
    np.testing.assert_array_equal(near, edge)
    assert lower[2] > lower[0]
    assert higher[0] > higher[2]
    np.testing.assert_array_equal(end, beyond)


def test_synthetic_and_simulated_are_marked_on_the_picture(points, template):
    plain = pixels(publish.projections(template, points, drawn(points)))
    marked = pixels(
        publish.projections(
            template, points, drawn(points, contrast=Contrast.SYNTHETIC_FDG, simulated=True)
        )
    )
    assert len(marked) > len(plain) + 30
    assert (marked[2] == np.array(WARNING)).all(axis=-1).mean() > 0.9
    assert not (plain[2] == np.array(WARNING)).all(axis=-1).any()


def test_values_of_another_surface_are_refused(points, template):
    with pytest.raises(GeometryError, match="surface points"):
        publish.projections(template, points, drawn(points, z=np.zeros(5)))


def test_a_forest_marks_what_is_beyond_chance_and_says_what_has_no_z():
    rows = table(a=(-4.2, -6.5, -2.9, True), b=(np.nan, np.nan, np.nan, False))
    plot = forest(rows, NAMED, -2.8, "z")
    assert "-4.2 [-6.5, -2.9] ◆" in plot
    assert "甲區" in plot
    assert plot.count("no z") == 1
    assert "below -2.80" in plot
    assert "<path" in plot  # the interval goes on beyond the plot
    assert plot.index("frontal") < plot.index("region a") < plot.index("parietal")


def said(points, template, **more):
    rows = table(precuneus_left=(-3.5, -5.0, -2.2, True), insula_left=(0.1, -0.6, 0.8, False))
    indices = pd.DataFrame(
        {"value": [1.4, 7.0], "expected": [0.8, 1.0], "z": [np.nan, 2.5], "z_low": np.nan,
         "z_high": np.nan, "percentile": [97.0, 99.0], "reason": ""},
        index=["severity", "AI_insula"],
    )  # fmt: skip
    return publish.Against(
        norm="norm-FDG", contrast="FDG", n=40, family_cut=-2.8, table=rows, names={},
        indices=indices, picture=publish.projections(template, points, drawn(points)), **more,
    )  # fmt: skip


def test_a_session_page_shows_its_z_with_interval_in_both_languages(
    points, template, prepared, atlas, tables
):
    acquired = {contrast: each for contrast, each in tables.items() if contrast != "synthFDG"}
    backing = Backing(against=(said(points, template, in_norm=True),), blocks=("<p>READY</p>",))
    page = session_page(prepared, atlas, template=template, tables=acquired, backing=backing)
    for words in (
        "Against the normal: FDG-PET", "與常模比較", "-3.5 [-5.0, -2.2] ◆", "z acquired",
        "left out of it here", "Asymmetry of insula", "嚴重度", "READY", "data-sort=\"-3.5\"",
    ):  # fmt: skip
        assert words in page
    assert "SIMULATED people" not in page
    assert "://" not in page
    plain = session_page(prepared, atlas, template=template, tables=acquired)
    assert "Against the normal" not in plain
    assert "z acquired" not in plain


def test_a_norm_of_simulated_people_and_a_synthetic_scan_are_said_to_be(points, template):
    each = said(points, template, simulated=True)
    assert "SIMULATED people" in against_section(each)
    synthetic = publish.Against(
        norm="s", contrast="synthFDG", n=40, family_cut=-2.8, table=each.table, names={},
        indices=each.indices,
    )  # fmt: skip
    section = against_section(synthetic)
    assert SYNTHETIC_LABEL_EN in section
    assert SYNTHETIC_LABEL_ZH in section
    assert "<img" not in section


def test_a_person_whom_the_norm_does_not_reach_has_the_reason_and_no_plot(points, template):
    rows = table(a=(np.nan, np.nan, np.nan, False))
    rows["reason"] = "age=91 is outside the norm's 55-85"
    each = publish.Against("n", "FDG", 40, -2.8, rows, NAMED, rows.iloc[:0])
    section = against_section(each)
    assert "age=91 is outside" in section
    assert "<svg" not in section


def test_slices_of_z_share_the_window_and_a_synthetic_one_is_marked(template):
    z = np.where(template.brain.array > 0, np.float32(0), np.float32(np.nan))
    low = np.where(template.brain.array > 0, np.float32(-4), np.float32(np.nan))
    drawn_of = {
        name: pixels(publish.z_slices(Volume(array, template.grid, Quantity.Z, kind), template))
        for name, array, kind in (
            ("flat", z, Contrast.FDG),
            ("low", low, Contrast.FDG),
            ("synthetic", low, Contrast.SYNTHETIC_FDG),
        )
    }
    bright = {name: is_blue(each).sum() for name, each in drawn_of.items()}
    assert bright["low"] > 3 * bright["flat"]  # the bar itself is partly blue
    red = (drawn_of["synthetic"] == np.array(WARNING)).all(axis=-1).sum()
    assert red > 1000
    assert not (drawn_of["low"] == np.array(WARNING)).all(axis=-1).any()
