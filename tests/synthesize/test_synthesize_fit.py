"""Training: it learns what the MR shows, nothing else, and survives being killed."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from phantom_sessions import (
    GRID,
    RECIPE,
    REFERENCE,
    SPACE,
    atlas_of,
    grid_of,
    octants,
    people,
    person,
    region_means,
    template_of,
    tissue,
    without,
)

from tracerless.core.errors import (
    ContrastError,
    GeometryError,
    ModelError,
    QuantityError,
    RecipeMismatchError,
)
from tracerless.core.transform import identity
from tracerless.core.volume import MR_INPUTS, Contrast, Quantity, with_array
from tracerless.synthesize import fit, mean_predictor, synthesizer
from tracerless.synthesize.fit import Watch
from tracerless.synthesize.state import TrainingState

SHORT = replace(RECIPE, steps=12)


def train(sessions=None, recipe=SHORT, **changes):
    given = {
        "template": template_of(GRID),
        "atlas": atlas_of(GRID),
        "reference": REFERENCE,
        "training_domain": "simulated",
        "watch": Watch(threads=1, check_every=5),
    }
    return fit(people(8, GRID) if sessions is None else sessions, recipe=recipe, **given | changes)


def skill_on_new_people(checkpoint, sessions, inputs=None) -> float:
    """1 - MAE / MAE of the mean over regions; the people come from another seed family."""
    pair = template_of(GRID), atlas_of(GRID)
    network, mean = synthesizer(checkpoint, *pair), mean_predictor(checkpoint, *pair)
    error = base = 0.0
    for session in sessions:
        truth = region_means(session.volumes[Contrast.FDG].array, GRID)
        flat = region_means(mean.predict(session, inputs).volume.array, GRID)
        try:
            made = region_means(network.predict(session, inputs).volume.array, GRID)
        except ModelError:  # it was not shown to know more, and says so
            made = flat
        error += np.abs(truth - made).sum()
        base += np.abs(truth - flat).sum()
    return 1 - error / base


def test_learns_what_flow_shows_and_admits_what_anatomy_does_not(trained) -> None:
    fresh = people(16, GRID, family="fresh")
    assert skill_on_new_people(trained, fresh) > 0.3
    assert skill_on_new_people(trained, fresh, (Contrast.CBF,)) > 0.3
    assert skill_on_new_people(trained, fresh, (Contrast.T1W,)) > -0.05
    assert trained.calibration["T1w"].skill < 0.1 < trained.calibration["cbf"].skill


def test_held_out_skill_is_what_new_people_get(trained) -> None:
    claimed = trained.calibration["T1w+T2w+cbf"].skill
    assert claimed == pytest.approx(
        skill_on_new_people(trained, people(16, GRID, family="fresh")), abs=0.25
    )


def test_where_pet_has_nothing_to_do_with_mr_there_is_no_skill() -> None:
    strangers = people(24, GRID, coupling=0.0, family="uncoupled")
    got = train(strangers, replace(RECIPE, steps=120))
    fresh = people(12, GRID, coupling=0.0, family="unseen")
    assert skill_on_new_people(got, fresh) < 0.08


def test_pets_shuffled_between_people_teach_nothing() -> None:
    true = people(24, GRID, family="shuffled")
    order = np.roll(np.arange(24), 5)
    pets = [true[i].volumes[Contrast.FDG] for i in order]
    mixed = [
        replace(s, volumes={**s.volumes, Contrast.FDG: pet})
        for s, pet in zip(true, pets, strict=True)
    ]
    got = train(mixed, replace(RECIPE, steps=120))
    assert skill_on_new_people(got, people(12, GRID, family="fresh")) < 0.08


def test_same_sessions_same_bytes_and_another_seed_other_bytes() -> None:
    first = train().to_bytes()
    assert train().to_bytes() == first
    assert train(recipe=replace(SHORT, seed=2)).to_bytes() != first


def test_neither_watching_nor_saving_changes_the_weights() -> None:
    seen, kept = [], []
    watch = Watch(
        progress=seen.append, save_state=kept.append, save_every=4, check_every=5, threads=1
    )
    assert train(watch=watch).to_bytes() == train().to_bytes()
    assert [p.step for p in seen] == list(range(1, 13))
    assert [p.step for p in seen if p.skill is not None] == [5, 10, 12]
    assert [TrainingState.from_bytes(b).step for b in kept] == [4, 8, 12]


class KilledError(Exception):
    """Stands for kill -9: nothing runs after it."""


def killer(at: int, kept: list[bytes]) -> tuple[Callable, Callable]:
    def progress(state) -> None:
        if state.step == at:
            raise KilledError

    return progress, kept.append


@pytest.mark.parametrize("at", [4, 7, 11])
def test_a_killed_run_goes_on_to_the_same_bytes(at: int) -> None:
    kept: list[bytes] = []
    progress, save = killer(at, kept)
    watch = Watch(progress=progress, save_state=save, save_every=3, check_every=5, threads=1)
    with pytest.raises(KilledError):
        train(watch=watch)
    state = TrainingState.from_bytes(kept[-1])
    assert 0 < state.step <= at
    assert train(resume=state).to_bytes() == train().to_bytes()


def state_of_a_run() -> TrainingState:
    kept: list[bytes] = []
    train(watch=Watch(save_state=kept.append, save_every=6, check_every=5, threads=1))
    return TrainingState.from_bytes(kept[0])


def test_a_state_of_another_run_is_refused() -> None:
    state = state_of_a_run()
    for other in ({"recipe": replace(SHORT, steps=13)}, {"sessions": people(9, GRID)}):
        with pytest.raises(RecipeMismatchError, match="belongs to run") as caught:
            train(**other, resume=state)
        assert caught.value.hint


def test_a_damaged_state_is_refused() -> None:
    state = state_of_a_run()
    content = state.to_bytes()
    with pytest.raises(ModelError, match="cut, changed or foreign"):
        TrainingState.from_bytes(content[:-100])
    name = next(n for n in state.tensors if n.startswith("exp_avg_sq/"))
    lacking = {n: t for n, t in state.tensors.items() if n != name}
    with pytest.raises(ModelError, match="does not fit the network"):
        train(resume=replace(state, tensors=lacking))


def test_sessions_are_walked_once_so_they_may_come_from_disk_one_by_one() -> None:
    assert train(iter(people(8, GRID))).to_bytes() == train().to_bytes()


def test_the_checkpoint_says_whom_it_saw_and_splits_by_person() -> None:
    twice = [*people(8, GRID), *people(8, GRID)]
    got = train(twice)
    assert len(got.people) == 8
    assert (got.n_trained, got.n_held_out) == (6, 2)
    assert not any("train" in digest for digest in got.people)


def test_the_mean_is_that_of_the_training_people_only() -> None:
    sessions = people(8, GRID)
    everyone = np.mean([s.volumes[Contrast.FDG].array for s in sessions], axis=0)
    inside = tissue(GRID)[2]
    assert not np.allclose(train(sessions).mean[inside], everyone[inside], atol=2e-3)
    alone = train(sessions, replace(SHORT, held_out=0.0))
    assert np.allclose(alone.mean[inside], everyone[inside], atol=2e-3)
    assert {c.skill for c in alone.calibration.values()} == {None}


def test_a_missing_contrast_is_learned_around() -> None:
    sessions = [without(s, Contrast.T2W) for s in people(8, GRID)]
    got = train([*sessions[:4], *people(8, GRID)[4:]])
    assert got.inputs == MR_INPUTS
    without_any = train(sessions)
    assert without_any.inputs == (Contrast.T1W, Contrast.CBF)
    assert without_any.calibration["T2w"].skill is None
    assert len(without_any.history.checks["0"]) == 3


def with_fdg(session, change, quantity=None):
    pet = session.volumes[Contrast.FDG]
    return replace(
        session,
        volumes={**session.volumes, Contrast.FDG: with_array(pet, change(pet.array), quantity)},
    )


def elsewhere(session):
    there, back = identity("other", "native"), identity("native", "other")
    return replace(session, template="other", to_native=there, to_template=back)


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (lambda s: without(s, Contrast.FDG), ContrastError, "no FDG"),
        (lambda s: without(s, *MR_INPUTS), ContrastError, "no T1w or T2w or cbf"),
        (lambda s: with_fdg(s, lambda a: 8 * a, Quantity.ACTIVITY), QuantityError, "kBq/mL"),
        (lambda s: with_fdg(s, lambda a: 1.4 * a), QuantityError, "mean 1.40"),
        (lambda s: replace(s, verdict="fail", reasons=("Too dark.",)), ModelError, "Too dark"),
        (elsewhere, RecipeMismatchError, f"other, the synthesizer in {SPACE}"),
    ],
)
def test_training_never_starts_on_a_wrong_pair(spoil, error, words) -> None:
    sessions = people(4, GRID)
    sessions[2] = spoil(sessions[2])
    with pytest.raises(error, match=words) as caught:
        train(sessions)
    assert "train002" in caught.value.message


def test_too_few_pairs_and_foreign_grids_are_refused() -> None:
    with pytest.raises(ModelError, match="1 pairs"):
        train([person(1, 0.0, GRID)])
    with pytest.raises(GeometryError, match="different grids"):
        train(atlas=atlas_of(grid_of(8.0)))


def test_what_no_brain_takes_up_is_refused() -> None:
    wild = with_fdg(person(1, 0.0, GRID), lambda a: np.where(octants(GRID) == 3, 3e30, a))
    with pytest.raises(QuantityError, match=r"3e\+30 in the brain"):
        train([wild, *people(3, GRID)[1:]], replace(SHORT, held_out=0.0))
