"""What the network sees of a session."""

from dataclasses import replace

import numpy as np
import pytest
from phantom_sessions import grid_of, octants, person, tissue, without

from tracerless.core.errors import ContrastError, ModelError, QuantityError
from tracerless.core.volume import MR_INPUTS, Contrast, Quantity, Volume, with_array
from tracerless.synthesize.channels import Normalisation, channels, choose, to_grid

GRID = grid_of(6.0)
BRAIN = tissue(GRID)[2]
T1W, T2W, CBF = MR_INPUTS


def seen(session, *inputs):
    return channels(
        session, inputs or MR_INPUTS, grid=GRID, brain=BRAIN, normalisation=Normalisation()
    )


def changed(session, contrast, change, quantity=None):
    volumes = dict(session.volumes)
    volumes[contrast] = with_array(volumes[contrast], change(volumes[contrast].array), quantity)
    return replace(session, volumes=volumes)


def test_gain_and_offset_of_the_scanner_change_nothing() -> None:
    session = person(1, 0.5, GRID)
    for contrast in (T1W, T2W):
        louder = changed(session, contrast, lambda a: 7 * a + 300)
        assert np.allclose(seen(louder).values, seen(session).values, atol=1e-4)


def test_the_level_of_relative_flow_is_kept() -> None:
    session = person(1, 0.5, GRID)
    lower = changed(session, CBF, lambda a: 0.9 * a)
    assert seen(lower).values[2][BRAIN].mean() < seen(session).values[2][BRAIN].mean() - 0.1


def test_numbers_are_of_order_one_and_bounded() -> None:
    values = seen(person(1, 0.5, GRID)).values[:, BRAIN]
    assert np.abs(values).max() <= Normalisation().clip
    assert (values.std(axis=1) > 0.3).all()


def test_a_bright_spot_does_not_dim_the_rest() -> None:
    session = person(1, 0.5, GRID)
    spot = np.zeros(GRID.shape, dtype=np.float32)
    spot[11, 14, 10] = 1e6
    spoiled = seen(changed(session, T1W, lambda a: a + spot)).values[0]
    rest = BRAIN & (spot == 0)
    assert np.abs(spoiled - seen(session).values[0])[rest].max() < 0.05


def test_absent_contrasts_and_the_outside_are_zero() -> None:
    made = seen(person(1, 0.5, GRID), T1W, CBF)
    assert made.present == (True, False, True)
    assert not made.values[1].any()
    assert not made.values[:, ~BRAIN].any()


def test_a_cut_field_of_view_is_measured_and_filled_with_zero() -> None:
    cut = np.where(octants(GRID) == 1, np.nan, 1)
    made = seen(changed(person(1, 0.5, GRID), T2W, lambda a: a * cut))
    share = 1 - (octants(GRID) == 1).sum() / BRAIN.sum()
    assert made.coverage[T2W] == pytest.approx(share)
    assert made.coverage[T1W] == 1
    assert np.isfinite(made.values).all()
    assert not made.values[1][octants(GRID) == 1].any()


def test_fine_noise_does_not_fold_into_a_coarse_grid() -> None:
    fine = grid_of(2.0)
    checks = np.indices(fine.shape).sum(axis=0) % 2 * 2.0 - 1
    coarse = to_grid(Volume(checks, fine, Quantity.T1W, T1W), GRID)
    assert np.nanmax(np.abs(coarse)) < 0.05


def test_a_smooth_field_survives_the_coarse_grid() -> None:
    fine = person(1, 0.5, grid_of(3.0)).volumes[Contrast.CBF]
    direct = person(1, 0.5, GRID).volumes[Contrast.CBF].array
    inner = BRAIN & np.isfinite(direct)
    assert np.corrcoef(to_grid(fine, GRID)[inner], direct[inner])[0, 1] > 0.9


@pytest.mark.parametrize(
    ("contrast", "change", "quantity", "error", "words"),
    [
        (CBF, lambda a: 0 * a, None, QuantityError, "is 0 in the whole brain"),
        (T1W, lambda a: 0 * a + 5, None, QuantityError, "is 5 in the whole brain"),
        (CBF, lambda a: 50 * a, Quantity.CBF, QuantityError, "not relative"),
        (
            T2W,
            lambda a: np.where(np.arange(a.shape[2]) > 8, np.nan, a),
            None,
            ModelError,
            "of the brain, less than 50%",
        ),
    ],
)
def test_a_contrast_without_a_picture_is_refused_by_name(
    contrast, change, quantity, error, words
) -> None:
    with pytest.raises(error, match=words) as caught:
        seen(changed(person(1, 0.5, GRID), contrast, change, quantity))
    assert str(contrast) in caught.value.message
    assert caught.value.hint


def test_inputs_are_what_there_is_in_a_fixed_order() -> None:
    session = person(1, 0.0, GRID)
    assert choose(session, None) == MR_INPUTS
    assert choose(session, (CBF, T1W)) == (T1W, CBF)
    assert choose(without(session, T1W), None) == (T2W, CBF)


@pytest.mark.parametrize(
    ("gone", "wish", "words"),
    [
        (MR_INPUTS, None, "no T1w or T2w or cbf"),
        ((), (), "no T1w or T2w or cbf"),
        ((T2W,), (T1W, T2W), "has no T2w"),
        ((), (T1W, Contrast.FDG), "never looks at FDG"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused(gone, wish, words) -> None:
    with pytest.raises(ContrastError, match=words) as caught:
        choose(without(person(1, 0.0, GRID), *gone), wish)
    assert caught.value.hint
