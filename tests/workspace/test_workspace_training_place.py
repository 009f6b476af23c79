"""The folder of a training: one at a time, nothing lost by a slip, nothing old taken for new."""

import json
import multiprocessing
import shutil
from dataclasses import replace

import pytest
from click.testing import CliRunner
from crossfit_people import written

from tracerless import synthesize
from tracerless.cli.synthesize import command
from tracerless.core.errors import ModelError, RecipeError, RecipeMismatchError
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.synthesize.channels import Normalisation
from tracerless.synthesize.fit import Watch
from tracerless.workspace import models
from tracerless.workspace.bundle_check import check
from tracerless.workspace.training import LINEAR, Training, train
from tracerless.workspace.training_board import EVENTS
from tracerless.workspace.training_place import held, mark_of
from tracerless.workspace.training_reading import read, spaces_of

SHORT = SynthesizeRecipe(network="unet-tiny", voxel_mm=6.0, steps=2, augment=0.0)
HERE = Training(watch=Watch(device="cpu"))
SOLVED = replace(SHORT, network="none")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return written(tmp_path_factory.mktemp("place") / "dataset", 8)


@pytest.fixture(scope="module")
def made(dataset):
    return train(dataset, "tiny", recipe=SHORT, training=replace(HERE, has_board=True))


def hold(folder, is_held, may_end) -> None:
    with held(folder):
        is_held.set()
        may_end.wait(60)


def test_two_trainings_of_one_name_do_not_mix(dataset) -> None:
    spawn = multiprocessing.get_context("fork")
    is_held, may_end = spawn.Event(), spawn.Event()
    other = spawn.Process(target=hold, args=(dataset.models / "both", is_held, may_end))
    other.start()
    assert is_held.wait(60)
    try:
        with pytest.raises(ModelError, match="Another command is training 'both'") as caught:
            train(dataset, "both", recipe=SOLVED, training=HERE)
        assert "--name" in caught.value.hint
    finally:
        may_end.set()
        other.join()
    assert train(dataset, "both", recipe=SOLVED, training=HERE).spent


def test_the_second_process_of_a_training_waits_for_no_lock(tmp_path, monkeypatch) -> None:
    with held(tmp_path / "m"):
        monkeypatch.setenv("RANK", "1")
        with held(tmp_path / "m"):
            pass


def test_a_training_that_is_refused_leaves_no_folder(dataset) -> None:
    with pytest.raises(ModelError, match="holds no prepared session"):
        train(written(dataset.root.parent / "empty", 0), "none", recipe=SOLVED, training=HERE)
    assert not (dataset.root.parent / "empty" / "models" / "none").exists()


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "two words"])
def test_a_model_is_named_as_a_folder_is(dataset, name) -> None:
    if name:
        with pytest.raises(RecipeError, match="no name for a model"):
            train(dataset, name, recipe=SOLVED, training=HERE)
    else:
        assert train(dataset, name, recipe=SOLVED, training=HERE).path.parent.name == "none"


def test_a_tuned_model_never_overwrites_its_base(dataset, made, tmp_path) -> None:
    tuning = replace(HERE, base="tiny")
    with pytest.raises(ModelError, match="overwrite 'tiny'"):
        train(dataset, "tiny", recipe=SHORT, training=tuning)
    site = written(tmp_path / "site", 14)
    tuned = train(site, recipe=SHORT, training=replace(HERE, base=str(made.path)))
    assert tuned.path.parent.name == "tiny-tuned"
    assert tuned.checkpoint.origin == "simulated"


def test_what_a_base_fixes_cannot_be_asked_for_otherwise(dataset, made, tmp_path) -> None:
    tuning = replace(HERE, base=str(made.path), asked=frozenset({"network"}))
    with pytest.raises(RecipeError, match=r"fixes synthesize\.network='unet-tiny'"):
        train(dataset, "t", recipe=replace(SHORT, network="ced-small"), training=tuning)


def test_a_longer_budget_trains_again_and_the_same_one_does_not(dataset) -> None:
    marks = {mark_of(dataset, SHORT, None, budget) for budget in (None, 60.0, 1500.0, 60.0)}
    assert len(marks) == 3


def test_what_cannot_be_trained_is_said_before_anything_is_read(dataset) -> None:
    def never(_done, _total) -> None:
        raise AssertionError

    how = replace(HERE, advance=never)
    for wrong, said in (
        (replace(SHORT, network="unett"), "No network 'unett'"),
        (replace(SHORT, network="ridge", objective="flow"), "cannot learn 'flow'"),
        (replace(SHORT, people="CN+XX"), "no diagnosis 'XX'"),
    ):
        with pytest.raises((ModelError, RecipeError), match=said):
            train(dataset, "never", recipe=wrong, training=how)
    assert not (dataset.models / "never").exists()


def test_a_state_that_does_not_fit_says_where_it_lies_and_a_damaged_one_too(dataset) -> None:
    state = dataset.models / "half" / models.STATE
    kept = []
    watch = Watch(device="cpu", save_every=1, save_state=kept.append)
    train(dataset, "whole", recipe=SHORT, training=HERE)
    spaces = spaces_of(dataset, SHORT, None, has_rival=False)
    found = read(dataset, spaces, Normalisation(), workers=1, advance=None)
    synthesize.learn(
        found.materials[0], spaces[0], recipe=SHORT, training_domain="simulated", watch=watch
    )
    models.save_state(dataset, "half", kept[0])
    with pytest.raises(RecipeMismatchError, match="belongs to run") as caught:
        train(dataset, "half", recipe=replace(SHORT, seed=2), training=HERE)
    assert str(state) in str(caught.value)
    models.save_state(dataset, "half", kept[0][:-50])
    with pytest.raises(ModelError, match="cannot be taken up") as caught:
        train(dataset, "half", recipe=SHORT, training=HERE)
    assert f"Delete {state}" in caught.value.hint


def test_nothing_of_an_older_model_stays_beside_a_new_one(tmp_path, caplog) -> None:
    dataset = written(tmp_path / "dataset", 8)
    first = train(dataset, "m", recipe=SHORT, training=replace(HERE, has_board=True))
    folder = first.path.parent
    (old,) = (folder / EVENTS).iterdir()
    assert (folder / LINEAR).is_file()
    other = replace(HERE, has_rival=False)
    train(dataset, "m", recipe=replace(SHORT, seed=2), training=other)
    assert f"{first.checkpoint.name} lies in" in caplog.text
    assert not old.exists()
    assert not (folder / LINEAR).exists()


def test_a_damaged_record_of_a_run_trains_again(dataset, made) -> None:
    record = made.path.parent / models.MARK
    kept = record.read_text()
    record.write_text("{")
    assert models.finished(dataset, "tiny", json.loads(kept)["mark"]) is None
    record.write_text(kept)
    assert models.finished(dataset, "tiny", json.loads(kept)["mark"]) is not None


def test_samples_of_a_model_that_makes_none_are_refused_once(dataset, made) -> None:
    words = ["predict", str(dataset.root), "--model", "tiny", "--samples", "2"]
    ran = CliRunner().invoke(command, words)
    assert isinstance(ran.exception, ModelError)
    assert "makes no samples" in str(ran.exception)
    wrong = CliRunner().invoke(command, ["predict", str(dataset.root), "--model", "tinny"])
    assert "Did you mean 'tiny'" in str(wrong.exception)


@pytest.mark.slow
def test_training_ends_in_a_bundle_and_makes_it_up_where_it_was_stopped_before(tmp_path):
    opened = written(tmp_path / "dataset", 6)
    how = Training(watch=Watch(device="cpu"), has_bundle=True)
    recipe = SynthesizeRecipe(network="unet-tiny", voxel_mm=6.0, steps=2, augment=0.0)
    done = train(opened, "tiny", recipe=recipe, training=how)
    assert all(each.is_right for each in check(done.bundle.folder))
    assert done.bundle.parity.n_volumes >= 3
    shutil.rmtree(done.bundle.folder)
    again = train(opened, "tiny", recipe=recipe, training=how)
    assert not again.spent
    assert again.bundle.digest == done.bundle.digest
    other = train(
        opened, "tiny", recipe=replace(recipe, steps=3), training=replace(how, has_bundle=False)
    )
    assert other.bundle is None
    assert not done.bundle.folder.exists()
