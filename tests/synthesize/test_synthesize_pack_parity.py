"""A back-end that is off is found: how much, and where."""

import numpy as np
import pytest

from pack_models import REGIONS, labels, model
from tracerless.core.errors import ModelError
from tracerless.synthesize.backend import torch_backend
from tracerless.synthesize.head import box_of
from tracerless.synthesize.parity import LIMIT_SUVR, parity, probes


@pytest.fixture(scope="module")
def made():
    return model()


class Shifted:
    """A back-end that adds ``suvr`` throughout one region."""

    name = "shifted"

    def __init__(self, backend, made, region, suvr):
        inside = labels()[box_of(made.brain)] == 1 + REGIONS.index(region)
        self._backend, self._more = backend, (inside * suvr / made.residual_suvr).astype(np.float32)

    def run(self, inputs, member):
        return self._backend.run(inputs, member) + self._more


def test_the_answers_differ_between_people_and_members(made):
    first, second = list(probes(made))[:2]
    backend = torch_backend(made)
    assert np.abs(backend.run(first, 0) - backend.run(second, 0)).max() > 0.01
    assert np.abs(backend.run(first, 0) - backend.run(first, 1)).max() > 0.01


def test_a_shift_in_one_region_is_measured_and_named(made):
    ours = torch_backend(made)
    volumes = list(probes(made))[:1]
    off = parity(made, ours, Shifted(ours, made, "left", 0.05), volumes)
    assert off.region == "left"
    assert off.largest_suvr == pytest.approx(0.05, rel=0.02)
    assert not off.holds
    assert "not used" in off.sentence
    just = parity(made, ours, Shifted(ours, made, "left", 0.9 * LIMIT_SUVR), volumes)
    assert just.holds


def test_a_shift_of_the_reference_shows_in_the_others(made):
    """The reference is pinned: more there is less everywhere else."""
    ours = torch_backend(made)
    off = parity(made, ours, Shifted(ours, made, "rear", 0.05), list(probes(made))[:1])
    assert off.region in {"left", "right"}
    assert off.largest_suvr > 0.03


def test_parity_needs_a_volume_and_numbers(made):
    ours = torch_backend(made)
    with pytest.raises(ModelError, match="at least one"):
        parity(made, ours, ours, [])
    with pytest.raises(ModelError, match="no number"):
        parity(made, ours, Shifted(ours, made, "left", np.nan), probes(made))
