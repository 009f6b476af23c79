"""A checkpoint as bytes: exact, whole, and nothing in it names a person."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracerless.core.cohort import PersonFacts
from tracerless.core.errors import ModelError
from tracerless.core.people import Pseudonym
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.checkpoint import labels_of, manifest, rounded
from tracerless.synthesize.codec import pack, unpack
from tracerless.synthesize.expected import Expected


def test_write_and_read_are_exact(trained) -> None:
    content = trained.to_bytes()
    again = Checkpoint.from_bytes(content)
    assert again.to_bytes() == content
    assert again.name == trained.name
    for plain in ("grid", "recipe", "history", "manifest", "inputs", "people", "regions"):
        assert getattr(again, plain) == getattr(trained, plain), plain
    for mapping in ("calibration", "intervals"):
        assert dict(getattr(again, mapping)) == dict(getattr(trained, mapping))
    for array in ("mean", "brain", "reference_mask", "labels", "voxel_error"):
        one, two = getattr(again, array), getattr(trained, array)
        assert one.dtype == two.dtype
        assert np.array_equal(one, two, equal_nan=one.dtype.kind == "f"), array
    assert all(np.array_equal(again.weights[n], w) for n, w in trained.weights.items())
    assert np.array_equal(again.expected.effects, trained.expected.effects)
    assert again.reach is not None
    assert trained.reach is not None
    assert np.array_equal(again.reach.left_out, trained.reach.left_out, equal_nan=True)


def test_the_maps_end_in_the_surroundings_of_the_brain(trained) -> None:
    known = np.isfinite(trained.mean)
    assert known[trained.brain].all()
    assert not known[0, 0].any()
    assert known.sum() > trained.brain.sum()
    assert not trained.labels[~trained.brain].any()
    assert np.isnan(trained.voxel_error[~trained.brain]).all()


def test_numbers_in_memory_are_those_on_disk(trained) -> None:
    """Whatever is handed in: no rounding happens between training and prediction."""
    raw = Expected(trained.mean + np.float32(1e-5), trained.expected.effects)
    made = replace(trained, expected=raw, voxel_error=trained.voxel_error * np.float32(1.0001))
    again = Checkpoint.from_bytes(made.to_bytes())
    assert np.array_equal(again.mean, made.mean, equal_nan=True)
    assert np.array_equal(again.voxel_error, made.voxel_error, equal_nan=True)


def test_rounded_weights_take_half_the_space_and_lose_little(trained) -> None:
    exact = {name: w + np.float32(1e-7) for name, w in trained.weights.items()}
    small = rounded(exact)
    assert all(np.allclose(small[n], exact[n], rtol=1e-3, atol=1e-7) for n in exact)
    n_weights = sum(w.size for w in exact.values())
    one, two = (len(replace(trained, weights=w).to_bytes()) for w in (exact, small))
    assert one - two == pytest.approx(2 * n_weights, rel=0.01)
    assert Checkpoint.from_bytes(replace(trained, weights=exact).to_bytes()).weights.keys() == (
        exact.keys()
    )
    with pytest.raises(OverflowError):
        rounded({"big": np.array([1e9], np.float32)})


def test_the_name_follows_the_content(trained) -> None:
    assert trained.name == f"unet-tiny:{trained.digest[:12]}"
    shifted = Expected(trained.mean + 1, trained.expected.effects)
    for other in (
        {"reference": "cortex"},
        {"expected": shifted},
        {"n_trained": 1},
        {"reach": None},
    ):
        assert replace(trained, **other).digest != trained.digest


def test_what_is_unusual_stands_in_the_name(trained) -> None:
    recipe = replace(trained.recipe, covariates="cognition", people="CN+MCI")
    marked = replace(trained, recipe=recipe)
    assert marked.name.startswith("unet-tiny.cognition.CN+MCI:")
    assert marked.marked_for_cognition
    assert not trained.marked_for_cognition


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_changed_byte_is_noticed(trained, data) -> None:
    content = bytearray(trained.to_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ModelError) as caught:
        Checkpoint.from_bytes(bytes(content))
    assert caught.value.hint


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_cut_file_is_refused(trained, share: float) -> None:
    content = trained.to_bytes()
    with pytest.raises(ModelError, match="cut, changed or foreign"):
        Checkpoint.from_bytes(content[: int(share * len(content))])


def test_foreign_bytes_are_refused() -> None:
    for content in (b"", b"PK\x03\x04 not a model", b"\x80\x04K\x01.", b"\xff" * 64):
        with pytest.raises(ModelError, match="no whole checkpoint"):
            Checkpoint.from_bytes(content)


def test_another_kind_or_version_is_refused(trained) -> None:
    with pytest.raises(ModelError, match="'checkpoint 99'"):
        Checkpoint.from_bytes(pack("checkpoint 99", {"mean": trained.mean}, {}))
    with pytest.raises(ModelError, match="'checkpoint 2'") as caught:
        Checkpoint.from_bytes(pack("checkpoint 2", {"mean": trained.mean}, {}))
    assert "train again" in caught.value.hint
    with pytest.raises(ModelError, match="A fact is missing"):
        Checkpoint.from_bytes(pack("checkpoint 3", {"mean": trained.mean}, {}))


def test_weights_of_another_network_are_refused(trained) -> None:
    for change in ({"network": "unet-small"}, {"members": 2}, {"objective": "flow"}):
        with pytest.raises(ModelError, match="The weights are not those of"):
            replace(trained, recipe=replace(trained.recipe, **change))
    broken = {name: w * np.float32("nan") for name, w in trained.weights.items()}
    with pytest.raises(ModelError, match="not finite"):
        replace(trained, weights=broken)


def test_packing_is_exact_and_ordered() -> None:
    tensors = {"b": np.arange(6, dtype=np.float32), "a": np.ones((2, 2))}
    facts = {"z": [1, 2], "text": "腦"}
    content = pack("thing 1", tensors, facts)
    assert content == pack("thing 1", dict(reversed(tensors.items())), facts)
    back, said = unpack("thing 1", content)
    assert said == facts
    assert all(np.array_equal(back[n], tensors[n]) for n in tensors)


def test_no_pseudonym_is_inside(trained) -> None:
    assert b"train0" not in trained.to_bytes()


def test_maps_and_labels_that_do_not_fit_are_refused(trained) -> None:
    with pytest.raises(ModelError, match="A map"):
        replace(trained, labels=trained.labels[1:])
    with pytest.raises(ModelError, match="1 regions, labels up to 8"):
        replace(trained, regions=("one",))
    with pytest.raises(ModelError, match="training_domain"):
        replace(trained, training_domain="dreamt")


def test_the_manifest_counts_people_once_and_knows_them_by_digest() -> None:
    people = [Pseudonym(each) for each in ("a", "a", "b", "c")]
    facts = [PersonFacts("AD", site="x"), PersonFacts("AD", site="x"), PersonFacts("CN"),
             PersonFacts("CN", site="y")]  # fmt: skip
    made = manifest(people, facts, np.array([0, 1, 2]), split="person")
    assert dict(made.diagnoses) == {"AD": 1, "CN": 1}
    assert dict(made.held_out) == {"CN": 1}
    assert dict(made.sites) == {"unknown": 1, "x": 1}
    order = [3, 1, 0, 2]
    same = manifest(
        [people[i] for i in order], [facts[i] for i in order], np.array([1, 2, 3]), split="person"
    )
    assert same == made
    assert manifest(people, facts, np.array([0, 1]), split="person").digest != made.digest


def test_labels_are_the_places_of_their_masks() -> None:
    masks = np.zeros((2, 3, 1, 1), bool)
    masks[0, 0] = masks[1, 2] = True
    assert labels_of(masks).ravel().tolist() == [1, 0, 2]
