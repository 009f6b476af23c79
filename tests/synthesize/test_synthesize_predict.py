"""Prediction: in SUVR, in place, from MR alone, and honest about what was missing."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from phantom_sessions import (
    REFERENCE,
    atlas_of,
    grid_of,
    octants,
    people,
    person,
    pons,
    region_means,
    template_of,
    tissue,
    without,
)
from scipy import ndimage

from tracerless.core.atlas import Atlas
from tracerless.core.errors import ContrastError, GeometryError, ModelError, RecipeMismatchError
from tracerless.core.transform import identity
from tracerless.core.volume import MR_INPUTS, Contrast, Quantity, with_array
from tracerless.synthesize import mean_predictor, synthesizer, told
from tracerless.synthesize.calibration import UNCALIBRATED, subsets
from tracerless.synthesize.reach import Judged

GRID = grid_of(6.0)
FINE = grid_of(3.0)
T1W, T2W, CBF = MR_INPUTS
CAP = {"octant-1": 0, "octant-2": 1}
"""Where the lesion is deepest: back and top, left and right."""


@pytest.fixture(scope="module")
def network(trained):
    return synthesizer(trained, template_of(FINE), atlas_of(FINE))


@pytest.fixture(scope="module")
def mean(trained):
    return mean_predictor(trained, template_of(FINE), atlas_of(FINE))


@pytest.fixture(scope="module")
def ill():
    return person(3, 1.0, FINE, family="fresh")


@pytest.mark.parametrize("inputs", subsets(), ids="+".join)
def test_any_set_of_inputs_that_works_is_accepted_recorded_and_pinned(network, ill, inputs) -> None:
    if not network.checkpoint.calibration_of(inputs).works:
        with pytest.raises(ModelError, match="was not shown to know more than the mean"):
            network.predict(ill, inputs)
        return
    got = network.predict(ill, inputs)
    assert got.inputs == inputs
    assert got.volume.grid == FINE
    assert got.volume.quantity == Quantity.SUVR
    assert got.volume.array[pons(FINE)].mean() == pytest.approx(1, abs=1e-4)
    missing = [c for c in MR_INPUTS if c not in inputs]
    assert [n for n in got.notes if n.startswith("Made without")] == [
        f"Made without {c}." for c in missing
    ]


def test_template_and_atlas_of_another_grid_are_refused(trained, ill) -> None:
    for pair in ((template_of(GRID), atlas_of(GRID)), (template_of(FINE), atlas_of(GRID))):
        with pytest.raises(GeometryError, match="The session lies on") as caught:
            synthesizer(trained, *pair).predict(ill)
        assert caught.value.hint


def test_a_lesion_that_flow_shows_is_shown_where_it_is(network, mean, ill) -> None:
    made = region_means(network.predict(ill).volume.array, FINE)
    flat = region_means(mean.predict(ill).volume.array, FINE)
    truth = region_means(ill.volumes[Contrast.FDG].array, FINE)
    for place in CAP.values():
        assert truth[place] < flat[place] - 0.1
        assert made[place] < flat[place] - 0.05
    assert np.corrcoef(made - flat, truth - flat)[0, 1] > 0.7


def test_the_mirrored_person_gets_the_mirrored_difference(network, ill) -> None:
    lopsided = dict(ill.volumes)
    for c in (CBF, T1W, T2W):
        lopsided[c] = with_array(lopsided[c], lopsided[c].array[::-1])
    mirrored = replace(ill, volumes=lopsided)

    def asymmetry(session):
        means = region_means(network.predict(session).volume.array, FINE)
        return (means[::2] - means[1::2]).sum()

    plain = person(3, 0.0, FINE, family="fresh")
    left = np.where(octants(FINE) % 2 == 1, 0.7, 1.0)
    sick = replace(
        plain,
        volumes={
            **plain.volumes,
            CBF: with_array(plain.volumes[CBF], plain.volumes[CBF].array * left),
        },
    )
    assert asymmetry(sick) < asymmetry(plain) - 0.1
    assert asymmetry(ill) * asymmetry(mirrored) < 0 or abs(asymmetry(ill)) < 0.1


def test_acquired_pet_is_never_looked_at(network, ill) -> None:
    pet = ill.volumes[Contrast.FDG]
    other = replace(ill, volumes={**ill.volumes, Contrast.FDG: with_array(pet, 9 - pet.array)})
    seen, changed, none = (
        network.predict(s).volume.array for s in (ill, other, without(ill, Contrast.FDG))
    )
    assert np.array_equal(seen, changed, equal_nan=True)
    assert np.array_equal(seen, none, equal_nan=True)


def test_what_is_not_asked_for_is_not_looked_at(network, ill) -> None:
    asked = network.predict(ill, (CBF,)).volume.array
    alone = network.predict(without(ill, T1W, T2W)).volume.array
    assert np.array_equal(asked, alone, equal_nan=True)


def test_same_in_same_out_whatever_torch_was_set_to(network, ill) -> None:
    first = network.predict(ill)
    before = torch.get_num_threads()
    torch.manual_seed(99)
    torch.set_num_threads(2)
    try:
        again = network.predict(ill)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(first.volume.array, again.volume.array, equal_nan=True)
    assert first.fingerprint == again.fingerprint
    assert network.predict(ill, (CBF,)).fingerprint != first.fingerprint


def test_a_checkpoint_from_bytes_predicts_the_same(network, trained, ill) -> None:
    again = type(trained).from_bytes(trained.to_bytes())
    copy = synthesizer(again, template_of(FINE), atlas_of(FINE))
    assert np.array_equal(
        copy.predict(ill).volume.array, network.predict(ill).volume.array, equal_nan=True
    )


def test_the_mean_is_the_same_for_everyone(mean, ill) -> None:
    other = person(4, 0.0, FINE, family="fresh")
    one, two = mean.predict(ill), mean.predict(other)
    assert np.array_equal(one.volume.array, two.volume.array, equal_nan=True)
    assert one.model.startswith("mean:")
    assert one.inputs == MR_INPUTS
    assert "looks at nothing" in one.notes[0]


def test_the_mean_keeps_its_regions_on_the_way_to_a_fine_grid(mean, ill) -> None:
    made = region_means(mean.predict(ill).volume.array, FINE)
    truth = np.mean(
        [region_means(s.volumes[Contrast.FDG].array, FINE) for s in people(16, FINE)], axis=0
    )
    assert np.abs(made - truth).max() < 0.06


def test_the_volume_covers_the_brain_and_ends_around_it(network, ill) -> None:
    array = network.predict(ill).volume.array
    brain = tissue(FINE)[2]
    assert np.isfinite(array[brain]).all()
    assert (array[brain] >= 0).all()
    far = ~ndimage.binary_dilation(brain, iterations=4)
    assert np.isnan(array[far]).all()


def test_inputs_that_tell_nothing_are_refused_by_name_with_those_that_do(trained, ill) -> None:
    known = {key: replace(each, works=True, skill=0.3) for key, each in trained.calibration.items()}
    silent = replace(trained.calibration["T1w"], slope=0.0, slopes=(), skill=-0.1, works=False)
    unsure = replace(trained, calibration={**known, "T1w": silent, "T2w": silent})
    made = synthesizer(unsure, template_of(FINE), atlas_of(FINE))
    with pytest.raises(
        ModelError, match=r"From T1w alone .* was not shown to know more than the mean"
    ) as caught:
        made.predict(ill, (T1W,))
    assert "T1w+cbf" in caught.value.hint
    assert " T2w or" not in caught.value.hint
    assert made.predict(ill, (CBF,)).inputs == (CBF,)


def test_too_few_people_to_calibrate_is_no_refusal_but_is_said(trained, ill) -> None:
    blank = replace(
        trained, calibration=dict.fromkeys(trained.calibration, UNCALIBRATED), intervals={}
    )
    notes = synthesizer(blank, template_of(FINE), atlas_of(FINE)).predict(ill, (T1W,)).notes
    assert any("Too few people were held out to calibrate" in note for note in notes)
    assert any("Too few people were kept apart" in note for note in notes)


def test_a_cut_field_of_view_is_noted_and_harms_no_other_place(network, ill) -> None:
    cut = np.where(octants(FINE) == 7, np.nan, 1)
    flow = with_array(ill.volumes[CBF], ill.volumes[CBF].array * cut)
    got = network.predict(replace(ill, volumes={**ill.volumes, CBF: flow}))
    assert any(n.startswith("The cbf shows only") for n in got.notes)
    assert got.provenance["coverage"]["cbf"] < 0.95
    whole, part = (region_means(a.volume.array, FINE) for a in (network.predict(ill), got))
    assert abs(whole - part)[:2].max() < 0.1


def test_scans_unlike_any_in_training_are_outside_first_of_all_and_say_where(trained) -> None:
    """At the grid of training: this phantom's anatomy is one, so that partial volume is strange."""
    network = synthesizer(trained, template_of(GRID), atlas_of(GRID))
    usual = person(4, 0.0, GRID, family="fresh")
    assert network.predict(usual).reach.verdict == "inside"
    flow = usual.volumes[CBF]
    odd = with_array(flow, np.where(octants(GRID) == 4, 0.2, 1) * flow.array)
    strange = network.predict(replace(usual, volumes={**usual.volumes, CBF: odd}))
    assert strange.reach.verdict == "outside"
    assert strange.notes[0].startswith("OUTSIDE")
    assert strange.notes[1] == strange.reach.reasons[0]
    assert "The cbf" in strange.reach.reasons[0]
    assert "Octant 4" in strange.reach.reasons[0]


def test_a_prediction_far_from_what_is_expected_is_doubted_though_the_scans_are_not(
    trained,
) -> None:
    atlas, usual = atlas_of(GRID), Judged("inside", 0.5, ())
    near, far = (
        told.reach(trained, usual, share * trained.residual_suvr, atlas) for share in (1.4, 1.6)
    )
    assert (near.verdict, near.reasons) == ("inside", ())
    assert far.verdict == "edge"
    assert "SUVR from the expected map" in far.reasons[0]
    assert told.reach(trained, None, 9.0, atlas) is None


def test_doubts_and_the_training_domain_are_passed_on(network, ill) -> None:
    doubtful = replace(ill, verdict="review", reasons=("Head cut at the top.",))
    notes = network.predict(doubtful).notes
    assert any("Head cut at the top." in note for note in notes)
    assert "The model was trained on simulated people only." in notes
    assert network.predict(ill).training_domain == "simulated"


def test_no_mr_a_failed_session_and_another_space_are_refused(network, mean, ill) -> None:
    there, back = identity("other", "native"), identity("native", "other")
    elsewhere = replace(ill, template="other", to_native=there, to_template=back)
    for synth in (network, mean):
        with pytest.raises(ContrastError, match="no T1w or T2w or cbf"):
            synth.predict(without(ill, *MR_INPUTS))
        with pytest.raises(ModelError, match="failed quality control"):
            synth.predict(replace(ill, verdict="fail"))
        with pytest.raises(RecipeMismatchError, match="lies in other"):
            synth.predict(elsewhere)


def test_a_foreign_template_or_atlas_is_refused(trained) -> None:
    with pytest.raises(RecipeMismatchError, match="lives in phantom"):
        synthesizer(trained, replace(template_of(FINE), key="other"), atlas_of(FINE))
    atlas = atlas_of(FINE)
    bare = Atlas(atlas.key, FINE, atlas.labels, atlas.regions, {"cortex": pons(FINE)}, "f")
    for make in (synthesizer, mean_predictor):
        with pytest.raises(RecipeMismatchError, match=REFERENCE):
            make(trained, template_of(FINE), bare)


def test_a_contrast_that_training_never_showed_is_not_used(trained, ill) -> None:
    blind = replace(trained, inputs=(T1W, CBF))
    made = synthesizer(blind, template_of(FINE), atlas_of(FINE))
    assert made.predict(ill).inputs == (T1W, CBF)
    with pytest.raises(ContrastError, match="learned from T1w, cbf"):
        made.predict(ill, (T2W,))
