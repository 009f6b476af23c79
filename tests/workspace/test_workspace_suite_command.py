"""`tracerless evaluate --full` from simulated people on disk to tables on disk."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from tracerless.cli.evaluate import command
from tracerless.core.errors import ModelError
from tracerless.core.recipe import SynthesizeRecipe
from tracerless.io import assessments
from tracerless.workspace.dataset import Dataset
from tracerless.workspace.rendered_people import write_prepared_people
from tracerless.workspace.training import train
from tracerless.workspace.trial import AGE_SEX, LINEAR, MEAN, MODEL
from tracerless.workspace.trial_open import trial

pytestmark = pytest.mark.slow
STEPS = SynthesizeRecipe(network="unet-tiny", steps=4)


@pytest.fixture(scope="module")
def places(tmp_path_factory) -> tuple[Path, Path]:
    """(people to learn from, with a network of a few steps; other people)."""
    root = tmp_path_factory.mktemp("command")
    for name, n in (("train", 12), ("test", 6)):
        list(write_prepared_people(root / name, n=n, seed=f"dev-suite-{name}"))
    train(Dataset.open(root / "train"), recipe=STEPS)
    return root / "train", root / "test"


def evaluated(*words: str | Path):
    done = CliRunner().invoke(command, [str(word) for word in words])
    assert done.exit_code == 0, (done.output, done.exception)
    return done


def test_the_whole_way_from_people_to_tables(places) -> None:
    taught, test = places
    model = taught / "models" / "unet-tiny"
    words = (test, "--model", model, "--section", "regions", "--section", "geometry", "--json")
    told = json.loads(evaluated(*words, "--limit", "4").stdout)
    assert told["facts"]["n"] == 4
    assert told["facts"]["domain"] == "simulated"
    assert told["headline"].startswith("Skill against the training mean")
    kept = assessments.read(Path(told["folder"]))
    assert set(kept.tables["skill"]["model"]) == {"unet-tiny", "age-sex", "linear"}
    assert set(kept.tables["agreement"]["atlas"]) == {"fdg36", "fdg52"}
    assert set(kept.tables["agreement"]["reference"]) == {"pons", "cerebellum"}
    again = json.loads(evaluated(*words, "--limit", "4").stdout)
    assert again == told


def test_the_quick_evaluation_stays_as_it_was(places) -> None:
    taught, test = places
    told = json.loads(evaluated(test, "--model", taught / "models" / "unet-tiny", "--json").stdout)
    assert told["skill"]["n"] == 6
    assert "Skill against the training mean" in told["headline"]


def test_people_that_the_model_saw_are_left_out(places) -> None:
    taught, test = places
    opened = trial(Dataset.open(test), str(taught / "models" / "unet-tiny"))
    assert opened.by == (MODEL, MEAN, AGE_SEX, LINEAR)
    assert {each.diagnosis for each in opened.subjects} == {"CN", "MCI", "AD", "FTD", "DLB", "VaD"}
    assert all(each.facts.age > 40 for each in opened.subjects)
    assert not list(opened.taught())
    with_training = replace(opened, training=Dataset.open(taught))
    assert len(list(with_training.taught())) == 12
    with pytest.raises(ModelError, match="nobody to evaluate"):
        trial(Dataset.open(taught), None)


def test_options_that_do_not_go_together_are_refused(places) -> None:
    _, test = places
    for words in (["--limit", "3"], ["--full", "--input", "T1w"], ["--crossfit", "x"]):
        done = CliRunner().invoke(command, [str(test), *words])
        assert done.exit_code == 2
        assert "goes with" in done.output
