"""A checkpoint as bytes: exact, whole, and nothing in it names a person."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracerless.core.errors import ModelError
from tracerless.core.volume import MR_INPUTS
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.card import card
from tracerless.synthesize.codec import pack, unpack


def test_write_and_read_are_exact(trained) -> None:
    content = trained.to_bytes()
    again = Checkpoint.from_bytes(content)
    assert again.to_bytes() == content
    assert again.name == trained.name
    assert again.grid == trained.grid
    assert again.recipe == trained.recipe
    assert again.history == trained.history
    assert dict(again.calibration) == dict(trained.calibration)
    assert np.array_equal(again.mean, trained.mean, equal_nan=True)


def test_the_name_follows_the_content(trained) -> None:
    assert trained.name == f"unet-tiny:{trained.digest[:12]}"
    for other in ({"reference": "cortex"}, {"mean": trained.mean + 1}, {"n_trained": 1}):
        assert replace(trained, **other).digest != trained.digest


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
    with pytest.raises(ModelError, match="A fact is missing"):
        Checkpoint.from_bytes(pack("checkpoint 2", {"mean": trained.mean}, {}))


def test_weights_of_another_network_are_refused(trained) -> None:
    foreign = replace(trained.recipe, network="unet-small")
    with pytest.raises(ModelError, match="not those of a 'unet-small'"):
        replace(trained, recipe=foreign)
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


def test_the_card_warns_first_and_states_every_set_of_inputs(trained) -> None:
    text = card(trained)
    assert text.splitlines()[2].startswith("**Trained on simulated people only.**")
    assert trained.digest in text
    assert sum(line.startswith("| ") for line in text.splitlines()) == 2 + 7
    for contrast in MR_INPUTS:
        assert str(contrast) in text
    assert "Research use only" in card(replace(trained, training_domain="acquired"))
