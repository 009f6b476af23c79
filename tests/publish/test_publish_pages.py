"""Pages: they reach no network, say what is synthetic first, and print the numbers they got."""

import base64
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tracerless.core.errors import DatasetError, RecipeMismatchError
from tracerless.core.people import Pseudonym, SessionKey
from tracerless.core.prediction import SYNTHETIC_LABEL_EN, SYNTHETIC_LABEL_ZH
from tracerless.core.recipe import Recipe
from tracerless.core.volume import Contrast
from tracerless.publish import SessionEntry, cohort_page, session_entry, session_page
from tracerless.publish.picture import WARNING
from tracerless.publish.regions import uptake_plot

VOID = {"meta", "img", "br", "input", "circle", "line", "rect"}


class Reader(HTMLParser):
    """Reads a page strictly: every tag that opens must close in order."""

    def __init__(self, page):
        super().__init__()
        self.open, self.words, self.tags, self.rows = [], [], [], []
        self.feed(page)
        self.close()
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data):
        if self.open and self.open[-1] in {"script", "style"}:
            return
        if data.strip():
            self.words.append(data.strip())
        if self.rows and {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


@pytest.fixture(scope="module")
def page(prepared, atlas, template, tables, prediction):
    return session_page(prepared, atlas, template=template, tables=tables, prediction=prediction)


@pytest.fixture(scope="module")
def cohort(prepared, prediction, atlas, evaluation):
    return cohort_page(entries(prepared, prediction), atlas, evaluation=evaluation, recipe=Recipe())


def entries(prepared, prediction):
    lone = SessionEntry(
        key=SessionKey(Pseudonym("A1"), "02"),
        href="sub-A1_ses-02.html",
        verdict="fail",
        reasons=("Brain of 0.4 liters, expected 1.0-1.8.",),
        contrasts=(Contrast.T1W,),
    )
    return [session_entry(prepared, "sub-P7Q3_ses-01.html", prediction, "AD"), lone]


@pytest.mark.parametrize("name", ["page", "cohort"])
def test_page_is_well_formed_and_points_nowhere_outside(name, request):
    content = request.getfixturevalue(name)
    reader = Reader(content)
    assert "://" not in content
    assert "default-src 'none'" in content
    for tag, attributes in reader.tags:
        assert tag not in {"link", "iframe", "object", "embed", "form", "base"}
        assert "src" not in attributes or attributes["src"].startswith("data:image/png")
        assert ":" not in attributes.get("href", "")
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|WebSocket|import\(", content)


def test_every_synthetic_picture_is_labeled_in_words_and_in_pixels(page):
    shown = [attributes for tag, attributes in Reader(page).tags if tag == "img"]
    synthetic = [a for a in shown if "Synthetic" in a["alt"]]
    assert len(shown) == 7  # six volumes and the registration
    assert len(synthetic) == 2
    for attributes in shown:
        png = base64.b64decode(attributes["src"].split(",", 1)[1])
        pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
        red = int((pixels == np.array(WARNING)).all(axis=-1).sum())
        labeled = attributes["alt"].startswith(f"{SYNTHETIC_LABEL_EN}. {SYNTHETIC_LABEL_ZH}")
        assert labeled == (attributes in synthetic)
        assert (red > 2000) == labeled


def test_first_words_of_a_page_with_synthetic_pet_are_the_label(page):
    words = [w for w in Reader(page).words if "tracerless" not in w]
    assert words[:2] == [SYNTHETIC_LABEL_EN, SYNTHETIC_LABEL_ZH]
    assert "SIMULATED" in page


def test_region_table_prints_what_the_region_tables_hold(page, tables, atlas):
    rows = {r[0]: r for r in Reader(page).rows if len(r) == 9}
    synthetic, acquired = tables[Contrast.SYNTHETIC_FDG].means, tables[Contrast.FDG].means
    assert len(atlas.regions) == 36
    for region in atlas.regions:
        row = rows[region.name_en]
        assert row[1] == region.name_zh
        assert row[3] == f"{synthetic[region.key]:.3f}"
        assert row[4] == f"{acquired[region.key]:.3f}"
        assert row[5] == f"{synthetic[region.key] - acquired[region.key]:+.3f}"
        assert row[6] == f"{tables[Contrast.FDG].values.loc[region.key, 'coverage']:.0%}"
        assert row[7] == f"{tables[Contrast.CBF].means[region.key]:.3f}"


def test_unseen_region_is_a_dash_and_not_a_zero(prepared, atlas, template, tables, prediction):
    holed = {}
    for contrast, each in tables.items():
        values = each.values.copy()
        values.loc["insula_left", ["mean", "median", "sd"]] = np.nan
        values.loc["insula_left", "coverage"] = 0.0
        holed[contrast] = replace(each, values=values)
    made = session_page(prepared, atlas, template=template, tables=holed, prediction=prediction)
    (row,) = [r for r in Reader(made).rows if r[0] == "left insula"]
    assert row[3:] == ["–", "–", "–", "0%", "–", "0%"]


def test_flow_of_a_region_that_was_hardly_seen_is_not_shown(
    prepared, atlas, template, tables, prediction
):
    flow = tables[Contrast.CBF].values.copy()
    flow.loc["insula_left", "coverage"] = 0.49
    flow.loc["insula_right", "coverage"] = 0.5
    cut = {**tables, Contrast.CBF: replace(tables[Contrast.CBF], values=flow)}
    made = session_page(prepared, atlas, template=template, tables=cut, prediction=prediction)
    rows = {r[0]: r for r in Reader(made).rows if len(r) == 9}
    assert rows["left insula"][7:] == ["–", "49%"]
    assert rows["right insula"][7:] == [f"{flow.loc['insula_right', 'mean']:.3f}", "50%"]


def test_equal_input_gives_equal_text_and_stays_small(
    page, prepared, atlas, template, tables, prediction
):
    again = session_page(prepared, atlas, template=template, tables=tables, prediction=prediction)
    assert again == page
    assert len(page.encode()) < 6_000_000


def test_viewer_holds_the_volumes_to_within_a_step(page, prepared, prediction):
    found = re.search(r'id="viewer-data">(.*?)</script>', page, re.DOTALL)
    payload = json.loads(found.group(1))
    assert payload["label"] == SYNTHETIC_LABEL_EN
    assert [v["synthetic"] for v in payload["volumes"]] == [False, False, False, True, False, True]
    held = payload["volumes"][3]
    stored = np.frombuffer(base64.b64decode(held["voxels"]), np.uint8)
    stored = stored.reshape(payload["shape"], order="F")
    values = held["low"] + (stored.astype(float) - 1) / 254 * (held["high"] - held["low"])
    grid = prediction.volume.grid
    start = np.linalg.inv(grid.affine) @ [*payload["origin"], 1]
    corner = np.round(start[:3]).astype(int)
    inside = tuple(slice(c, c + n) for c, n in zip(corner, payload["shape"], strict=True))
    truth = prediction.volume.array[inside]
    seen = stored > 0
    assert seen.sum() > 5000
    assert (seen == np.isfinite(truth)).all()
    step = (held["high"] - held["low"]) / 254
    assert np.abs(values[seen] - truth[seen]).max() < step


def test_session_without_prediction_claims_nothing_synthetic(prepared, atlas, template, tables):
    acquired = {c: t for c, t in tables.items() if c != Contrast.SYNTHETIC_FDG}
    made = session_page(prepared, atlas, template=template, tables=acquired)
    Reader(made)
    assert SYNTHETIC_LABEL_ZH not in made
    assert "RESEARCH USE ONLY" in made
    assert "SUVR acquired" in made


def test_synthetic_volume_among_the_prepared_is_marked_all_the_same(
    prepared, atlas, template, prediction
):
    volumes = {**prepared.volumes, Contrast.SYNTHETIC_FDG: prediction.volume}
    joined = replace(prepared, volumes=volumes)
    made = session_page(joined, atlas, template=template, tables={})
    assert Reader(made).words[1:3] == [SYNTHETIC_LABEL_EN, SYNTHETIC_LABEL_ZH]


def test_texts_from_a_dataset_cannot_become_code(prepared, atlas, template, prediction):
    evil = "<script>alert(1)</script> see https://example.org/x"
    session = replace(prepared, verdict="review", reasons=(evil,))
    doubt = replace(prediction, notes=(evil,), provenance={evil: {"a": [evil]}})
    made = session_page(session, atlas, template=template, tables={}, prediction=doubt)
    Reader(made)
    assert "<script>alert" not in made
    assert "://" not in made
    assert made.count("&lt;script&gt;alert(1)") == 3


def test_page_says_how_good_the_model_is_and_how_good_here(
    prepared, atlas, template, tables, prediction, evaluation
):
    truth = tables[Contrast.FDG].means
    made = session_page(
        prepared,
        atlas,
        template=template,
        tables=tables,
        prediction=prediction,
        training_mean=truth + 0.25,
        evaluation=evaluation,
    )
    words = Reader(made).words
    assert evaluation.headline in words
    mae = float((tables[Contrast.SYNTHETIC_FDG].means - truth).abs().mean())
    assert f"over 36 regions: {mae:.3f} SUVR" in made
    assert "training people instead: 0.250 SUVR" in made
    foreign = replace(evaluation, model="other:0")
    with pytest.raises(RecipeMismatchError, match="other:0"):
        session_page(
            prepared, atlas, template=template, tables={}, prediction=prediction, evaluation=foreign
        )


def test_failed_session_has_a_red_frame_and_its_reasons(prepared, atlas, template):
    failed = replace(prepared, verdict="fail", reasons=("The T1 is upside down.",))
    made = session_page(failed, atlas, template=template, tables={})
    assert 'class="failed"' in made
    assert "The T1 is upside down." in made
    assert "Every check passed." not in made


def test_tables_that_do_not_belong_together_are_refused(
    prepared, atlas, template, tables, prediction
):
    other = {**tables, Contrast.FDG: replace(tables[Contrast.FDG], reference="cerebellum")}
    with pytest.raises(RecipeMismatchError, match="cerebellum"):
        session_page(prepared, atlas, template=template, tables=other, prediction=prediction)
    foreign = {Contrast.FDG: replace(tables[Contrast.FDG], atlas="fdg52")}
    with pytest.raises(RecipeMismatchError, match="fdg52"):
        session_page(prepared, atlas, template=template, tables=foreign)


def test_plot_names_the_reference_of_the_uptake_and_not_of_the_blood_flow(
    prepared, atlas, template, tables, prediction
):
    flow = replace(tables[Contrast.CBF], reference="brain")
    mixed = {Contrast.CBF: flow, **{c: t for c, t in tables.items() if c != Contrast.CBF}}
    made = session_page(prepared, atlas, template=template, tables=mixed, prediction=prediction)
    assert "SUVR (reference pons)" in made
    assert "reference brain" not in made


def test_plot_puts_higher_uptake_farther_right(atlas, tables):
    drawn = uptake_plot({Contrast.FDG: tables[Contrast.FDG]}, atlas, None)
    places = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', drawn)][1:]
    by_lobe = pd.Series(tables[Contrast.FDG].means)
    lobes = list(dict.fromkeys(r.lobe for r in atlas.regions))
    order = [r.key for lobe in lobes for r in atlas.regions if r.lobe == lobe]
    assert len(places) == 36
    assert np.corrcoef(places, by_lobe[order])[0, 1] > 0.9999


def test_cohort_page_begins_with_the_headline(cohort, evaluation):
    words = Reader(cohort).words
    assert words[1] == evaluation.headline  # words[0] is the title of the window
    assert words[2] == SYNTHETIC_LABEL_EN
    assert "people of this evaluation are SIMULATED" in cohort


def test_cohort_tables_print_the_evaluation_with_n(cohort, evaluation, atlas):
    rows = {row[0]: row for row in Reader(cohort).rows}
    assert rows["AD"] == ["AD", "5", "0.090", "0.100", "+0.100", "-0.020", "0.500", "0.300"]
    for region in atlas.regions:
        row = rows[region.name_en]
        assert row[2] == "12"
        assert row[5] == f"{evaluation.by_region.loc[region.key, 'skill']:+.3f}"


def test_cohort_links_every_session_in_order_with_its_verdict(cohort):
    reader = Reader(cohort)
    links = [a["href"] for tag, a in reader.tags if tag == "a"]
    assert links == ["sub-A1_ses-02.html", "sub-P7Q3_ses-01.html"]
    assert "2 people, 2 sessions: 1 pass, 1 fail." in cohort
    assert "registration = &quot;fast&quot;" in cohort


def test_cohort_without_evaluation_says_so_first(prepared, atlas):
    made = cohort_page([session_entry(prepared, "a.html")], atlas)
    assert Reader(made).words[1].startswith("No evaluation")
    assert SYNTHETIC_LABEL_EN not in made


def test_cohort_refuses_nothing_and_foreign_things(prepared, atlas, evaluation):
    with pytest.raises(DatasetError, match="no prepared session"):
        cohort_page([], atlas)
    with pytest.raises(DatasetError, match="not relative"):
        session_entry(prepared, "https://example.org/a.html")
    with pytest.raises(RecipeMismatchError, match="fdg52"):
        cohort_page(
            [session_entry(prepared, "a.html")],
            atlas,
            evaluation=replace(evaluation, atlas="fdg52"),
        )


def test_intervals_stand_beside_the_synthetic_uptake_and_reach_as_far_as_they_are_wide(
    prepared, atlas, template, tables, prediction
):
    widths = {region.key: 0.01 * (n + 1) for n, region in enumerate(atlas.regions)}
    bounded = replace(prediction, half_widths=widths)
    made = session_page(prepared, atlas, template=template, tables=tables, prediction=bounded)
    rows = [row for row in Reader(made).rows if len(row) > 6]
    head = next(row for row in rows if row[0].startswith("Region"))
    at = next(n for n, name in enumerate(head) if name.startswith("± 90 %"))
    shown = {row[0]: row[at] for row in rows if row is not head}
    for region in atlas.regions:
        assert shown[region.name_en] == f"{widths[region.key]:.3f}"
    plot = uptake_plot(tables, atlas, None, widths)
    bars = [float(width) for width in re.findall(r'width="([\d.]+)" height="6"', plot)]
    assert len(bars) == len(atlas.regions)
    assert bars[1] / bars[0] == pytest.approx(2, rel=0.02)


def test_without_intervals_there_is_no_column_for_them(page):
    assert not [row for row in Reader(page).rows for name in row if name.startswith("± 90 %")]
