"""How often wrong pairs are found on simulated people, and how often right ones are blamed."""

import dataclasses

import numpy as np
import pytest

from tracerless.core.seeds import generator
from tracerless.core.transform import Affine, resample
from tracerless.core.volume import Contrast
from tracerless.io import resources
from tracerless.synthesize.pairing import judged, look
from tracerless.synthesize.space import space
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.rendered_people import write_prepared_people
from tracerless.workspace.training_pairs import pairs

N_PEOPLE = 30
SHIFT_MM = 6.0


@pytest.mark.slow
def test_shifted_swapped_and_mirrored_pets_are_found_and_right_pairs_are_not_blamed(tmp_path):
    made = write_prepared_people(tmp_path, n=N_PEOPLE, seed="dev-rates", randomise=True)
    assert sum(1 for _ in made) == N_PEOPLE
    people = list(pairs(Dataset.open(tmp_path)))
    where = space(resources.template(4.0), resources.atlas("fdg36", 4.0), "pons")
    looks = [look(each, where) for each in people]
    assert len({finding.key for finding in judged(looks)}) <= 0.02 * N_PEOPLE

    rng = generator("dev-rates", "shifts")
    wrong = rng.permutation(len(people))[:10]
    off = list(looks)
    for i in wrong:
        off[i] = look(_moved(people[i], rng), where)
    assert _share_refused(off, wrong) >= 0.9

    swapped = list(looks)
    for i, j in zip(wrong, np.roll(wrong, 1), strict=True):
        volumes = {**people[i].volumes, Contrast.FDG: people[j].volumes[Contrast.FDG]}
        swapped[i] = look(dataclasses.replace(people[i], volumes=volumes), where)
        swapped[i] = dataclasses.replace(swapped[i], digests={})
    assert _share_refused(swapped, wrong) >= 0.9

    mirrored = list(looks)
    for i in wrong:
        mirrored[i] = look(_mirrored(people[i]), where)
    assert _share_refused(mirrored, wrong) == 1


def _mirrored(session):
    return _pulled(session, np.diag([-1.0, 1.0, 1.0, 1.0]))


def _moved(session, rng):
    step = rng.normal(size=3)
    matrix = np.eye(4)
    matrix[:3, 3] = step * SHIFT_MM / np.linalg.norm(step)
    return _pulled(session, matrix)


def _pulled(session, matrix):
    pull = Affine(session.template, session.template, matrix)
    volume = resample(session.volumes[Contrast.FDG], session.grid, pull)
    volumes = {**session.volumes, Contrast.FDG: volume}
    return dataclasses.replace(session, volumes=volumes)


def _share_refused(looks, wrong):
    refused = {each.key for each in judged(looks) if each.verdict == "refuse"}
    right = {each.key for each in looks} - {looks[i].key for i in wrong}
    assert len(refused & right) <= 0.02 * N_PEOPLE
    return np.mean([looks[i].key in refused for i in wrong])
