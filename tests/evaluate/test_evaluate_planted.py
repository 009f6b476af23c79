"""A planted loss is the loss that was asked for, and the rates know an honest model from a liar."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from challenge_heads import ATLAS, BRAIN, GRID, TEMPLATE, octants, person, pons
from tracerless.core.assessment import TABLES
from tracerless.core.errors import RecipeError
from tracerless.core.seeds import generator
from tracerless.core.session import Prepared
from tracerless.core.volume import Contrast
from tracerless.evaluate.planted import CORRELATES, LOSSES, PLACES, mask_of, places, planted
from tracerless.evaluate.planted_rates import (
    EVERYWHERE,
    Controls,
    Planting,
    dose_response,
    false_normal,
    recovery_slope,
)

REGION = mask_of(ATLAS, "octant-3")


@pytest.fixture(scope="module")
def head() -> Prepared:
    return person(6, 0.0, GRID)


def mean_in(session: Prepared, contrast: Contrast, mask: np.ndarray) -> float:
    return float(np.nanmean(session.volumes[contrast].array[mask]))


@pytest.mark.parametrize("loss", LOSSES)
def test_the_regions_uptake_falls_by_the_loss_and_the_reference_stays(
    loss: float, head: Prepared
) -> None:
    ill = planted(head, REGION, loss, correlate="none", template=TEMPLATE)
    deep = octants(GRID) == 3
    fell = 1 - mean_in(ill, Contrast.FDG, deep) / mean_in(head, Contrast.FDG, deep)
    assert 0.7 * loss < fell <= loss + 1e-6
    assert mean_in(ill, Contrast.FDG, pons(GRID)) == pytest.approx(1.0, abs=2e-3)
    far = octants(GRID) == 6
    assert mean_in(ill, Contrast.FDG, far) == pytest.approx(mean_in(head, Contrast.FDG, far))


def test_without_a_correlate_mr_knows_nothing(head: Prepared) -> None:
    ill = planted(head, REGION, 0.4, correlate="none", template=TEMPLATE)
    for contrast in (Contrast.T1W, Contrast.T2W, Contrast.CBF):
        assert ill.volumes[contrast] is head.volumes[contrast]


def test_each_correlate_changes_what_it_says(head: Prepared) -> None:
    changed = {
        correlate: {
            str(c)
            for c in (Contrast.T1W, Contrast.T2W, Contrast.CBF)
            if planted(head, REGION, 0.2, correlate=correlate, template=TEMPLATE).volumes[c]
            is not head.volumes[c]
        }
        for correlate in CORRELATES
    }
    assert changed == {
        "none": set(),
        "flow": {"cbf"},
        "thinning": {"T1w", "T2w"},
        "flow+thinning": {"T1w", "T2w", "cbf"},
    }


def test_flow_falls_by_the_same_share_but_for_the_brains_mean(head: Prepared) -> None:
    ill = planted(head, REGION, 0.4, correlate="flow", template=TEMPLATE)
    here = mean_in(ill, Contrast.CBF, REGION) / mean_in(head, Contrast.CBF, REGION)
    there = mean_in(ill, Contrast.CBF, octants(GRID) == 6)
    there /= mean_in(head, Contrast.CBF, octants(GRID) == 6)
    assert 0.55 < here / there < 0.75
    assert mean_in(ill, Contrast.CBF, BRAIN) == pytest.approx(1.0, abs=1e-4)


def test_thinned_grey_matter_looks_more_like_fluid(head: Prepared) -> None:
    ill = planted(head, REGION, 0.4, correlate="thinning", template=TEMPLATE)
    grey = REGION & (TEMPLATE.grey.array > 0.7)
    assert mean_in(ill, Contrast.T1W, grey) < mean_in(head, Contrast.T1W, grey)
    assert mean_in(ill, Contrast.T2W, grey) > mean_in(head, Contrast.T2W, grey)


def test_nothing_lost_is_nothing_changed(head: Prepared) -> None:
    for correlate in CORRELATES:
        same = planted(head, REGION, 0.0, correlate=correlate, template=TEMPLATE)
        for contrast, volume in head.volumes.items():
            np.testing.assert_allclose(same.volumes[contrast].array, volume.array, rtol=1e-5)


def test_a_loss_beyond_everything_and_an_unknown_correlate_are_refused(head: Prepared) -> None:
    with pytest.raises(RecipeError, match="outside"):
        planted(head, REGION, 1.2, correlate="none", template=TEMPLATE)
    with pytest.raises(RecipeError, match="flwo") as refused:
        planted(head, REGION, 0.2, correlate="flwo", template=TEMPLATE)
    assert "'flow'" in str(refused.value)
    with pytest.raises(RecipeError, match="octant-9"):
        mask_of(ATLAS, "octant-9")


def test_an_atlas_without_the_usual_places_offers_its_largest_region() -> None:
    size = {key: int(mask_of(ATLAS, key).sum()) for key in ATLAS.keys}
    largest = max(size, key=lambda key: size[key])
    assert places(ATLAS) == {largest: (largest,)}


def test_regions_of_one_place_are_planted_into_together() -> None:
    both = mask_of(ATLAS, "octant-3", "octant-4")
    assert both.sum() == mask_of(ATLAS, "octant-3").sum() + mask_of(ATLAS, "octant-4").sum()
    for keys in PLACES.values():
        assert len(set(keys)) == len(keys)


def controls(n: int = 20) -> Controls:
    draw = generator("controls", n)
    truth = {"x": draw.normal(1.2, 0.05, n)}
    return Controls(tuple(f"c{i}" for i in range(n)), truth, {"x": truth["x"].copy()})


def plantings(model_gives: float, n: int = 12) -> list[Planting]:
    draw = generator("plantings", n)
    rows = []
    for i in range(n):
        before = float(draw.normal(1.2, 0.03))
        for loss in LOSSES:
            truth = before * (1 - loss)
            made = before + model_gives * (truth - before)
            rows.append(Planting(f"p{i}", "flow", "x", loss, truth, before, made, before))
    return rows


@given(share=st.floats(-0.5, 1.5))
@settings(max_examples=25, deadline=None)
def test_what_the_model_gives_back_is_what_is_reported(share: float) -> None:
    rows = plantings(share, n=4)
    table = dose_response("m", rows, controls())
    assert tuple(table.columns) == TABLES["planted"]
    np.testing.assert_allclose(table["recovered"], share, atol=1e-9)
    assert recovery_slope(rows) == pytest.approx(share, abs=1e-9)


def test_the_false_normal_rate_says_of_how_many_and_how_sure() -> None:
    table = dose_response("m", plantings(0.0, n=12), controls())
    row = table[(table["region"] == EVERYWHERE) & (table["loss"] == 0.4)].iloc[0]
    assert row["n_low"] == 12
    assert row["false_normal"] >= 0.9
    assert row["false_normal_low"] < 0.9
    assert row["false_normal_high"] <= 1
    none = dose_response("m", plantings(0.0, n=12), controls(5))
    assert (none["n_low"] == 0).all()
    assert none["false_normal"].isna().all()


def test_an_exact_model_misses_nothing_and_an_eraser_misses_everything() -> None:
    large = [row for row in plantings(1.0) if row.loss >= 0.2]
    assert false_normal(large, controls()) == 0
    erased = [row for row in plantings(0.0) if row.loss >= 0.2]
    assert false_normal(erased, controls()) >= 0.9


def test_rows_hold_every_loss_for_each_region_and_for_all_of_them() -> None:
    table = dose_response("m", plantings(0.5), controls())
    assert set(table["region"]) == {"x", EVERYWHERE}
    assert sorted(set(table["loss"])) == list(LOSSES)
    assert (table["n"] == 12).all()
    assert (table["low"] <= table["recovered"] + 1e-9).all()


def test_few_controls_call_nothing_low() -> None:
    assert np.isnan(false_normal(plantings(0.0), controls(6)))
    assert controls(6).is_low("truth", "x", 0.1, "p0") is None


def test_a_control_is_not_judged_by_itself() -> None:
    few = controls(9)
    assert few.is_low("truth", "x", 0.5, "nobody") is True
    assert few.is_low("truth", "x", 0.5, "c0") is True
    assert controls(8).is_low("truth", "x", 0.5, "c0") is None
