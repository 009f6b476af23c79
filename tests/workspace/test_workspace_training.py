"""Training on a dataset: what is kept, what is left out, and what it is tuned from."""

import json
import sys
from dataclasses import replace

import click
import numpy as np
import pytest
from click.testing import CliRunner
from crossfit_people import written

from tracerless.cli.synthesize import command
from tracerless.cli.synthesize_fit import duration_s
from tracerless.core.errors import ModelError, RecipeError
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.core.volume import Contrast, with_array
from tracerless.synthesize import Checkpoint
from tracerless.synthesize.fit import Watch
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.shelf import SessionShelf
from tracerless.workspace.training import LINEAR, Training, train
from tracerless.workspace.training_board import EVENTS
from tracerless.workspace.training_people import known_people

SHORT = SynthesizeRecipe(network="unet-tiny", voxel_mm=6.0, steps=3, augment=0.0)
HERE = Training(watch=Watch(device="cpu"))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Dataset:
    return written(tmp_path_factory.mktemp("training") / "dataset", 10)


@pytest.fixture(scope="module")
def made(dataset):
    return train(dataset, "tiny", recipe=SHORT, training=replace(HERE, has_board=True))


def test_a_model_lies_with_its_rival_its_card_and_its_curves(dataset, made) -> None:
    folder = made.path.parent
    rival = Checkpoint.from_bytes((folder / LINEAR).read_bytes())
    assert rival.recipe.network == "ridge"
    assert rival.people == made.checkpoint.people
    assert Checkpoint.from_bytes(made.path.read_bytes()).digest == made.checkpoint.digest
    record = json.loads((folder / "trained.json").read_text())
    assert record["spent_s"] > 0
    assert (record["refused"], record["steps"]) == (0, SHORT.steps)
    assert 0 < record["reading_s"] < record["spent_s"]
    assert [path.stat().st_size > 100 for path in (folder / EVENTS).iterdir()] == [True]


def test_what_is_trained_already_is_not_trained_again(dataset, made) -> None:
    before = made.path.stat().st_mtime_ns
    again = train(dataset, "tiny", recipe=SHORT, training=HERE)
    assert again.checkpoint.digest == made.checkpoint.digest
    assert again.path.stat().st_mtime_ns == before


def test_a_state_left_by_a_stopped_training_is_taken_up(dataset, made) -> None:
    class StoppedError(Exception):
        """Stands for kill -9."""

    def stop(at) -> None:
        if at.step == 3:
            raise StoppedError

    stopped = replace(HERE, watch=Watch(device="cpu", progress=stop))
    with pytest.raises(StoppedError):
        train(dataset, "stopped", recipe=SHORT, training=stopped)
    assert (dataset.models / "stopped" / "training.state").is_file()
    steps = []
    go_on = replace(HERE, watch=Watch(device="cpu", progress=steps.append))
    again = train(dataset, "stopped", recipe=SHORT, training=go_on)
    assert not steps
    assert again.checkpoint.digest == made.checkpoint.digest
    assert not (dataset.models / "stopped" / "training.state").exists()


def test_a_trained_model_is_tuned_on_another_dataset(made, tmp_path) -> None:
    site = written(tmp_path / "site", 14)  # of whom the base saw ten
    base = replace(HERE, base=str(made.path.parent))
    tuned = train(site, "tuned", recipe=SHORT, training=base)
    assert tuned.checkpoint.base == made.checkpoint.name
    assert tuned.checkpoint.n_trained == 4


def test_a_model_is_not_tuned_on_the_people_it_learned_from(dataset, made) -> None:
    with pytest.raises(ModelError, match="has seen 10 of these 10"):
        train(dataset, "tuned", recipe=SHORT, training=replace(HERE, base="tiny"))


def test_what_is_known_of_people_comes_from_the_table(dataset) -> None:
    facts = known_people(dataset)
    key = dataset.sessions()[0]
    assert facts[key.person].diagnosis == "CN"
    assert facts[key.person].age == 60
    assert np.isnan(facts[key.person].mmse)


def test_a_wrong_pair_is_left_out_by_name_and_strictly_it_stops_all(tmp_path) -> None:
    spoiled = written(tmp_path / "dataset", 6)
    key = spoiled.sessions()[1]
    shelf = SessionShelf(spoiled, key)
    kept = shelf.latest("prepared")
    pet = kept.volumes[Contrast.FDG]
    other = with_array(pet, pet.array * 8)
    shelf.save("prepared", replace(kept, volumes={**kept.volumes, Contrast.FDG: other}), "spoiled")
    recipe = replace(SHORT, network="none")
    with pytest.raises(ModelError, match=f"1 sessions cannot teach; {key}"):
        train(spoiled, recipe=recipe, training=replace(HERE, is_strict=True))
    found = train(spoiled, recipe=recipe, training=HERE)
    assert [each.key for each in found.refused] == [key]
    assert found.checkpoint.n_trained == 5


def test_a_budget_that_reading_ate_is_said_before_training(dataset) -> None:
    hurried = replace(HERE, watch=Watch(device="cpu", budget_s=0.01))
    with pytest.raises(RecipeError, match=r"Reading the sessions took .* too little is left"):
        train(dataset, "hurried", recipe=SHORT, training=hurried)


def test_without_tensorboard_a_sentence_says_so(dataset, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.event_file_writer", None)
    with pytest.raises(RecipeError, match="TensorBoard is not installed") as caught:
        train(dataset, "board", recipe=SHORT, training=replace(HERE, has_board=True))
    assert "report.html" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("25m", 1500), ("1h30m", 5400), ("600", 600), ("1.5m", 90)]
)
def test_a_budget_is_written_as_people_write_time(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "0s", "5d"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="write 90s, 25m"):
        duration_s(text)


def test_settings_come_from_design_option_and_set(dataset) -> None:
    words = ["fit", str(dataset.root), "--design", "age-sex", "--set", "held_out=0.3", "--json"]
    ran = CliRunner().invoke(command, words, catch_exceptions=False)
    record = json.loads(ran.stdout)
    assert "age-sex" in record["model"]
    wrong = CliRunner().invoke(command, ["fit", str(dataset.root), "--set", "stepps=3"])
    assert isinstance(wrong.exception, RecipeError)
    assert "steps" in wrong.exception.hint
    wrong = CliRunner().invoke(command, ["fit", str(dataset.root), "--set", "steps=many"])
    assert "of type int" in str(wrong.exception)


@pytest.mark.slow
def test_who_reads_the_sessions_does_not_matter(dataset, made) -> None:
    many = train(dataset, "many", recipe=SHORT, training=replace(HERE, workers=2))
    assert many.checkpoint.digest == made.checkpoint.digest
